#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same configuration and the same mail through Debian's opendkim and
through mfx-dkim with what `mfxctl import opendkim` makes of it: the same
decision and the same d=, s= and i=, or the
difference is one of DELIBERATE, each of which must also be seen.

MFX_SEED (default 6376) begins the series, MFX_DIFFERENTIAL (default 300) is how
many configurations are tried, of 16 messages each.
"""
import collections
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import milterwire
import opendkim_cases
import tap
from mtalab.filters import built
from mtalab.process import LabError, Process, socket_listens

OPENDKIM = '/usr/sbin/opendkim'
BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
SEED = int(os.environ.get('MFX_SEED', '6376'))
COUNT = int(os.environ.get('MFX_DIFFERENTIAL', '300'))
MESSAGES = 16
SHOWN = int(os.environ.get('MFX_SHOWN', '5')) # differences that are printed


def tags(value):
    found = dict(part.strip().split('=', 1) for part in
                 re.sub(r'\s+', '', value.decode()).split(';') if '=' in part)
    return (found['d'].lower(), found['s'],
            found.get('i') or '@' + found['d'].lower())


class Answer:
    """What a filter did with a message, as far as both can be compared."""

    def __init__(self, outcome):
        self.verdict = outcome.verdict
        self.signed = collections.Counter(
            tags(value) for name, value in outcome.inserted
            if name == b'DKIM-Signature')
        self.results = [value.decode() for name, value in outcome.inserted
                        if name == b'Authentication-Results']

    def job(self):
        if self.verdict != 'accept':
            return self.verdict
        if self.signed:
            return 'sign'
        return 'verify' if self.results else 'pass'

    def __eq__(self, other):
        return (self.job(), self.signed) == (other.job(), other.signed)

    def __str__(self):
        return '%s %s%s' % (self.job(), sorted(self.signed.elements()),
                            ' ' + self.results[0] if self.results else '')


class Failed:
    """The filter did not start."""

    def __init__(self, why):
        self.why = why


def import_config(case):
    """The configuration as mfxctl imports it; only places are changed."""
    run = subprocess.run(
        [built('mfxctl', BUILD), 'import', 'opendkim', case.config],
        capture_output=True, text=True,
        env={**os.environ, 'MFX_LIBEXECDIR': BUILD})
    if 'sign' not in run.stdout:
        raise LabError('the import failed: ' + run.stderr[-500:])
    places = {'socket': '"unix:%s/mfx.sock"' % case.folder, 'user': '"root"',
              'socket_mode': '"0666"', 'watch_files': 'false'}
    lines = [line for line in run.stdout.splitlines()
             if line.split(' = ')[0] not in places]
    lines += ['%s = %s;' % item for item in places.items()]
    lines.append('control = { socket = "%s/mfx.ctl"; };' % case.folder)
    lines.append('log = { target = "stderr"; };')
    path = case.folder + '/dkim.conf'
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    return path


def answers(argv, socket, log, case):
    """Starts the filter, asks it for each message, stops it."""
    process = Process(argv, log)
    try:
        process.wait_ready(lambda: socket_listens(socket), socket)
        return [Answer(milterwire.ask(socket, message))
                for message in case.messages]
    except LabError:
        if process.is_running():
            raise
        return Failed(process.log()[-2000:])
    finally:
        process.kill() # libmilter takes seconds to end at its leisure


def compare(number, folder, key):
    """The case and both filters' answers."""
    dice = random.Random(SEED * 100003 + number)
    case = opendkim_cases.make(dice, '%s/%d' % (folder, number), key, MESSAGES)
    case.write()
    theirs = answers([OPENDKIM, '-f', '-x', case.config],
                     case.folder + '/opendkim.sock', case.folder + '/their.log',
                     case)
    ours = answers([built('mfx-dkim', BUILD), '-c', import_config(case)],
                   case.folder + '/mfx.sock', case.folder + '/our.log', case)
    return number, case, theirs, ours


def from_values(message):
    return [value.decode() for name, value in message.fields
            if name == b'From']


def is_odd_from(case, message, theirs, ours):
    """OpenDKIM finds an address in it, or says permerror."""
    values = from_values(message)
    return (len(values) != 1 or ',' in values[0].replace('"Quoted, Name"', '')
            or re.search(r'^(<>|@.*|.*[:;].*|not an address|)$|<.*<|a b@|'
                         r'<example.com>', values[0]) is not None
            or '@' not in values[0])


def keys(answer):
    return {(domain, selector) for domain, selector, _ in answer.signed}


def matches(case, theirs):
    return (case.settings.get('MultipleSignatures') == 'yes' and
            theirs.job() == 'sign')


def is_third_match(case, message, theirs, ours):
    return (matches(case, theirs) and sum(theirs.signed.values()) == 2 and
            len(case.rows) > 2 and keys(theirs) < keys(ours))


def has_host_bits(case, message, theirs, ours):
    return (message.client == '10.1.2.3' and
            any('10.0.0.1/8' in hosts for hosts in case.hosts.values()))


def is_bracketed(case, message, theirs, ours):
    return any('[%s]' % message.client in hosts
               for hosts in case.hosts.values())


def is_macro_overriding(case, message, theirs, ours):
    """MTA says ours, and then MacroList says no."""
    return ('MTA' in case.settings and 'MacroList' in case.settings and
            message.daemon_name in case.settings['MTA'][4:].split(',') and
            message.daemon_name != '' and ours.job() == 'sign')


def is_excepted(case, message, theirs, ours):
    return ('DontSignMailTo' in case.settings and
            'list@example.net' in message.recipients and
            (theirs.job(), ours.job()) == ('pass', 'verify'))


def is_bare_signer(case, message, theirs, ours):
    return (any(value.endswith(':%') for _, value in case.rows) and
            theirs.job() == 'pass' and ours.job() == 'sign')


def is_key_twice(case, message, theirs, ours):
    return (matches(case, theirs) and keys(theirs) == keys(ours) and
            len(ours.signed) == len(keys(ours)) and len(case.rows) > 1)


# What mfx does otherwise on purpose: why, and how such a difference is known.
DELIBERATE = [
    ('a From that readers take differently does not choose a key', is_odd_from),
    ('from the third match on, OpenDKIM makes only the first and the last '
     'signature', is_third_match),
    ('a key signs once, with the identity of the first row that names it',
     is_key_twice),
    ('a network with host bits set is meant as the network', has_host_bits),
    ('an address in brackets is that address', is_bracketed),
    ('MTA or MacroList make mail ours; with OpenDKIM the second takes back what '
     'the first said', is_macro_overriding),
    ('mail of ours that DontSignMailTo keeps unsigned is verified as other '
     'unsigned mail is', is_excepted),
    ('a signer of % alone makes OpenDKIM leave the mail unsigned',
     is_bare_signer),
]


def reason_for(case, message, theirs, ours):
    for reason, holds in DELIBERATE:
        if holds(case, message, theirs, ours):
            return reason
    return None


def describe(case, message, theirs, ours):
    names = ('Mode', 'Socket', 'Syslog', 'UMask', 'RequireSafeKeys',
             'AlwaysAddARHeader', 'AuthservID', 'TestPublicKeys')
    return '\n'.join([
        ' '.join('%s %s' % item for item in case.settings.items()
                 if item[0] not in names),
        'rows %s hosts %s' % (case.rows, case.hosts),
        'client %s [%s] login %s daemon_name %s %s' % (
            message.client_name, message.client, message.login,
            message.daemon_name, message.macros),
        'From %s to %s' % (from_values(message), message.recipients),
        'opendkim: %s' % theirs, 'mfx-dkim: %s' % ours])


class Tally:
    def __init__(self):
        self.same = 0
        self.jobs = collections.Counter()
        self.reasons = collections.Counter()
        self.unexpected = []

    def take(self, number, case, theirs, ours):
        for message, their, our in zip(case.messages, theirs, ours):
            self.jobs[their.job()] += 1
            if their == our:
                self.same += 1
                continue
            reason = reason_for(case, message, their, our)
            if reason:
                self.reasons[reason] += 1
            else:
                self.unexpected.append(
                    'configuration %d\n%s' % (number, describe(
                        case, message, their, our)))


def main():
    folder = tempfile.mkdtemp(prefix='mfx-differential.')
    key = folder + '/key.pem'
    subprocess.run(['openssl', 'genrsa', '-traditional', '-out', key, '1024'],
                   check=True, stderr=subprocess.DEVNULL)
    tap.note('MFX_SEED=%d, %d configurations' % (SEED, COUNT))
    tally = Tally()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for number, case, theirs, ours in pool.map(
                lambda n: compare(n, folder, key), range(COUNT)):
            if isinstance(theirs, Failed) or isinstance(ours, Failed):
                tap.ok(False, 'configuration %d: both filters start' % number,
                       *['%s: %s' % (name, answer.why)
                         for name, answer in (('opendkim', theirs),
                                              ('mfx-dkim', ours))
                         if isinstance(answer, Failed)])
                continue
            tally.take(number, case, theirs, ours)
    shutil.rmtree(folder)
    tap.note('same %d of %d; OpenDKIM: %s' % (
        tally.same, sum(tally.jobs.values()), dict(tally.jobs)))
    for reason, count in tally.reasons.items():
        tap.note('%d times: %s' % (count, reason))
    tap.ok(not tally.unexpected, 'no difference but the deliberate ones',
           '%d differences' % len(tally.unexpected), *tally.unexpected[:SHOWN])
    for job in ('sign', 'verify', 'pass'):
        tap.ok(tally.jobs[job] > COUNT, 'OpenDKIM often said: ' + job)
    for reason, _ in DELIBERATE:
        tap.ok(tally.reasons[reason], 'is seen: ' + reason)
    tap.done()


if __name__ == '__main__':
    main()
