#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What mfx-quota tells programs and URLs: real commands, and a small HTTP
server of our own, both of them slow, failing or missing; mail never waits."""
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap

PROGRAM = os.path.join(os.environ.get('MFX_BUILDDIR', '.'), 't/tools/quota_notifier')
SECRET = 'Bearer s3cr3t-t0ken'
PATIENCE = 30

if not os.access(PROGRAM, os.X_OK):
    tap.skip_all('quota_notifier is not built')
scratch = tempfile.TemporaryDirectory()


class Notifier:
    """One notifier; its log is what it writes to stderr."""

    def __init__(self, command=(), url='', timeout=5, running=2, queue=100, headers='', env=None):
        self.log_path = os.path.join(scratch.name, 'log')
        self.log_file = open(self.log_path, 'w')
        self.process = subprocess.Popen(
            [PROGRAM, str(timeout), str(running), str(queue), url, headers] + list(command), env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log_file, universal_newlines=True)

    def do(self, line, answers=True):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip() if answers else None

    def tell(self, event='soft_limit', rule='daily', key='alice', used=400, limit=500, sender='alice@example.org'):
        self.do('tell %s %s %s %d %d %s' % (event, rule, key, used, limit, sender), answers=False)

    def counts(self):
        return {k: int(v) for k, v in re.findall(r'(\w+)=(\d+)', self.do('counts'))}

    def wait_for(self, **want):
        """The counts, once they are as wanted (or after a long time)."""
        end = time.monotonic() + PATIENCE
        while True:
            counts = self.counts()
            if all(counts[k] >= v for k, v in want.items()) or time.monotonic() > end:
                return counts
            time.sleep(0.02)

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def end(self):
        """How many ms it took; then the process is gone."""
        took = int(self.do('end'))
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(timeout=PATIENCE) != 0:
            tap.ok(False, 'the notifier ended well', self.log())
        self.log_file.close()
        return took


def script(name, text):
    path = os.path.join(scratch.name, name)
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n' + text)
    os.chmod(path, 0o755)
    return path


def lines_of(name):
    try:
        with open(os.path.join(scratch.name, name)) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# --- commands ---

def test_command_environment():
    out = os.path.join(scratch.name, 'env')
    path = script('say', 'env >"$1.new"\nls -l /proc/$$/fd >"$1.fd"\ngrep -E "^Sig(Blk|Ign)" /proc/self/status '
                         '>"$1.sig"\nprintf "%s\\n" "$2" "$3" >"$1.args"\nmv "$1.new" "$1"\n')
    n = Notifier([path, out, 'two words; $HOME', '*'], env={'SECRET_OF_THE_DAEMON': 'x', 'PATH': '/nowhere'})
    n.tell(key='al%0Aice%1B[2J', sender='j%C3%BCrg@example.org', rule='bad%FFutf8')
    counts = n.wait_for(told=1)
    tap.same((counts['told'], counts['failed']), (1, 0), 'a command was run')
    env = dict(line.split('=', 1) for line in lines_of('env'))
    want = {'MFX_EVENT': 'soft_limit', 'MFX_RULE': 'bad?utf8', 'MFX_KEY': 'al?ice?[2J', 'MFX_COUNT': 'recipients',
            'MFX_USED': '400', 'MFX_LIMIT': '500', 'MFX_WINDOW': '1d', 'MFX_FREE_AT': '2027-01-15T08:00:00Z',
            'MFX_QUEUE_ID': '4Bx9k2', 'MFX_SENDER': 'j\u00fcrg@example.org', 'MFX_MODE': 'enforce'}
    for name, value in want.items():
        tap.same(env.get(name), value, name)
    tap.like(env.get('MFX_TIME', ''), r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', 'MFX_TIME')
    tap.same(env.get('MFX_HOST'), os.uname().nodename, 'MFX_HOST')
    others = set(env) - {'PWD', 'SHLVL', '_', 'PATH', 'OLDPWD'}
    tap.ok(all(name.startswith('MFX_') for name in others), 'nothing of our own environment', sorted(others))
    tap.same(lines_of('env.args'), ['two words; $HOME', '*'], 'arguments as they stand, no shell')
    # from 10 on they are the shell's own
    fds = {int(m) for m in re.findall(r' (\d+) -> /', '\n'.join(lines_of('env.fd'))) if int(m) < 10}
    tap.ok({0} <= fds <= {0, 1, 2}, 'no file of ours is open in it', lines_of('env.fd'))
    internal = 3 << 31  # the C library's own
    masks = [int(line.split()[1], 16) & ~internal for line in lines_of('env.sig')]
    tap.same(masks, [0, 0], 'no signal is blocked or ignored')
    tap.same(n.log(), '', 'and nothing is logged')
    n.end()


def test_long_values():
    out = os.path.join(scratch.name, 'long')
    n = Notifier([script('long.sh', 'printf "%s" "$MFX_KEY" >"$1.new"; mv "$1.new" "$1"\n'), out])
    n.tell(key='x' * 10000)
    n.wait_for(told=1)
    tap.same(len(''.join(lines_of('long'))), 1000, 'a login of 10 KB is cut')
    n.end()


def test_failures_of_commands():
    for label, command, want in (
            ('exit status', [script('three', 'exit 3\n')], 'exit status 3'),
            ('signal', [script('signal', 'kill -SEGV $$\n')], 'ended by signal 11'),
            ('missing', [os.path.join(scratch.name, 'missing')], 'No such file or directory'),
            ('not a program', ['/etc/passwd'], 'Permission denied'),
            ('a directory', [scratch.name], 'Permission denied')):
        n = Notifier(command)
        n.tell()
        counts = n.wait_for(failed=1)
        tap.same((counts['told'], counts['failed']), (0, 1), label + ': failed')
        tap.like(n.log(), r'notify_failed what=command event=soft_limit rule=daily key=alice reason=.*' + want,
                 label + ': logged')
        n.end()


def test_hanging_command():
    pids = os.path.join(scratch.name, 'pids')
    hang = script('hang', 'sleep 600 & echo $! >>%s; echo $$ >>%s; sleep 600\n' % (pids, pids))
    n = Notifier([hang], timeout=1)
    n.tell()
    counts = n.wait_for(failed=1)
    tap.same(counts['failed'], 1, 'a command that hangs is killed')
    tap.has(n.log(), 'killed, since it had not ended in time', '... which is logged')
    gone = wait_until(lambda: not any(is_alive(int(pid)) for pid in lines_of('pids')))
    tap.ok(gone and len(lines_of('pids')) == 2, '... with what it had started')
    tap.same(n.counts()['running'], 0, '... and its place is free')
    n.end()


def is_alive(pid):
    """A zombie is not."""
    try:
        with open('/proc/%d/stat' % pid) as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_max_running():
    steps = os.path.join(scratch.name, 'steps')
    n = Notifier([script('step', 'echo + >>%s; sleep 0.2; echo - >>%s\n' % (steps, steps))], running=3)
    for i in range(12):
        n.tell(key='key%d' % i)
    counts = n.wait_for(told=12)
    level = highest = 0
    for line in lines_of('steps'):
        level += 1 if line == '+' else -1
        highest = max(highest, level)
    tap.same((counts['told'], highest <= 3, highest > 1), (12, True, True), 'at most max_running at once, and in turn')
    n.end()


def test_full_queue():
    gate = os.path.join(scratch.name, 'gate')
    n = Notifier([script('gated', 'while [ ! -e %s ]; do sleep 0.05; done\n' % gate)], queue=50, timeout=60)
    n.do('many 2')
    n.wait_for(running=2)
    longest = int(n.do('many 5000'))
    counts = n.counts()
    tap.same((counts['waiting'], counts['dropped'] + counts['coalesced']), (50, 4950), 'a full queue drops')
    tap.same(n.log().count('notify_dropped'), 1, '... and says so once')
    tap.ok(longest < 2000000, 'nobody waits for the queue', 'longest: %d us' % longest)
    with open(gate, 'w'):
        pass
    counts = n.wait_for(told=2 + counts['waiting'])
    tap.same(counts['waiting'], 0, '... and what was in it is told')
    n.end()
    tap.same(sum(int(c) for c in re.findall(r'notify_dropped count=(\d+)', n.log())), counts['dropped'],
             '... and in the end the log knows of all')


def test_alike():
    n = Notifier([script('count', 'echo "$MFX_EVENT $MFX_RULE $MFX_KEY" >>%s/alike\n' % scratch.name)])
    begin = time.monotonic()
    for _ in range(50):
        n.tell()
    n.tell(key='bob')
    n.tell(rule='hourly')
    n.tell(event='limit_reached')
    counts = n.wait_for(told=4)
    if time.monotonic() - begin < 1:
        tap.same((counts['told'], counts['coalesced']), (4, 49), 'what is alike is told once a second')
    else:
        tap.ok(counts['coalesced'] > 0, 'what is alike is told once a second')
    time.sleep(1.1)
    n.tell()
    tap.same(n.wait_for(told=5)['told'] >= 5, True, '... and again after that')
    tap.ok({'soft_limit daily alice', 'soft_limit daily bob', 'soft_limit hourly alice', 'limit_reached daily alice'}
           == set(lines_of('alike')), 'what differs is not alike')
    n.end()


def test_children_of_the_daemon():
    n = Notifier(['/bin/true'])
    for i in range(5):
        n.tell(key='key%d' % i)
    tap.same(n.do('child'), 'mine 7', 'the daemon can wait for a process of its own')
    tap.same(n.wait_for(told=5)['told'], 5, '... and we for ours')
    n.do('ignore', answers=False)
    n.tell(key='ignored')
    tap.same(n.wait_for(told=6)['told'], 6, 'where SIGCHLD is ignored, too')
    n.end()


def test_end_with_a_hanging_command():
    pids = os.path.join(scratch.name, 'pids2')
    n = Notifier([script('hang2', 'echo $$ >>%s; exec sleep 600\n' % pids)], timeout=600)
    for i in range(10):
        n.tell(key='key%d' % i)
    wait_until(lambda: len(lines_of('pids2')) == 2)
    took = n.end()
    tap.ok(1500 <= took < 10000, 'the end waits a bounded time', took)
    tap.ok(not any(is_alive(int(pid)) for pid in lines_of('pids2')), '... and leaves no process')
    tap.has(n.log(), 'notify_dropped count=8 reason="the daemon ends"', '... and says what was not told')
    tap.has(n.log(), 'killed, since the daemon ends', '... and what was killed')


def test_end_lets_finish():
    n = Notifier([script('short', 'sleep 0.1; echo done >>%s/short.out\n' % scratch.name)], running=1)
    n.tell()
    n.tell(key='bob')
    n.end()
    tap.same(lines_of('short.out'), ['done', 'done'], 'what is short is finished before the end')


# --- the URL ---

class Server:
    """Answers as its path says and keeps what it was sent."""

    def __init__(self, context=None):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                outer.seen.append((self.path, dict(self.headers), body))
                word = self.path.strip('/')
                if word == 'slow':
                    outer.release.wait(PATIENCE)
                status = 200
                if word == 'once':
                    status = 503 if len(outer.seen) == 1 else 200
                elif word.isdigit():
                    status = int(word)
                self.send_response(status)
                if status == 302:
                    self.send_header('Location', '/200')
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')

            def log_message(self, *args):
                pass

        self.release = threading.Event()
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *args: None
        self.scheme = 'http'
        if context is not None:
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            self.scheme = 'https'
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path):
        return '%s://127.0.0.1:%d/%s' % (self.scheme, self.http.server_address[1], path)

    def stop(self):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()


def test_post():
    server = Server()
    n = Notifier(url=server.url('200'), headers='Authorization: %s|X-Site: one' % SECRET)
    n.tell(key='al"ice%0A', sender='j%C3%BCrg@example.org')
    tap.same(n.wait_for(told=1)['told'], 1, 'a notice is posted')
    path, headers, body = server.seen[0]
    said = json.loads(body.decode('utf-8'))
    want = {'event': 'soft_limit', 'rule': 'daily', 'key': 'al"ice?', 'count': 'recipients', 'used': 400, 'limit': 500,
            'window': '1d', 'free_at': '2027-01-15T08:00:00Z', 'queue_id': '4Bx9k2',
            'sender': 'j\u00fcrg@example.org', 'mode': 'enforce', 'host': os.uname().nodename}
    tap.like(said.pop('time', ''), r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', '... with its time')
    tap.same(said, want, '... as JSON')
    tap.same((headers.get('Content-Type'), headers.get('Authorization'), headers.get('X-Site')),
             ('application/json', SECRET, 'one'), '... with our header fields')
    tap.same(n.log(), '', '... and nothing is logged')
    n.end()
    server.stop()


def test_failures_of_the_server():
    for path, tries, told, want in (('500', 2, 0, 'answered with status 500'), ('429', 2, 0, 'status 429'),
                                    ('404', 1, 0, 'status 404'), ('302', 1, 0, 'status 302'), ('once', 2, 1, None)):
        server = Server()
        n = Notifier(url=server.url(path), headers='Authorization: ' + SECRET)
        n.tell()
        counts = n.wait_for(**({'told': 1} if told else {'failed': 1}))
        tap.same((counts['told'], len(server.seen)), (told, tries), '%s: %d tries' % (path, tries))
        if want:
            tap.like(n.log(), r'notify_failed what=url .*' + want, path + ': logged')
        n.end()
        tap.lacks(n.log(), 's3cr3t', path + ': no secret in the log')
        server.stop()


def test_no_server():
    server = Server()
    url = server.url('200')
    server.stop()
    n = Notifier(url=url, headers='Authorization: ' + SECRET)
    n.tell()
    tap.same(n.wait_for(failed=1)['failed'], 1, 'nobody listens: failed')
    tap.like(n.log(), r'notify_failed what=url .*reason=.*[Cc]onnect', '... and logged')
    n.end()
    for url, want in (('http://no-such-host.invalid/', 'resolve'), ('file:///etc/passwd', 'rotocol'),
                      ('http://[', 'URL')):
        n = Notifier(url=url, headers='Authorization: ' + SECRET)
        n.tell()
        n.wait_for(failed=1)
        n.end()
        tap.has(n.log(), want, url)
        tap.lacks(n.log(), 's3cr3t', '... without the secret')


def test_slow_server():
    server = Server()
    n = Notifier(url=server.url('slow'), timeout=1, running=2, queue=10)
    begin = time.monotonic()
    longest = int(n.do('many 3'))
    tap.ok(longest < 2000000 and time.monotonic() - begin < PATIENCE, 'nobody waits for a slow server', longest)
    counts = n.wait_for(failed=3)
    tap.same(counts['failed'], 3, '... it is given up')
    tap.has(n.log(), 'imed out', '... and that is logged')
    tap.ok(len(server.seen) <= 3, '... and not tried again', len(server.seen))
    n.end()
    before = len(server.seen)
    n = Notifier(url=server.url('slow'), timeout=600)
    n.tell()
    wait_until(lambda: len(server.seen) > before)
    took = n.end()
    tap.ok(took < 10000, 'the end does not wait for it', took)
    tap.has(n.log(), 'given up, since the daemon ends', '... and says so')
    server.stop()


def test_tls():
    cert = os.path.join(scratch.name, 'cert.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', cert + '.key', '-out', cert,
                    '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, cert + '.key')
    server = Server(context)
    n = Notifier(url=server.url('200'))
    n.tell()
    tap.same(n.wait_for(failed=1)['failed'], 1, 'a certificate that nobody vouches for is refused')
    tap.has(n.log(), 'certificate', '... and logged')
    tap.same(server.seen, [], '... and nothing is said')
    n.end()
    server.stop()


def test_both():
    server = Server()
    n = Notifier(['/bin/true'], url=server.url('200'))
    n.tell()
    tap.same(n.wait_for(told=2)['told'], 2, 'a command and a URL are both told')
    n.end()
    hang = Notifier([script('hang3', 'exec sleep 600\n')], url=server.url('200'), running=1, timeout=600)
    for i in range(4):
        hang.tell(key='key%d' % i)
    tap.same(hang.wait_for(told=4)['told'], 4, 'a command that hangs does not keep the URL')
    hang.end()
    server.stop()


def test_neither():
    n = Notifier()
    n.tell()
    counts = n.counts()
    tap.same((counts['waiting'], counts['dropped']), (0, 0), 'without either nothing is kept')
    n.end()


for test in [value for name, value in list(globals().items()) if name.startswith('test_')]:
    test()
tap.done()
