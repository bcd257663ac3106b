#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Messages that another signer (dkimpy) has signed before mfx-dkim: what is
taken over, what is left, what is not made twice, and what shadow says."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import dkim
import milterwire
import tap
from mtalab import Lab

HEAD = [(b'From', b'Alice <alice@example.org>'), (b'To', b'bob@example.net'),
        (b'Subject', b'hello'), (b'Date', b'Mon, 2 Nov 2026 10:00:00 +0000'),
        (b'Message-ID', b'<1@example.org>')]
BODY = b'Hello.\r\n'
NAME = b'DKIM-Signature'


def signature(key, domain=None, selector=None, fields=HEAD, names=None):
    """The field's value as dkimpy makes it, its lines joined by LF."""
    text = b''.join(name + b': ' + value + b'\r\n' for name, value in fields)
    with open(key.path, 'rb') as file:
        private = file.read()
    field = dkim.sign(text + b'\r\n' + BODY, (selector or key.selector).encode(),
                      (domain or key.domain).encode(), private,
                      canonicalize=(b'relaxed', b'relaxed'),
                      include_headers=names or [n for n, _ in fields])
    return field.partition(b':')[2].strip().replace(b'\r\n', b'\n')


def broken(value):
    """The same, with another body hash."""
    at = value.index(b'bh=') + 3
    return value[:at] + (b'A' if value[at:at + 1] != b'A' else b'B') + \
        value[at + 1:]


class Bench(Lab):
    def set_up(self):
        super().set_up()
        self.mine = self.key('example.org', 'sel', 'rsa')
        self.other = self.key('example.org', 'old', 'rsa')
        self.foreign = self.key('example.net', 'sel', 'rsa')
        self.filter = self.mfx_dkim({
            'verify.enable': False,
            'sign.domains': 'csl:example.org,left.example',
            'sign.selectors': ['sel'],
            'sign.key_path': self.mine.path,
        })

    def ask(self, *values, client='127.0.0.1', fields=HEAD):
        return milterwire.ask(
            self.filter.milter.partition(':')[2],
            milterwire.Message(client=client, body=BODY,
                               fields=[(NAME, v) for v in values] + fields))

    def made(self, outcome):
        return len([n for n, _ in outcome.inserted if n == NAME])

    def check(self, label, outcome, made, deleted):
        tap.same((outcome.verdict, self.made(outcome), outcome.deleted),
                 ('accept', made, [(NAME, n) for n in deleted]), label)


def no_table(lab):
    good = signature(lab.mine)
    lab.check('no table: signed by none', lab.ask(), 1, [])
    lab.check('no table: signed with our key, not again', lab.ask(good), 0, [])
    lab.check('no table: broken, so signed', lab.ask(broken(good)), 1, [])
    lab.check('no table: another selector, so signed',
              lab.ask(signature(lab.other)), 1, [])
    lab.check('no table: another key under our name, so signed',
              lab.ask(signature(lab.other, selector='sel')), 1, [])
    lab.check('no table: a foreign one, so signed',
              lab.ask(signature(lab.foreign)), 1, [])
    lab.check('no table: no DKIM-Signature at all but junk',
              lab.ask(b'v=1; d=example.org; s=sel; b=', b'', b'\xff\x00'[:1],
                      b'd=example.org; s=sel; ' * 100), 1, [])


def with_table(lab):
    lab.filter.configure({'sign.sign_only': 'csl:example.org'})
    good = signature(lab.mine)
    lab.check('table: taken over', lab.ask(good), 1, [1])
    lab.check('table: nothing there', lab.ask(), 1, [])
    lab.check('table: a broken one stays', lab.ask(broken(good)), 1, [])
    lab.check('table: another selector stays',
              lab.ask(signature(lab.other)), 1, [])
    lab.check('table: another key under our name stays',
              lab.ask(signature(lab.other, selector='sel')), 1, [])
    lab.check('table: only ours among many goes',
              lab.ask(signature(lab.foreign), good, signature(lab.other)),
              1, [2])
    lab.check('table: two of ours go', lab.ask(good, signature(lab.mine)),
              1, [2, 1])
    left = [(b'From', b'carol@left.example')] + HEAD[1:]
    lab.check('table: a domain outside is left alone',
              lab.ask(signature(lab.mine, domain='left.example', fields=left),
                      fields=left), 0, [])
    lab.check('table: and so is one that nobody signed', lab.ask(fields=left),
              0, [])
    tap.has(lab.filter.log(), 'is the other signer before',
            'table: which the log line says')
    lab.filter.configure({'sign.sign_only': 'csl:'})
    lab.check('an empty table: nothing is signed', lab.ask(), 0, [])
    lab.filter.configure({'sign.sign_only': 'csl:.example.org'})
    lab.check('a table of subdomains: not the domain', lab.ask(), 0, [])


def last_shadow(lab, domain='example.org'):
    text = lab.filter.ctl('--json', '--daemon', 'dkim', 'shadow', domain)
    return json.loads(text)[0]


def shadow(lab):
    lab.filter.configure({'sign.sign_only': '', 'mode': 'shadow'})
    good = signature(lab.mine, names=[b'From', b'Subject'])
    cases = [
        ('alike', [good], None),
        ('not signed there', [], 'unsigned_there'),
        ('another selector', [signature(lab.other)], 'other_selector'),
        ('broken', [broken(good)], 'invalid'),
        ('more fields there', [signature(
            lab.mine, names=[b'From', b'X-More', b'X-More'])], 'fewer_fields'),
    ]
    for label, values, word in cases:
        before = {}
        try:
            before = last_shadow(lab)
        except Exception: # no row before the first message
            pass
        lab.check('shadow, %s: nothing is changed' % label, lab.ask(*values),
                  0, [])
        row = last_shadow(lab)
        name = word or 'same'
        tap.same(row.get(name, 0) - before.get(name, 0), 1,
                 'shadow, %s: counted' % label)
    tap.same(last_shadow(lab)['safe'], False, 'shadow: not safe')
    lab.check('shadow, a client that is not ours: nothing is changed',
              lab.ask(good, client='192.0.2.9'), 0, [])
    tap.same(last_shadow(lab).get('foreign_here'), 1,
             'shadow, a client that is not ours: counted')
    metrics = lab.filter.ctl('--daemon', 'dkim', 'metrics')
    tap.has(metrics, 'mfx_dkim_shadow_total{result="same"} 1',
            'shadow: metrics')


def main():
    with Bench() as lab:
        no_table(lab)
        with_table(lab)
        shadow(lab)
        tap.ok(lab.filter.is_running(), 'it still runs')
    tap.done()


main()
