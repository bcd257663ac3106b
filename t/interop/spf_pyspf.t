#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records by chance, right ones and broken ones: mfx and pyspf on each.

Where the two differ, pyspf with some of its deviations mended must say what
mfx says (t/lib/pyspfmended.py has the table, with the RFC's words). What no
set of mends explains fails the test. Arguments: number of cases, seed.
"""
import collections
import os
import subprocess
import sys
from urllib.parse import quote, unquote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import spfrandom
import tap

try:
    import pyspfmended
except ImportError:
    tap.skip_all('python3-spf is not installed')

TOOL = os.path.join(os.environ.get('MFX_BUILDDIR', os.getcwd()),
                    't/lib/spftool')
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 12000
SEED = sys.argv[2] if len(sys.argv) > 2 else 'mfx'
CHUNK = 2000


def ours(cases):
    lines = ['zone'] + [line for c in cases for line in c.lines()] + ['.']
    lines += ['\t'.join(['check', str(c.number), c.shown_ip, quote(c.helo),
                         quote(c.sender)]) for c in cases]
    done = subprocess.run([TOOL, 'explanation=60000'], timeout=300,
                          input='\n'.join(lines + ['']).encode(),
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        return {}
    rows = (line.split('\t') for line in done.stdout.decode().splitlines())
    return {int(row[0]): (row[1], unquote(row[2])) for row in rows}


def show(case, zone, want):
    tap.note('case %d: %s %s <%s>' % (case.number, case.ip, case.helo,
                                      case.sender))
    tap.note('  mfx %s, pyspf %s, mended %s' % (
        want, pyspfmended.check(case, zone, ()),
        pyspfmended.check(case, zone, pyspfmended.MENDS)))
    for (name, kind), data in case.zone.items():
        tap.note('  %s %s %s' % (name, kind, data))


class Tally:
    def __init__(self):
        self.results = collections.Counter()
        self.mends = collections.Counter()
        self.different = self.unexplained = self.unanswered = 0

    def add(self, case, zone, want):
        self.results[want[0]] += 1
        if pyspfmended.check(case, zone, ()) == want:
            return
        self.different += 1
        mends = pyspfmended.minimal(case, zone, want)
        if mends is None:
            self.unexplained += 1
            if self.unexplained <= 5:
                show(case, zone, want)
        self.mends.update(mends or ())

    def chunk(self, cases):
        zone = {}
        for case in cases:
            zone.update(case.zone)
        answers = ours(cases)
        self.unanswered += len(cases) - len(answers)
        for case in cases:
            if case.number in answers:
                self.add(case, zone, answers[case.number])


def main():
    tally = Tally()
    for first in range(0, COUNT, CHUNK):
        tally.chunk([spfrandom.Case(number, SEED)
                     for number in range(first, min(first + CHUNK, COUNT))])
    tap.note('%d records, results: %s' % (COUNT, dict(tally.results)))
    tap.note('%d differ from pyspf:' % tally.different)
    for mend, words in pyspfmended.MENDS.items():
        tap.note('%5d  %s: RFC 7208 %s' % (tally.mends[mend], mend, words))
    tap.same(tally.unanswered, 0, 'mfx answers all')
    tap.same(tally.unexplained, 0, 'each difference is explained')
    if len(sys.argv) == 1:
        tap.same([m for m in pyspfmended.MENDS if tally.mends[m] == 0], [],
                 'each mend is needed by some case')
    for result in ('none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
                   'permerror'):
        tap.ok(tally.results[result] > COUNT // 50,
               '%s comes often enough to mean something' % result)
    tap.done()


main()
