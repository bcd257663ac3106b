# SPDX-License-Identifier: BSD-2-Clause
"""spf_rows - what a check costs in mfx-spf: with DNS lists against a floor,
in wall time without a cache, and against SPF filters written in Python

A private NSD answers. The sender's record needs four lookups, the HELO name's
one; one of the lists has the client, with a weight that does nothing.
"""
import collections
import os
import re
import socket
import subprocess
import sys
import threading
import time

from benchlib import BUILD, Filter
from peer_rows import CONNECTIONS, tree_cpu_us

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
from mtalab.nsd import Nsd
from mtalab.process import wait_until

DAEMON = os.environ.get('MFX_SPF', os.path.join(BUILD, 'mfx-spf'))
WALL = os.path.join(BUILD, 't/bench/spf_bench')
CTL = os.path.join(BUILD, 'mfxctl')
CLIENT = '192.0.2.1'
LISTS = 8
RECORDS = [
    'bench.example. TXT "v=spf1 mx include:_a.bench.example '
    'include:_b.bench.example a:out.bench.example -all"',
    'bench.example. MX 10 in.bench.example.',
    'in.bench.example. A 198.51.100.1',
    '_a.bench.example. TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    '_b.bench.example. TXT "v=spf1 ip4:203.0.113.0/24 -all"',
    'out.bench.example. A ' + CLIENT,
    'client.example.org. TXT "v=spf1 a -all"',
    'client.example.org. A ' + CLIENT,
] + ['2.0.0.127.list%d.example. A 127.0.0.2' % n for n in range(LISTS)] + [
    '1.2.0.192.list0.example. A 127.0.0.4',
    '1.2.0.192.list0.example. TXT "see http://list0.example/"',
    # a record that needs four questions one after another, and has others
    # beside them on each level
    'wall.example. TXT "v=spf1 include:s1.wall.example '
    'include:l1.wall.example -all"',
    's1.wall.example. TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    'l1.wall.example. TXT "v=spf1 include:s2.wall.example '
    'include:l2.wall.example -all"',
    's2.wall.example. TXT "v=spf1 ip4:203.0.113.0/24 -all"',
    'l2.wall.example. TXT "v=spf1 a:n1.wall.example a:n2.wall.example '
    'a:out.wall.example -all"',
    'n1.wall.example. A 198.51.100.1',
    'n2.wall.example. A 198.51.100.2',
    'out.wall.example. A ' + CLIENT,
]
CHAIN = ['wall.example/TXT', 'l1.wall.example/TXT', 'l2.wall.example/TXT',
         'out.wall.example/A']
# Both ask the servers of /etc/resolv.conf, on port 53 only.
WITH_OUR_DNS = '''import runpy, sys
port, program = int(sys.argv[1]), sys.argv[2]
import dns.resolver
dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
dns.resolver.default_resolver.nameservers = ['127.0.0.1']
dns.resolver.default_resolver.port = port
sys.argv = sys.argv[2:]
runpy.run_path(program, run_name='__main__')
'''
LIAR = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    '../lib/dnsliar')
LATE_MS = 5
REQUEST = '''request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=%s
client_name=client.example.org
helo_name=client.example.org
queue_id=
sender=writer%d@bench.example
recipient=reader@example.net
recipient_count=0
instance=%x.%x
size=4096

'''


def late(line):
    """A line of a zone as t/lib/dnsliar reads it."""
    name, kind, data = line.split(' ', 2)
    return '%s %s late=%d %s %s\n' % (name, kind, LATE_MS, kind.lower(), data)


class Stopping:
    """A process that ends with its standard input."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Policyd:
    """postfix-policyd-spf-python as Postfix's spawn(8) runs it: a process for
    each connection, the connection its standard input and output."""

    name = 'policyd-spf'

    def __init__(self, bench, argv):
        self.processes, self.connections = [], []
        bench.own(self)
        for _ in range(CONNECTIONS):
            ours, its = socket.socketpair()
            ours.settimeout(60)
            self.processes.append(subprocess.Popen(argv, stdin=its, stdout=its))
            its.close()
            self.connections.append(ours)
        self.number = 0
        self.load(CONNECTIONS)

    def ask(self, connection, number):
        connection.sendall((REQUEST % (CLIENT, number % 997, os.getpid(),
                                       number)).encode())
        answer = b''
        while not answer.endswith(b'\n\n'):
            part = connection.recv(4096)
            if not part:
                sys.exit(self.name + ' closed the connection')
            answer += part
        return answer

    def load(self, count):
        wrong = []

        def work(first, connection):
            for n in range(first, count, CONNECTIONS):
                answer = self.ask(connection, self.number + n)
                if not answer.startswith(b'action=prepend Received-SPF: Pass'):
                    wrong.append(answer)
        threads = [threading.Thread(target=work, args=pair)
                   for pair in enumerate(self.connections)]
        pids = [p.pid for p in self.processes]
        cpu, began = tree_cpu_us(*pids), time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.number += count
        if wrong:
            sys.exit('%s: wrong answers: %s' % (self.name, wrong[0]))
        return {'cpu_us': (tree_cpu_us(*pids) - cpu) / count,
                'per_second': count / (time.monotonic() - began)}

    def stop(self):
        for connection in self.connections:
            connection.close()
        for process in self.processes:
            process.terminate()
            process.wait()
        self.processes, self.connections = [], []


class SpfRows:

    spf_dns = None

    def begin_spf(self):
        """Once, before the first row that needs it."""
        if self.spf_dns is None:
            self.spf_dns = self.own(Nsd(self.path('nsd-spf'), RECORDS,
                                        ttl=3600, rate_limit=0))

    def start_spf(self, name, lists):
        user = subprocess.run(['id', '-un'], stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        sites = ', '.join('"list%d.example*1"' % n for n in range(lists))
        conf = self.write(name + '.conf', '''socket = "unix:%s";
socket_mode = "0666";
user = "%s";
control = { socket = "%s"; };
log = { target = "stderr"; level = "info"; };
dns = { servers = [ "127.0.0.1:%d" ]; };
authserv_id = "mx.example.net";
spf = { check_helo = true; };
results = [ "authentication_results", "received_spf" ];
lists = { sites = [ %s ]; tag_at = 3; reject_at = 5; cache_max = "1h"; };
''' % (self.path(name + '.sock'), user, self.path(name + '.ctl'),
            self.spf_dns.port, sites))
        f = Filter(self, name, [DAEMON, '-c', conf])
        f.wait_ready()
        f.control = self.path(name + '.ctl')
        wait_until(lambda: self.ask_spf(f, 'lists').count('in use') == lists,
                   'the lists to be tested')
        return f

    @staticmethod
    def ask_spf(f, verb):
        return subprocess.run([CTL, '--socket', f.control, verb], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def check_spf(self, f, sent, lists):
        """Each message has been checked in full, and all lists were asked."""
        said = collections.Counter()
        with open(f.log_path) as log:
            for line in log:
                said.update(word for word in line.split() if word in (
                    'spf=pass', 'helo_spf=pass', 'lists="list0.example=1"'))
        want = {'spf=pass': sent, 'helo_spf=pass': sent}
        if lists:
            want['lists="list0.example=1"'] = sent
        if said != want:
            sys.exit('%s: the log has %s, sent were %d' % (f.name, dict(said),
                                                           sent))
        metrics = self.ask_spf(f, 'metrics')
        got = re.findall(r'^mfx_spf_results_total\{identity="mailfrom",'
                         r'result="pass"\} (\d+)', metrics, re.M)
        if got != [str(sent)]:
            sys.exit('%s: counted %s, sent were %d' % (f.name, got, sent))
        return metrics

    def check_lists_asked(self, metrics, connections):
        """Each list was asked, or its answer known, in each connection."""
        for n in range(LISTS):
            found = re.findall(r'^mfx_spf_list_(?:asked|cached)_total\{list='
                               r'"list%d.example"[^}]*\} (\d+)' % n, metrics,
                               re.M)
            if sum(map(int, found)) < connections:
                sys.exit('list%d.example: %s questions, connections were %d' %
                         (n, found, connections))

    def row_spf(self):
        """Sender, HELO name and lists, all cached; both fields written."""
        self.begin_spf()
        count, sent = self.scale(20000), []
        f = self.start_spf('mfx-spf', LISTS)
        options = ['--client', CLIENT, '--size', '4K']

        def load(messages=count, warm=count // 10, *more):
            sent.append((messages, warm))
            return f.load('--messages', messages, '--warm', warm, *options,
                          *more)
        load(100, 0)
        fields = [load(50, 0, '--expect', name, '--times', times)
                  for name, times in (('Received-SPF', 2),
                                      ('Authentication-Results', 1))]
        line = self.log_bytes(f, options)
        sent.append((100, 0))
        floor = self.start_floor(
            f, line, header='Received-SPF', edits=3,
            header_bytes=sum(g['header_bytes'] for g in fields) / 3)
        got = self.rounds({
            f.name: load,
            'floor': lambda: floor.load('--messages', count, '--warm',
                                        count // 10, *options)})
        for each in (f, floor):
            self.notes.append('spf, %s: %.1f us, %.0f messages/s, p99 %.2f '
                              'ms, %.1f MB' % (
                                  each.name, got[each.name]['cpu_us'],
                                  got[each.name]['per_second'],
                                  got[each.name]['p99_ms'],
                                  got[each.name]['rss_kb'] / 1024))
        self.ratio_row('SPF of 4 + 1 lookups and %d lists, cached, 4 KB' %
                       LISTS, got[f.name]['cpu_us'], got['floor']['cpu_us'],
                       'floor', 1.35)
        metrics = self.check_spf(f, sum(map(sum, sent)), LISTS)
        self.check_lists_asked(metrics, sum(map(sum, sent)) // 10)
        f.stop()
        floor.stop()

    def start_far_dns(self):
        """A server that takes a while for each answer, as those on other
        hosts do; its port."""
        script = ''.join(late(line) for line in RECORDS if 'wall.' in line)
        liar = subprocess.Popen(
            ['/usr/bin/python3', LIAR, self.write('far.script', script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.own(Stopping(liar))
        return int(liar.stdout.readline().split()[1])

    def wall(self, work, port, count):
        def run():
            said = subprocess.run(
                [WALL, '127.0.0.1:%d' % port, str(count), CLIENT,
                 'wall.example'] + CHAIN,
                check=True, stdout=subprocess.PIPE, text=True).stdout
            return {k: float(v) for k, v in
                    (word.split('=') for word in said.split())}
        got = self.rounds({'wall': run})['wall']
        self.ratio_row('an uncached check, %d questions, wall time, %s' %
                       (got['questions'], work), got['check_us'],
                       got['chain_us'], 'a chain of %d' % len(CHAIN), 1.30)

    def row_spf_wall(self):
        """A whole check of seven lookups, nothing cached. On loopback a
        question takes the time that the CPU needs for it, here and in NSD, so
        those beside the chain cost as much; with a server elsewhere they cost
        nothing, which the second figure shows."""
        self.begin_spf()
        self.wall('NSD', self.spf_dns.port, self.scale(2000))
        self.wall('each answer %d ms late' % LATE_MS, self.start_far_dns(),
                  self.scale(300))

    def start_pyspf_milter(self, wrapper):
        at = self.path('pyspf-milter.sock')
        conf = self.write('pyspf-milter.conf', '''debugLevel = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
Authserv_Id = mx.example.net
Socket = local:%s
PidFile = %s
UserID = root
InternalHosts = 127.0.0.1
''' % (at, self.path('pyspf-milter.pid')))
        f = Filter(self, 'pyspf-milter', ['/usr/bin/python3', wrapper, str(
            self.spf_dns.port), '/usr/bin/pyspf-milter', conf])
        f.wait_ready()
        return f

    def start_policyd_spf(self, wrapper):
        conf = self.write('policyd-spf.conf', '''debugLevel = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
''')
        return Policyd(self, ['/usr/bin/python3', wrapper, str(
            self.spf_dns.port), '/usr/bin/policyd-spf', conf])

    def row_spf_peers(self):
        """The same mail, without lists: the others have none."""
        self.begin_spf()
        for name in ('policyd-spf', 'pyspf-milter'):
            if not os.path.exists('/usr/bin/' + name):
                sys.exit('not installed: ' + name)
        wrapper = self.write('with_our_dns.py', WITH_OUR_DNS)
        f = self.start_spf('mfx-spf.peers', 0)
        milter = self.start_pyspf_milter(wrapper)
        policyd = self.start_policyd_spf(wrapper)
        count, few = self.scale(20000), max(160, self.scale(800))
        checks = ['--client', CLIENT, '--size', '4K', '--expect',
                  'Authentication-Results', '--value', 'spf=pass']
        got = self.rounds({
            'mfx-spf': lambda: f.load('--messages', count, *checks),
            'pyspf-milter': lambda: milter.load('--messages', few, '--warm',
                                                CONNECTIONS, *checks),
            'policyd-spf': lambda: policyd.load(few)})
        for name in ('pyspf-milter', 'policyd-spf'):
            self.ratio_row('SPF of sender and HELO name',
                           got['mfx-spf']['cpu_us'], got[name]['cpu_us'], name,
                           1.0)
        self.check_spf(f, (count + 100) * self.options.rounds, 0)
        for each in (f, milter, policyd):
            each.stop()
