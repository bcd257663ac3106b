#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SRS where no table says who is forwarded: an outgoing instance, through which
everything leaves with recipients as they are in the end (doc/masq.md)."""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Lab, send

MESSAGE = (b'From: joe@sender.example\r\nTo: away@example.com\r\n'
           b'Subject: hi\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
           b'Message-ID: <9@sender.example>\r\n\r\nHello\r\n')
JOE, LONG = 'joe@sender.example', 'x' * 60 + '@sender.example'
SETTINGS = {'our_domains': 'csl:example.com', 'srs.domain': 'srs.example.com'}
ALIASES = {'virtual_alias_maps':
           'inline:{{away@example.com=alice@elsewhere.example}}'}
Next = collections.namedtuple('Next', 'port')


class Site:
    """front -> out -> sink, each with its filters."""

    def __init__(self, lab, front, out):
        self.sink = lab.sink()
        self.out = lab.postfix(self.sink, [out.milter])
        self.front = lab.postfix(Next(self.out.mx_port), [front.milter],
                                 settings=ALIASES)

    def send(self, sender, to):
        """(sender, recipients) as they leave."""
        code, text = send(self.front.mx_port, MESSAGE, sender=sender, to=[to],
                          source=STRANGER)
        if code != 250:
            return (code, text)
        mail = self.sink.take()
        paths = [re.search(rb'<(.*?)>', line).group(1).decode()
                 for line in [mail.sender] + mail.recipients]
        return (paths[0], paths[1:])


def there_and_back(site, sender, label):
    srs, to = site.send(sender, 'away@example.com')
    tap.like(str(srs), r'^SRS0=.*@srs\.example\.com$',
             label + ': an alias leaves the site: SRS')
    tap.same(to, ['alice@elsewhere.example'], 'to whom the alias says')
    tap.same(site.send('', str(srs)), ('', [sender]), 'its bounce comes back')


def others(site, label):
    tap.same(site.send('me@example.com', 'away@example.com')[0],
             'me@example.com', label + ': an own sender stays')
    tap.same(site.send('', 'away@example.com')[0], '', 'the null sender, too')


def main():
    with Lab() as lab:
        secrets = lab.dir + '/secrets'
        with open(secrets, 'w', encoding='ascii') as file:
            file.write('sesame\n')
        os.chmod(secrets, 0o600)
        settings = {**SETTINGS, 'srs.secrets_file': secrets}

        two = Site(lab, lab.mfx_masq({**settings, 'srs.forward': 'off'}),
                   lab.mfx_masq({**settings, 'srs.forward': 'all',
                                 'srs.reverse': False,
                                 'srs.short_forms': False}))
        there_and_back(two, JOE, 'two daemons')
        there_and_back(two, LONG, 'two daemons, a long sender')
        others(two, 'two daemons')

        both = lab.mfx_masq(settings)
        one = Site(lab, both, both)
        there_and_back(one, JOE, 'one daemon')
        there_and_back(one, LONG, 'one daemon, a long sender')
        others(one, 'one daemon')
        tap.same(one.send(JOE, 'here@example.com')[0], JOE,
                 'mail that does not leave keeps its sender')
    tap.done()


if __name__ == '__main__':
    main()
