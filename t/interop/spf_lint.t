#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RFC 7208 test suite, and what mfxctl spf lint says of its records.

A permerror is a mistake that lint must find, whatever the client. The other
way round a record with a mistake gives some client a permerror; where the
case's client is matched before, it is named below.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import spfsuite
import tap

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
LINT = os.path.join(BUILD, 'mfxctl-spf')
# The client is matched before the limit is reached.
MATCHED_BEFORE = {'include-at-limit'}


def lint(zone, domain):
    done = subprocess.run([LINT, 'lint', '--json', '--zone', zone, domain],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)
    if done.returncode == 64:  # no domain at all
        return 64, []
    answer = json.loads(done.stdout.decode())
    return done.returncode, answer.get('findings', [])


def judge(label, name, want, status, findings):
    wrong = ['%(code)s: %(text)s' % f for f in findings
             if f['level'] == 'wrong']
    if want == ['permerror']:
        tap.ok(status == 1 and wrong, label + ': a permerror is found')
    elif want == ['none']:
        tap.ok(status in (1, 64), label + ': no record is said')
    elif want == ['temperror']:
        tap.same(status, 2, label + ': DNS that fails is said')
    elif 'permerror' not in want and name not in MATCHED_BEFORE:
        tap.ok(not wrong, label + ': nothing is wrong', *wrong)


def main():
    if not os.path.exists(LINT):
        tap.skip_all('mfxctl-spf is not built')
    for scenario in spfsuite.scenarios():
        with tempfile.NamedTemporaryFile(mode='w') as zone:
            zone.write('\n'.join(spfsuite.zone(scenario)) + '\n')
            zone.flush()
            for name, case in scenario['tests'].items():
                domain = (case['mailfrom'] or case['helo']).split('@')[-1]
                label = '%s: %s' % (scenario['description'], name)
                status, findings = lint(zone.name, domain)
                judge(label, name, spfsuite.results(case), status, findings)
    tap.done()


main()
