#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Encoded words against Python's email package: it reads what we write, we
read what it writes, and both read odd words alike; with random text."""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from email.header import Header, decode_header

TOOL = os.path.join(os.environ.get('MFX_BUILDDIR', '.'),
                    't/lib/encodedwordtool')
SEED = int(os.environ.get('MFX_SEED', '2047'))
ROUNDS = 2000
ALPHABETS = ['abc XYZ 019', ' !"#$%&\'()*+,-./:;<=>?@[]^_`{|}~', 'äöüßéñ ø',
             'Привет мир', '日本語 テスト', '😀🎉 x', '=? ?= ?Q? utf-8',
             '\t\r\n\0\x7f\x1b ', 'word ' * 3]


def tool(lines):
    out = subprocess.run([TOOL], input='\n'.join(lines) + '\n', text=True,
                         stdout=subprocess.PIPE, check=True).stdout.split('\n')
    return [bytes.fromhex('' if line == '-' else line) for line in out[:-1]]


def random_text(rng, alphabets=None):
    parts = []
    for _ in range(rng.randint(1, 8)):
        alphabet = rng.choice(alphabets or ALPHABETS)
        parts.append(''.join(rng.choice(alphabet)
                             for _ in range(rng.randint(1, 40))))
    return ''.join(parts)


def by_python(value):
    """What Python reads in a value: as text."""
    text = ''
    value = re.sub('[\r\n]', '', value)
    for piece, charset in decode_header(value):
        if isinstance(piece, bytes):
            piece = piece.decode(charset or 'latin-1', 'replace')
        text += piece
    return text


def normal(text):
    """As the encoder promises to see it."""
    return re.sub('[\0-\x20\x7f]+', ' ', text).strip(' ')


def faults(value, column):
    """What RFC 2047 2 forbids."""
    lines = value.split('\n')
    for number, line in enumerate(lines):
        words = line.split(' ')
        coded = [w for w in words if w.startswith('=?')]
        if any(len(w) > 75 for w in coded):
            yield 'an encoded word of more than 75'
        if number > 0 and not line.startswith(' '):
            yield 'a line that is none'
        if number > 0 and line.strip() == '':
            yield 'an empty line'
        length = len(line) + (column if number == 0 else 0)
        if length > 76 and (coded and len(words) > 2 or
                            len(words) > 2 and number > 0):
            yield 'a line of %d' % length
    for word in re.findall(r'=\?utf-8\?([QB])\?([^?]*)\?=', value):
        raw = by_python('=?utf-8?%s?%s?=' % word)
        if '\ufffd' in raw and '\ufffd' not in by_python(value):
            yield 'a character is split'


def check_writing(rng):
    texts = [random_text(rng) for _ in range(ROUNDS)]
    columns = [rng.choice([0, 8, 20, 60, 75, 80]) for _ in texts]
    values = tool(['format %d %s' % (c, t.encode().hex())
                   for c, t in zip(columns, texts)])
    wrong = []
    for text, column, value in zip(texts, columns, values):
        value = value.decode('ascii')
        got = by_python(value).strip(' ')
        broken = list(faults(value, column))
        if got != normal(text) or broken:
            wrong.append((text, value, got, broken))
    tap.same(wrong[:3], [], 'Python reads what we write')
    again = tool(['decode ' + v.hex() for v in values])
    wrong = [(t, v, a) for t, v, a in zip(texts, values, again)
             if a.decode().strip(' ') != normal(t)]
    tap.same(wrong[:3], [], 'we read what we write')


def check_reading(rng):
    texts, values = [], []
    for _ in range(ROUNDS):
        charset = rng.choice(['utf-8', 'iso-8859-1', 'us-ascii'])
        alphabets = {'utf-8': ['äöüßéñ ', 'Привет мир', '日本語', '😀'],
                     'iso-8859-1': ['äöü ßéñ', 'plain '],
                     'us-ascii': ['abc XYZ']}[charset]
        text = normal(random_text(rng, alphabets))
        texts.append(text)
        values.append(Header(text, charset, maxlinelen=rng.choice([40, 76, 200]),
                             header_name='Subject').encode())
    got = tool(['decode ' + v.encode().hex() for v in values])
    wrong = [(t, v, g) for t, v, g in zip(texts, values, got)
             if g.decode().strip(' ') != t]
    tap.same(wrong[:3], [], 'we read what Python writes')


def check_malformed(rng):
    """Pieces of words, glued: no crash, nothing lost that is no word."""
    parts = ['=?', '?=', '?Q?', '?B?', 'utf-8', 'iso-8859-1', 'koi8-r', '=C3',
             '=A4', '=', '_', ' ', '\n ', 'YWJj', 'YQ', 'YQ==', 'x', '?', '=ZZ']
    values = [''.join(rng.choice(parts) for _ in range(rng.randint(1, 30)))
              for _ in range(ROUNDS)]
    values = [v for v in values if v]
    got = tool(['decode ' + v.encode().hex() for v in values])
    word = re.compile(r'=\?[^? \n]+\?[QqBb]\?[^?]*\?=')
    wrong = [(v, g) for v, g in zip(values, got)
             if not word.search(v.replace('\n', ''))
             and g != v.replace('\n', '').encode()]
    tap.same(wrong[:3], [], 'what is no word stays as it is')
    tap.same(len(got), len(values), 'each gets an answer')


def main():
    if not os.path.exists(TOOL):
        tap.skip_all('encodedwordtool is not built')
    rng = random.Random(SEED)
    tap.note('MFX_SEED=%d' % SEED)
    check_writing(rng)
    check_reading(rng)
    check_malformed(rng)
    tap.done()


main()
