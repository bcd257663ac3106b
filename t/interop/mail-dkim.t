#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Perl's Mail::DKIM (libmail-dkim-perl) in both directions. Debian's version
knows no Ed25519."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import dkiminterop
import tap

HELPER = os.path.join(dkiminterop.SOURCE, 't/lib/mail-dkim-files')

if subprocess.run(['perl', '-MMail::DKIM', '-MNet::DNS', '-e', '1'],
                  stderr=subprocess.DEVNULL).returncode != 0:
    tap.skip_all('libmail-dkim-perl is not installed')


class MailDkim:
    name = 'Mail::DKIM'
    algorithms = ['rsa-sha256']
    random = 100

    def __init__(self, bench):
        self.bench = bench

    def skips(self, what, job):
        if (job.label.startswith('no final CRLF') and
                job.canon.endswith('simple')):
            return 'Mail::DKIM adds no CRLF here (RFC 6376 3.4.3 does)'
        return None

    def verify(self, paths):
        run = subprocess.run(['perl', HELPER, 'verify', self.bench.zone] +
                             paths, capture_output=True, text=True, check=True)
        got = dict(line.split(' ', 1) for line in run.stdout.splitlines())
        return {path: text == 'pass' or text for path, text in got.items()}

    def sign(self, jobs):
        paths = [self.bench.write('mail-dkim-%d.eml' % n, job.message)
                 for n, job in enumerate(jobs)]
        lines = ['%s %s %s %s %s\n' % (path, job.selector, job.algorithm,
                                       job.canon,
                                       self.bench.keys[job.selector])
                 for path, job in zip(paths, jobs)]
        subprocess.run(['perl', HELPER, 'sign', dkiminterop.DOMAIN],
                       input=''.join(lines), text=True, check=True)
        for path in paths:
            with open(path, 'rb') as file:
                yield file.read()


dkiminterop.run(MailDkim)
