# SPDX-License-Identifier: BSD-2-Clause
"""scanlab - private scanners for tests, and the client that asks them

    with scanlab.folder() as box:
        clamd = scanlab.Clamd(box)
        for line in scanlab.ask('clamd', 'server=' + clamd.unix, path): ...

Nothing leaves the machine: ClamAV gets a signature database of our own,
SpamAssassin and rspamd local rules only. What is started here is stopped by its id.
"""
import contextlib
import hashlib
import http.client
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import tap
from mtalab.process import Process, free_port, listens, socket_listens

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
TOOL = os.path.join(BUILD, 't/lib/scantool')

# In pieces, so that scanners leave this file alone.
EICAR = (b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + b'EICAR-STANDARD-' +
         b'ANTIVIRUS-TEST-FILE' + b'!$H+H*')
GTUBE = (b'XJS*C4JDBQADN1.NSBN3*2IDNEN*' + b'GTUBE-STANDARD-' +
         b'ANTI-UBE-TEST-EMAIL' + b'*C.34X')
HEADER = (b'Received: from a.example ([192.0.2.9]) by b.example;\r\n'
          b'\tMon, 2 Nov 2026 10:00:00 +0000\r\n'
          b'From: Alice <alice@example.org>\r\nTo: Bob <bob@example.net>\r\n'
          b'Subject: a message\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
          b'Message-ID: <1@example.org>\r\n')


def need(*programs):
    """The paths of all of them, or the test is skipped."""
    paths = [shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin')
             for name in programs]
    for name, path in zip(programs, paths):
        if not path:
            tap.skip_all(name + ' is not installed')
    if not os.path.exists(TOOL):
        tap.skip_all('t/lib/scantool is not built')
    return paths


@contextlib.contextmanager
def folder():
    """One that other users may enter."""
    path = tempfile.mkdtemp(prefix='mfx-scan-')
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write(box, name, data):
    path = os.path.join(box, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(data)
    return path


def parse(line):
    """'end=answered words="x y"' as a dictionary."""
    found = {}
    for name, quoted, bare in re.findall(
            r'([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line):
        found[name] = (quoted.replace('\\n', '\n').replace('\\"', '"')
                       .replace('\\\\', '\\') if quoted else bare)
    return found


def begin(engine, *words):
    return subprocess.Popen([TOOL, engine, *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def finish(asking, seconds=120):
    """A dictionary for each line that scantool prints."""
    try:
        out, errors = asking.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        asking.kill()
        out, errors = asking.communicate()
    if asking.returncode != 0:
        tap.note(errors)
    return [parse(line) for line in out.decode().splitlines()]


def ask(engine, *words):
    return finish(begin(engine, *words))


def ask_one(engine, *words):
    answers = ask(engine, *words)
    return answers[0] if len(answers) == 1 else {'end': 'no answer'}


class Clamd:
    """clamd with a signature for EICAR, on a UNIX socket and a TCP port."""
    program = 'clamd'

    def __init__(self, box, *lines):
        [path] = need(self.program)
        # a size as the key: a signature by the file's digest
        digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
        write(box, 'db/own.hdb', ('%s:%d:Own.Eicar.Digest\n' % (
            digest, len(EICAR))).encode())
        write(box, 'db/own.ndb', ('Own.Eicar:0:*:%s\nPUA.Own.Tool:0:*:%s\n' % (
            EICAR.hex(), b'a tool of the test'.hex())).encode())
        self.port = free_port()
        self.unix = 'unix:%s/clamd.sock' % box
        self.tcp = '127.0.0.1:%d' % self.port
        self.conf = write(box, 'clamd.conf', '\n'.join([
            'Foreground yes', 'LogTime yes', 'DatabaseDirectory %s/db' % box,
            'TemporaryDirectory %s' % box, 'LocalSocket %s/clamd.sock' % box,
            'FixStaleSocket yes', 'TCPSocket %d' % self.port,
            'TCPAddr 127.0.0.1', 'StreamMaxLength 25M', 'MaxThreads 4',
            'AlertEncrypted yes', 'AlertOLE2Macros yes', *lines, ''
        ]).encode())
        self.box, self.path = box, path
        self.start()

    def start(self):
        self.process = Process([self.path, '-c', self.conf],
                               self.box + '/clamd.log')
        self.process.wait_ready(
            lambda: listens(self.port) and
            socket_listens(self.unix[len('unix:'):]), 'clamd', 60)

    def stop(self):
        self.process.stop()


class Spamd:
    """spamd with rules of our own, on a UNIX socket and a TCP port."""

    def __init__(self, box, rules='', words=()):
        [path] = need('spamd')
        owner = pwd.getpwnam('nobody')
        self.port = free_port()
        self.unix = 'unix:%s/run/spamd.sock' % box
        self.tcp = '127.0.0.1:%d' % self.port
        write(box, 'rules/10_own.cf', (
            'use_bayes 0\nuse_auto_welcomelist 0\ndns_available no\n'
            'skip_rbl_checks 1\nreport_safe 0\nrequired_score 5\n'
            'clear_trusted_networks\nclear_internal_networks\n'
            'internal_networks 198.51.100.0/24\n'
            'trusted_networks 198.51.100.0/24\n'
            'body GTUBE /%s/\n'
            'describe GTUBE Generic Test for Unsolicited Bulk Email\n'
            'score GTUBE 1000\ntflags GTUBE userconf noautolearn\n'
            'report Content analysis details:   (_SCORE_ points, _REQD_ required)\n'
            'report\nreport " pts rule name              description"\n'
            'report  ---- ---------------------- ------------------------------\n'
            'report _SUMMARY_\n'
            'add_header all Status "_YESNO_, score=_SCORE_ required=_REQD_ '
            'tests=_TESTSSCORES(,)_ version=_VERSION_"\n'
            'add_header spam Flag _YESNOCAPS_\n%s\n' % (
                re.escape(GTUBE.decode()).replace('/', r'\/'), rules)).encode())
        write(box, 'site/init.pre', b'loadplugin Mail::SpamAssassin::Plugin::Check\n')
        for name in ('run', 'home', 'home/.spamassassin'):
            os.makedirs(os.path.join(box, name), exist_ok=True)
            os.chown(os.path.join(box, name), owner.pw_uid, owner.pw_gid)
        self.box, self.path, self.words = box, path, words
        self.start()

    def start(self):
        self.process = Process(
            [self.path, '--local', '--nouser-config', '--username=nobody',
             '--syslog=stderr', '--max-children=4', '--min-children=2',
             '--helper-home-dir=%s/home' % self.box,
             '--configpath=%s/rules' % self.box,
             '--siteconfigpath=%s/site' % self.box,
             '--socketpath=%s' % self.unix[len('unix:'):],
             '--listen=127.0.0.1:%d' % self.port,
             *self.words], self.box + '/spamd.log',
            start_new_session=True)
        self.process.wait_ready(
            lambda: listens(self.port) and
            socket_listens(self.unix[len('unix:'):]), 'spamd', 60)

    def stop(self):
        self.process.stop()


RSPAMD = r'''
options {
  filters = ""; dns { nameserver = ["127.0.0.1:1"]; timeout = 1s; }
  tempdir = "%(box)s"; rrd = "%(box)s/rrd"; cache_file = "%(box)s/map";
  hs_cache_dir = "%(box)s"; url_tld = "%(box)s/tld"; gtube_patterns = "all";
  task_timeout = 30s;
}
logging { type = "file"; filename = "%(box)s/rspamd.log"; level = "info"; }
worker "normal" {
  bind_socket = "127.0.0.1:%(port)d"; bind_socket = "%(box)s/normal.sock mode=0666";
  count = %(count)d;
}
worker "controller" {
  bind_socket = "127.0.0.1:%(control_port)d"; count = 1;
  bind_socket = "%(box)s/control.sock mode=0666"; secure_ip = "192.0.2.1";
  password = "%(password)s"; enable_password = "%(password)s";
}
actions {
  greylist = 4; "add header" = 6; "rewrite subject" = 8; reject = 15;
  subject = "***SPAM*** %%s";
}
classifier "bayes" {
  tokenizer { name = "osb"; } backend = "sqlite3"; min_tokens = 3; min_learns = 1;
  cache { path = "%(box)s/learned.sqlite"; }
  statfile { symbol = "BAYES_HAM"; path = "%(box)s/ham.sqlite"; spam = false; }
  statfile { symbol = "BAYES_SPAM"; path = "%(box)s/spam.sqlite"; spam = true; }
}
settings { strict_rule { id = "strict"; apply { actions { reject = 1; } } } }
modules { path = "/usr/share/rspamd/plugins/settings.lua"; }
lua = "%(box)s/rules.lua";
%(more)s
'''

# X-Score: 7 is a message of that score.
RSPAMD_RULES = r'''
rspamd_config:register_symbol({name = 'OWN_SCORE', type = 'normal', score = 1.0,
  callback = function(task)
    local n = tonumber(task:get_header('X-Score') or '')
    if n then return true, n, 'as asked', tostring(n) end
  end})
'''


class Rspamd:
    """rspamd with rules of our own: a normal worker and a controller, each on
    a TCP port and a UNIX socket. It has no network."""
    password = 'open sesame of a test'

    def __init__(self, box, rules='', more='', count=2):
        [path] = need('rspamd')
        # the true list of public suffixes takes half a minute to be read
        write(box, 'tld', b'org\nnet\nexample\n')
        write(box, 'rules.lua', (RSPAMD_RULES + rules).encode())
        self.port, self.control_port = free_port(), free_port()
        self.tcp = '127.0.0.1:%d' % self.port
        self.unix = 'unix:%s/normal.sock' % box
        self.control = '127.0.0.1:%d' % self.control_port
        self.control_unix = 'unix:%s/control.sock' % box
        self.conf = write(box, 'rspamd.conf', (RSPAMD % {
            'box': box, 'port': self.port, 'control_port': self.control_port,
            'password': self.password, 'count': count, 'more': more}).encode())
        os.chmod(box, 0o777)  # its workers are of another user
        self.box, self.path = box, path
        self.start()

    def start(self):
        self.process = Process([self.path, '-f', '-i', '-c', self.conf],
                               self.box + '/rspamd.out', start_new_session=True)
        self.process.wait_ready(
            lambda: all(map(listens, (self.port, self.control_port))) and
            self.answers(), 'rspamd', 60)

    def answers(self):
        link = http.client.HTTPConnection('127.0.0.1', self.port, timeout=5)
        try:
            link.request('GET', '/ping')
            return link.getresponse().status == 200
        except OSError:
            return False
        finally:
            link.close()

    def check(self, message, **fields):
        """Its own answer, by nothing of ours."""
        link = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        link.request('POST', '/checkv2', message, {
            name.replace('_', '-'): value for name, value in fields.items()})
        answer = json.loads(link.getresponse().read())
        link.close()
        return answer

    def log(self):
        with open(self.box + '/rspamd.log', encoding='utf-8',
                  errors='replace') as log:
            return log.read()

    def stop(self):
        self.process.stop()
