#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What rspamd's own milter, spamass-milter and clamav-milter make of the same
mail, behind Postfix and Sendmail."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap
from mtalab import Lab
from mtalab.scanners import ClamavMilter, Rspamd, SpamassMilter
from mtalab.score_mail import (RSPAMD_RULES, SPAMD_RULES, around_the_limit,
                               cases, letters, observe)

# More than Sendmail takes at once are a chunk of their own.
DOORS = 8


class Pair:
    """A peer, and the mail that it is asked about. sure: what must become
    of some letters, so that two filters that do nothing are not alike."""

    def __init__(self, name, milter, mail, sure):
        self.name, self.milter, self.mail, self.sure = name, milter, mail, sure

    def letters(self):
        return [letter for letter in letters() + cases() + around_the_limit()
                if re.match('(%s)$' % self.mail, letter.label)]


class PeerLab(Lab):
    def set_up(self):
        super().set_up()
        self.spamd = self._add(scanlab.Spamd(self._folder('spamd'),
                                             SPAMD_RULES))
        self.clamd = self._add(scanlab.Clamd(self._folder('clamd')))
        self.rspamd = self._add(Rspamd(
            self._folder('rspamd'), RSPAMD_RULES, proxies={
                'Hold': 'quarantine_on_reject = true;',
                'Discard': 'discard_on_reject = true;',
                'Words': 'spam_header = "X-Junk"; '
                         'reject_message = "No spam here";'}))
        self.sink_ = self.sink()

    def spamass(self, *words):
        return self._add(SpamassMilter(self._folder('spamass'), self.spamd,
                                       words)).milter

    def clamav(self, *lines, clamd=None):
        return self._add(ClamavMilter(
            self._folder('clamav'), clamd or self.clamd,
            'ReportHostname mx.test', *lines)).milter


BASIC = '[^,]*|forged, .*|ours.*'


def rspamd_pairs(lab):
    return [
        Pair('rspamd', lab.rspamd.milter, '(?!.*MB).*', {
            'plain': 'delivered: 250', 'gtube': '554 5.7.1 Gtube pattern',
            'twenty': '554 5.7.1 Spam message rejected',
            'seven': r'X-Spam: Yes', 'nine': r'Subject: \*\*\*SPAM\*\*\* a m',
            'case soft': '451 4.7.1 Come back later', 'case hold': 'held',
            'case discard': 'discarded', 'case people': 'more@example.net'}),
        Pair('rspamd, held', lab.rspamd.milters['Hold'],
             'plain|seven|nine|twenty|gtube', {
                 'twenty': 'held', 'gtube': 'held', 'plain': 'delivered'}),
        Pair('rspamd, thrown away', lab.rspamd.milters['Discard'],
             'plain|seven|nine|twenty|gtube', {
                 'twenty': 'discarded', 'gtube': 'discarded'}),
        Pair('rspamd, other words', lab.rspamd.milters['Words'],
             'plain|seven|nine|twenty|gtube|spam, .*', {
                 'seven': 'X-Junk: Yes', 'twenty': '554 5.7.1 No spam here'}),
    ]


def spamass_pairs(lab):
    return [
        Pair('spamass-milter', lab.spamass('-r', '15'),
             '(?!.*MB|case|spam,).*', {
                 'plain': 'X-Spam-Status: No, score=0.0',
                 'five': r'Subject: \*\*\*\*\*SPAM\*\*\*\*\* a message',
                 'twenty': '550 5.7.1 Blocked by SpamAssassin'}),
        Pair('spamass-milter -r -1', lab.spamass(
            '-r', '-1', '-R', 'No spam here', '-C', '5.7.2'),
             'plain|five|twenty|negative|ours', {
                 'five': '550 5.7.2 No spam here', 'plain': 'delivered'}),
        Pair('spamass-milter -b', lab.spamass('-b', 'spam@example.net'),
             'plain|five|twenty|three recipients', {
                 'five': r'-> spam@example.net\n.*X-Spam-Orig-To: ',
                 'plain': '-> bob@example.net'}),
        Pair('spamass-milter -M', lab.spamass('-M', '-r', '8'),
             'plain|five|nine|forged.*', {
                 'five': 'Subject: a message', 'nine': '550 5.7.1'}),
    ]


def clamav_pairs(lab):
    over_tcp = type('Clamd', (), {'unix': 'tcp:127.0.0.1:%d' % lab.clamd.port})
    return [
        Pair('clamav-milter', lab.clamav(
            'OnInfected Reject', 'AddHeader Replace',
            'RejectMsg Infected (%v)'), '(?!.*MB|case|spam,).*', {
                'plain': 'X-Virus-Status: Clean',
                'eicar attached': r'550 5.7.1 Infected \(Own.Eicar.UNOFF',
                'pua': '550 5.7.1 Infected'}),
        Pair('clamav-milter, held', lab.clamav('AddHeader Add'),
             'plain|eicar|forged, ham', {
                 'plain': 'X-Virus-Status: Clean', 'eicar': 'held'}),
        Pair('clamav-milter, marked', lab.clamav(
            'OnInfected Accept', 'AddHeader Replace'),
             'plain|eicar|eicar attached|pua|forged.*|ours.*', {
                 'eicar': r'X-Virus-Status: Infected \(Own'}),
        Pair('clamav-milter over TCP', lab.clamav(
            'OnInfected Blackhole', 'OnFail Defer', 'AddHeader Replace',
            clamd=over_tcp), 'plain|eicar|.*MB.*', {
                'eicar': 'discarded', '24 MB': 'X-Virus-Status: Clean',
                '26 MB': '451 '}),
    ]


def check(mta, pair, sink):
    for letter in pair.letters():
        got = str(observe(mta, mta.doors[pair.door], letter, sink))
        if letter.label in pair.sure:
            tap.like(got, pair.sure[letter.label], '%s, %s: %s' % (
                type(mta).__name__, pair.name, letter.label))


def main():
    scanlab.need('rspamd', 'spamd', 'spamc', 'clamd', 'spamass-milter',
                 'clamav-milter')
    with PeerLab() as lab:
        pairs = rspamd_pairs(lab) + spamass_pairs(lab) + clamav_pairs(lab)
        for start in range(0, len(pairs), DOORS):
            chunk = pairs[start:start + DOORS]
            for number, pair in enumerate(chunk):
                pair.door = 'peer%d' % number
            doors = {pair.door: [pair.milter] for pair in chunk}
            for mta in (lab.postfix(lab.sink_, doors=doors, settings={
                    'message_size_limit': '0'}),
                        lab.sendmail(lab.sink_, doors=doors)):
                for pair in chunk:
                    check(mta, pair, lab.sink_)
    tap.done()


if __name__ == '__main__':
    main()
