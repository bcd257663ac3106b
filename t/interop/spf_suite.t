#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RFC 7208 test suite (its own YAML form) on mfx's evaluator, and on
libspf2 as mfx uses it: there, what is in spf_libspf2_deviations.txt fails as it
says, and nothing else.

The file comes with the suite's authors' licence and is not part of mfx:
MFX_SPF_SUITE names it, else ../shared/vectors/spf/rfc7208-part.yml beside the
sources is taken. Arguments: engines (mfx, libspf2), else both.
"""
import os
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import tap

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
SOURCE = os.environ.get('MFX_SRCDIR', os.path.join(HERE, '../..'))
TOOL = os.path.join(BUILD, 't/lib/spftool')
NAME = 'shared/vectors/spf/rfc7208-part.yml'
PLACES = [os.environ.get('MFX_SPF_SUITE', ''),
          os.path.join(SOURCE, '..', NAME), os.path.join(SOURCE, '../..', NAME)]
TYPES = ('A', 'AAAA', 'MX', 'PTR', 'TXT', 'CNAME')


def octets(text):
    """As the file's bytes: its reader gave code points."""
    data = text if isinstance(text, bytes) else str(text).encode('latin-1',
                                                                 'ignore')
    return ''.join(chr(c) if 0x21 <= c <= 0x7E and c not in b'"\\'
                   else '\\%03d' % c for c in data)


def value(kind, data):
    if data in ('TIMEOUT',):
        return '!timeout'
    if kind == 'TXT':
        strings = data if isinstance(data, list) else [data]
        return ' '.join('"%s"' % octets(s) for s in strings) or '""'
    if kind == 'MX':
        return '%d %s' % (data[0], octets(data[1]) or '.')
    return octets(data)


def rows(name, entries):
    """Entries of a name as zone lines. SPF stands for TXT unless there is
    TXT; TIMEOUT for all types that are not there."""
    kinds = [(k, v) for e in entries if isinstance(e, dict)
             for k, v in e.items()]
    if not any(k == 'TXT' for k, _ in kinds):
        kinds += [('TXT', v) for k, v in kinds if k == 'SPF']
    kinds = [(k, v) for k, v in kinds if k != 'SPF' and v != 'NONE']
    lines = ['%s %s %s' % (octets(name), k, value(k, v)) for k, v in kinds]
    if 'TIMEOUT' in entries:
        have = {k for k, _ in kinds}
        lines += ['%s %s !timeout' % (octets(name), k) for k in TYPES[:-1]
                  if k not in have]
    if not lines:  # the name is there
        lines = ['%s NS ns.invalid' % octets(name)]
    return lines


def zone(scenario):
    return [line for name, entries in scenario['zonedata'].items()
            for line in rows(str(name), entries)]


def quoted(text):
    return urllib.parse.quote(str(text).encode())


def run(scenarios, options):
    text = ''
    for number, scenario in enumerate(scenarios):
        text += '\n'.join(['zone'] + zone(scenario) + ['.']) + '\n'
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
            want = case['result']
            want = want if isinstance(want, list) else [want]
            label = '%s: %s' % (scenario['description'], name)
            expect(got[0], want, label, deviations)
            text = case.get('explanation')
            if text is not None:
                expect(got[1], ['' if text == 'DEFAULT' else str(text)],
                       label + ': explanation', deviations)
    tap.same(list(deviations), [], engine + ': no other deviation is listed')


def main():
    path = next((p for p in PLACES if os.path.isfile(p)), None)
    if path is None:
        tap.skip_all('the RFC 7208 suite is not here')
    try:
        import yaml
    except ImportError:
        tap.skip_all('python3-yaml is not here')
    with open(path, encoding='utf-8') as file:
        scenarios = [s for s in yaml.safe_load_all(file) if s]
    for engine in sys.argv[1:] or ['mfx', 'libspf2']:
        judge(engine, scenarios)
    tap.done()


main()
