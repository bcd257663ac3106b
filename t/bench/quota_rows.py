# SPDX-License-Identifier: BSD-2-Clause
"""quota_rows - what a message costs in mfx-quota, against a floor; what a
decision costs in its stores"""
import collections
import json
import os
import subprocess
import sys

from benchlib import BUILD, Filter

DAEMON = os.environ.get('MFX_QUOTA', os.path.join(BUILD, 'mfx-quota'))
CTL = os.path.join(BUILD, 'mfxctl')
# conf/quota.conf's first rule, with limits that nothing reaches
RULE = '''{ name = "%s"; key = "%s"; count = "recipients";
    limits = "100/message 30000000/1m 200000000/1h 500000000/1d";
    action = "tempfail"; warn_at = 80; }'''
STRIDE = 7919  # of t/bench/load: which login message N has


class QuotaRows:

    def start_quota(self, name='mfx-quota', key='login', more=''):
        user = subprocess.run(['id', '-un'], stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        conf = self.write(name + '.conf', '''socket = "unix:%s";
socket_mode = "0666";
user = "%s";
control = { socket = "%s"; };
log = { target = "stderr"; level = "info"; };
rules = ( %s );
store = { type = "sqlite"; path = "%s"; };
%s
''' % (self.path(name + '.sock'), user, self.path(name + '.ctl'),
            RULE % (key, key), self.path(name + '.db'), more))
        f = Filter(self, name, [DAEMON, '-c', conf])
        f.wait_ready()
        f.control = self.path(name + '.ctl')
        return f

    @staticmethod
    def ask_quota(f, *words):
        run = subprocess.run([CTL] + list(words) + ['-s', f.control],
                             check=True, text=True, stdout=subprocess.PIPE,
                             env=dict(os.environ, MFX_LIBEXECDIR=BUILD))
        return run.stdout

    def fitted(self, f):
        return int(sum(
            float(line.split()[-1])
            for line in self.ask_quota(f, 'metrics').splitlines()
            if line.startswith('mfx_quota_decisions_total')
            and 'result="fits"' in line))

    def used(self, f, key):
        shown = json.loads(self.ask_quota(f, 'quota', 'show', '--json', key))
        return max([w['used'] for rule in shown['rules']
                    for w in rule['windows']] or [0])

    # --- a message, against a floor ---

    def check_counts(self, f, sent, logins):
        """All that was sent was counted, of every login what was its own."""
        want = collections.Counter()
        for count in sent:
            want.update(n * STRIDE % logins for n in range(count))
        if self.fitted(f) != sum(sent):
            sys.exit('%s counted %d, sent were %d' % (
                f.name, self.fitted(f), sum(sent)))
        sample = range(0, logins, max(1, logins // 20))
        for login in sample:
            got = self.used(f, 'u%d' % login)
            if got != want[login]:
                sys.exit('%s: u%d: counted %d, sent were %d' % (
                    f.name, login, got, want[login]))
        self.notes.append('all %d messages counted; of %d logins looked at, '
                          'each what it had sent' % (sum(sent), len(sample)))

    def against_floor(self, work, logins):
        options = ['--login', 'u%u', '--logins', logins]
        count, sent = self.scale(20000), []
        f = self.start_quota('mfx-quota.%d' % logins)
        # so that all logins are known, as they are to a daemon that has been
        # running for a while
        f.load('--messages', logins, '--warm', 0, *options)
        line = self.log_bytes(f, options)
        sent += [logins, 100]
        floor = self.start_floor(f, line)

        def load():
            sent.append(count + count // 10)
            got = f.load('--messages', count, '--warm', count // 10, *options)
            if got.get('continue') != count:
                sys.exit('%s: not all went on: %s' % (f.name, got))
            return got
        got = self.rounds({
            f.name: load,
            'floor': lambda: floor.load('--messages', count, '--warm',
                                        count // 10, *options)})
        for each in (f, floor):
            self.notes.append('%s, %s: %.1f us, %.0f messages/s, p50 %.2f ms, '
                              'p99 %.2f ms, %.1f MB' % (
                                  work, each.name, got[each.name]['cpu_us'],
                                  got[each.name]['per_second'],
                                  got[each.name]['p50_ms'],
                                  got[each.name]['p99_ms'],
                                  got[each.name]['rss_kb'] / 1024))
        self.ratio_row(work, got[f.name]['cpu_us'], got['floor']['cpu_us'],
                       'floor', 1.40)
        self.check_counts(f, sent, logins)
        f.stop()
        floor.stop()

    def row_quota(self):
        self.against_floor('count 4 KB, SQLite, 8 logins', 8)
        many = self.scale(100000)
        self.against_floor('count 4 KB, SQLite, %d logins' % many, many)
