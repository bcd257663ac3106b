#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-masq and then mfx-dkim behind a real Postfix."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab.masq_cases import (BOTH, MESSAGE, MasqLab, Site, addresses,
                               path_of, paths, run_all)


def command(site):
    """Mail of sendmail(1), which cleanup hands to the filters."""
    site.lab.masq.configure({'origin.internal_hosts': 'csl:127.0.0.1'})
    site.mta.sendmail(['-f', 'alice@host7.example.org', 'u1@old.example'],
                      MESSAGE.replace(b'\r\n', b'\n'))
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'alice@example.com',
             'the sendmail command: sender')
    tap.same(paths(mail), ['u1@new.example'], 'recipient')
    tap.same(addresses(mail, 'From'), ['alice@example.com'], 'From')
    tap.same(site.lab.verdicts(mail), BOTH, 'signed')


def internationalized(site):
    message = MESSAGE.replace(b'alice@', 'jürgen@'.encode())
    code, text = site.submit(message, sender='jürgen@host7.example.org',
                             options=['SMTPUTF8'])
    tap.same(code, 250, 'SMTPUTF8: ' + text)
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'jürgen@example.com', 'the sender')
    tap.same(addresses(mail, 'From'), ['jürgen@example.com'], 'From')
    tap.same(site.lab.verdicts(mail), BOTH, 'signed')


def guarded(site):
    site.lab.masq.configure({
        'from_guard.enable': True, 'from_guard.login_is_address': False,
        'from_guard.addresses':
            ['inline:{{anna=alice@host7.example.org}}']})
    tap.same(site.submit(login='anna')[0], 250, 'an own From is taken')
    tap.same(addresses(site.sink.take(), 'From'), ['alice@example.com'],
             'and rewritten by the rules')
    code, text = site.submit(login='ben')
    tap.same(code, 550, "another's is refused: " + text)
    tap.has(text, 'ben may not use alice@host7.example.org', 'with the reason')
    site.lab.masq.configure({'from_guard.enable': False})


def main():
    with MasqLab() as lab:
        auth = lab.auth_server()
        postfix = lab.postfix(lab.sink, lab.milters(), auth_port=auth.port,
                              settings={'mynetworks': '127.0.0.0/8'})
        run_all(Site(lab, postfix), command, internationalized, guarded)


if __name__ == '__main__':
    main()
