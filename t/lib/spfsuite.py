# SPDX-License-Identifier: BSD-2-Clause
"""spfsuite - the RFC 7208 test suite (its own YAML form), for tests

    for scenario in spfsuite.scenarios():       skips the test without a suite
        lines = spfsuite.zone(scenario)         as for --zone, spftool
        for name, case in scenario['tests'].items(): ...

The file comes with the suite's authors' licence and is not part of mfx:
MFX_SPF_SUITE names it, else ../shared/vectors/spf/rfc7208-part.yml beside the
sources is taken.
"""
import os

import tap

SOURCE = os.environ.get('MFX_SRCDIR', os.path.join(os.path.dirname(
    os.path.abspath(__file__)), '../..'))
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


def scenarios():
    path = next((p for p in PLACES if os.path.isfile(p)), None)
    if path is None:
        tap.skip_all('the RFC 7208 suite is not here')
    try:
        import yaml
    except ImportError:
        tap.skip_all('python3-yaml is not here')
    with open(path, encoding='utf-8') as file:
        return [s for s in yaml.safe_load_all(file) if s]


def results(case):
    """What a case may come to."""
    want = case['result']
    return want if isinstance(want, list) else [want]
