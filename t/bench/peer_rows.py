# SPDX-License-Identifier: BSD-2-Clause
"""peer_rows - mfx-quota against policyd-rate-limit and postfwd: decisions
alone, and whole mail through a private Postfix

All have the same three windows for each login (or sender), with limits that
nothing reaches; that they count is tried with one that is full after three.
policyd-rate-limit keeps counts in SQLite, postfwd2 in memory only.
"""
import collections
import os
import socket
import subprocess
import sys
import threading
import time

from benchlib import free_port
from quota_rows import STRIDE

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
from mtalab.postfix import Postfix
from mtalab.process import end_pid, wait_until

WINDOWS = ((30000000, 60), (200000000, 3600), (500000000, 86400))
REQUEST = '''request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=127.0.0.1
client_name=localhost
helo_name=client.example.org
queue_id=
sender=%s
recipient=reader@example.net
recipient_count=0
instance=%x.%x
size=4096
sasl_method=PLAIN
sasl_username=%s

'''
POLICYD = '''debug: False
user: root
group: root
pidfile: "{dir}/{name}.pid"
sqlite_config:
    database: "{dir}/{name}.db"
backend: 0
SOCKET: "{dir}/{name}.sock"
socket_permission: 0666
limits: [{limits}]
limits_by_id: {{full: [[3, 86400]], full@bench.example: [[3, 86400]]}}
limit_by_sasl: True
limit_by_sender: True
limit_by_ip: False
limited_networks: []
success_action: "dunno"
fail_action: "defer_if_permit full"
db_error_action: "defer_if_permit database"
delay_to_close: 300
'''
CONNECTIONS = 16
LOGINS = 1000
SENDERS = 8


def processes():
    """pid -> (parent, ticks of its own and of children it has waited for)"""
    found = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open('/proc/%s/stat' % name, errors='replace') as f:
                words = f.read().rpartition(')')[2].split()
        except OSError:
            continue
        found[int(name)] = int(words[1]), sum(map(int, words[11:15]))
    return found


def tree_cpu_us(*roots):
    """CPU that the processes and all below them have had so far."""
    all_of = processes()
    chosen, was = set(roots), 0
    while len(chosen) != was:
        was = len(chosen)
        chosen.update(pid for pid, (parent, _) in all_of.items()
                      if parent in chosen)
    ticks = sum(all_of[pid][1] for pid in chosen if pid in all_of)
    return ticks * 1e6 / os.sysconf('SC_CLK_TCK')


class Peer:
    """A policy server. `at` is what Python connects to, `policy` what Postfix
    does."""

    def __init__(self, bench, name, argv, at, policy):
        self.name, self.at, self.policy = name, at, policy
        self.pid = None
        bench.own(self)
        subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.try_connect, name, 30).close()
        with open(bench.path(name + '.pid')) as f:
            self.pid = int(f.read())
        self.check_limit()

    def connect(self):
        family = socket.AF_UNIX if isinstance(self.at, str) else socket.AF_INET
        s = socket.socket(family)
        s.settimeout(60)
        s.connect(self.at)
        return s

    def try_connect(self):
        try:
            return self.connect()
        except OSError:
            return None

    def ask(self, connection, number, login, sender='writer@bench.example'):
        connection.sendall((REQUEST % (sender, os.getpid(), number,
                                       login)).encode())
        answer = b''
        while not answer.endswith(b'\n\n'):
            part = connection.recv(4096)
            if not part:
                sys.exit(self.name + ' closed the connection')
            answer += part
        return answer.strip().lower()

    def check_limit(self):
        """After three there is an end: it does count. Or soon after: postfwd2
        forgets what it is asked before its cache process listens."""
        connection = self.connect()
        for login, sender in ('full', 'writer@bench.example'), \
                ('', 'full@bench.example'):
            passed = 0
            while b'full' not in self.ask(connection, passed, login, sender):
                passed += 1
                if passed > 100:
                    sys.exit('%s does not limit %s' % (self.name, sender))
                time.sleep(0.02)
            if passed < 3:
                sys.exit('%s: full after %d' % (self.name, passed))
        connection.close()

    def stop(self):
        if self.pid:
            end_pid(self.pid)
        self.pid = None


def drive(peer, count):
    """`count` requests over all connections; a result as t/bench/load's."""
    said = collections.Counter()

    def work(first, connection):
        for n in range(first, count, CONNECTIONS):
            said[peer.ask(connection, n, 'u%d' % (n * STRIDE % LOGINS))] += 1
        connection.close()
    threads = []
    for n in range(CONNECTIONS):
        # policyd-rate-limit lets few wait to be accepted
        connection = wait_until(peer.try_connect, peer.name)
        threads.append(threading.Thread(target=work, args=(n, connection)))
    cpu, began = tree_cpu_us(peer.pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if said != {b'action=dunno': count}:
        sys.exit('%s: wrong answers: %s' % (peer.name, said))
    return {'cpu_us': (tree_cpu_us(peer.pid) - cpu) / count,
            'per_second': count / (time.monotonic() - began)}


class Mta:
    """A private Postfix that throws away what it gets, with one filter or
    policy server (or none)."""

    def __init__(self, bench, name, pid=None, milter=None, policy=None):
        settings = {'default_transport': 'discard:',
                    'relay_transport': 'discard:',
                    'smtpd_recipient_limit': '1000'}
        if policy:
            settings['smtpd_recipient_restrictions'] = \
                'check_policy_service %s, permit_mynetworks, reject' % policy
        self.pid = pid
        self.postfix = Postfix(bench.path('postfix-' + name), 0,
                               [milter] if milter else [], settings=settings)

    def is_empty(self):
        for folder in ('incoming', 'active', 'deferred', 'maildrop'):
            top = '%s/spool/%s' % (self.postfix.dir, folder)
            for _, _, files in os.walk(top):
                if files:
                    return False
        return True

    def mail(self, count):
        """CPU of Postfix and what it asks, a message."""
        roots = [self.postfix.pid] + ([self.pid] if self.pid else [])
        each = count // SENDERS
        cpu, began = tree_cpu_us(*roots), time.monotonic()
        sources = [subprocess.Popen(
            ['smtp-source', '-s', '2', '-m', str(each), '-l', '4096', '-f',
             'u%d@bench.example' % n, '-t', 'reader@example.net',
             '127.0.0.1:%d' % self.postfix.mx_port],
            stdout=subprocess.DEVNULL) for n in range(SENDERS)]
        failed = [s.wait() for s in sources if s.wait() != 0]
        seconds = time.monotonic() - began
        if failed:
            sys.exit('smtp-source: status %s' % failed)
        wait_until(self.is_empty, 'an empty queue', 120)
        return {'cpu_us': (tree_cpu_us(*roots) - cpu) / (each * SENDERS),
                'per_second': each * SENDERS / seconds}

    def stop(self):
        self.postfix.stop()


class PeerRows:

    def start_policyd(self, name='policyd-rate-limit'):
        conf = self.write(name + '.yaml', POLICYD.format(
            dir=self.dir, name=name,
            limits=', '.join('[%d, %d]' % w for w in WINDOWS)))
        at = self.path(name + '.sock')
        return Peer(self, name, ['policyd-rate-limit', '-f', conf], at,
                    'unix:' + at)

    def start_postfwd(self, name='postfwd2'):
        rules = 'id=FULL; sasl_username==full;' \
            ' action=rate(sasl_username/3/86400/450 4.7.1 full)\n' \
            'id=FULLS; sender==full@bench.example;' \
            ' action=rate(sender/3/86400/450 4.7.1 full)\n'
        for item in ('sasl_username', 'sender'):
            only = '' if item == 'sasl_username' else ' sasl_username=~/^$/;'
            for limit, seconds in WINDOWS:
                rules += 'id=%s%d;%s %s=~/./; action=rate(%s/%d/%d/' \
                    '450 4.7.1 too many)\n' % (item, seconds, only, item, item,
                                               limit, seconds)
        port, cache = free_port(), free_port()
        argv = ['postfwd2', '--file', self.write(name + '.rules', rules),
                '-i', '127.0.0.1', '-p', str(port),
                '--cache_interface', '127.0.0.1', '--cache_port', str(cache),
                '-u', 'root', '-g', 'root', '--nodns', '--norulelog',
                '--norulestats', '-c', '0', '--pidfile',
                self.path(name + '.pid')]
        return Peer(self, name, argv, ('127.0.0.1', port),
                    'inet:127.0.0.1:%d' % port)

    # --- decisions alone ---

    def row_decisions(self):
        peers = [self.start_policyd(), self.start_postfwd()]
        f = self.start_quota('mfx-quota.decisions')
        count = self.scale(20000)
        options = ['--messages', count, '--warm', count // 10, '--login',
                   'u%u', '--logins', LOGINS]

        def milter():
            got = f.load(*options)
            if got.get('continue') != count:
                sys.exit('%s: not all went on: %s' % (f.name, got))
            return got
        cases = {'mfx-quota': milter}
        for peer in peers:
            cases[peer.name] = lambda p=peer: drive(p, self.scale(4000))
        got = self.rounds(cases)
        mine = got['mfx-quota']
        for peer in peers:
            its = got[peer.name]
            self.ratio_row('a decision, 1,000 logins', mine['cpu_us'],
                           its['cpu_us'], peer.name, 1.0)
            self.row('decisions a second', '%.0f / %.0f = %.2f' % (
                mine['per_second'], its['per_second'],
                mine['per_second'] / its['per_second']),
                '>= 1.00 x ' + peer.name,
                mine['per_second'] >= its['per_second'])
        f.stop()
        for peer in peers:
            peer.stop()

    # --- whole mail ---

    def row_mail(self):
        policyd, postfwd = self.start_policyd('policyd-mail'), \
            self.start_postfwd('postfwd2-mail')
        quota = self.start_quota(
            'mfx-quota.mail', 'sender', 'sender_trusted_from = "csl:127.0.0.1";')
        mtas = {
            'Postfix alone': self.own(Mta(self, 'alone')),
            'mfx-quota': self.own(Mta(self, 'quota', quota.process.pid,
                                       milter=quota.socket)),
            'policyd-rate-limit': self.own(Mta(self, 'policyd', policyd.pid,
                                                policy=policyd.policy)),
            'postfwd2': self.own(Mta(self, 'postfwd', postfwd.pid,
                                      policy=postfwd.policy)),
        }
        # fewer say little: CPU is known in steps of 10 ms
        count = max(800, self.scale(2000)) // SENDERS * SENDERS
        counted = []
        for mta in mtas.values():
            mta.mail(SENDERS * 10)

        def of(name):
            def mail():
                counted.append(name)
                return mtas[name].mail(count)
            return mail
        got = self.rounds({name: of(name) for name in mtas})
        alone = got['Postfix alone']['cpu_us']
        for name, its in got.items():
            self.notes.append('whole mail, %s: %.0f us of CPU (%+.0f), %.0f '
                              'messages/s' % (name, its['cpu_us'],
                                              its['cpu_us'] - alone,
                                              its['per_second']))
        for name in ('policyd-rate-limit', 'postfwd2'):
            self.ratio_row('whole mail, Postfix and all',
                           got['mfx-quota']['cpu_us'], got[name]['cpu_us'],
                           name, 1.0)
        sent = SENDERS * 10 + count * counted.count('mfx-quota')
        if self.fitted(quota) != sent:
            sys.exit('mfx-quota counted %d, sent were %d' % (
                self.fitted(quota), sent))
        for mta in mtas.values():
            mta.stop()
        for each in (quota, policyd, postfwd):
            each.stop()
