# SPDX-License-Identifier: BSD-2-Clause
"""store_rows - what a decision costs in the stores alone (t/bench/store_bench,
t/bench/redis_bench)"""
import os
import subprocess
import sys

from benchlib import BUILD

STORE = os.path.join(BUILD, 't/bench/store_bench')
REDIS = os.path.join(BUILD, 't/bench/redis_bench')
KEYS = 10000000
KEYS_QUICK = 200000
ACTIVE = 100000  # of many keys, those that are asked


def measured(argv):
    """The lines of key=value; numbers as such."""
    run = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit('%s: %s' % (argv[0], run.stderr))
    lines = []
    for line in run.stdout.splitlines():
        words = dict(w.split('=', 1) for w in line.split() if '=' in w)
        lines.append({k: float(v) if v[:1].isdigit() else v
                      for k, v in words.items()})
    return lines


class StoreRows:

    def row_keys(self):
        many = KEYS_QUICK if self.options.quick else KEYS
        seconds = 2 if self.options.quick else 10

        def store(keys, *more):
            return measured([STORE, '--path', self.path('store.%d.db' % keys),
                             '--keys', keys, '--threads', 8, *more])

        def ask(keys, *more):
            got = store(keys, '--warm', seconds, '--seconds', seconds,
                        *more)[-1]
            if got['failures'] != 0:
                sys.exit('store_bench: %d failures' % got['failures'])
            return got
        store(many, '--fill-only')
        few = '1,000 keys'
        got = self.rounds({few: lambda: ask(1000),
                           'many': lambda: ask(many, '--hot', ACTIVE)})
        self.ratio_row('a decision with %d keys, SQLite' % many,
                       got['many']['cpu_us'], got[few]['cpu_us'],
                       'with ' + few, 1.5)
        for name, its in got.items():
            self.notes.append(
                'SQLite, %s: %.1f us, %.0f reserved and counted a second, p50 '
                '%.2f ms, p99 %.2f ms, %.0f MB, file %.0f MB' % (
                    name, its['cpu_us'], its['pairs_per_s'],
                    its['p50_us'] / 1e3, its['p99_us'] / 1e3, its['rss_mib'],
                    its['file_mib']))

    def row_redis(self):
        rounds = self.scale(20000)
        for threads in (1, 16):
            def ask():
                return {'%s_%s' % (line['kind'], key): value
                        for line in measured([REDIS, '--threads', threads,
                                              '--rounds', rounds])
                        for key, value in line.items() if key != 'kind'}
            got = self.rounds({'redis': ask})['redis']
            for kind in ('reserve', 'commit'):
                ratio = got[kind + '_ping_p99']
                self.row('Redis, %s, %d at once, p99' % (kind, threads),
                         '%.0f us / %.0f us = %.2f' % (
                             got[kind + '_p99_us'], got['ping_p99_us'],
                             ratio),
                         '<= 3.00 x a bare round trip', ratio <= 3)
                self.notes.append('Redis, %s, %d at once: p50 %.0f us, of a '
                                  'bare PING %.0f us; p99 %.2f x a PING on '
                                  'the store\'s own connection' % (
                                      kind, threads, got[kind + '_p50_us'],
                                      got['ping_p50_us'],
                                      got[kind + '_link_p99']))
