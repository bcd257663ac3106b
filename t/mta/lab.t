#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab itself, with Debian's opendkim where mfx-dkim will stand: both
MTAs take, filter and deliver, and two verifiers agree on the result."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Lab, LabError, send
from mtalab.verifiers import by_dkimpy, by_mail_dkim

MESSAGE = (b'From: Alice <alice@example.org>\r\n'
           b'To: Bob <bob@example.net>\r\n'
           b'Subject: a message\r\n'
           b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
           b'Message-ID: <1@example.org>\r\n'
           b'\r\n'
           b'Hello.\r\n'
           b'.. two dots\r\n')


def check_mta(name, mta, sink, nsd):
    code, text = send(mta.submit_port, MESSAGE)
    tap.same(code, 250, name + ' takes a submission: ' + text)
    mail = sink.take()
    tap.same(mail.body(), b'Hello.\r\n.. two dots\r\n',
             name + ' delivers the body byte for byte')
    tap.has(mail.sender, b'<alice@example.org>', name + ' keeps the sender')
    tap.same(len(mail.recipients), 1, name + ' has the one recipient')
    good = {('example.org', 'rsa'): 'pass'}
    tap.same(by_dkimpy(mail.data, nsd.port), good,
             name + ': the signature holds for python3-dkim')
    tap.same(by_mail_dkim(mail.data, nsd.port), good,
             name + ': the signature holds for Mail::DKIM')
    changed = mail.data.replace(b'Hello', b'HELLO')
    tap.lacks(list(by_dkimpy(changed, nsd.port).values()), 'pass',
              name + ': a changed body does not hold for python3-dkim')
    tap.lacks(list(by_mail_dkim(changed, nsd.port).values()), 'pass',
              name + ': a changed body does not hold for Mail::DKIM')

    send(mta.mx_port, MESSAGE, source=STRANGER)
    tap.same(sink.take().fields('DKIM-Signature'), [],
             name + ' does not sign for a stranger on the MX port')


def check_failing_set_up():
    """A lab that cannot be set up leaves nothing behind."""
    class Bad(Lab):
        def set_up(self):
            self.server = self.nsd()
            raise LabError('the second server does not start')

    bad = Bad()
    try:
        with bad:
            tap.ok(False, 'a lab that was not set up is not used')
    except LabError as error:
        tap.has(str(error), 'second server', 'the reason is told')
    tap.ok(not bad.server.is_running(), 'what had been started is stopped')
    tap.ok(not os.path.exists(bad.dir), 'and its folder is gone')


def main():
    check_failing_set_up()
    with Lab() as lab:
        key = lab.key('example.org', 'rsa', 'rsa')
        nsd = lab.nsd([key.record()])
        sink = lab.sink()
        opendkim = lab.opendkim([key])
        postfix = lab.postfix(sink, [opendkim.milter])
        sendmail = lab.sendmail(sink, [opendkim.milter])
        check_mta('Postfix', postfix, sink, nsd)
        check_mta('Sendmail', sendmail, sink, nsd)

        postfix.sendmail(['-f', 'alice@example.org', 'bob@example.net'],
                         MESSAGE.replace(b'\r\n', b'\n'))
        tap.same(len(sink.take().fields('DKIM-Signature')), 1,
                 "Postfix's sendmail command is filtered")
        sendmail.submit(['-f', 'alice@example.org', 'bob@example.net'],
                        MESSAGE.replace(b'\r\n', b'\n'))
        tap.same(len(sink.take().fields('DKIM-Signature')), 1,
                 "Sendmail's MSP is filtered")

        opendkim.kill()
        for name, mta in (('Postfix', postfix), ('Sendmail', sendmail)):
            code, text = send(mta.submit_port, MESSAGE)
            tap.same(code, 451, '%s without its filter: %s' % (name, text))
        tap.ok(sink.stays_empty(), 'nothing was delivered without the filter')
    tap.done()


main()
