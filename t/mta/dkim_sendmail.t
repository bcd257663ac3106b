#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Signing and verifying behind Sendmail, whose rewriting of address fields
after the filters breaks what a filter signs as it saw it."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Client, send
from mtalab.address_fields import Maker
from mtalab.dkim_lab import DkimLab
from mtalab.messages import AWKWARD, PLAIN
from mtalab.signers import by_dkimpy

BOTH = {'rsa': 'pass', 'ed': 'pass'}
OURS = b'mx.sendmail.test'

# Each is a To field as somebody might write it.
LISTS = (
    b'bob@example.net,carol@example.com',
    b'bob@example.net ,carol@example.com',
    b'bob@example.net,\r\n\tcarol@example.com,\r\n dave@example.com',
    b'bob@example.net, "Carol, C." <carol@example.com>',
    b'Bob B. Bobson <bob@example.net>,carol@example.com',
    b'bob@example.net ,  "Z" <carol@example.com>',
    b'bob@example.net (Bob), carol@example.com (Carol (C.))',
    b'<bob@example.net>,<carol@example.com>',
    b'=?UTF-8?Q?B=C3=B6b?= <bob@example.net>,carol@example.com',
    b'friends: bob@example.net, carol@example.com;',
    b'undisclosed-recipients:;',
    b'"bob b"@example.net,carol@example.com',
    b'Bob   Bobson   <bob@example.net>',
    b'BOB@EXAMPLE.NET',
    b'bob@example.net,',
    b'bob@[192.0.2.1],carol@example.com',
    b'B\xc3\xb6b <bob@example.net>,carol@example.com',
    b', '.join(b'Recipient Number %d <r%d@example.net>' % (n, n)
               for n in range(60)),
    b',\r\n '.join(b'r%d@example.net' % n for n in range(200)),
    b'"Very Long %s" <bob@example.net>,carol@example.com' % (b'x' * 300),
    b'Bob "the \\"B\\"" Bobson <bob@example.net>,carol@example.com',
    b"Bob O'Bobson <bob@example.net>,carol@example.com",
    b'Bob/Sales [EMEA] <bob@example.net>,carol@example.com',
)


def both_ports(lab, sendmail):
    code, text = send(sendmail.submit_port, PLAIN, source=STRANGER)
    tap.same(code, 250, 'the ORIGINATING port takes mail: ' + text)
    mail = lab.sink.take()
    tap.same(lab.verdicts(mail), BOTH, 'both signatures hold after delivery')
    said = lab.filter.ctl('explain', text.split()[1])
    tap.has(said, 'ORIGINATING', 'explain names the rule that made it ours')

    send(sendmail.mx_port, PLAIN)
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'an internal host is ours')
    send(sendmail.mx_port, PLAIN, source=STRANGER)
    tap.same(lab.sink.take().fields('DKIM-Signature'), [],
             'mail of a stranger is not signed')

    sendmail.submit(['-f', 'alice@example.org', 'bob@example.net'],
                    PLAIN.replace(b'\r\n', b'\n'))
    tap.same(lab.verdicts(lab.sink.take()), BOTH,
             'the sendmail command is signed (MSP)')


def odd_messages(lab, sendmail):
    for label, message in AWKWARD:
        code, text = send(sendmail.submit_port, message)
        tap.same(code, 250, label + ': ' + text)
        tap.same(lab.verdicts(lab.sink.take()), BOTH, label + ': holds')
    lab.filter.configure({'sign.canonicalization': 'simple/simple'})
    for label, message in AWKWARD:
        send(sendmail.submit_port, message)
        tap.same(lab.verdicts(lab.sink.take()), BOTH,
                 label + ': holds as simple/simple')
    lab.filter.configure({'sign.canonicalization': 'relaxed/relaxed'})


def what_sendmail_adds(lab, sendmail):
    lines = PLAIN.split(b'\r\n')
    for name in (b'Date', b'Message-ID', b'To'):
        message = b'\r\n'.join(line for line in lines
                               if not line.startswith(name + b':'))
        send(sendmail.submit_port, message)
        mail = lab.sink.take()
        tap.same(lab.verdicts(mail), BOTH,
                 'holds where Sendmail adds ' + name.decode())
    send(sendmail.submit_port, b'From: alice@example.org\r\n\r\nHello.\r\n')
    mail = lab.sink.take()
    tap.same(lab.verdicts(mail), BOTH, 'and where it adds all')
    tap.same(len(mail.fields('Message-ID')), 1, 'it did add a Message-ID')
    send(sendmail.submit_port, b'Bcc: carol@example.com\r\n'
         b'Return-Path: <x@example.org>\r\n' + PLAIN)
    tap.same(lab.verdicts(lab.sink.take()), BOTH,
             'and where it drops Bcc and Return-Path')


def signed_names(mail):
    """What h= of the first signature lists, in lower case."""
    text = b''.join(mail.fields('DKIM-Signature')[0].split())
    return re.search(rb';h=([^;]*)', text).group(1).decode().lower().split(':')


def address_fields(lab, sendmail):
    for text in LISTS:
        message = PLAIN.replace(b'Bob <bob@example.net>', text)
        label = 'To: %s' % text[:60].decode('latin-1').replace('\r\n', ' ')
        send(sendmail.submit_port, message)
        mail = lab.sink.take()
        tap.same(lab.verdicts(mail), BOTH, label)
        if b'Very Long' not in text:  # which Sendmail breaks anew each time
            tap.ok('to' in signed_names(mail), label + ': is signed')
    for name in (b'From', b'Cc', b'Reply-To', b'Sender', b'Resent-To'):
        text = b'A. Alice <alice@example.org>'
        message = PLAIN
        if name == b'From':
            message = message.replace(b'Alice <alice@example.org>', text)
        else:
            message = name + b': ' + text + b',bob@example.org\r\n' + message
        send(sendmail.submit_port, message)
        tap.same(lab.verdicts(lab.sink.take()), BOTH,
                 '%s: A. Alice <...>' % name.decode())


def made_up_fields(lab, sendmail):
    """Fields from a seed; $MFX_SEED gives others."""
    maker = Maker(os.environ.get('MFX_SEED', 'mfx'))
    client = Client(sendmail.submit_port)
    bad = []
    for _ in range(150):
        text = b'To:' + maker.value()
        client.send(PLAIN.replace(b'To: Bob <bob@example.net>', text),
                    'alice@example.org', ['bob@example.net'])
        mail = lab.sink.take()
        if list(lab.verdicts(mail).values()) != ['pass', 'pass']:
            bad.append((text, mail.fields('To')))
    client.close()
    tap.ok(not bad, '150 made-up To fields hold',
           *['%r\n  delivered %r' % pair for pair in bad])


def verifying(lab, sendmail):
    signed = by_dkimpy(by_dkimpy(PLAIN, lab.rsa), lab.ed)
    forged = b''.join(b'Authentication-Results: %s; dkim=pass '
                      b'header.d=evil%d.test\r\n' % (OURS, n)
                      for n in range(20))
    send(sendmail.mx_port, forged + signed, source=STRANGER)
    mail = lab.sink.take()
    said = mail.unfolded('Authentication-Results')
    tap.same(len(said), 1, 'one result, the forged ones are gone')
    tap.has(said[0], OURS, 'it bears the name of Sendmail ($j)')
    tap.same(said[0].count(b'dkim=pass'), 2, 'both signatures pass')
    tap.same(mail.fields()[0][0], 'Authentication-Results',
             "it stands above Sendmail's Received")
    send(sendmail.mx_port, PLAIN, source=STRANGER)
    tap.has(lab.sink.take().unfolded('Authentication-Results')[0],
            b'dkim=none', 'no signature')
    lab.filter.configure({'verify.on_fail': 'reject'})
    code, text = send(sendmail.mx_port, signed.replace(b'Hello', b'HELLO'),
                      source=STRANGER)
    tap.same(code, 550, 'on_fail = reject: ' + text)


def trouble(lab, sendmail):
    lab.filter.kill()
    for port, label in ((sendmail.submit_port, 'submission'),
                        (sendmail.mx_port, 'MX')):
        code, text = send(port, PLAIN)
        tap.same(code, 451, '%s with mfx-dkim dead: %s' % (label, text))
    tap.ok(lab.sink.stays_empty(), 'nothing went out unsigned')
    lab.filter.start()
    tap.same(send(sendmail.submit_port, PLAIN)[0], 250, 'restarted')
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'and signs')


def main():
    with DkimLab() as lab:
        sendmail = lab.sendmail(lab.sink, [lab.filter.milter])
        both_ports(lab, sendmail)
        odd_messages(lab, sendmail)
        what_sendmail_adds(lab, sendmail)
        address_fields(lab, sendmail)
        made_up_fields(lab, sendmail)
        verifying(lab, sendmail)
        trouble(lab, sendmail)
    tap.done()


main()
