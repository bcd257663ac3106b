#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rspamd in both directions: a private rspamd with its DKIM modules alone."""
import http.client
import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import dkiminterop
import tap

RSPAMD = dkiminterop.need('rspamd')

CONFIG = '''
options {
  filters = "dkim";
  dns { nameserver = ["127.0.0.1:%(dns)d"]; timeout = 5s; }
  tempdir = "%(folder)s"; rrd = "%(folder)s/rrd"; cache_file = "%(folder)s/map";
  hs_cache_dir = "%(folder)s"; url_tld = "%(folder)s/tld"; one_shot = true;
}
logging { type = "file"; filename = "%(folder)s/rspamd.log"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:%(port)d"; count = 1; }
modules { path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }
lua = "/usr/share/rspamd/rules/rspamd.lua";
dkim { max_sigs = 5; }
dkim_signing {
  sign_authenticated = true; use_domain = "header"; allow_username_mismatch = true;
  allow_hdrfrom_mismatch = true; allow_envfrom_empty = true;
  domain { %(domain)s { selectors [
    { selector = "rsa"; path = "%(rsa)s"; },
    { selector = "ed"; path = "%(ed)s"; }
  ] } }
}
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Rspamd:
    name = 'rspamd'
    algorithms = ['rsa-sha256', 'ed25519-sha256']
    sign_canons = ['relaxed/relaxed']

    def __init__(self, bench):
        self.bench = bench
        self.signed = {}
        script = bench.write('dns', ''.join(
            '%s TXT txt %s\n' % (name, ' '.join(
                '"%s"' % text[at:at + 250] for at in range(0, len(text), 250)))
            for name, text in bench.records.items()).encode())
        self.dns = subprocess.Popen(
            ['/usr/bin/python3',
             os.path.join(dkiminterop.SOURCE, 't/lib/dnsliar'), script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # the public suffixes would take half a minute to compile
        bench.write('tld', b'org\nnet\nexample\n')
        self.port = free_port()
        config = bench.write('rspamd.conf', (CONFIG % {
            'dns': int(self.dns.stdout.readline().split()[1]),
            'port': self.port, 'folder': bench.folder,
            'domain': dkiminterop.DOMAIN, 'rsa': bench.keys['rsa'],
            'ed': bench.keys['ed']}).encode())
        self.rspamd = subprocess.Popen(
            [RSPAMD, '-f', '-i', '-c', config], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(300):
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            except OSError:
                time.sleep(0.1)
        with open(self.bench.folder + '/rspamd.log') as log:
            tap.note(log.read())
        tap.skip_all('the private rspamd does not start')

    def close(self):
        self.rspamd.terminate()
        self.rspamd.wait()
        self.dns.stdin.close()
        self.dns.wait()

    def ask(self, message, **headers):
        link = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        link.request('POST', '/checkv2', message, headers)
        reply = json.loads(link.getresponse().read())
        link.close()
        return reply

    def skips(self, what, job):
        if job.label == 'repeated headers':
            return 'rspamd fails signatures over a second To or Cc on purpose'
        if (job.canon.endswith('relaxed') and job.label in
                ('only white space', 'no final CRLF after blanks')):
            return 'rspamd keeps something of the blanks here'
        return None

    def verify(self, paths):
        got = {}
        for path in paths:
            with open(path, 'rb') as file:
                reply = self.ask(file.read(), IP='192.0.2.1')
            symbols = reply.get('symbols', {})
            got[path] = 'R_DKIM_ALLOW' in symbols or str(reply)
        return got

    def sign(self, jobs):
        for job in jobs:
            if job.label not in self.signed:
                reply = self.ask(job.message, IP='127.0.0.1',
                                 User='alice@' + dkiminterop.DOMAIN)
                fields = reply.get('dkim-signature', [str(reply)])
                self.signed[job.label] = (
                    [fields] if isinstance(fields, str) else fields)
            mine = [field for field in self.signed[job.label]
                    if 'a=' + job.algorithm in field] or self.signed[job.label]
            field = mine[0].replace('\r', '').replace('\n', '\r\n')
            yield (b'DKIM-Signature: ' + field.encode() + b'\r\n' +
                   job.message)


dkiminterop.run(Rspamd)
