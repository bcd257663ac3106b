#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-spf first and mfx-dkim behind it, as doc/spf.md has them: a DMARC
evaluator finds what both wrote under one name, and nothing that was forged;
and mail that was refused before it had a queue id is explained."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab.spf_cases import MESSAGE, Site, SpfLab, passed, refused

FORGED = (b'Authentication-Results: mx.example.org; spf=pass '
          b'smtp.mailfrom=bank.example\r\n'
          b'Authentication-Results: mx.example.org; dkim=pass '
          b'header.d=bank.example\r\n'
          b'Authentication-Results: mx.example.org; spf=pass '
          b'smtp.mailfrom=bank.example; dkim=pass header.d=bank.example\r\n'
          b'Authentication-Results: other.example; spf=pass\r\n')


class Lab(SpfLab):
    def set_up(self):
        super().set_up()
        self.dkim = self.mfx_dkim({
            'authserv_id': 'mx.example.org',
            'dns.servers': ['127.0.0.1:%d' % self.dns.port],
            'verify.remove_results': 'own',
        })

    def milters(self):
        return [self.filter.milter, self.dkim.milter]


def results(site, name):
    mail = passed(site, name, sender='joe@soft.example',
                  message=FORGED + MESSAGE)
    found = [value.decode() for value in
             mail.unfolded('Authentication-Results')] if mail else []
    ours = sorted(v for v in found if v.startswith('mx.example.org'))
    tap.same(len(ours), 2, '%s: a field of each daemon' % name)
    tap.same(len(found), 3, name + ': and that of another site')
    text = ' '.join(ours)
    tap.has(text, 'spf=softfail', name + ': what mfx-spf found is there')
    tap.has(text, 'dkim=none', name + ': and what mfx-dkim found')
    tap.lacks(text, 'bank', name + ': nothing forged')


def explained(site, name):
    spf = site.lab.filter
    mark = len(spf.log())
    refused(site, name + ': refused at RCPT', r'^550 5\.7\.23 ',
            sender='joe@fail.example', to=('dora@example.org',))
    line = [x for x in spf.log()[mark:].splitlines()
            if 'recipient_refused' in x]
    tap.like(line[0] if line else '',
             r'reason="SPF of the sender fails" from=<joe@fail\.example> '
             r'to=dora@example\.org .*client=127\.0\.1\.1 .*spf=fail',
             name + ': the line says who and why')
    for word in ('joe@fail.example', 'dora@example.org', '127.0.1.1'):
        text = spf.ctl('explain', word, check=False)
        tap.like(text, r'(?s)verdict: reject.*fail by "-all" of '
                 r'fail\.example.*recipient_refused: dora@example\.org',
                 '%s: explained by %s' % (name, word))


def main():
    with Lab() as lab:
        for name, mta in (('Postfix', lab.postfix),
                          ('Sendmail', lab.sendmail)):
            site = Site(lab, mta(lab.sink, lab.milters()))
            results(site, name)
            explained(site, name)
    tap.done()


if __name__ == '__main__':
    main()
