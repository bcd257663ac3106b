#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A field inserted where an index says: which place that is behind Postfix and
behind Sendmail, as libmfx/milter/decision.h promises it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Lab
from mtalab.filters import Mfx, write_config
from mtalab.process import LabError, Process, socket_listens
from mtalab.smtp import send

NAMES = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'X-Twice', 'X-Twice']
BODY = b'\r\nHello.\r\n'
# Sendmail's own Received is followed by default fields that are seen only when
# the message lacks them.
INVISIBLE = 7


class TestFilter(Mfx):
    """Does what the X-Do fields of a message say."""
    name = 'test'

    def start(self):
        program = self.build_dir + '/t/milter/test_filter'
        if not os.access(program, os.X_OK):
            raise LabError('test_filter is not built')
        write_config(self.config, self.settings)
        self.process = Process([program, '-c', self.config],
                               self.dir + '/log')
        self.process.wait_ready(
            lambda: socket_listens(self.milter.partition(':')[2]),
            'the socket of test_filter')


class InsertLab(Lab):
    def set_up(self):
        self.mails = self.sink()
        self.filter = self._add(TestFilter(self._folder('test'),
                                           self.build_dir, {}))


def by_postfix(fields, place, name):
    fields = list(fields)
    count = len(fields) - 1
    if place == -1:
        place = len(fields)
    elif place < -1:
        place = 0 if -place > count else count + 2 + place
    fields.insert(place, name)
    return fields


def by_sendmail(fields, place, name):
    fields = list(fields)
    count = len(fields) - 1
    if place == -1:
        place = fields.index(name) if name in fields else len(fields)
    else:
        if place < -1:
            place = 0 if -place > count else count + 2 + place
        place = place if place < 2 else max(1, place - INVISIBLE)
    fields.insert(place, name)
    return fields


def names_of(mail):
    return [name for name, _ in mail.fields() if name != 'X-Do']


def message(commands):
    return b''.join(b'%s: x\r\n' % name.encode() if name != 'Date' else
                    b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
                    for name in NAMES).replace(
        b'From: x', b'From: alice@example.org').replace(
        b'To: x', b'To: bob@example.net').replace(
        b'Message-ID: x', b'Message-ID: <1@example.org>') + b''.join(
        b'X-Do: eom %s\r\n' % command.encode() for command in commands) + BODY


def check(lab, mta, label, model):
    for at in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 14, 50, -1, -2, -3, -6, -8,
               -9, -50):
        name = 'X-Put'
        send(mta.mx_port, message(['insert %d %s v' % (at, name)]))
        # X-Do stands last and counts
        want = model(['Received'] + NAMES + ['X-Do'], at, name)
        want = [n for n in want if n != 'X-Do']
        tap.same(names_of(lab.mails.take()), want,
                 '%s: %d' % (label, at))
    send(mta.mx_port, message(['insert -1 X-Twice v']))
    want = [n for n in model(['Received'] + NAMES + ['X-Do'], -1, 'X-Twice')
            if n != 'X-Do']
    tap.same(names_of(lab.mails.take()), want,
             label + ': at the end, with fields of that name')
    commands = ['insert 1 X-One v', 'insert 1 X-Two v', 'insert 0 X-Three v',
                'insert below X-Below v', 'insert top X-Top v']
    send(mta.mx_port, message(commands))
    tap.same(names_of(lab.mails.take())[:6],
             ['X-Top', 'X-Three', 'Received', 'X-Below', 'X-Two', 'X-One'],
             label + ': several')


def main():
    with InsertLab() as lab:
        postfix = lab.postfix(lab.mails, [lab.filter.milter])
        sendmail = lab.sendmail(lab.mails, [lab.filter.milter])
        check(lab, postfix, 'Postfix', by_postfix)
        check(lab, sendmail, 'Sendmail', by_sendmail)
    tap.done()


main()
