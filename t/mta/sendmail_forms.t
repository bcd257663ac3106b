#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What mfx_address_sendmail_form says of the values in sendmail_forms.txt,
sent through a real Sendmail: it leaves the forms alone, byte for byte."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import tap
from mtalab import Lab, send

HOST = 'mx.sendmail.test'
PER_MESSAGE = 40
# the "<" says that the message is of the new style, as any real one does
HEAD = (b'X-From-Comes: first\r\n'
        b'Sender: <alice@example.org>\r\n'
        b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
        b'Message-ID: <1@example.org>\r\n')


def unescape(text):
    def one(match):
        what = match.group(1)
        if what[0] == 'x':
            return chr(int(what[1:], 16))
        return {'n': '\n', 't': '\t'}.get(what, what)
    return re.sub(r'\\(x[0-9A-F]{2}|.)', one, text).encode('latin-1')


def read_cases(path):
    """[(mark, name, value as written)]"""
    with open(path, encoding='ascii') as lines:
        return [re.match(r'([~!]?)([^:]+):(.*)', line.rstrip('\n')).groups()
                for line in lines if line.strip() and line[0] != '#']


def forms_of(cases, build_dir):
    """[(has a form, form as written)]"""
    text = ''.join('%s:%s\n' % (name, value) for _, name, value in cases)
    tool = os.path.join(build_dir, 't/lib/sendmail_form')
    out = subprocess.run([tool, HOST], input=text, stdout=subprocess.PIPE,
                         encoding='ascii', check=True).stdout.splitlines()
    return [(line[0] != '!', line.partition(':')[2]) for line in out]


def through(port, sink, fields):
    """What is delivered for [(name, value)]."""
    result = []
    for start in range(0, len(fields), PER_MESSAGE):
        message = HEAD
        for number, (name, value) in enumerate(
                fields[start:start + PER_MESSAGE]):
            message += b'X-Number: %d\r\n%s:%s\r\n' % (
                number, name.encode(), value.replace(b'\n', b'\r\n'))
        code, text = send(port, message + b'\r\nbody\r\n')
        if code != 250:
            tap.note('%s %s' % (code, text))
        marked = False
        for name, value in sink.take().fields():
            if marked:
                result.append(value.replace(b'\r\n', b'\n'))
            marked = name == 'X-Number'
    return result


def main():
    cases = read_cases(os.path.join(HERE, 'sendmail_forms.txt'))
    with Lab() as lab:
        forms = forms_of(cases, lab.build_dir)
        sink = lab.sink()
        port = lab.sendmail(sink, []).mx_port
        both = [(case, form[1]) for case, form in zip(cases, forms) if form[0]]
        kept = through(port, sink, [(case[1], unescape(form))
                                    for case, form in both])
        made = through(port, sink, [(case[1], unescape(case[2]))
                                    for case, form in both])
        tap.same(len(kept), len(both), 'all forms are delivered')
        tap.same(len(made), len(both), 'all values are delivered')
        for case, form in zip(cases, forms):
            label = '%s:%s' % (case[1], case[2][:60])
            if not tap.same(form[0], case[0] != '!', label + ' has a form'):
                continue
            if not form[0]:
                continue
            want = unescape(form[1])
            tap.same(kept.pop(0), want, label + ' is left alone')
            own = made.pop(0)
            tap.same(own == want, case[0] == '',
                     label + ' is what Sendmail makes: %r' % own)
    tap.done()


main()
