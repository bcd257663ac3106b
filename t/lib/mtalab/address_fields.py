# SPDX-License-Identifier: BSD-2-Clause
"""address_fields - address fields as mailers and people write them, made up
from a seed: the same seed gives the same fields"""
import random

ATOMS = [b'Bob', b'Bobson', b'B.', b'von', b'de la', b"O'Bob", b'J.R.', b'42',
         b'x_y', b'A&B', b'Sales/EMEA', b'(pty)', b'=?UTF-8?Q?B=C3=B6b?=',
         b'B\xc3\xb6b', b'\xe4', b'[EXT]', b'Team!', b'*', b'~', b'a+b',
         b'CEO;', b'Re:', b'Doe,', b'"q"', b'\\', b'%', b'$', b'#1', b'^', b'`']
LOCALS = [b'bob', b'b.o.b', b'bob+tag', b'"bob b"', b'BOB', b'b_o-b', b'b!o',
          b'bob%relay', b'"b\\"b"', b"o'bob", b'bob=x', b'0', b'a' * 64, b'{b}']
DOMAINS = [b'example.net', b'EXAMPLE.NET', b'mail.example.com', b'[192.0.2.1]',
           b'x.test', b'xn--bb-eka.example', b'example.net.', b'localhost']
SPACES = [b'', b'', b'', b' ', b'  ', b'\t', b'\r\n ', b'\r\n\t', b' \r\n  ']
COMMENTS = [b'(Bob)', b'(a (nested) one)', b'()', b'(with, comma)',
            b'(quote " in)', b'(esc \\) paren)']
QUOTED = [b'"Bob"', b'"Bobson, Bob"', b'"a \\"q\\" b"', b'"  blanks  "', b'""',
          b'"semi;colon:at@"', b'"back\\\\slash"', b'"tab\there"',
          b'"B\xc3\xb6b"']


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def _pick(self, choices):
        return self.rng.choice(choices)

    def _space(self):
        return self._pick(SPACES)

    def address(self):
        return self._pick(LOCALS) + b'@' + self._pick(DOMAINS)

    def _phrase(self):
        kind = self.rng.random()
        if kind < 0.3:
            return self._pick(QUOTED)
        words = [self._pick(ATOMS)
                 for _ in range(self.rng.randrange(1, 4))]
        if kind < 0.4:
            words.append(self._pick(QUOTED))
        return self._pick([b' ', b'  ', b'\r\n ']).join(words)

    def mailbox(self):
        kind = self.rng.random()
        if kind < 0.35:
            return self.address()
        if kind < 0.45:
            return b'<' + self.address() + b'>'
        if kind < 0.55:
            return self.address() + self._space() + self._pick(COMMENTS)
        text = self._phrase() + self._pick([b' ', b' ', b'', b'\t']) + \
            b'<' + self.address() + b'>'
        return text + (b' ' + self._pick(COMMENTS)
                       if self.rng.random() < 0.1 else b'')

    def value(self):
        """What stands behind the colon."""
        count = self._pick([1, 1, 2, 2, 3, 8, 30])
        text = self._pick([b' ', b' ', b' ', b'', b'\t', b'  ',
                           b'\r\n '])
        for n in range(count):
            if n:
                text += self._space() + b',' + self._space()
            text += self.mailbox()
        if self.rng.random() < 0.05:
            text = b' Friends' + self._space() + b':' + text + b';'
        if self.rng.random() < 0.05:
            text += b',' + self._space()
        return text
