#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RFC 7208 test suite (its own YAML form) on mfx's evaluator, and on
libspf2 as mfx uses it: there, what is in spf_libspf2_deviations.txt fails as it
says, and nothing else.

Arguments: engines (mfx, libspf2), else both.
"""
import os
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import spfsuite
import tap

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
TOOL = os.path.join(BUILD, 't/lib/spftool')


def quoted(text):
    return urllib.parse.quote(str(text).encode())


def run(scenarios, options):
    text = ''
    for number, scenario in enumerate(scenarios):
        text += '\n'.join(['zone'] + spfsuite.zone(scenario) + ['.']) + '\n'
        for name, case in scenario['tests'].items():
            text += '\t'.join(['check', '%d.%s' % (number, quoted(name)), str(case['host']),
                               quoted(case['helo']),
                               quoted(case['mailfrom'])]) + '\n'
    done = subprocess.run([TOOL] + options, input=text.encode(), timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 77:
        return None
    tap.same((done.returncode, done.stderr), (0, b''), 'spftool runs')
    answers = {}
    for line in done.stdout.decode().splitlines():
        if not line.startswith('#'):
            words = [urllib.parse.unquote(w) for w in line.split('\t')]
            answers[words[0]] = words[1:]
    return answers


def read_deviations():
    """{case: (want, got)}"""
    found = {}
    with open(os.path.join(HERE, 'spf_libspf2_deviations.txt')) as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                case, want, got, _ = [w.strip() for w in line.split('|')]
                found[case] = want, got
    return found


def expect(got, wanted, label, deviations):
    """got is one of wanted, unless it is known to be another."""
    if label not in deviations:
        tap.ok(got in wanted, label, 'got:  %s' % got, 'want: %s' % wanted)
        return
    want, known = deviations.pop(label)
    tap.ok(want in wanted and got not in wanted and got == known,
           label + ', as it is known to deviate', 'got:  %s' % got,
           'want: %s' % wanted, 'known: %s' % known)


def judge(engine, scenarios):
    deviations = read_deviations() if engine == 'libspf2' else {}
    answers = run(scenarios, ['engine=' + engine])
    if answers is None:
        tap.note('this build is without ' + engine)
        return
    tap.note(engine)
    for number, scenario in enumerate(scenarios):
        for name, case in scenario['tests'].items():
            got = answers.get('%d.%s' % (number, name), ['no answer', ''])
            want = spfsuite.results(case)
            label = '%s: %s' % (scenario['description'], name)
            expect(got[0], want, label, deviations)
            text = case.get('explanation')
            if text is not None:
                expect(got[1], ['' if text == 'DEFAULT' else str(text)],
                       label + ': explanation', deviations)
    tap.same(list(deviations), [], engine + ': no other deviation is listed')


def main():
    scenarios = spfsuite.scenarios()
    for engine in sys.argv[1:] or ['mfx', 'libspf2']:
        judge(engine, scenarios)
    tap.done()


main()
