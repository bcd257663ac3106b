#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Signing behind Postfix: every way that mail of ours comes in, and what
happens when signing is not possible."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Key, send, wait_until
from mtalab.dkim_lab import DOMAIN, DkimLab
from mtalab.messages import AWKWARD, HEAD, PLAIN

BOTH = {'rsa': 'pass', 'ed': 'pass'}


def key_of_idn(lab):
    """The same keys for a domain outside ASCII, under its A-labels."""
    idn = 'xn--bcher-kva.example'
    os.symlink(DOMAIN, '%s/keys/%s' % (lab.dir, idn))
    lab.dns.publish([key.record().replace(DOMAIN, domain)
                     for domain in (DOMAIN, idn) for key in (lab.rsa, lab.ed)])
    lab.filter.configure({'sign.domains': 'csl:%s,%s' % (DOMAIN, idn)})


def queue_id(reply):
    return re.search(r'queued as (\w+)', reply).group(1)


def every_way_in(lab, postfix):
    code, text = send(postfix.submit_port, PLAIN, source=STRANGER)
    tap.same(code, 250, 'the ORIGINATING port takes mail: ' + text)
    mail = lab.sink.take()
    tap.same(lab.verdicts(mail), BOTH, 'both signatures hold after delivery')
    names = [name for name, _ in mail.fields()]
    tap.ok(names.index('DKIM-Signature') < names.index('From'),
           'the signatures stand above the message')
    tap.same(mail.fields('Authentication-Results'), [],
             'mail of ours gets no results')
    said = lab.filter.ctl('explain', queue_id(text))
    tap.has(said, 'ORIGINATING', 'explain names the rule that made it ours')
    tap.has(said, 'example.org', 'explain names the domain')

    send(postfix.mx_port, PLAIN, source=STRANGER, login='alice@example.org')
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'a login makes mail ours')

    send(postfix.mx_port, PLAIN)
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'an internal host does too')

    send(postfix.mx_port, PLAIN, source=STRANGER)
    tap.same(lab.sink.take().fields('DKIM-Signature'), [],
             'mail of a stranger is not signed')

    postfix.sendmail(['-f', 'alice@example.org', 'bob@example.net'],
                     PLAIN.replace(b'\r\n', b'\n'))
    tap.same(lab.verdicts(lab.sink.take()), BOTH,
             'the sendmail command is signed (non_smtpd_milters)')

    send(postfix.submit_port, PLAIN, to=['refused@example.net'])
    bounce = lab.sink.take()
    tap.has(bounce.sender, b'<>', 'a bounce goes back')
    tap.same(lab.verdicts(bounce), BOTH,
             'it is signed (internal_mail_filter_classes)')


def odd_messages(lab, postfix):
    for label, message in AWKWARD:
        code, text = send(postfix.submit_port, message)
        tap.same(code, 250, label + ': ' + text)
        tap.same(lab.verdicts(lab.sink.take()), BOTH, label + ': holds')

    bare = (b'From: alice@example.org\r\nSubject: bare\r\n\r\nHello.\r\n')
    send(postfix.submit_port, bare)
    tap.same(lab.verdicts(lab.sink.take()), BOTH,
             'without Date and Message-ID: holds')
    with_bcc = HEAD + b'Bcc: carol@example.com\r\n\r\nHello.\r\n'
    send(postfix.submit_port, with_bcc)
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'with Bcc: holds')


def internationalized(lab, postfix):
    """RFC 6532 and 8616: UTF-8 in addresses, domains as people write them."""
    for address in ('jürgen@example.org', 'jürgen@bücher.example'):
        message = ('From: Jürgen <%s>\r\nSubject: grüße\r\n'
                   'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
                   'Message-ID: <1@example.org>\r\n\r\nHallo.\r\n' % address)
        code, text = send(postfix.submit_port, message.encode(),
                          sender=address, options=['SMTPUTF8'])
        tap.same(code, 250, 'SMTPUTF8: ' + text)
        mail = lab.sink.take()
        tap.has(mail.sender, address.encode(), 'keeps its sender')
        tap.same(lab.verdicts(mail), BOTH, address + ': holds')


def canonicalizations(lab, postfix):
    for pair in ('simple/simple', 'simple/relaxed', 'relaxed/simple',
                 'relaxed/relaxed'):
        lab.filter.configure({'sign.canonicalization': pair})
        for label, message in AWKWARD[:5]:
            send(postfix.submit_port, message)
            mail = lab.sink.take()
            tap.same(lab.verdicts(mail), BOTH, '%s, %s' % (pair, label))
            tap.has(b''.join(mail.unfolded('DKIM-Signature')),
                    b'c=' + pair.encode(), pair + ' is what was written')


def guards(lab, postfix):
    other = PLAIN.replace(b'alice@example.org', b'alice@nokey.example')
    tap.same(send(postfix.submit_port, other)[0], 250,
             'a From domain without a key is taken')
    tap.same(lab.sink.take().fields('DKIM-Signature'), [],
             'and goes out unsigned')
    two = b'From: Mallory <mallory@example.org>\r\n' + PLAIN
    code, text = send(postfix.submit_port, two)
    tap.same(code // 100, 5, 'two From fields are refused: ' + text)
    no_from = PLAIN.partition(b'\r\n')[2]
    code, text = send(postfix.mx_port, no_from, source=STRANGER,
                      login='alice@example.org')
    tap.same(code // 100, 5, 'no From field is refused: ' + text)
    tap.ok(lab.sink.stays_empty(), 'and neither was delivered')


def trouble(lab, postfix):
    path = lab.rsa.path
    os.rename(path, path + '.away')
    wait_until(lambda: 'reload_failed' in lab.filter.log(),
               'mfx-dkim to see that a key has gone')
    send(postfix.submit_port, PLAIN)
    tap.same(lab.verdicts(lab.sink.take()), BOTH,
             'a key file that has gone: what was loaded still signs')
    os.rename(path + '.away', path)

    def signs_with_the_new_key():
        send(postfix.submit_port, PLAIN)
        return lab.verdicts(lab.sink.take()) == BOTH

    new = Key(lab.dir + '/new', 'example.org', 'rsa', 'rsa')
    lab.dns.publish([new.record(), lab.ed.record()])
    os.rename(new.path, path)
    wait_until(signs_with_the_new_key, 'the new key in signatures')
    tap.ok(True, 'a replaced key is taken without a reload by hand')

    lab.filter.kill()
    for port, label in ((postfix.submit_port, 'submission'),
                        (postfix.mx_port, 'MX')):
        code, text = send(port, PLAIN)
        tap.same(code, 451, '%s with mfx-dkim dead: %s' % (label, text))
    tap.ok(lab.sink.stays_empty(), 'nothing went out unsigned')
    lab.filter.start()
    tap.same(send(postfix.submit_port, PLAIN)[0], 250, 'restarted')
    tap.same(lab.verdicts(lab.sink.take()), BOTH, 'and signs')
    tap.same(lab.filter.stop(), 0, 'TERM ends it with status 0')
    tap.ok(not os.path.exists(lab.filter.milter.partition(':')[2]),
           'and its socket is gone')


def main():
    with DkimLab() as lab:
        key_of_idn(lab)
        auth = lab.auth_server()
        postfix = lab.postfix(lab.sink, [lab.filter.milter],
                              auth_port=auth.port, settings={
                                  'internal_mail_filter_classes': 'bounce',
                                  'myorigin': 'example.org'})
        every_way_in(lab, postfix)
        odd_messages(lab, postfix)
        internationalized(lab, postfix)
        canonicalizations(lab, postfix)
        guards(lab, postfix)
        trouble(lab, postfix)
    tap.done()


main()
