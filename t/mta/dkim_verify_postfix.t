#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Verifying behind Postfix: results, forged results, actions, and DNS that
does not answer. Messages are signed by python3-dkim."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Key, send
from mtalab.dkim_lab import DkimLab
from mtalab.messages import AWKWARD, PLAIN
from mtalab.signers import by_dkimpy

OURS = b'mx.postfix.test'
FORGED = (
    b'Authentication-Results: mx.postfix.test; dkim=pass header.d=evil.test',
    b'authentication-results:mx.postfix.test;\r\n\tspf=pass',
    b'Authentication-Results:\r\n mx.POSTFIX.test (really) ; dkim=pass',
    b'Authentication-Results: (a (nested) comment) mx.postfix.test 1; dmarc=pass',
    b'Authentication-Results: "mx.postfix.test"; arc=pass',
    b'AUTHENTICATION-RESULTS : mx.postfix.test; dkim=pass',
    b'Authentication-Results: mx.postfix.test; none',
    b'Authentication-Results: mx.postfix.test',
)
FOREIGN = b'Authentication-Results: mx.other.test; dkim=fail'


def deliver(lab, postfix, message):
    """Sends it as a stranger; gives the mail and our results on one line."""
    code, text = send(postfix.mx_port, message, source=STRANGER)
    if code != 250:
        tap.ok(False, 'delivery: %d %s' % (code, text))
        return None, b''
    mail = lab.sink.take()
    ours = [line for line in mail.unfolded('Authentication-Results')
            if OURS in line.lower()]
    tap.same(len(ours), 1, 'there is one field of ours')
    return mail, ours[0] if ours else b''


def results(lab, postfix):
    message = by_dkimpy(by_dkimpy(PLAIN, lab.rsa), lab.ed)
    mail, said = deliver(lab, postfix, message)
    tap.same(mail.fields()[0][0], 'Authentication-Results',
             "it stands above Postfix's Received")
    tap.same(said.count(b'dkim=pass'), 2, 'both signatures pass')
    for part in (b'header.d=example.org', b'header.s=rsa', b'header.s=ed',
                 b'header.a=rsa-sha256', b'header.a=ed25519-sha256',
                 b'header.b='):
        tap.has(said, part, 'the field says ' + part.decode())
    tap.ok(mail.data.endswith(message), 'the message itself is untouched')

    _, said = deliver(lab, postfix, PLAIN)
    tap.has(said, b'dkim=none', 'no signature')
    _, said = deliver(lab, postfix, message.replace(b'Hello', b'HELLO'))
    tap.same(said.count(b'dkim=fail'), 2, 'a changed body fails')
    _, said = deliver(lab, postfix,
                      message.replace(b'Subject: a', b'Subject: another'))
    tap.same(said.count(b'dkim=fail'), 2, 'a changed field fails')
    stray = Key(lab.dir + '/stray', 'example.org', 'unpublished', 'rsa')
    _, said = deliver(lab, postfix, by_dkimpy(PLAIN, stray))
    tap.has(said, b'dkim=permerror', 'a key that is not published')


def odd_messages(lab, postfix):
    for pair in (('simple', 'simple'), ('relaxed', 'relaxed')):
        for label, message in AWKWARD:
            if not message.endswith(b'\r\n'):
                continue  # SMTP will end the line, after the signature
            signed = by_dkimpy(by_dkimpy(message, lab.rsa, pair), lab.ed, pair)
            _, said = deliver(lab, postfix, signed)
            tap.same(said.count(b'dkim=pass'), 2,
                     '%s, %s: passes' % ('/'.join(pair), label))


def forged(lab, postfix):
    for field in FORGED:
        mail, said = deliver(lab, postfix, field + b'\r\n' + PLAIN)
        tap.has(said, b'dkim=none', 'forged: %r' % field)
        tap.lacks(mail.head().lower(), b'pass', 'is gone')
    many = b''.join(field + b'\r\n' + FOREIGN + b'\r\n' for field in FORGED)
    mail, _ = deliver(lab, postfix, many + many + PLAIN)
    tap.same(mail.unfolded('Authentication-Results').count(
        FOREIGN.partition(b': ')[2]), 2 * len(FORGED),
        'among many forged ones those of others stay')
    signed = by_dkimpy(PLAIN, lab.rsa)
    mail, said = deliver(lab, postfix, FORGED[0] + b'\r\n' + signed)
    tap.has(said, b'header.d=example.org', 'the true result is written')
    tap.lacks(mail.head(), b'evil.test', 'the forged one is not kept')

    lab.filter.configure({'verify.trusted_results_from': 'csl:' + STRANGER})
    send(postfix.mx_port, FORGED[0] + b'\r\n' + PLAIN, source=STRANGER)
    tap.has(lab.sink.take().head(), b'evil.test',
            'a sister MX may bring results')
    lab.filter.configure({'verify.trusted_results_from': ''})


def actions(lab, postfix):
    lab.filter.configure({'verify.on_fail': 'reject'})
    signed = by_dkimpy(PLAIN, lab.rsa)
    code, text = send(postfix.mx_port, signed.replace(b'Hello', b'HELLO'),
                      source=STRANGER)
    tap.same(code, 550, 'on_fail = reject: ' + text)
    tap.has(text, '5.7.20', 'with the code of RFC 7372')
    _, said = deliver(lab, postfix, signed)
    tap.has(said, b'dkim=pass', 'a good one still passes')
    lab.filter.configure({'verify.on_fail': 'accept',
                          'verify.author_policy': 'inline:example.org=reject'})
    code, text = send(postfix.mx_port, PLAIN, source=STRANGER)
    tap.same(code, 550, 'author_policy: ' + text)
    deliver(lab, postfix, signed)
    deliver(lab, postfix, PLAIN.replace(b'example.org', b'example.com'))
    lab.filter.configure({'verify.author_policy': ''})
    tap.ok(lab.sink.stays_empty(), 'what was refused was not delivered')


def dead_dns(lab, postfix):
    silent = lab.silent_dns()
    lab.filter.configure({'dns.servers': ['127.0.0.1:%d' % silent.port],
                          'dns.timeout': '1s'})
    signed = by_dkimpy(PLAIN, lab.rsa)
    _, said = deliver(lab, postfix, signed)
    tap.has(said, b'dkim=temperror', 'DNS that does not answer')
    lab.filter.configure({'verify.on_temperror': 'tempfail'})
    code, text = send(postfix.mx_port, signed, source=STRANGER)
    tap.same(code, 451, 'on_temperror = tempfail: ' + text)
    lab.filter.configure({'dns.servers': ['127.0.0.1:%d' % lab.dns.port]})
    _, said = deliver(lab, postfix, signed)
    tap.has(said, b'dkim=pass', 'DNS is back')


def main():
    with DkimLab() as lab:
        postfix = lab.postfix(lab.sink, [lab.filter.milter])
        results(lab, postfix)
        odd_messages(lab, postfix)
        forged(lab, postfix)
        actions(lab, postfix)
        dead_dns(lab, postfix)
    tap.done()


main()
