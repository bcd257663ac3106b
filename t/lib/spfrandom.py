# SPDX-License-Identifier: BSD-2-Clause
"""spfrandom - SPF records by chance, with the DNS they live in

    case = spfrandom.Case(number, seed)
    case.ip, case.helo, case.sender
    case.zone     {(name, type): [data] or 'servfail'}
    case.lines()  the same as mfx_resolver_static_new reads it

The same number and seed give the same case on every machine. Names and the
client's address are the case's own, so that many cases share one zone. TXT
data are bytes, MX (preference, name), the others text.
"""
import random

QUALIFIERS = ['', '', '', '', '+', '-', '~', '?']
LETTERS = 'slodiphvSLDIH'
WORDS = ['v', 'x-', 'moo', 'a', 'include', 'all', 'ip4', 'exp', 'redirect',
         'op', 'm.n_o-p', 'ra']
RESULTS_AT_END = ['-all'] * 6 + ['~all', '?all', '+all', 'all', '-ALL', '']


class Case:
    def __init__(self, number, seed):
        self.random = random.Random('%s/%d' % (seed, number))
        self.number = number
        self.top = 'd%d.test' % number
        self.zone = {}
        self.records = ['%s.%s' % (name, self.top)
                        for name in ('r0', 'r1', 'r2', 'r3')]
        self.hosts = ['h%d.%s' % (i, self.top) for i in range(6)]
        self.set_client()
        self.set_hosts()
        for name in [self.top] + self.records:
            self.set_record(name)
        for name in ('e0', 'e1'):
            self.set_explanation('%s.%s' % (name, self.top))

    def chance(self, percent):
        return self.random.random() * 100 < percent

    # --- who asks ---

    def address(self, last):
        n = self.number
        if self.six:
            return '2001:db8:%x:%x::%x' % (n >> 8, n & 255, last)
        return '10.%d.%d.%d' % (n >> 8 & 255, n & 255, last)

    def set_client(self):
        r = self.random
        self.six = self.chance(25)
        self.ip = self.address(r.choice([1, 1, 2, 9, 77]))
        self.shown_ip = self.ip
        if not self.six and self.chance(5):
            self.shown_ip = '::ffff:' + self.ip
        self.helo = r.choice(['mail.%s' % self.top, 'h0.%s' % self.top,
                              'a-b.C-d.%s' % self.top, 'localhost'])
        if self.chance(10):
            self.helo = r.choice(['', '.'.join(['x' * r.randint(20, 60)] * 3)])
        local = r.choice(['a', 'Strong-Bad', 'x+y=z', 'a.b.c', 'postmaster',
                          'q_r-s.t', 'L%41', 'o\'brien', 'x/y', '*!{}'])
        self.sender = '%s@%s' % (local, self.top)
        if self.chance(4):
            self.helo, self.sender = self.top, ''
        elif self.chance(3):
            self.sender = self.top

    def reverse(self):
        if self.six:
            import ipaddress
            return ipaddress.ip_address(self.ip).reverse_pointer
        return '.'.join(reversed(self.ip.split('.'))) + '.in-addr.arpa'

    # --- what is in the DNS ---

    def put(self, name, kind, data):
        self.zone.setdefault((name, kind), []).append(data)

    def fail(self, name, kind):
        self.zone[name, kind] = 'servfail'

    def set_hosts(self):
        r = self.random
        kind = 'AAAA' if self.six else 'A'
        for host in self.hosts[:5]:  # the last is not there
            for _ in range(r.choice([0, 1, 1, 1, 2, 12])):
                self.put(host, kind, self.address(r.choice([1, 2, 9, 8, 200])))
            if self.chance(4):
                self.fail(host, kind)
            self.set_mx(host)
        for word in ('x', 'a', 'com'):
            self.put('%s.%s' % (word, self.top), 'A', '127.0.0.2')
        self.set_mx(self.top)
        if self.chance(60):
            self.put(self.top, kind, self.address(r.choice([1, 2, 9])))
        self.set_ptr()

    def set_mx(self, name):
        r = self.random
        if self.chance(4):
            self.fail(name, 'MX')
            return
        for i in range(r.choice([0, 0, 1, 2, 3, 10, 11])):
            host = r.choice(self.hosts[:5]) if self.chance(95) else r.choice(
                ['', self.hosts[5]])
            if (i, host) not in self.zone.get((name, 'MX'), []):
                self.put(name, 'MX', (i, host))

    def set_ptr(self):
        r = self.random
        name = self.reverse()
        if self.chance(6):
            self.fail(name, 'PTR')
            return
        for _ in range(r.choice([0, 0, 1, 2, 4, 11])):
            self.put(name, 'PTR', r.choice(self.hosts + [self.top]))

    # --- records ---

    def long_name(self):
        """A domain-spec that may expand to more than a name's 253 octets; what
        it then is (RFC 7208 7.3) is there."""
        name = '%s.%s.x.%s' % (self.helo, self.helo, self.top)
        while len(name) > 253:
            name = name[name.index('.') + 1:]
        self.put(name.lower(), 'A', '127.0.0.2')
        return 'exists:%{h}.%{h}.x.%{o}'

    def macro(self):
        r = self.random
        if self.chance(10):
            return '%%{%s%s%s}' % (r.choice('hdo'), r.choice(['', '2', 'r', 'R']),
                                   r.choice(['', '-', '.-', '-.']))
        text = '%{' + r.choice(LETTERS)
        if self.chance(30):
            text += str(r.choice([1, 1, 2, 3, 9, 128]))
        if self.chance(30):
            text += 'r'
        if self.chance(15):
            text += ''.join(r.choice('.-+,/_=') for _ in range(r.randint(1, 2)))
        return text + '}'

    def domain(self):
        r = self.random
        what = r.randrange(10)
        if what < 5:
            return r.choice(self.hosts + [self.top])
        if what < 6:
            return '%s.%s' % (r.choice(['x', 'nobody', 'X', 'a']), self.top)
        if what < 9:
            return '%s.%s' % (self.macro(), r.choice([self.top, '%{d}', '%{o}']))
        return r.choice(['%{d}', '%{d2}', '%{h}', '%{h}', '%%.%s' % self.top,
                         '%{p}', 'h%{d}', '%{p}.' + self.top,
                         'a%-b.' + self.top, '%_.' + self.top])

    def lengths(self):
        r = self.random
        if self.chance(70):
            return ''
        four, six = r.choice([0, 8, 24, 31, 32]), r.choice([0, 48, 64, 127, 128])
        return r.choice(['/%d' % four, '//%d' % six, '/%d//%d' % (four, six)])

    def network(self):
        r = self.random
        if self.chance(50):
            length = r.choice(['', '', '/32', '/24', '/31', '/8', '/0'])
            near = '10.%d.%d.%d' % (self.number >> 8 & 255, self.number & 255,
                                    r.choice([1, 2, 9, 0, 8]))
            return 'ip4:' + r.choice([near, near, '192.0.2.7']) + length
        length = r.choice(['', '', '/128', '/64', '/127', '/32', '/0'])
        near = '2001:db8:%x:%x::%x' % (self.number >> 8, self.number & 255,
                                       r.choice([1, 2, 9, 0]))
        return 'ip6:' + r.choice([near, near, '::1', '2001:DB8::', '::',
                                  '::ffff:10.0.0.1']) + length

    def mechanism(self):
        r = self.random
        what = r.choice(['a', 'a', 'mx', 'ptr', 'exists', 'include', 'include',
                         'ip', 'ip', 'A', 'Mx', 'EXISTS'])
        low = what.lower()
        if low == 'ip':
            text = self.network()
        elif low in ('a', 'mx'):
            text = what
            text += ':' + self.domain() if self.chance(60) else ''
            text += self.lengths()
        elif low == 'ptr':
            text = what + (':' + self.domain() if self.chance(50) else '')
        elif low == 'exists' and self.chance(20):
            text = self.long_name()
        elif low == 'exists':
            text = what + ':' + self.domain()
        else:
            text = 'include:' + r.choice(self.records + [self.hosts[5]])
            if self.chance(5):
                text = 'include:' + self.domain()
        return r.choice(QUALIFIERS) + text

    def modifier(self):
        r = self.random
        what = r.randrange(6)
        if what < 3:
            return '%s=%s.%s' % (r.choice(['exp', 'exp', 'exp', 'EXP']),
                                 r.choice(['e0', 'e1', 'e9']), self.top)
        if what < 5:
            return '%s=%s' % (r.choice(['redirect', 'redirect', 'Redirect']),
                              r.choice(self.records + [self.hosts[5], '%{d}',
                                                       'r1.' + '%{d}']))
        return '%s=%s' % (r.choice(WORDS[:3] + WORDS[9:]),
                          r.choice(['', 'x', self.macro(), '%%', 'a:b', '/24']))

    def set_record(self, name):
        r = self.random
        if self.chance(5):
            return
        if self.chance(3):
            self.fail(name, 'TXT')
            return
        terms = [self.mechanism() for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4,
                                                           6, 12]))]
        if name != self.top and self.chance(50):
            terms = terms[:2]
        terms.append(r.choice(RESULTS_AT_END))
        for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
            terms.insert(r.randint(0, len(terms)), self.modifier())
        text = ' '.join(['v=spf1'] + terms)
        if self.chance(3):
            text = text.replace('v=spf1', r.choice(['V=SPF1', 'v=spf10', 'v=spf2.0',
                                                    ' v=spf1', 'v=spf1 ']))
        data = text.encode()
        if self.chance(30):
            data = self.broken(data)
        self.put(name, 'TXT', data)
        if self.chance(3):
            self.put(name, 'TXT', r.choice([b'v=spf1 -all', b'v=spf1', b'hello',
                                            b'v=spf1x', b'\xff']))

    def broken(self, data):
        r = self.random
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            at = r.randint(6, len(data))
            what = r.randrange(6)
            if what == 0:
                data = data[:at] + data[at + 1:]
            elif what == 1:
                byte = r.choice([b' ', b'%', b'{', b'}', b'/', b':', b'=', b'.',
                                 b'-', b'0', b'9', b'\t', b'\n', b'\xe4', b'\x00',
                                 b'a', b'+', b',', b'"', b'//', b'/0', b'/33',
                                 b'%{', b'%}', b'..', b' = ', b' :', b' ?'])
                data = data[:at] + byte + data[at:]
            elif what == 2:
                to = r.randint(at, min(len(data), at + 30))
                data = data[:to] + data[at:to] + data[to:]
            elif what == 3:
                data = data[:at] + r.choice([
                    b' all:x', b' a:', b' ip4:', b' ip4', b' ip4:1.2.3', b' ip4:1.2.3.4/33',
                    b' ip4:01.2.3.4', b' ip6::', b' ip6:1:2:3', b' ip4:1.2.3.4/024',
                    b' include', b' exists', b' -exists', b' ?exists', b' ~Include', b' a/24/24', b' a//129', b' mx:x.test/ ',
                    b' ptr/24', b' a:1.2.3.4', b' a:foo', b' a:foo.x-.', b' a:foo.123',
                    b' exp=', b' redirect=', b' exp=foo', b' moo', b' moo=%',
                    b' -exp=x.test', b' a:%{x}.test', b' a:%{d0}.test', b' a:%{t}.test',
                    b' exists:%{dx}.test', b' exists:%{d2rr}.test', b' a:x.test.',
                    b' a:.x.test', b' a:x..test', b' include:%{l}', b' -', b' =',
                    b' exists:%(d).test', b' all.', b' a=x', b' mx/32//128',
                    b' ip6:2001:db8::1//64', b' ip4:1.2.3.4.', b' default=pass',
                    b' a:' + b'x' * 64 + b'.test', b' a:' + b'y.' * 130 + b'test']) + data[at:]
            elif what == 4:
                data = data[:at] + data[at:].swapcase()
            else:
                data = data[:r.randint(6, len(data))]
        return data

    def set_explanation(self, name):
        r = self.random
        if self.chance(10):
            return
        if self.chance(5):
            self.fail(name, 'TXT')
            return
        text = ' '.join(r.choice(['go', 'away,', self.macro(), '%{c}', '%{r}',
                                  '%%', 'see%_http://x.test/?%{S}', '50%-',
                                  'v=%{v}', 'x'])
                        for _ in range(r.choice([1, 3, 3, 6, 40])))
        data = text.encode()
        if self.chance(15):
            data = self.broken(b'123456' + data)[6:]
        self.put(name, 'TXT', data)
        if self.chance(4):
            self.put(name, 'TXT', b'another')

    def lines(self):
        for (name, kind), data in self.zone.items():
            if data == 'servfail':
                yield '%s %s !servfail' % (name, kind)
                continue
            for one in data:
                if kind == 'TXT':
                    one = '"%s"' % ''.join(
                        chr(c) if 0x20 <= c <= 0x7e and c not in b'"\\'
                        else '\\%03d' % c for c in one)
                elif kind == 'MX':
                    one = '%d %s' % (one[0], one[1] or '.')
                yield '%s %s %s' % (name, kind, one)
