#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real rspamd, spamd and clamd, each killed, stopped and started again under
load: every mail is answered in time, as the engine's setting for failures says,
and all is well when it is back."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap
from mtalab.filters import MfxScore
from mtalab.process import LabError, wait_until
from mtalab.scanners import Rspamd
from mtalab.score_mail import RSPAMD_RULES

BUILD = scanlab.BUILD
LOAD = os.path.join(BUILD, 't/bench/load')
DEADLINE_MS = 2000
# A busy machine; the answer is awaited in slices.
MARGIN_MS = 2500
RATE, SECONDS = 15, 7


def descendants(pid):
    """The process and all below it."""
    found, parents = [pid], {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):
            with open('/proc/%s/stat' % name, errors='replace') as f:
                parents[int(name)] = int(f.read().rpartition(')')[2].split()[1])
    for each in found:
        found += [p for p, parent in parents.items() if parent == each]
    return found


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Load:
    def __init__(self, milter, messages, *options):
        self.child = subprocess.Popen(
            [LOAD, '--socket', milter, '--client', '192.0.2.1', '--warm', '0',
             '--messages', str(messages), '--timeout', '30000', *options],
            stdout=subprocess.PIPE, text=True)

    def end(self):
        return json.loads(self.child.communicate(timeout=120)[0])


class Weather:
    def __init__(self, daemon, engines):
        self.daemon, self.engines = daemon, engines
        self.sent = 0

    def load(self, count, *options):
        self.sent += count
        return Load(self.daemon.milter, count, *options)

    def all_pass(self):
        """Ten mails in a row, looked at by all."""
        got = self.load(10, '--connections', '1').end()
        return got.get('continue') == 10 and \
            got['p99_ms'] < DEADLINE_MS and not self.marked()

    def marked(self):
        """Whether any of the last ten was not looked at by some engine."""
        lines = [line for line in self.daemon.log().splitlines()
                 if ' from=<' in line]
        return any('unscanned' in line.lower() for line in lines[-10:])

    def through(self, name, what, before, after):
        """Load, with trouble in the middle of it."""
        count = RATE * SECONDS
        load = self.load(count, '--rate', str(RATE))
        time.sleep(SECONDS / 5)
        before()
        time.sleep(SECONDS * 2 / 5)
        after()
        got = load.end()
        label = '%s %s under load: ' % (name, what)
        tap.note(json.dumps(got))
        answered = got.get('continue', 0) + got.get('replycode', 0)
        tap.same(answered, count, label + 'every mail is answered')
        tap.ok(got['max_ms'] < DEADLINE_MS + MARGIN_MS,
               label + 'in time', got['max_ms'])
        if name == 'spamd':
            tap.same(got.get('continue'), count, label + 'by setting all pass')
        else:
            tap.ok(got.get('replycode', 0) > 0, label + 'some are deferred')
        tap.ok(got.get('continue', 0) > 0, label + 'some pass')
        try:
            wait_until(self.all_pass, 'mail to pass', 30)
            tap.ok(True, label + 'afterwards all is well')
        except LabError as error:
            tap.ok(False, label + 'afterwards all is well', error,
                   self.daemon.ctl('engines', check=False))

    def killed(self, name, engine):
        def kill():
            signal_all(descendants(engine.process.pid), signal.SIGKILL)
            engine.process.child.wait()
        self.through(name, 'killed and started', kill, engine.start)

    def stopped(self, name, engine):
        pids = descendants(engine.process.pid)
        self.through(name, 'stopped',
                     lambda: signal_all(pids, signal.SIGSTOP),
                     lambda: signal_all(pids, signal.SIGCONT))

    def count_descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.daemon.process.pid))


def settings(engines):
    policies = {'rspamd': 'tempfail', 'spamd': 'accept', 'clamd': 'tempfail'}
    return {
        'scan_timeout': '%dms' % DEADLINE_MS,
        'engines': [
            {'type': name, 'servers': [engine.tcp],
             'on_failure': policies[name], 'retry': '100ms',
             'retry_max': '500ms', 'idle_timeout': '1s',
             'check_interval': '0'} for name, engine in engines.items()],
    }


def main():
    scanlab.need('rspamd', 'clamd', 'spamd')
    if not os.path.exists(os.path.join(BUILD, 'mfx-score')):
        tap.skip_all('mfx-score is not built')
    with scanlab.folder() as box, contextlib.ExitStack() as stack:
        engines = {'rspamd': Rspamd(box + '/rspamd', RSPAMD_RULES)}
        stack.callback(engines['rspamd'].stop)
        for name, kind in ('spamd', scanlab.Spamd), ('clamd', scanlab.Clamd):
            os.mkdir('%s/%s' % (box, name), 0o755)
            engines[name] = kind('%s/%s' % (box, name))
            stack.callback(engines[name].stop)
        daemon = MfxScore(box + '/mfx-score', BUILD, settings(engines))
        stack.callback(daemon.stop)
        weather = Weather(daemon, engines)
        wait_until(weather.all_pass, 'mail to pass', 30)
        time.sleep(1.5)
        before = weather.count_descriptors()
        for name, engine in engines.items():
            weather.killed(name, engine)
            weather.stopped(name, engine)
        wait_until(lambda: weather.count_descriptors() <= before,
                   'descriptors to be closed', 20)
        tap.ok(True, 'no descriptor is left of %d' % before)
        lines = len(re.findall(r' from=<', daemon.log()))
        tap.same(lines, weather.sent, 'one line of the log for each mail')
        tap.ok(daemon.is_running(), 'mfx-score still runs')
        tap.same(daemon.stop(), 0, 'and ends with status 0')
    tap.done()


main()
