# SPDX-License-Identifier: BSD-2-Clause
"""dkiminterop - what we sign a peer verifies, and what a peer signs we verify

A peer is an object with a name, `algorithms` (what it knows), and

    verify(paths)            -> {path: True, False or a text}
    sign(jobs)               -> signed messages in order; a job is a Job
    skips(what, job)         -> None, or why this one cannot be asked

and has `sign_canons` when it cannot sign with all, and `random`: how many
random messages it gets besides. run(peer) walks all canonicalizations,
algorithms and awkward messages in both directions and prints TAP.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

import tap

DOMAIN = 'example.org'
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
TOOL = os.path.join(BUILD, 't/lib/dkimtool')
CANONS = ['simple/simple', 'simple/relaxed', 'relaxed/simple',
          'relaxed/relaxed']

HEADER = (b'Received: from a.example by b.example; Mon, 2 Nov 2026 10:00:00 +0000\r\n'
          b'From: Alice <alice@example.org>\r\n'
          b'To: Bob <bob@example.net>\r\n'
          b'Subject: a message\r\n'
          b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
          b'Message-ID: <1@example.org>\r\n')
FOLDED = (b'From: Alice\r\n <alice@example.org>\r\n'
          b'To: Bob <bob@example.net>,\r\n\tCarol <carol@example.net>,\r\n'
          b'   Dave   <dave@example.net>\r\n'
          b'Subject: a  message\r\n\twith\t tabs and   blanks \r\n'
          b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
          b'Message-ID: <1@example.org>\r\n')
EMPTY = (b'From: alice@example.org\r\n'
         b'To: bob@example.net\r\n'
         b'Subject:\r\n'
         b'Reply-To: \r\n'
         b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n')
REPEATED = (b'From: alice@example.org\r\n'
            b'To: first@example.net\r\n'
            b'Cc: one@example.net\r\n'
            b'to: second@example.net\r\n'
            b'TO: third@example.net\r\n'
            b'Cc: two@example.net\r\n'
            b'Subject: three To and two Cc\r\n')
LISTS = (b'From: alice@example.org\r\n'
         b'List-Archive: <https://a.example/>\r\n'
         b'Subject: two of a list field\r\n'
         b'list-archive: <https://b.example/>\r\n')
EIGHT_BIT = (b'From: Al\xc3\xa9 <alice@example.org>\r\n'
             b'To: bob@example.net\r\n'
             b'Subject: caf\xe9 and na\xc3\xafve\r\n')
TIGHT = (b'From:alice@example.org\r\n'
         b'To:\tbob@example.net\r\n'
         b'Subject:   three blanks before\r\n')

MESSAGES = {
    'plain': HEADER + b'\r\nHello.\r\n\r\nBye.\r\n',
    'empty body': HEADER + b'\r\n',
    'trailing blank lines': HEADER + b'\r\nHello.\r\n\r\n\r\n\r\n',
    'only blank lines': HEADER + b'\r\n\r\n\r\n\r\n',
    'no final CRLF': HEADER + b'\r\nHello.\r\nBye',
    'no final CRLF after blanks': HEADER + b'\r\nHello.  ',
    'lines of white space': HEADER + b'\r\nHello.\r\n \r\n\t\r\n \t \r\nBye.\r\n',
    'white space at the end': HEADER + b'\r\nHello. \t\r\n \r\n\t \r\n\r\n',
    'only white space': HEADER + b'\r\n \r\n\t\r\n',
    'blanks and tabs': HEADER + b'\r\n  a \t b\t\tc\r\n\td  \r\ne\t\r\n',
    'dots': HEADER + b'\r\n.\r\n..\r\n.a\r\na.\r\n',
    'eight-bit': EIGHT_BIT + b'\r\ncaf\xc3\xa9 \xff\xfe\x80 \xa0\r\n',
    'folded headers': FOLDED + b'\r\nHello.\r\n',
    'empty headers': EMPTY + b'\r\nHello.\r\n',
    'repeated headers': REPEATED + b'\r\nHello.\r\n',
    'repeated list headers': LISTS + b'\r\nHello.\r\n',
    'no blank after colon': TIGHT + b'\r\nHello.\r\n',
    'a long line': HEADER + b'\r\n' + b'word  ' * 900 + b'\r\n',
    'many lines': HEADER + b'\r\n' + b'A line of text, and a blank. \r\n' * 9000,
}


class Job:
    """One message to be signed."""

    def __init__(self, label, algorithm, canon, message=None):
        self.label = label
        self.algorithm = algorithm
        self.canon = canon
        self.message = message or MESSAGES[label]
        self.selector = 'rsa' if algorithm == 'rsa-sha256' else 'ed'

    def __str__(self):
        return '%s %s %s' % (self.algorithm, self.canon, self.label)


class Bench:
    """Keys, their zone and a folder for files."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='mfx-interop-')
        self.keys = {}
        self.records = {}
        for selector, options in (('rsa', ['RSA', '-pkeyopt',
                                           'rsa_keygen_bits:2048']),
                                  ('ed', ['ED25519'])):
            path = os.path.join(self.folder, selector + '.pem')
            subprocess.run(['openssl', 'genpkey', '-algorithm'] + options +
                           ['-out', path], check=True,
                           stderr=subprocess.DEVNULL)
            os.chmod(path, 0o600)
            text = subprocess.run([TOOL, 'record', 'key=' + path], check=True,
                                  capture_output=True, text=True).stdout
            self.keys[selector] = path
            self.records['%s._domainkey.%s' % (selector, DOMAIN)] = text.strip()
        self.zone = self.write('zone', ''.join(
            '%s %s\n' % item for item in self.records.items()).encode())

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def sign(self, job):
        path = self.write('in.eml', job.message)
        return subprocess.run(
            [TOOL, 'sign', 'key=' + self.keys[job.selector], 'd=' + DOMAIN,
             's=' + job.selector, 'c=' + job.canon, path], check=True,
            capture_output=True).stdout

    def verify(self, message):
        path = self.write('check.eml', message)
        run = subprocess.run([TOOL, 'verify', 'zone=' + self.zone,
                              'piece=7', path], capture_output=True, text=True)
        return run.returncode == 0, run.stdout + run.stderr

    def close(self):
        shutil.rmtree(self.folder)


NAMES = [b'To', b'Cc', b'Subject', b'TO', b'Reply-To', b'X-A', b'Date',
         b'List-Id', b'MIME-Version', b'References', b'cc']
WORDS = [b' ', b'\t', b'  ', b'word', b'x', b'\xc3\xa9', b',', b'<a@b>', b'"q"',
         b'=?utf-8?q?x?=']
PARTS = [b' ', b'\t', b'\r\n', b'x', b'word', b'  ', b' \r\n', b'\r\n\r\n',
         b'.']


def some(dice, of, most):
    return b''.join(dice.choice(of) for _ in range(dice.randrange(most)))


def random_message(dice):
    """Fields in any order, folded anyhow; a body of words and gaps."""
    fields = [b'From:' + some(dice, [b' '], 2) + b'a@' + DOMAIN.encode()]
    for _ in range(dice.randrange(9)):
        value = some(dice, WORDS, 12)
        for _ in range(dice.randrange(3)):
            value += (b'\r\n' + dice.choice([b' ', b'\t', b'  \t']) + b'z' +
                      some(dice, WORDS, 6))
        fields.append(dice.choice(NAMES) + b':' + value)
    dice.shuffle(fields)
    return b'\r\n'.join(fields) + b'\r\n\r\n' + some(dice, PARTS, 60) + b'\r\n'


def jobs_for(peer, canons=CANONS):
    dice = random.Random(6376)
    jobs = [Job(label, algorithm, canon) for algorithm in peer.algorithms
            for canon in canons for label in MESSAGES]
    return jobs + [Job('random %d' % n, dice.choice(peer.algorithms),
                       dice.choice(canons), random_message(dice))
                   for n in range(getattr(peer, 'random', 0))]


def split(peer, what, jobs):
    """The jobs to do; the others are said to be skipped."""
    todo = []
    for job in jobs:
        why = peer.skips(what, job)
        if why is None:
            todo.append(job)
        else:
            tap.ok(True, '%s %s # SKIP %s' % (what, job, why))
    return todo


def ours_to_peer(bench, peer):
    jobs = split(peer, 'peer verifies', jobs_for(peer))
    paths = [bench.write('ours-%d.eml' % n, bench.sign(job))
             for n, job in enumerate(jobs)]
    got = peer.verify(paths)
    for job, path in zip(jobs, paths):
        tap.ok(got.get(path) is True, '%s verifies ours: %s' % (peer.name, job),
               got.get(path))


def changed_to_peer(bench, peer):
    """That a peer says pass means something only if it can say fail."""
    job = Job('plain', 'rsa-sha256', 'relaxed/relaxed')
    signed = bench.sign(job)
    paths = [bench.write('body.eml', signed.replace(b'Bye.', b'Buy.')),
             bench.write('head.eml', signed.replace(b'a message', b'message'))]
    got = peer.verify(paths)
    for path in paths:
        tap.ok(got.get(path) is not True, '%s refuses a changed %s'
               % (peer.name, os.path.basename(path)), got.get(path))


def peer_to_ours(bench, peer):
    jobs = split(peer, 'peer signs',
                 jobs_for(peer, getattr(peer, 'sign_canons', CANONS)))
    for job, message in zip(jobs, peer.sign(jobs)):
        passed, text = bench.verify(message)
        tap.ok(passed, 'we verify %s: %s' % (peer.name, job), text,
               message[:3000])


def run(make_peer):
    if not os.access(TOOL, os.X_OK):
        tap.skip_all('t/lib/dkimtool is not built (make check builds it)')
    bench = Bench()
    peer = None
    try:
        peer = make_peer(bench)
        ours_to_peer(bench, peer)
        changed_to_peer(bench, peer)
        peer_to_ours(bench, peer)
    finally:
        if hasattr(peer, 'close'):
            peer.close()
        bench.close()
    tap.done()


def need(program):
    """The path of a peer's program, or the end of the test."""
    path = shutil.which(program, path=os.environ.get('PATH', '') +
                        ':/usr/sbin:/sbin')
    if path is None:
        tap.skip_all(program + ' is not installed')
    return path


sys.stdout.reconfigure(errors='backslashreplace')
