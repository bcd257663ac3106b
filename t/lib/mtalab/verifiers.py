# SPDX-License-Identifier: BSD-2-Clause
"""verifiers - what other implementations say of a delivered message

Each gives {(domain, selector): result}, with 'pass' for a good signature.
Mail::DKIM as Debian 12 has it knows no Ed25519.
"""
import os

import dkim

from .nsd import ask_txt
from .process import run

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def by_dkimpy(message, dns_port, address='127.0.0.1'):
    def look_up(name, timeout=5):
        records = ask_txt(name.decode(), dns_port, timeout, address)
        return records[0] if records else None

    verifier = dkim.DKIM(message, minkey=1024)
    results = {}
    fields = [value for name, value in verifier.headers
              if name.lower() == b'dkim-signature']
    for index, value in enumerate(fields):
        tags = dkim.util.parse_tag_value(value)
        key = (tags[b'd'].decode(), tags[b's'].decode())
        try:
            good = verifier.verify(idx=index, dnsfunc=look_up)
            results[key] = 'pass' if good else 'fail'
        except dkim.DKIMException as error:
            results[key] = str(error)
    return results


def by_mail_dkim(message, dns_port):
    said = run(['/usr/bin/perl', HERE + '/mail-dkim-verify', dns_port],
               data=message).stdout.decode()
    results = {}
    for line in said.splitlines():
        domain, selector, _, result = line.split(' ', 3)
        results[(domain, selector)] = result
    return results
