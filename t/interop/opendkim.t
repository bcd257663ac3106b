#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""opendkim in both directions, through its test mode (opendkim -t)."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import dkiminterop

OPENDKIM = dkiminterop.need('opendkim')


class OpenDkim:
    name = 'opendkim'
    algorithms = ['rsa-sha256', 'ed25519-sha256']

    def __init__(self, bench):
        self.bench = bench

    def skips(self, what, job):
        if (job.label in ('empty headers', 'no blank after colon') and
                job.canon.startswith('simple')):
            return 'opendkim -t takes the first blank off a value'
        if (what == 'peer signs' and job.selector == 'ed' and
                job.canon.startswith('simple')):
            # what it signs has " b=", what it writes "\n\tb="; it does not
            # verify that itself
            return 'opendkim folds an Ed25519 b= after it has signed'
        if (job.label.startswith('no final CRLF') and
                job.canon.endswith('relaxed')):
            return 'opendkim wants the final CRLF of a relaxed body'
        return None

    def run(self, config, paths, *options):
        path = self.bench.write('opendkim.conf', config.encode())
        run = subprocess.run([OPENDKIM, '-x', path, *options, '-t',
                              ','.join(paths)], capture_output=True,
                             cwd=self.bench.folder)
        return (run.stdout + run.stderr).decode('utf-8', 'surrogateescape')

    def verify(self, paths):
        text = self.run('Mode v\nTestPublicKeys %s\n' % self.bench.zone, paths)
        got = {}
        for path in paths:
            found = re.search(re.escape('opendkim: ' + path + ': ') + '(.*)',
                              text)
            got[path] = found is None and text or found.group(1)
            if found and found.group(1).endswith('succeeded'):
                got[path] = True
        return got

    def sign(self, jobs):
        for job in jobs:
            path = self.bench.write('in.eml', job.message)
            text = self.run(
                'Mode s\nDomain %s\nSelector %s\nKeyFile %s\n'
                'Canonicalization %s\nSignatureAlgorithm %s\n'
                'InternalHosts 0.0.0.0/0\nRequireSafeKeys no\n'
                % (dkiminterop.DOMAIN, job.selector,
                   self.bench.keys[job.selector], job.canon, job.algorithm),
                [path], '-vvv')
            value = re.search("hname='DKIM-Signature' hvalue='([^']*)'", text)
            field = value.group(1) if value else 'none: ' + text
            yield (b'DKIM-Signature: ' +
                   field.encode().replace(b'\n', b'\r\n') +
                   b'\r\n' + job.message)


dkiminterop.run(OpenDkim)
