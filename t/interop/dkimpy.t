#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""python3-dkim in both directions."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import dkiminterop
import tap

try:
    import dkim
    import nacl.encoding
    import nacl.signing
except ImportError:
    tap.skip_all('python3-dkim and python3-nacl are not installed')


class Dkimpy:
    name = 'dkimpy'
    algorithms = ['rsa-sha256', 'ed25519-sha256']
    random = 100

    def __init__(self, bench):
        self.bench = bench
        with open(bench.keys['rsa'], 'rb') as file:
            rsa = file.read()
        # dkimpy wants the bare seed, which ends the PKCS#8 form
        with open(bench.keys['ed'], 'rb') as file:
            der = nacl.encoding.Base64Encoder.decode(
                b''.join(file.read().split(b'\n')[1:-2]))
        self.keys = {'rsa': rsa,
                     'ed': nacl.encoding.Base64Encoder.encode(der[-32:])}

    def lookup(self, name, timeout=5):
        if isinstance(name, bytes):
            name = name.decode()
        return self.bench.records[name.rstrip('.')].encode()

    def skips(self, what, job):
        if (job.label == 'no final CRLF after blanks' and
                job.canon.endswith('relaxed')):
            return 'dkimpy takes blanks away before CRLF only'
        return None

    def verify(self, paths):
        got = {}
        for path in paths:
            with open(path, 'rb') as file:
                try:
                    got[path] = dkim.verify(file.read(), dnsfunc=self.lookup)
                except dkim.DKIMException as error:
                    got[path] = repr(error)
        return got

    def sign(self, jobs):
        for job in jobs:
            canon = tuple(job.canon.encode().split(b'/'))
            yield dkim.sign(job.message, job.selector.encode(),
                            dkiminterop.DOMAIN.encode(), self.keys[job.selector],
                            canonicalize=canon,
                            signature_algorithm=job.algorithm.encode()
                            ) + job.message


dkiminterop.run(Dkimpy)
