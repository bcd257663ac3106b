# SPDX-License-Identifier: BSD-2-Clause
"""score_rows - what a scan costs in mfx-score beside the engine's own work

The engine is t/bench/scan_stub, which needs the same time for each message.
score: CPU against a floor that makes one bare request for each message, of as
many bytes; score_latency: how much later than the engine's answer the MTA gets
its own; score_peers: against spamass-milter with its spamc, and clamav-milter,
with a real spamd and a real clamd.
"""
import os
import shutil
import subprocess
import sys

from benchlib import BUILD, Filter
from peer_rows import tree_cpu_us

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))

DAEMON = os.environ.get('MFX_SCORE', os.path.join(BUILD, 'mfx-score'))
STUB = os.path.join(BUILD, 't/bench/scan_stub')
ANSWER_US = 10000
STRANGER = '192.0.2.1'
SIZES = {'4K': ('4 KB', 20000), '5M': ('5 MB', 400)}
# A usual answer of rspamd 3.4.
RSPAMD_ANSWER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             'rspamd_answer.json')
FIELD = {'rspamd': 'X-Spam-Status', 'spamd': 'X-Spam-Status',
         'clamd': 'X-Virus-Scanned'}


class Stub:
    """An engine, and what it was asked."""

    def __init__(self, bench, kind, delay_us=0):
        argv = [STUB, '-p', kind, '-d', str(delay_us)]
        if kind == 'rspamd':
            argv += ['-a', RSPAMD_ANSWER]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        bench.own(self)

    def asked(self):
        """Messages and bytes so far."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return [int(word) for word in self.process.stdout.readline().split()]

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
        self.process = None


class ScoreRows:

    def start_score(self, name, *engines):
        user = subprocess.run(['id', '-un'], stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        conf = self.write(name + '.conf', '''socket = "unix:%s";
socket_mode = "0666";
user = "%s";
control = { socket = "%s"; };
log = { target = "stderr"; level = "info"; };
store = { type = "sqlite"; path = "%s"; };
thresholds = { tag = 5; reject = 15; };
engines = ( %s );
''' % (self.path(name + '.sock'), user, self.path(name + '.ctl'),
            self.path(name + '.db'), ', '.join(
                '{ type = "%s"; servers = [ "%s" ]; }' % e for e in engines)))
        f = Filter(self, name, [DAEMON, '-c', conf])
        f.wait_ready()
        return f

    def counted(self, stub, f, count, *options):
        """A load that the engine must have been asked about in full; with the
        bytes of a request."""
        messages, size = stub.asked()
        got = f.load('--messages', count, '--warm', 0, *options)
        now_messages, now_size = stub.asked()
        if now_messages - messages != count:
            sys.exit('%s: %d messages, the engine was asked %d times' % (
                f.name, count, now_messages - messages))
        got['asked_bytes'] = (now_size - size) / count
        return got

    def start_score_floor(self, model, kind, stub, pad, line, got):
        return self.start_floor(
            model, line, header='X-Spam-Status', edits=round(got['edits']),
            header_bytes=got['edit_bytes'] / max(got['edits'], 1),
            more=['-r', kind, '-R', str(stub.port), '-x', str(pad)])

    def against_bare_request(self, kind, size):
        words, count = SIZES[size]
        count = self.scale(count)
        options = ['--size', size, '--client', STRANGER]
        stub = Stub(self, kind)
        f = self.start_score('mfx-score.%s.%s' % (kind, size),
                             (kind, '127.0.0.1:%d' % stub.port))
        got = self.counted(stub, f, 50, '--expect', FIELD[kind], *options)
        line = self.log_bytes(f, options)
        floor = self.start_score_floor(f, kind, stub, 0, line, got)
        bare = self.counted(stub, floor, 50, *options)
        pad = round(got['asked_bytes'] - bare['asked_bytes'])
        if pad > 0 and kind != 'clamd':
            floor.stop()
            floor = self.start_score_floor(f, kind, stub, pad, line, got)
        warm = max(count // 10, 20)

        def load(which):
            def run():
                which.load('--messages', warm, '--warm', 0, *options)
                return self.counted(stub, which, count, *options)
            return run
        got = self.rounds({f.name: load(f), 'floor': load(floor)})
        for each in (f, floor):
            its = got[each.name]
            self.notes.append('%s, %s, %s: %.1f us, %.0f messages/s, p99 %.2f '
                              'ms, %.1f MB, %.0f bytes to the engine' % (
                                  kind, words, each.name, its['cpu_us'],
                                  its['per_second'], its['p99_ms'],
                                  its['peak_kb'] / 1024, its['asked_bytes']))
        self.ratio_row('scan of %s, %s' % (words, kind),
                       got[f.name]['cpu_us'], got['floor']['cpu_us'],
                       'floor and a bare request', 1.5)
        for each in (f, floor, stub):
            each.stop()

    def row_score(self):
        for kind in FIELD:
            for size in SIZES:
                self.against_bare_request(kind, size)

    def latency(self, kind):
        stub = Stub(self, kind, ANSWER_US)
        f = self.start_score('mfx-score.latency.' + kind,
                             (kind, '127.0.0.1:%d' % stub.port))
        options = ['--size', '4K', '--connections', 16, '--client', STRANGER]
        few, count = self.scale(4000), self.scale(20000)
        f.load('--messages', few, '--warm', 0, *options)
        full = self.rounds({'full': lambda: self.counted(
            stub, f, few, *options)})['full']
        rate = round(full['per_second'] / 2)
        floor = self.start_score_floor(f, kind, stub, 0,
                                       self.log_bytes(f, options), full)

        def half(which):
            return lambda: self.counted(stub, which, count, '--rate', rate,
                                        *options)
        got = self.rounds({f.name: half(f), 'floor': half(floor)})
        own, bare = got[f.name], got['floor']
        wait = ANSWER_US / 1000
        self.notes.append(
            '%s that takes %.0f ms: full %.0f messages/s, p99 %.2f ms; half '
            '%.0f messages/s: p50 %.2f ms, p99 %.2f ms; there the floor (which '
            'shows how busy the machine is): p50 %.2f ms, p99 %.2f ms' % (
                kind, wait, full['per_second'], full['p99_ms'],
                own['per_second'], own['p50_ms'], own['p99_ms'],
                bare['p50_ms'], bare['p99_ms']))
        added = own['p99_ms'] - wait
        self.row('added latency, %s, 16 connections, half load' % kind,
                 'p50 %.2f ms, p99 %.2f ms' % (own['p50_ms'] - wait, added),
                 'p99 <= 1 ms', added <= 1)
        for each in (f, floor, stub):
            each.stop()

    def row_score_latency(self):
        for kind in FIELD:
            self.latency(kind)

    # --- others ---

    def start_spamass_milter(self, spamd):
        at = self.path('spamass-milter.sock')
        f = Filter(self, 'spamass-milter',
                   ['spamass-milter', '-p', at, '-P',
                    self.path('spamass-milter.pid'), '--', '-U',
                    spamd.unix[len('unix:'):]])
        f.wait_ready()
        return f

    def start_clamav_milter(self, clamd):
        conf = self.write('clamav-milter.conf', '''MilterSocket %s
MilterSocketMode 666
ClamdSocket unix:%s
TemporaryDirectory %s
Foreground yes
AddHeader Replace
LogFile %s
LogInfected Full
LogClean Full
OnFail Defer
''' % (self.path('clamav-milter.sock'), clamd.unix[len('unix:'):], self.dir,
            self.path('clamav-milter.out')))
        f = Filter(self, 'clamav-milter', ['clamav-milter', '-c', conf])
        f.wait_ready()
        return f

    def with_tree(self, f, count, *options):
        """The processes that a filter starts count, too."""
        before = tree_cpu_us(f.process.pid)
        got = f.load('--messages', count, '--warm', 0, *options)
        got['cpu_us'] = (tree_cpu_us(f.process.pid) - before) / count
        return got

    def beside(self, peer, engine, address, size, count, field, options=()):
        kind = type(engine).__name__.lower()
        f = self.start_score('mfx-score.%s.%s' % (peer.name, size),
                             (kind, address))
        count, words = self.scale(count), SIZES[size][0]

        def load(which):
            return lambda: self.with_tree(
                which, count, '--size', size, '--connections', 4, '--client',
                STRANGER,
                '--expect', field, *options)
        for each in (f, peer):
            load(each)()
        got = self.rounds({f.name: load(f), peer.name: load(peer)})
        self.ratio_row('a scan of %s by %s, CPU of the filter' % (words, kind),
                       got[f.name]['cpu_us'], got[peer.name]['cpu_us'],
                       peer.name, 1.0)
        f.stop()

    def row_score_peers(self):
        """The same mail to the same spamd and the same clamd."""
        import scanlab
        for name in ('spamd', 'spamass-milter', 'spamc', 'clamd',
                     'clamav-milter'):
            if not shutil.which(name, path='/usr/sbin:/usr/bin'):
                sys.exit('not installed: ' + name)
        boxes = [self.path(name) for name in ('clamd', 'spamd')]
        for box in boxes:
            os.mkdir(box)
            os.chmod(box, 0o755)
        clamd = self.own(scanlab.Clamd(boxes[0]))
        peer = self.start_clamav_milter(clamd)
        self.beside(peer, clamd, clamd.unix, '4K', 4000, 'X-Virus-Scanned')
        self.beside(peer, clamd, clamd.unix, '5M', 100, 'X-Virus-Scanned')
        peer.stop()
        spamd = self.own(scanlab.Spamd(boxes[1]))
        peer = self.start_spamass_milter(spamd)
        self.beside(peer, spamd, spamd.unix, '4K', 600, 'X-Spam-Status')
        peer.stop()
