# SPDX-License-Identifier: BSD-2-Clause
"""score_cases - what mfx-score does behind any MTA, with Debian's rspamd,
spamd and clamd

    with ScoreLab() as lab:
        run_all(Site(lab, lab.postfix(lab.sink, [lab.score.milter],
                                      doors=lab.doors())))

Each case sets what it needs on top of BASE; all else is as it was.
"""
import os
import re
import threading
import time

import scanlab
import tap
from . import wait_until
from .dkim_lab import DkimLab
from .score_lab import EngineLab
from .score_mail import FORGED, Letter, attached, observe, sized
from .scanners import crash, freeze, thaw
from .smtp import OURS, send

PLAIN = Letter('plain')
FIVE, SEVEN, NINE, TWENTY = (
    Letter(word, b'%s points\r\n' % word.encode())
    for word in ('five', 'seven', 'nine', 'twenty'))
GTUBE = Letter('GTUBE', scanlab.GTUBE + b'\r\n')
EICAR = Letter('EICAR', *reversed(attached(scanlab.EICAR)))
PUA = Letter('PUA', b'this is a tool of the test\r\n')
SEAL = 'X-Mfx-Score'


def to(letter, *recipients, **more):
    """The same letter to others, or by another sender or client."""
    copy = Letter(letter.label)
    copy.__dict__.update(letter.__dict__, **more)
    if recipients:
        copy.to = recipients
    return copy


class ScoreLab(EngineLab, DkimLab):
    def set_up(self):
        super().set_up()
        self.start_engines()
        self.secrets = self.dir + '/secrets'
        with open(self.secrets, 'w', encoding='ascii') as file:
            file.write('0123456789abcdef0123456789abcdef\n')
        os.chmod(self.secrets, 0o600)
        self.base = {
            'engines': [self.ask_rspamd()], 'scan_timeout': '10s',
            'follow_engines': False, 'outgoing.follow_engines': False,
            'thresholds.tag': 5, 'seal.secrets_file': self.secrets,
        }
        self.score = self.mfx_score(self.base)
        # asks an engine that is not there, unless a seal spares it that
        self.second = self.mfx_score({
            **self.base, 'engines': [{'type': 'rspamd',
                                      'servers': ['127.0.0.1:9']}],
            'seal.header': SEAL, 'seal.accept': 'instead',
            'thresholds.reject': 8})

    def doors(self):
        return {'second': [self.second.milter],
                'signed': [self.score.milter, self.filter.milter]}


class Site:
    def __init__(self, lab, mta, can_login=False):
        self.lab, self.mta, self.sink = lab, mta, lab.sink
        self.can_login = can_login

    def set(self, settings):
        """BASE and these."""
        score = self.lab.score
        for name in list(score.settings):
            if name in self.extra:
                del score.settings[name]
        self.extra = set(settings) - set(self.lab.base)
        score.configure({**self.lab.base, **settings})

    extra = frozenset()

    def get(self, letter, door=None):
        port = self.mta.doors[door] if door else self.mta.mx_port
        return observe(self.mta, port, letter, self.sink)

    def log_since(self, mark):
        return self.lab.score.log()[mark:]

    def mark(self):
        return len(self.lab.score.log())


def is_fate(outcome, want, label):
    """want: a pattern of 'delivered: 250', 'refused: 554 5.7.1 text' ..."""
    return tap.like('%s: %s' % (outcome.fate, outcome.reply.replace(
        '\n', ' ')), want, label)


# --- cases ---

def alone(site):
    """Each engine by itself, and what it proposes."""
    lab = site.lab
    site.set({'engines': [lab.ask_rspamd()], 'follow_engines': True})
    got = site.get(PLAIN)
    tap.same((got.fate, got.get('X-Spam-Flag'), got.get('X-Spam-Score')),
             ('delivered', '', '0.0'), 'rspamd: plain')
    got = site.get(SEVEN)
    tap.same((got.get('X-Spam-Flag'), got.get('X-Spam-Score'),
              got.get('X-Spam-Level')), ('YES', '7.0', '*******'),
             'rspamd: spam')
    tap.like(got.get('X-Spam-Status'), '^Yes, score=7.*SEVEN',
             'rspamd: X-Spam-Status')
    is_fate(site.get(GTUBE), r'^refused: 554 5\.7\.1 Gtube pattern',
            'rspamd: GTUBE')

    site.set({'engines': [lab.ask_spamd()], 'follow_engines': True})
    got = site.get(FIVE)
    tap.same((got.get('X-Spam-Flag'), got.get('X-Spam-Score')),
             ('YES', '5.5'), 'spamd: spam')
    tap.like(got.get('X-Spam-Status'), '^Yes, score=5.5.*FIVE',
             'spamd: X-Spam-Status')
    site.set({'engines': [lab.ask_spamd()], 'thresholds.reject': 900})
    is_fate(site.get(GTUBE), r'^refused: 554 5\.7\.1 ', 'spamd: GTUBE')

    site.set({'engines': [lab.ask_clamd()]})
    got = site.get(PLAIN)
    tap.same((got.fate, got.get('X-Virus-Status')), ('delivered', 'Clean'),
             'clamd: plain')
    tap.like(got.get('X-Virus-Scanned'), 'clamd', 'clamd: X-Virus-Scanned')
    is_fate(site.get(EICAR),
            r'^refused: 554 5\.7\.1 .*Own\.Eicar\.UNOFFICIAL', 'clamd: EICAR')
    got = site.get(PUA)
    tap.like(got.get('X-Virus-Status'), r'Infected.*PUA\.Own\.Tool',
             'clamd: PUA is marked')


def together(site):
    lab = site.lab
    site.set({'engines': [lab.ask_rspamd(), lab.ask_spamd(scale=2, offset=1),
                          lab.ask_clamd(class_scores=['pua=3'])],
              'thresholds.reject': 50})
    got = site.get(SEVEN)
    tap.same((got.get('X-Spam-Score'), got.get('X-Virus-Status')),
             ('22.0', 'Clean'), '7 and 2 * 7 + 1')
    got = site.get(PUA)
    tap.same(got.get('X-Spam-Score'), '4.0', 'a find counts too')
    is_fate(site.get(EICAR), r'^refused: 554 5\.7\.1 .*Eicar', 'a virus wins')
    is_fate(site.get(GTUBE), r'^refused: 554 5\.7\.1 ', 'as does spam')
    site.set({'engines': [lab.ask_spamd(), lab.ask_rspamd(mode='shadow')],
              'follow_engines': True})
    mark = site.mark()
    got = site.get(GTUBE)
    tap.same((got.fate, got.get('X-Spam-Score')), ('delivered', '1000.0'),
             'an engine in the shadow does nothing')
    # what it said is looked at when a later message ends
    wait_until(lambda: site.get(PLAIN) and 'shadow_differs engine=rspamd '
               'did=tag would=reject' in site.log_since(mark),
               'the answer in the shadow')


def actions(site):
    def at_seven(action, **more):
        site.set({'thresholds.' + action: 7, **more})
        tap.same(site.get(FIVE).get('Subject'), 'a message',
                 action + ': not yet')
        return site.get(SEVEN)

    got = at_seven('subject')
    tap.same(got.get('Subject'), '[SPAM] a message', 'subject: is tagged')
    for label, subject, want in (
            ('once', b'[SPAM] a message', r'^\[SPAM\] a message$'),
            ('UTF-8', 'größe'.encode(), '^(=\\?UTF-8\\?.*|.SPAM. größe)'),
            ('encoded', b'=?UTF-8?Q?gr=C3=BC?=', r'^\[SPAM\] =\?UTF-8\?Q\?gr')):
        got = site.get(Letter(label, b'seven points\r\n', subject=subject))
        tap.like(got.get('Subject'), want, 'subject: ' + label)
    tap.like(site.get(Letter('none', b'seven points\r\n', subject=None))
             .get('Subject'), r'^\[SPAM\]', 'subject: there was none')
    is_fate(at_seven('hold'), '^held', 'hold')
    mark = site.mark()
    is_fate(at_seven('discard'), '^discarded', 'discard')
    tap.like(site.log_since(mark), 'discard', 'discard: is logged')
    is_fate(at_seven('reject'), r'^refused: 554 5\.7\.1 .*\w{9,}',
            'reject, with the queue id')
    got = at_seven('redirect', **{'redirect.to': 'spam@example.net'})
    tap.same((got.recipients, got.get('X-Spam-Orig-To')),
             (['spam@example.net'], 'bob@example.net'), 'redirect')
    got = at_seven('redirect', **{'redirect.to': 'spam@example.net',
                                  'redirect.keep_recipients': True})
    tap.same(got.recipients, ['bob@example.net', 'spam@example.net'],
             'redirect: and the recipients get it')
    site.set({'follow_engines': True})
    soft = Letter('soft', more=b'X-Case: soft\r\n')
    is_fate(site.get(soft), r'^refused: 451 4\.7\.1 Come back later',
            'tempfail, with the words of the engine')
    site.set({'follow_engines': True, 'reply.engine_text': False})
    tap.lacks(site.get(soft).reply, 'Come back', 'or without')
    site.set({'thresholds.reject': 7, 'reply.spam_code': '550 5.7.9',
              'reply.spam_text': 'No: $score of $required'})
    is_fate(site.get(SEVEN), r'^refused: 550 5\.7\.9 No: 7 of 5',
            'reject in words of ours')


def greylisting(site):
    site.set({'thresholds.greylist': 5, 'thresholds.reject': 15,
              'greylist.delay': '2s'})
    unknown = to(FIVE, '%s@example.net' % type(site.mta).__name__.lower())
    is_fate(site.get(unknown), r'^refused: 451 4\.7\.1 ', 'at first sight')
    began = time.monotonic()
    is_fate(site.get(unknown), r'^refused: 451 4\.7\.1 ', 'at once again')
    is_fate(site.get(PLAIN), '^delivered', 'plain mail passes')
    is_fate(site.get(to(TWENTY, unknown.to[0])), r'^refused: 554 ',
            'worse is refused')
    wait_until(lambda: site.get(unknown).fate == 'delivered',
               'the retry to pass')
    tap.ok(time.monotonic() - began > 1, 'a retry passes, not before its time')
    is_fate(site.get(unknown), '^delivered', 'and passes from then on')


def fields(site):
    site.set({'headers.flag': 'X-Junk', 'headers.score': 'X-Points',
              'headers.level': 'X-Stars', 'headers.level_character': '+',
              'headers.status': '', 'headers.symbols': 'X-Symbols',
              'headers.when': 'spam'})
    got = site.get(SEVEN)
    tap.same([got.get(name) for name in (
        'X-Junk', 'X-Points', 'X-Stars', 'X-Spam-Status', 'X-Spam-Flag')],
             ['YES', '7.0', '+++++++', '', ''], 'names by setting')
    tap.like(got.get('X-Symbols'), 'SEVEN', 'symbols')
    got = site.get(PLAIN)
    tap.same([n for n, _ in got.fields if n.startswith('X-')], [],
             'spam only')
    site.set({'headers.when': 'never', 'engines': [
        site.lab.ask_rspamd(takes=['score'])]})
    got = site.get(SEVEN)
    tap.same([n for n, _ in got.fields if n.startswith('X-')], [], 'never')


def forged(site):
    names = ('X-Spam-Flag', 'X-Spam-Other', 'X-Spam', 'X-Spam-Level')
    ham = Letter('forged', more=FORGED + b'X-Kept: 1\r\n')
    site.set({})
    got = site.get(ham)
    tap.same([got.get(name) for name in names], ['', '', '', ''],
             'forged fields are gone')
    tap.like(got.get('X-Spam-Status'), '^No, score=0', 'ours is ours')
    tap.same(got.get('X-Kept'), '1', 'others stay')
    got = site.get(to(ham, source=OURS))
    tap.same([got.get(name) for name in names], ['YES', '1', 'Yes', '**'],
             'in mail of ours they stay')
    site.set({'engines': [site.lab.ask_spamd(command='headers')]})
    got = site.get(Letter('forged spam', b'seven points\r\n', more=FORGED))
    tap.like(got.get('X-Spam-Status'), '^Yes, score=7[^;]*$',
             'forged fields in mail whose engine writes the same ones')


def recipients(site):
    profiles = ('inline:strict@example.net=reject=6, off@example.net=off, '
                'late.example=tag=8')
    site.set({'recipient_profiles': profiles})
    is_fate(site.get(to(SEVEN, 'strict@example.net')), r'^refused: 554 5\.7\.1',
            'a threshold of one recipient')
    got = site.get(to(SEVEN, 'off@example.net'))
    tap.same((got.fate, got.get('X-Spam-Flag')), ('delivered', ''), 'opt-out')
    got = site.get(to(SEVEN, 'joe@late.example'))
    tap.same(got.get('X-Spam-Flag'), '', 'a threshold of a domain')
    both = to(SEVEN, 'bob@example.net', 'strict@example.net')
    got = site.get(both)
    tap.same((got.recipients, got.get('X-Spam-Action')),
             (sorted(both.to), 'reject'),
             'who differ: a field says what the strictest wants')
    site.set({'recipient_profiles': profiles, 'recipients.differ': 'remove'})
    got = site.get(both)
    tap.same(got.recipients, ['bob@example.net'], 'or they do not get it')
    site.set({'recipient_profiles': profiles, 'recipients.differ': 'remove',
              'recipients.quarantine': 'quarantine@example.net'})
    got = site.get(both)
    tap.same(got.recipients, ['bob@example.net', 'quarantine@example.net'],
             'and another address gets it for them')
    site.set({'thresholds.reject': 6, 'skip.senders':
              'csl:trusted@example.org', 'skip.clients': 'csl:127.0.0.9'})
    is_fate(site.get(SEVEN), '^refused: 554', 'not skipped')
    is_fate(site.get(to(SEVEN, sender='trusted@example.org')), '^delivered',
            'a sender that is skipped')
    got = site.get(Letter('forged', more=FORGED,
                          sender='trusted@example.org'))
    tap.same(got.get('X-Spam-Flag'), '', 'cannot bring forged fields')
    is_fate(site.get(to(SEVEN, source='127.0.0.9')), '^delivered',
            'a client that is skipped')


def per_user(site):
    def users(letter, **more):
        site.set({'engines': [site.lab.ask_spamd(
            user='everybody', users='inline:example.net=$local, '
            'joe@example.com=joe', **more)]})
        mark = len(site.lab.spamd.process.log())
        site.get(letter)
        return sorted(re.findall(r'(?:checking|processing) message .* for (\S+):',
                                 site.lab.spamd.process.log()[mark:]))
    pair = to(SEVEN, 'bob@example.net', 'joe@example.com')
    tap.same(users(SEVEN), ['bob'], 'the user of the recipient')
    tap.same(users(to(SEVEN, 'eve@example.com')), ['everybody'],
             'the default user')
    tap.same(users(pair), ['everybody'], 'of two recipients')
    tap.same(users(pair, per_user='first'), ['bob'], 'or of the first')
    tap.same(users(pair, per_user='each'), ['bob', 'joe'], 'or of each')


def outgoing(site):
    def ours(letter, login=None):
        return site.get(to(letter, source=OURS, login=login))
    site.set({'thresholds.reject': 5, 'outgoing.thresholds.hold': 8,
              'outgoing.thresholds.reject': 15})
    is_fate(ours(SEVEN), '^delivered', 'mail of ours has its own thresholds')
    is_fate(ours(NINE), '^held', 'hold')
    is_fate(ours(TWENTY), '^refused: 554', 'reject')
    site.set({'outgoing.enable': False, 'outgoing.thresholds.reject': 1})
    is_fate(ours(TWENTY), '^delivered', 'or no engine is asked')
    if not site.can_login:
        return
    told = site.lab.dir + '/told'
    command = site.lab.dir + '/command'
    with open(command, 'w', encoding='ascii') as file:
        file.write('#!/bin/sh\nprintf "%%s %%s %%s\\n" "$MFX_LOGIN" "$MFX_SCORE" '
                   '"$MFX_ACTION" >>%s\n' % told)
    os.chmod(command, 0o755)
    site.set({'outgoing.thresholds.hold': 8, 'outgoing.command': command,
              'login_profiles': 'inline:trusted=off, strict=reject=4'})
    is_fate(ours(SEVEN, login='joe'), '^delivered', 'a login')
    is_fate(ours(NINE, login='joe'), '^held', 'a login that sends spam')
    wait_until(lambda: os.path.exists(told) and os.path.getsize(told),
               'the command to be run')
    with open(told, encoding='ascii') as file:
        tap.same(file.read(), 'joe 9 hold\n', 'a command is told')
    is_fate(ours(NINE, login='trusted'), '^delivered', 'opt-out by login')
    is_fate(ours(FIVE, login='strict'), '^refused: 554',
            'a threshold of a login')


def sealed(site):
    site.set({'seal.header': SEAL})
    first = site.get(Letter('seven', b'seven points\r\n',
                            more=b'%s: v=1; s=-9\r\n' % SEAL.encode()))
    tap.same(len(first.mail.fields(SEAL)), 1, 'one seal, the forged one is gone')
    copy = to(SEVEN, data=first.mail.data)
    got = site.get(copy, 'second')
    tap.same((got.fate, got.get('X-Spam-Score'), got.get('X-Spam-Flag')),
             ('delivered', '7.0', 'YES'), 'the second stage takes it over')
    nine = site.get(NINE)
    is_fate(site.get(to(NINE, data=nine.mail.data), 'second'),
            '^refused: 554', 'and acts on it')
    for label, data in (
            ('none', SEVEN.data),
            ('changed', first.mail.data.replace(b's=7;', b's=6;')),
            ('of another message', first.mail.data.replace(
                b'<1@example.org>', b'<2@example.org>'))):
        is_fate(site.get(to(SEVEN, data=data), 'second'),
                r'^refused: 451 4\.7\.1 ', 'no good seal: ' + label)


def oversize(site):
    large = Letter('large', b'seven points\r\n' + b'x' * 70 + b'\r\n' * 3000 +
                   b'twenty points\r\n')
    for action, want in (('skip', 'Unscanned'), ('part', '^Yes, score=7'),
                         ('tempfail', '')):
        site.set({'engines': [site.lab.ask_rspamd(
            max_size='2000', on_too_large=action)]})
        got = site.get(large)
        is_fate(got, '^refused: 451 4.7.1 ' if action == 'tempfail'
                else '^delivered', 'too large: ' + action)
        tap.like(got.get('X-Spam-Status'), want, 'and is marked')
    huge = sized('26 MB', 26 << 20)
    for action, want in (('skip', '^delivered'), ('tempfail', '^refused: 451')):
        site.set({'engines': [site.lab.ask_clamd(
            servers=[site.lab.clamd.tcp], on_too_large=action)]})
        got = site.get(huge)
        is_fate(got, want, 'too large for clamd: ' + action)
        if got.fields:
            tap.like(got.get('X-Virus-Status'), 'Unscanned', 'and is marked')
            tap.same(len(got.body), len(huge.data.partition(
                b'\r\n\r\n')[2]), 'nothing is lost')


def chained(site):
    """What the next filter signs is what this one leaves."""
    site.set({'outgoing.thresholds.subject': 7, 'headers.outgoing_when':
              'always'})
    got = site.get(to(SEVEN, source=OURS), 'signed')
    tap.same(got.get('Subject'), '[SPAM] a message', 'mail of ours, tagged')
    tap.same(got.get('X-Spam-Flag'), 'YES', 'and marked')
    tap.same(site.lab.verdicts(got.mail), {'rsa': 'pass', 'ed': 'pass'},
             'mfx-dkim behind mfx-score: the signatures are right')


# --- engines that die while mail flows ---

class Flow:
    """Clients that send until told to stop, and what they are told."""

    def __init__(self, site, letter, clients=3):
        self.site, self.letter = site, letter
        self.replies, self.longest = [], 0
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True)
                        for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        while not self.is_over.is_set():
            began = time.monotonic()
            code, text = send(self.site.mta.mx_port, self.letter.data,
                              source=self.letter.source)
            self.longest = max(self.longest, time.monotonic() - began)
            self.replies.append((code, text))

    def more(self, count, seconds=60):
        """Waits for so many more answers."""
        want = len(self.replies) + count
        wait_until(lambda: len(self.replies) >= want, 'mail to flow', seconds)

    def is_well(self, field):
        """The last ones were taken, and looked at."""
        return {code for code, _ in self.replies[-6:]} == {250} and all(
            'nscanned' not in _state(mail, field)
            for mail in self.site.sink.mails[-6:])

    def stop(self):
        """The mail that arrived."""
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        count = sum(code == 250 for code, _ in self.replies)
        return [self.site.sink.take(60) for _ in range(count)]


def _state(mail, name):
    for field in mail.unfolded(name):
        return field.decode()
    return ''


DEADLINE = 2.0


def dying(site, engine, ask, field, policy):
    """Stopped, thawed, killed and restarted, mail flowing."""
    label = '%s, %s' % (ask['name'], policy)
    site.set({'engines': [{**ask, 'on_failure': policy, 'failure_score': 6.5,
                           'retry': '100ms', 'retry_max': '500ms'}],
              'scan_timeout': '%gs' % DEADLINE})
    flow = Flow(site, PLAIN)
    flow.more(6)
    freeze(engine)
    flow.more(6)
    thaw(engine)
    flow.more(3)
    crash(engine)
    flow.more(9)
    engine.start()
    wait_until(lambda: flow.is_well(field), label + ': to be well again', 30)
    arrived = flow.stop()
    codes = {code for code, _ in flow.replies}
    tap.ok(flow.longest < DEADLINE + 5, label + ': the deadline is kept',
           'longest: %.1f s' % flow.longest)
    tap.ok(site.sink.stays_empty(0.2), label + ': all is accounted for')
    states = _count(_state(mail, field) for mail in arrived)
    if policy == 'tempfail':
        tap.same(codes, {250, 451}, label + ': deferred meanwhile')
        tap.same(states['unscanned'], 0, label + ': nothing passes unseen')
    else:
        tap.same(codes, {250}, label + ': mail flows')
        tap.ok(states['unscanned'] >= 6, label + ': and is marked',
               str(states))
    tap.ok(states['scanned'] >= 12, label + ': before and after', str(states))


def _count(values):
    counts = {'scanned': 0, 'unscanned': 0}
    for value in values:
        counts['unscanned' if 'nscanned' in value else 'scanned'] += 1
    return counts


def dying_rspamd(site):
    for policy in ('tempfail', 'accept', 'score'):
        dying(site, site.lab.rspamd, site.lab.ask_rspamd(), 'X-Spam-Status',
              policy)


def dying_spamd(site):
    dying(site, site.lab.spamd, site.lab.ask_spamd(), 'X-Spam-Status',
          'accept')


def dying_clamd(site):
    for policy in ('tempfail', 'accept'):
        dying(site, site.lab.clamd, site.lab.ask_clamd(), 'X-Virus-Status',
              policy)


def run_all(site, only=None):
    for case in (alone, together, actions, greylisting, fields, forged,
                 recipients, per_user, outgoing, sealed, oversize, chained,
                 dying_rspamd, dying_spamd, dying_clamd):
        if only and case.__name__ not in only:
            continue
        tap.note('--- %s' % case.__name__)
        case(site)
    tap.done()
