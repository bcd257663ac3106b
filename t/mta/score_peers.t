#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-score beside rspamd's own milter, spamass-milter and clamav-milter: the
same mail, the same engines, behind Postfix and Sendmail.

What differs must be one of DIFFERENCES, each with its reason; one that no
longer occurs has to go from there.
"""
import collections
import functools
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap
from mtalab import Lab
from mtalab.scanners import ClamavMilter, SpamassMilter
from mtalab.score_lab import NO_FIELDS, EngineLab
from mtalab.score_mail import (around_the_limit, cases, differences, letters,
                               observe)


# (peer, MTA, letter, difference: patterns; reason)
DIFFERENCES = (
    ('rspamd', '.*', '.*',
     r'reply: theirs (\d\d\d \S+ .*), ours \1 \(queue id \w+\)',
     'our replies name the queue id, by which mail is found in a log'),
    ('rspamd', 'Postfix', 'case words', r'reply: .*a=1, ours .*a=1% .*',
     "rspamd's milter loses the per cent sign of a text, ..."),
    ('rspamd', 'Sendmail', 'case words',
     r'reply: theirs 554 5.7.1 Command rejected, ours .*a=1% .*',
     '... and Sendmail refuses such a reply: the text is lost'),
    ('rspamd', '.*', '(no|empty) subject',
     r'only (theirs|ours): Subject: \*\*\*SPAM\*\*\* ?',
     'no blank stands behind a tag that nothing follows'),
    ('rspamd, other words', '.*', 'seven|spam, header',
     r'only (theirs: X-Junk|ours: X-Spam): .*',
     "what the proxy calls spam_header is said by rspamd's own module "
     'milter_headers'),
    ('rspamd, other words', '.*', 'gtube',
     'reply: theirs .* Gtube pattern, ours .* No spam here',
     'words of ours are said instead of words of the engine, too'),
    ('spamass-milter.*', '.*', '.*',
     r'only (theirs: X-Spam-Report: \r\n\t|ours: X-Spam-Report: )\* .*',
     'a value begins in the line of its name'),
    ('spamass-milter', '.*', 'UTF-8 subject',
     r'only (theirs: Subject: .* größe €|ours: Subject: .*=\?utf-8\?.*)',
     'what is beyond ASCII is encoded'),
    ('spamass-milter', '.*', '(no|empty) subject',
     r'only (theirs|ours): Subject: \*\*\*\*\*SPAM\*\*\*\*\* ?',
     'no blank stands behind a tag that nothing follows'),
    ('spamass-milter', '.*', 'empty subject', 'only theirs: Subject: ',
     'an empty subject is replaced; spamass-milter adds a second one'),
    ('spamass-milter', 'Postfix', 'forged, .*', 'order: .*',
     'forged fields go, ours stand at the end; spamass-milter changes what '
     'it finds'),
    ('spamass-milter -[bB]', '.*', '.*',
     'only (theirs: X-Spam-Orig-To: <.*>|ours: X-Spam-Orig-To: [^<]*)',
     'addresses are written without brackets'),
    ('clamav-milter.*', '.*', '.*',
     r'only (theirs: X-Virus-Scanned: clamav-milter [\d.]+ at mx\.test|'
     r'ours: X-Virus-Scanned: mfx-score at mx\.(postfix|sendmail)\.test '
     r'\(clamd\))',
     'each says who it is'),
    ('clamav-milter over TCP', '.*', '.*MB.*',
     r'reply: theirs 451 4\.\d\.\d .*try again later, ours 451 4\.7\.1 '
     r'Content check unavailable \(queue id \w+\)',
     'clamav-milter leaves the words to the MTA'),
    ('clamav-milter, deferred', '.*', 'eicar',
     r'reply: theirs 451 4\.\d\.\d .*try again later, ours 451 4\.7\.1 '
     r'Try again later \(queue id \w+\)',
     'clamav-milter leaves the words to the MTA'),
    ('clamav-milter, held', '.*', 'forged, ham',
     'only theirs: X-Virus-(Scanned: by me|Status: Clean)',
     'forged fields never stay beside ours: "AddHeader Add" has no like'),
)

ALL_CLASSES = ('virus', 'pua', 'heuristic', 'encrypted', 'macro', 'limit',
               'phishing', 'spam', 'data_loss', 'broken')
# The peers know no mail of ours, and let forged fields stand but for those
# that they write.
COMMON = {**NO_FIELDS, 'headers.remove': [], 'headers.outgoing_when': 'always'}


class Pair:
    """A peer, our settings for the same, and the mail that both get. sure:
    what becomes of some letters, so that two that do nothing are not alike."""

    def __init__(self, name, milter, settings, mail, sure):
        self.name, self.milter, self.mail, self.sure = name, milter, mail, sure
        self.settings = {**COMMON, **settings}
        for level, value in list(settings.items()):
            if level.startswith('thresholds.'):
                self.settings['outgoing.' + level] = value

    def letters(self):
        return [letter for letter in letters() + cases() + around_the_limit()
                if re.match('(%s)$' % self.mail, letter.label)]


class PeerLab(EngineLab, Lab):
    def set_up(self):
        super().set_up()
        self.start_engines(proxies={
            'Hold': 'quarantine_on_reject = true;',
            'Discard': 'discard_on_reject = true;',
            'Words': 'spam_header = "X-Junk"; '
                     'reject_message = "No spam here";'})
        self.mails = self.sink()

    def any_key(self, name, value):
        """A table that has the same for all."""
        return scanlab.write(self.dir, name, b'* %s\n' % value.encode())

    def users(self, mark):
        """Those for whom spamd was asked, in its log from there on."""
        return re.findall(r'(?:checking|processing) message .* for (\S+):',
                          self.spamd.process.log()[mark:])

    def spamass(self, *words):
        return self._add(SpamassMilter(self._folder('spamass'), self.spamd,
                                       words)).milter

    def clamav(self, *lines, clamd=None):
        return self._add(ClamavMilter(
            self._folder('clamav'), clamd or self.clamd,
            'ReportHostname mx.test', *lines)).milter


def rspamd_pairs(lab):
    some = 'plain|seven|nine|twenty'
    return [
        Pair('rspamd', lab.rspamd.milter, {
            'engines': [lab.ask_rspamd()]},
             '(?!.*MB).*', {
                 'plain': 'delivered: 250', 'gtube': '554 5.7.1 Gtube pattern',
                 'twenty': '554 5.7.1 Spam message rejected',
                 'seven': 'X-Spam: Yes',
                 'nine': r'Subject: \*\*\*SPAM\*\*\* a m',
                 'case soft': '451 4.7.1 Come back later', 'case hold': 'held',
                 'case discard': 'discarded',
                 'case people': 'more@example.net'}),
        Pair('rspamd, held', lab.rspamd.milters['Hold'],
             {'engines': [lab.ask_rspamd(actions=['reject=hold'])]}, some,
             {'twenty': 'held', 'plain': 'delivered'}),
        Pair('rspamd, thrown away', lab.rspamd.milters['Discard'],
             {'engines': [lab.ask_rspamd(actions=['reject=discard'])]}, some,
             {'twenty': 'discarded', 'plain': 'delivered'}),
        Pair('rspamd, other words', lab.rspamd.milters['Words'], {
            'engines': [lab.ask_rspamd()],
            'reply.spam_text': 'No spam here'},
             some + '|gtube|spam, .*',
             {'seven': 'X-Junk: Yes', 'twenty': '554 5.7.1 No spam here'}),
    ]


def spamass_settings(lab, spam, engine=None, **settings):
    return {'engines': [lab.ask_spamd(command='headers',
                                      actions=['spam=' + spam],
                                      **(engine or {}))],
            'headers.remove': ['X-Spam-' + name for name in (
                'Flag', 'Status', 'Report', 'Level', 'Checker-Version')],
            'reply.spam_code': '550 5.7.1',
            'reply.spam_text': 'Blocked by SpamAssassin',
            **{name.replace('__', '.'): value
               for name, value in settings.items()}}


def spamass_pairs(lab):
    spamd = functools.partial(spamass_settings, lab)
    return [
        Pair('spamass-milter', lab.spamass('-r', '15'),
             spamd('subject', thresholds__reject=15), '(?!.*MB|case|spam,).*', {
                 'plain': 'X-Spam-Status: No, score=0.0',
                 'five': r'Subject: \*\*\*\*\*SPAM\*\*\*\*\* a message',
                 'twenty': '550 5.7.1 Blocked by SpamAssassin'}),
        Pair('spamass-milter -r -1', lab.spamass(
            '-r', '-1', '-R', 'No spam here', '-C', '5.7.2', '-I'),
             spamd('reject', reply__spam_code='550 5.7.2',
                   reply__spam_text='No spam here',
                   skip__logins='refile:' + lab.any_key(
                       'logins', 'yes')),
             'plain|five|twenty|negative|ours|login', {
                 'five': '550 5.7.2 No spam here', 'plain': 'delivered',
                 'login': 'delivered'}),
        Pair('spamass-milter -b', lab.spamass('-b', 'spam@example.net'),
             spamd('redirect', redirect__to='spam@example.net',
                   headers__original_to='X-Spam-Orig-To'),
             'plain|five|twenty|three recipients', {
                 'five': r'-> spam@example.net\n.*X-Spam-Orig-To: ',
                 'plain': '-> bob@example.net'}),
        Pair('spamass-milter -M', lab.spamass('-M', '-r', '8', '-i',
                                              '127.0.0.1/32'), {
            **spamd('none', thresholds__reject=8,
                    skip__clients='csl:127.0.0.1'),
            'headers.remove': [],
            'engines': [lab.ask_spamd(takes=['score'])]},
             'plain|five|nine|forged.*|ours.*', {
                 'five': 'Subject: a message', 'nine': '550 5.7.1',
                 'ours, twenty': 'delivered'}),
    ]


def clamav_settings(lab, action, **more):
    return {'engines': [lab.ask_clamd(**{
        **{'on_' + name: action for name in ALL_CLASSES}, **more})],
        'headers.virus_scanned': 'X-Virus-Scanned',
        'headers.virus_status': 'X-Virus-Status',
        'reply.virus_code': '550 5.7.1',
        'reply.virus_text': 'Infected ($virus)'}


def clamav_pairs(lab):
    clamd = functools.partial(clamav_settings, lab)
    tcp = 'tcp:127.0.0.1:%d' % lab.clamd.port
    return [
        Pair('clamav-milter', lab.clamav(
            'OnInfected Reject', 'AddHeader Replace',
            'RejectMsg Infected (%v)'), clamd('reject'),
             '(?!.*MB|case|spam,).*', {
                 'plain': 'X-Virus-Status: Clean',
                 'eicar attached': r'550 5.7.1 Infected \(Own.Eicar.UNOFF',
                 'pua': '550 5.7.1 Infected'}),
        Pair('clamav-milter, held', lab.clamav(
            'AddHeader Add', 'LocalNet 127.0.0.1/32',
            'SkipAuthenticated ^joe$'), {
                **clamd('hold'), 'skip.clients': 'csl:127.0.0.1',
                'skip.logins': 'csl:joe'},
             'plain|eicar|forged, ham|ours, eicar|login, eicar',
             {'plain': 'X-Virus-Status: Clean', 'eicar': 'held',
              'ours, eicar': 'delivered', 'login, eicar': 'delivered'}),
        Pair('clamav-milter, marked', lab.clamav(
            'OnInfected Accept', 'AddHeader Replace'), clamd('tag'),
             'plain|eicar|eicar attached|pua|forged.*|ours.*',
             {'eicar': r'X-Virus-Status: Infected \(Own'}),
        Pair('clamav-milter over TCP', lab.clamav(
            'OnInfected Blackhole', 'OnFail Defer', 'AddHeader Replace',
            clamd=type('', (), {'unix': tcp})),
             clamd('discard', servers=[lab.clamd.tcp],
                   on_too_large='tempfail'), 'plain|eicar|.*MB.*',
             {'eicar': 'discarded', '24 MB': 'X-Virus-Status: Clean',
              '26 MB': '451 '}),
    ]


def more_pairs(lab):
    return [
        Pair('spamass-milter -B', lab.spamass('-B', 'spam@example.net'),
             spamass_settings(lab, 'redirect', redirect__to='spam@example.net',
                              redirect__keep_recipients=True),
             'plain|five|three recipients', {
                 'five': '-> bob@example.net spam@example.net',
                 'plain': '-> bob@example.net'}),
        Pair('spamass-milter -u', lab.spamass('-u', 'everybody'),
             spamass_settings(lab, 'subject', {
                 'user': 'everybody',
                 'users': 'refile:' + lab.any_key('users', '$local')}),
             'plain|five|three recipients', {}),
        Pair('clamav-milter, deferred', lab.clamav(
            'OnInfected Defer', 'AddHeader Replace'),
             clamav_settings(lab, 'tempfail'), 'plain|eicar',
             {'eicar': '451 ', 'plain': 'X-Virus-Status: Clean'}),
    ]


class Judge:
    """Finds the reasons of differences, and reasons without any."""

    def __init__(self):
        self.used = collections.Counter()

    def unexplained(self, *words):
        """words: peer, MTA, letter, difference."""
        rows = [row for row in DIFFERENCES if all(
            re.match(pattern + '$', word, re.S)
            for pattern, word in zip(row, words))]
        self.used.update(rows[:1])
        return not rows

    def end(self):
        for row in DIFFERENCES:
            tap.ok(self.used[row], 'still so: ' + ' | '.join(row[:4]))


def check_users(lab, label, send):
    """Both ask spamd for the same one."""
    seen = []
    for who in 0, 1:
        mark = len(lab.spamd.process.log())
        send(who)
        seen += lab.users(mark)
    tap.ok(len(seen) == 2 and seen[0] == seen[1], label + ': the same user',
           *seen)


def check(lab, mta, pair, judge):
    sink = lab.mails
    name = type(mta).__name__
    for letter in pair.letters():
        if letter.login and name != 'Postfix':
            continue
        label = '%s, %s: %s' % (name, pair.name, letter.label)
        theirs = observe(mta, mta.doors[pair.doors[0]], letter, sink)
        ours = observe(mta, mta.doors[pair.doors[1]], letter, sink)
        if letter.label in pair.sure:
            tap.like(str(theirs), pair.sure[letter.label], label)
        found = [text for text in differences(theirs, ours)
                 if judge.unexplained(pair.name, name, letter.label, text)]
        tap.ok(not found, label + ': the same', *found)
        if pair.name == 'spamass-milter -u':
            check_users(lab, label, lambda who: observe(
                mta, mta.doors[pair.doors[who]], letter, sink))


def main():
    scanlab.need('rspamd', 'spamd', 'spamc', 'clamd', 'spamass-milter',
                 'clamav-milter')
    judge = Judge()
    with PeerLab() as lab:
        for make in rspamd_pairs, spamass_pairs, clamav_pairs, more_pairs:
            pairs, doors = make(lab), {}
            for number, pair in enumerate(pairs):
                pair.doors = ('peer%d' % number, 'mfx%d' % number)
                doors[pair.doors[0]] = [pair.milter]
                doors[pair.doors[1]] = [lab.mfx_score(pair.settings).milter]
            # Sendmail has room for ten, two of which every lab has
            for mta in (lab.postfix(lab.mails, doors=doors, settings={
                    'message_size_limit': '0'},
                    auth_port=lab.auth_server().port),
                        lab.sendmail(lab.mails, doors=doors)):
                for pair in pairs:
                    check(lab, mta, pair, judge)
    judge.end()
    tap.done()


if __name__ == '__main__':
    main()
