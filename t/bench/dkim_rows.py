# SPDX-License-Identifier: BSD-2-Clause
"""dkim_rows - what mfx-dkim costs, against OpenDKIM and against a floor"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from benchlib import BUILD, Filter, say

DAEMON = os.environ.get('MFX_DKIM', os.path.join(BUILD, 'mfx-dkim'))
if not os.path.exists(DAEMON):
    DAEMON = os.path.join(BUILD, 'milters/dkim/mfx-dkim')
DOMAIN = 'bench.example'
TABLE_ROWS = 100000


class DkimRows:
    # --- keys and DNS ---

    dns = None

    def begin_dkim(self):
        """Once, before the first row that needs them."""
        if self.dns is None:
            self.make_keys()
            self.start_dns()

    def make_keys(self):
        self.key = self.path('s1.pem')
        subprocess.run(['openssl', 'genrsa', '-out', self.key, '2048'],
                       check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o600)
        self.record = 'v=DKIM1; k=rsa; p=' + self.public(self.key)

    @staticmethod
    def public(path):
        der = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout',
                              '-outform', 'DER'], check=True,
                             stdout=subprocess.PIPE).stdout
        return base64.b64encode(der).decode()

    def start_dns(self):
        zone = ['$ORIGIN %s.' % DOMAIN, '$TTL 86400',
                '@ SOA ns hostmaster 1 3600 3600 3600 3600', '@ NS ns',
                'ns A 127.0.0.1',
                's1._domainkey TXT ( "%s" "%s" )' % (self.record[:200],
                                                     self.record[200:])]
        self.write('zone', '\n'.join(zone) + '\n')
        conf = self.write('nsd.conf', '''server:
  ip-address: 127.0.0.1@%d
  username: ""
  chroot: ""
  zonesdir: "%s"
  pidfile: "%s/nsd.pid"
  database: ""
  zonelistfile: "%s/zone.list"
  xfrdfile: "%s/xfrd.state"
  xfrdir: "%s"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "%s"
  zonefile: "zone"
''' % ((self.port,) + (self.dir,) * 5 + (DOMAIN,)))
        nsd = shutil.which('nsd') or '/usr/sbin/nsd'
        self.dns = Filter(self, 'nsd', [nsd, '-d', '-c', conf])
        time.sleep(0.5)
        if self.dns.process.poll() is not None:
            sys.exit('nsd did not start')

    # --- the filters ---

    def start_opendkim(self):
        conf = self.write('opendkim.conf', '''Syslog yes
SyslogSuccess yes
Mode sv
Domain %s
Selector s1
KeyFile %s
Canonicalization relaxed/relaxed
OversignHeaders From
InternalHosts 127.0.0.1
AuthservID mx.example.net
AlwaysAddARHeader yes
Nameservers 127.0.0.1@%d
Socket local:%s
UMask 000
Background no
''' % (DOMAIN, self.key, self.port, self.path('opendkim.sock')))
        binary = shutil.which('opendkim') or '/usr/sbin/opendkim'
        f = Filter(self, 'opendkim', [binary, '-f', '-x', conf])
        f.wait_ready()
        return f

    def dkim_conf(self, name, sign):
        return self.write(name + '.conf', '''socket = "unix:%s";
socket_mode = "0666";
user = "%s";
control = { socket = "%s"; };
log = { target = "stderr"; level = "info"; };
dns = { servers = [ "127.0.0.1:%d" ]; };
authserv_id = "mx.example.net";
origin = { internal_hosts = "csl:127.0.0.1"; };
sign = { %s };
''' % (self.path(name + '.sock'),
            subprocess.run(['id', '-un'], stdout=subprocess.PIPE,
                           text=True).stdout.strip(),
            self.path(name + '.ctl'), self.port, sign))

    def start_dkim(self, name='mfx-dkim', sign=None):
        sign = sign or ('domains = "csl:%s"; selectors = [ "s1" ]; '
                        'key_path = "%s/%%s.pem";' % (DOMAIN, self.dir))
        f = Filter(self, name, [DAEMON, '-c', self.dkim_conf(name, sign)])
        f.ready_s = f.wait_ready()
        return f

    def three(self, work, options, expect, counts, crypto, limits):
        """One row: mfx-dkim against OpenDKIM and against the floor."""
        options = list(options)
        checks = ['--expect', expect[0]]
        if expect[1]:
            checks += ['--value', expect[1]]
        dkim = self.start_dkim()
        probe = dkim.load('--messages', 50, '--warm', 0, *options, *checks)
        line = self.log_bytes(dkim, options)
        floor = self.start_floor(dkim, line, expect[0],
                                 probe['header_bytes'])
        peer = self.start_opendkim()

        def run(f, count, extra):
            return lambda: f.load('--messages', count, '--warm', count // 10,
                                  *options, *extra)
        got = self.rounds({
            'opendkim': run(peer, counts[0], checks),
            'mfx-dkim': run(dkim, counts[1], checks),
            'floor': run(floor, counts[1], ['--expect', expect[0]]),
        }, with_raw=True)
        for f in (dkim, floor, peer):
            f.stop()
            self.notes.append('%s, %s: %.1f us, %.0f messages/s, p50 %.2f ms, '
                              'p99 %.2f ms, %.1f MB' % (
                                  work, f.name, got[f.name]['cpu_us'],
                                  got[f.name]['per_second'],
                                  got[f.name]['p50_ms'], got[f.name]['p99_ms'],
                                  got[f.name]['rss_kb'] / 1024))
        mine = got['mfx-dkim']['cpu_us']
        extra = crypto(got['raw'])
        self.ratio_row(work, mine, got['opendkim']['cpu_us'], 'opendkim',
                       limits[0])
        self.ratio_row(work, mine, got['floor']['cpu_us'] + extra,
                       '(floor %.1f + raw %.1f)' % (
                           got['floor']['cpu_us'], extra), limits[1])

    # --- rows ---

    def row_sign(self):
        self.begin_dkim()
        self.three('sign 4 KB, RSA-2048, relaxed/relaxed', ['--size', '4K'],
                   ('DKIM-Signature', 'd=' + DOMAIN),
                   (self.scale(1500), self.scale(6000)),
                   lambda raw: raw['rsa2048_sign'], (0.30, 1.25))

    def row_verify(self):
        self.begin_dkim()
        signed = self.signed_messages()
        self.three('verify 4 KB, RSA-2048, key cached',
                   ['--client', '192.0.2.1', '--from', signed],
                   ('Authentication-Results', 'dkim=pass'),
                   (self.scale(2000), self.scale(8000)),
                   lambda raw: raw['rsa2048_verify'], (0.35, 1.40))

    def row_big(self):
        self.begin_dkim()
        self.three('sign 5 MB, RSA-2048, relaxed/relaxed', ['--size', '5M'],
                   ('DKIM-Signature', 'd=' + DOMAIN),
                   (self.scale(80), self.scale(200)),
                   lambda raw: raw['rsa2048_sign'] + raw['sha256_5m'],
                   (0.33, 1.25))

    def signed_messages(self):
        """Distinct signed messages, made by mfx-dkim; dkimpy checks some."""
        signed = self.path('signed')
        os.mkdir(signed)
        signer = self.start_dkim()
        signer.load('--messages', 1000, '--warm', 0, '--save', signed,
                    '--expect', 'DKIM-Signature')
        signer.stop()
        names = sorted(os.listdir(signed))
        self.check_sample([os.path.join(signed, n) for n in names[::100]],
                          lambda name: self.record)
        return signed

    def check_sample(self, paths, record_of):
        try:
            import dkim
        except ImportError:
            self.notes.append('signatures not checked by dkimpy: not installed')
            return

        def ask(name, timeout=5):
            return record_of(name.decode().rstrip('.')).encode()
        for path in paths:
            with open(path, 'rb') as f:
                if not dkim.verify(f.read(), dnsfunc=ask):
                    sys.exit('dkimpy does not verify ' + path)
        self.notes.append('dkimpy verifies %d of %d sampled signatures' %
                          (len(paths), len(paths)))

    def make_tables(self, rows):
        """rows domains with a key file each, a wildcard row each."""
        keys = self.path('keys')
        os.mkdir(keys, 0o700)
        models, records = [], []
        for i in range(8):
            path = self.path('model%d.pem' % i)
            subprocess.run(['openssl', 'genrsa', '-out', path, '2048'],
                           check=True, stderr=subprocess.DEVNULL)
            records.append('v=DKIM1; k=rsa; p=' + self.public(path))
            with open(path, 'rb') as f:
                models.append(f.read())
        key_rows, sign_rows = [], []
        for i in range(rows):
            path = '%s/d%d.pem' % (keys, i)
            fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, models[i % 8])
            os.close(fd)
            key_rows.append('k%d d%d.%s:s1:%s' % (i, i, DOMAIN, path))
            sign_rows.append('*@d%d.%s k%d' % (i, DOMAIN, i))
        return ('\n'.join(key_rows) + '\n', '\n'.join(sign_rows) + '\n',
                records)

    def start_tables(self, name, key_rows, sign_rows):
        keys = self.write(name + '.keytable', key_rows)
        signing = self.write(name + '.signingtable', sign_rows)
        return self.start_dkim(name, 'key_table = "file:%s"; '
                               'signing_table = "refile:%s";' %
                               (keys, signing))

    def wait_parsed(self, f, seconds=180):
        while time.monotonic() - f.began < seconds:
            with open(f.log_path, errors='replace') as log:
                if 'keys_parsed' in log.read():
                    return time.monotonic() - f.began
            time.sleep(0.05)
        return None

    def row_table(self):
        self.begin_dkim()
        rows = TABLE_ROWS // 20 if self.options.quick else TABLE_ROWS
        say('making %d key files' % rows)
        key_rows, sign_rows, records = self.make_tables(rows)
        os.sync()
        many = self.start_tables('many', key_rows, sign_rows)
        first = many.load('--messages', 1, '--warm', 0, '--domain',
                          'd%u.' + DOMAIN, '--domains', rows, '--expect',
                          'DKIM-Signature')
        ready = time.monotonic() - many.began
        self.row('%d-row KeyTable and SigningTable (refile, wildcards)' % rows,
                 'ready %.2f s, first message signed %.2f s' %
                 (many.ready_s, ready), '<= 1 s', many.ready_s <= 1.0)
        parsed = self.wait_parsed(many)
        self.notes.append('%d keys: parsed %s after the start; first message '
                          'took %.1f ms' % (
                              rows, '%.1f s' % parsed if parsed else 'not seen',
                              first['p50_ms']))
        one = self.start_tables(
            'one', 'k0 d0.%s:s1:%s\n' % (DOMAIN, self.path('keys/d0.pem')),
            '*@d0.%s k0\n' % DOMAIN)
        saved = self.path('table-signed')
        os.mkdir(saved)
        count = self.scale(6000)

        # OpenSSL prepares blinding for each key in each thread, at its first
        # use and every 32nd: a cost of the key, not of the table. So a few of
        # the domains write, and warm up in all threads; what a message costs
        # when each has a key never used before is told apart.
        senders = 60

        def run(f, domain, domains, *extra):
            return lambda: f.load('--messages', count, '--domain', domain,
                                  '--domains', domains, '--senders', senders,
                                  '--expect', 'DKIM-Signature', *extra)
        fresh = many.load('--messages', 1000, '--warm', 0, '--domain',
                          'd%u.' + DOMAIN, '--domains', rows, '--expect',
                          'DKIM-Signature')
        warm = ('--warm', 80 * senders)
        got = self.rounds({
            'one': run(one, 'd0.' + DOMAIN, 1, *warm),
            'many': run(many, 'd%u.' + DOMAIN, rows, *warm)})
        self.ratio_row('cost per message with %d rows' % rows,
                       got['many']['cpu_us'], got['one']['cpu_us'],
                       'with one row', 1.05)
        self.notes.append('%d rows, a key never used before for each message: '
                          '%.1f us' % (rows, fresh['cpu_us']))
        self.notes.append('%d rows: %.0f MB resident, one row %.1f MB' % (
            rows, many.rss_kb() / 1024, one.rss_kb() / 1024))
        many.load('--messages', 200, '--warm', 0, '--domain', 'd%u.' + DOMAIN,
                  '--domains', rows, '--save', saved, '--save-every', 20)

        def record_of(name):
            number = name.split('._domainkey.d')[1].split('.')[0]
            return records[int(number) % 8]
        self.check_sample([os.path.join(saved, n) for n in os.listdir(saved)],
                          record_of)
        one.stop()
        self.reload_row(rows, many, run(many, 'd%u.' + DOMAIN, rows, '--warm',
                                        0))
        many.stop()

    def reload_row(self, rows, many, load):
        """The wait of a message while all of it is loaded again and again."""
        def with_reloads():
            done = threading.Event()

            def reload():
                while not done.wait(1.0):
                    os.kill(many.process.pid, signal.SIGHUP)
            thread = threading.Thread(target=reload)
            thread.start()
            try:
                return load()
            finally:
                done.set()
                thread.join()
        got = self.rounds({'without': load, 'with': with_reloads})
        quiet, busy = got['without']['p99_ms'], got['with']['p99_ms']
        self.row('p99 of a message while %d rows are reloaded' % rows,
                 '%.1f ms / %.1f ms = %.2f' % (busy, quiet, busy / quiet),
                 '<= 2 x without', busy <= 2 * quiet)

    def row_idle(self):
        self.begin_dkim()
        f = self.start_dkim()
        count = self.scale(6000)
        options = ['--messages', count, '--warm', count // 10, '--expect',
                   'DKIM-Signature']
        # from fresh: what idle connections add must not hide in old peaks
        idle = f.load('--messages', 0, '--warm', 0, '--idle', 1000)
        self.row('1,000 idle connections', '%.1f MB resident' %
                 (idle['rss_kb'] / 1024), '<= 16 MB',
                 idle['rss_kb'] <= 16 * 1024)
        got = self.rounds({
            'without': lambda: f.load(*options),
            'with': lambda: f.load(*options, '--idle', 1000)})
        self.notes.append(
            '1,000 idle connections: %.1f us a message with, %.1f us without; '
            '%.1f MB after load with them' % (
                got['with']['cpu_us'], got['without']['cpu_us'],
                got['with']['rss_kb'] / 1024))
        f.stop()
