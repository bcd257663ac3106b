# SPDX-License-Identifier: BSD-2-Clause
"""benchlib - filters under load, rounds, and the table of t/bench/bench"""
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get('MFX_BUILDDIR', '.'))
LOAD = os.path.join(BUILD, 't/bench/load')
FLOOR = os.path.join(BUILD, 't/bench/floor')
RAW = os.path.join(BUILD, 't/bench/raw')


def say(text):
    print('# ' + text, flush=True)


def free_port():
    """A port that both TCP and UDP have free on loopback."""
    for _ in range(50):
        with socket.socket() as t, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            t.bind(('127.0.0.1', 0))
            port = t.getsockname()[1]
            try:
                u.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
    sys.exit('no free port')


class Filter:
    """A running filter process and its UNIX socket."""

    def __init__(self, bench, name, argv, environment=None):
        self.name = name
        self.socket = 'unix:' + bench.path(name + '.sock')
        self.log_path = bench.path(name + '.log')
        self.log = open(self.log_path, 'ab')
        self.began = time.monotonic()
        env = dict(os.environ, **(environment or {}))
        self.process = subprocess.Popen(argv, stdout=self.log, env=env,
                                        stderr=self.log)
        bench.running.append(self)

    def wait_ready(self, seconds=60):
        """Seconds from start until the first packet was answered."""
        path = self.socket[5:]
        while time.monotonic() - self.began < seconds:
            if self.process.poll() is not None:
                break
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(seconds)
                    s.connect(path)
                    s.sendall(b'\0\0\0\x0dO\0\0\0\x06\0\0\1\xff\0\x1f\xff\xff')
                    if s.recv(4):
                        s.sendall(b'\0\0\0\1Q')
                        return time.monotonic() - self.began
            except OSError:
                time.sleep(0.002)
        with open(self.log_path, errors='replace') as f:
            sys.exit('%s is not ready: %s' % (self.name, f.read()[-1500:]))

    def load(self, *options, check=True):
        argv = [LOAD, '--socket', self.socket, '--pid',
                str(self.process.pid)] + [str(o) for o in options]
        run = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
        if check and run.returncode != 0:
            sys.exit('%s: wrong results: %s' % (self.name, run.stdout))
        return json.loads(run.stdout)

    def rss_kb(self):
        with open('/proc/%d/status' % self.process.pid) as f:
            for line in f:
                if line.startswith('VmRSS:'):
                    return int(line.split()[1])
        return 0

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Bench:
    def __init__(self, options):
        self.options = options
        # not below /tmp: OpenDKIM refuses keys there; nor below /root, where
        # Postfix's user cannot go
        base = os.environ.get('MFX_BENCH_DIR', '/var/lib' if os.geteuid() == 0
                              else os.path.expanduser('~'))
        self.dir = tempfile.mkdtemp(prefix='mfx-bench.', dir=base)
        os.chmod(self.dir, 0o755)
        self.running = []
        self.owned = []
        self.rows = []
        self.raw_runs = []
        self.notes = []
        self.port = free_port()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), 'w') as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def own(self, thing):
        """Whatever else has to be stopped."""
        self.owned.append(thing)
        return thing

    # --- filters ---

    def start_floor(self, model, log_bytes, header=None, header_bytes=0,
                    edits=1, more=()):
        """With the stages, flags, macros, edits and log line of `model`."""
        told = json.loads(subprocess.run(
            [LOAD, '--socket', model.socket, '--probe'], check=True,
            stdout=subprocess.PIPE).stdout)
        argv = [FLOOR, '-s', 'unix:' + self.path('floor.sock'), '-n',
                str(told['steps']), '-l', str(round(log_bytes))]
        if header:
            argv += ['-e', str(edits), '-H', header, '-L', str(round(header_bytes))]
        for stage, names in told['macros'].items():
            argv += ['-m', '%s=%s' % (stage, names)]
        argv += more
        f = Filter(self, 'floor', argv)
        f.wait_ready()
        return f

    def raw(self):
        run = json.loads(subprocess.run([RAW], check=True,
                                        stdout=subprocess.PIPE).stdout)
        self.raw_runs.append(run)
        return run

    # --- measuring ---

    def rounds(self, cases, with_raw=False):
        """cases: name -> function giving a load result. Medians of all."""
        got = {name: [] for name in cases}
        raws = []
        for _ in range(self.options.rounds):
            for name, run in cases.items():
                got[name].append(run())
            if with_raw:
                raws.append(self.raw())
        middle = {name: self.median(runs) for name, runs in got.items()}
        if raws:
            middle['raw'] = self.median(raws)
        return middle

    @staticmethod
    def median(runs):
        return {key: statistics.median(r[key] for r in runs)
                for key in runs[0] if isinstance(runs[0][key], (int, float))}

    def row(self, work, measured, target, is_met, note=''):
        self.rows.append((work, measured, target, is_met, note))
        say('%s: %s (target %s) %s' % (work, measured, target,
                                       'PASS' if is_met else 'MISS'))

    def ratio_row(self, work, got, base, what, limit):
        ratio = got / base if base else float('inf')
        self.row(work, '%.1f us / %.1f us = %.3f' % (got, base, ratio),
                 '<= %.2f x %s' % (limit, what), ratio <= limit)

    def log_bytes(self, f, options):
        """Mean length of the log line of one message."""
        before = os.path.getsize(f.log_path)
        n = f.load('--messages', 100, '--warm', 0, *options)['messages']
        return (os.path.getsize(f.log_path) - before) / max(n, 1)

    def scale(self, n):
        return max(20, n // 10) if self.options.quick else n

    # --- all ---

    def machine(self):
        model = 'unknown'
        with open('/proc/cpuinfo') as f:
            for line in f:
                if line.startswith('model name'):
                    model = line.split(':')[1].strip()
        version = subprocess.run(['openssl', 'version'], text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        return '%d x %s; %s; %d rounds%s' % (
            os.cpu_count(), model, version, self.options.rounds,
            ', quick' if self.options.quick else '')

    def run(self):
        for name in self.options.rows.split(','):
            say('row: ' + name)
            getattr(self, 'row_' + name)()

    def stop(self):
        for thing in reversed(self.owned):
            thing.stop()
        for f in self.running:
            if f.process.poll() is None:
                f.stop()
        if self.options.keep:
            say('kept: ' + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def table(self):
        out = ['mfx bench, %s' % time.strftime('%Y-%m-%d'),
               self.machine(), 'load average %.1f %.1f %.1f (others on the '
               'machine cost every filter alike)' % os.getloadavg(), '']
        width = max(len(r[0]) for r in self.rows)
        wide = max(len(r[1]) for r in self.rows)
        for work, measured, target, is_met, _ in self.rows:
            out.append('%-4s  %-*s  %-*s  %s' % (
                'PASS' if is_met else 'MISS', width, work, wide, measured,
                target))
        out.append('')
        if self.raw_runs:
            raw = self.median(self.raw_runs)
            out.append('raw, us of CPU: ' + ', '.join(
                '%s %.1f' % pair for pair in raw.items()))
        return '\n'.join(out + self.notes) + '\n'


