# SPDX-License-Identifier: BSD-2-Clause
"""process - programs that the lab starts, and ports for them

Only what was started here is ever stopped, by its process id.
"""
import os
import random
import signal
import socket
import subprocess
import time


class LabError(Exception):
    """Something the lab needs did not work: the test cannot go on."""


_given = set()


def free_port():
    """A loopback port free for TCP and UDP, another one each time. Below the
    kernel's range for outgoing connections, so that none of those takes it
    in between."""
    rng = random.SystemRandom()
    for _ in range(1000):
        port = rng.randrange(11000, 32000)
        if port in _given:
            continue
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(('0.0.0.0', port))
            _given.add(port)
            return port
        except OSError:
            continue
    raise LabError('no free port')


def listens(port):
    """Whether a TCP socket listens there. Looked up rather than connected
    to: a connection would be an SMTP session, and filters would see it."""
    want = ':%04X' % port
    with open('/proc/net/tcp', encoding='ascii') as table:
        for line in table:
            column = line.split()
            if column[1].endswith(want) and column[3] == '0A':
                return True
    return False


def socket_listens(path):
    """The same for a UNIX socket; 00010000 is the kernel's mark of one that
    accepts."""
    with open('/proc/net/unix', encoding='ascii', errors='replace') as table:
        for line in table:
            column = line.split()
            if column[-1] == path and column[3] == '00010000':
                return True
    return False


def wait_until(condition, what, seconds=15.0):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError('waited %g s for %s' % (seconds, what))
        time.sleep(0.01)


def is_gone(pid):
    """Ended, or a zombie that its parent has not asked for yet (which
    kill(pid, 0) takes for alive)."""
    try:
        with open('/proc/%d/stat' % pid, encoding='utf-8',
                  errors='replace') as stat:
            return stat.read().rpartition(')')[2].split()[0] in 'ZX'
    except OSError:
        return True


def end_pid(pid, seconds=5.0):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        try:
            wait_until(lambda: is_gone(pid), 'end of %d' % pid, seconds)
            return
        except LabError:
            continue


class Process:
    """A foreground program, its output in a file."""

    def __init__(self, argv, log_path, env=None, **more):
        self.argv = [str(word) for word in argv]
        self.log_path = log_path
        full_env = dict(os.environ)
        full_env.update(env or {})
        with open(log_path, 'ab') as log:
            self.child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=full_env, **more)
        self.pid = self.child.pid

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            return log.read()

    def is_running(self):
        return self.child.poll() is None

    def wait_ready(self, condition, what, seconds=15.0):
        def check():
            if not self.is_running():
                raise LabError('%s ended with status %s:\n%s' % (
                    self.argv[0], self.child.returncode, self.log()))
            return condition()
        try:
            wait_until(check, what, seconds)
        except LabError:
            self.stop()
            raise

    def stop(self, seconds=10.0):
        """Ends it; returns its status."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()

    def kill(self):
        """What a crash looks like from outside."""
        self.child.kill()
        return self.child.wait()


class Server:
    """What runs as one Process, self.process."""
    process = None

    def log(self):
        return self.process.log()

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()


def run(argv, data=None, env=None, check=True, timeout=60):
    """Runs a command to its end; gives its CompletedProcess."""
    full_env = dict(os.environ)
    full_env.update(env or {})
    result = subprocess.run([str(word) for word in argv], input=data or b'',
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=full_env, timeout=timeout, check=False)
    if check and result.returncode != 0:
        raise LabError('%s: status %d\n%s%s' % (
            ' '.join(str(word) for word in argv), result.returncode,
            result.stdout.decode('utf-8', 'replace'),
            result.stderr.decode('utf-8', 'replace')))
    return result
