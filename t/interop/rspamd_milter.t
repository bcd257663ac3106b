#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same answers of an engine through rspamd's own milter and through
mfx-score: the MTA is told to do the same, or what differs is one of those that
are written here, with its reason.

The engine is a stub; its answers are made at random: fields removed and added
at all places, sender, recipients, signatures, marks, subject, body, actions.
What an MTA makes of the edits is compared, by a model of Postfix's cleanup.

MFX_SEED (default 7) begins the series, MFX_REPLIES (default 400) is how many
answers there are.
"""
import copy
import email.header
import http.server
import json
import os
import random
import re
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import milterwire
import scanlab
import tap
from mtalab import Lab
from mtalab.process import socket_listens, wait_until
from mtalab.scanners import Rspamd

SEED = int(os.environ.get('MFX_SEED', '7'))
REPLIES = int(os.environ.get('MFX_REPLIES', '400'))
SHOWN = int(os.environ.get('MFX_SHOWN', '5'))  # differences that are printed

PROXY = '''\
worker "rspamd_proxy" {
  bind_socket = "%s mode=0666"; count = 1; milter = yes; timeout = 60s;
  upstream "stub" { default = yes; hosts = "127.0.0.1:%d"; }
}
'''
# Fields that mfx-score writes by itself, which the peer does not.
SETTINGS = {'headers.' + name: '' for name in (
    'flag', 'score', 'level', 'status', 'symbols', 'action', 'virus_scanned',
    'virus_status', 'original_to')}
SETTINGS.update({'headers.remove': [], 'thresholds.greylist': 'none',
                 'subject_tag': ''})
SETTINGS.update({'%sthresholds.%s' % (whose, name): 'none'
                 for whose in ('', 'outgoing.')
                 for name in ('tag', 'subject', 'hold', 'redirect', 'discard',
                              'reject')})


class Stub:
    """An engine that answers what it is told to."""

    def __init__(self):
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                self.rfile.read(int(self.headers.get('Content-Length', 0)))
                content = json.dumps(stub.reply).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                if stub.body is not None:
                    self.send_header('Message-Offset', str(len(content)))
                    content += stub.body
                self.send_header('Content-Length', str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST

            def log_message(self, *_words):
                pass

        self.reply, self.body = {}, None
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()


class Mail:
    """As Postfix has it after a filter's edits. The first field is its own
    Received, which no filter sees but which counts for places."""

    def __init__(self, message):
        self.fields = [(b'Received', b' by us')] + [
            (name, b' ' + value) for name, value in message.fields]
        self.sender = message.sender.encode()
        self.recipients = {r.encode() for r in message.recipients}
        self.body = message.body
        self.verdict = 'accept'
        self.quarantined = False

    def apply(self, outcome):
        blank = b'' if outcome.writes_exactly else b' '
        body = b''.join(d for c, d in outcome.told if c == b'b')
        if any(c == b'b' for c, _ in outcome.told):
            self.body = body
        for command, data in outcome.told:
            self.one(command, data, blank)
        self.verdict = outcome.verdict
        self.quarantined = outcome.quarantined

    def one(self, command, data, blank):
        if command == b'h':
            name, value = data.split(b'\0')[:2]
            self.fields.append((name, blank + value))
        elif command == b'i':
            name, value = data[4:].split(b'\0')[:2]
            self.fields.insert(struct.unpack('>I', data[:4])[0],
                               (name, blank + value))
        elif command == b'm':
            self.change(struct.unpack('>I', data[:4])[0],
                        *data[4:].split(b'\0')[:2], blank)
        elif command == b'e':
            self.sender = address(data)
        elif command in b'+2':
            self.recipients.add(address(data))
        elif command == b'-':
            self.recipients.discard(address(data))

    def change(self, number, name, value, blank):
        at = [i for i, field in enumerate(self.fields)
              if i > 0 and field[0].lower() == name.lower()]
        at = at[max(number, 1) - 1:][:1]
        if value == b'':
            for i in at:
                del self.fields[i]
        elif at:
            self.fields[at[0]] = (name, blank + value)
        else:
            self.fields.append((name, blank + value))

    def shown(self):
        if self.verdict != 'accept':
            return (self.verdict,)
        return (self.verdict, self.quarantined, self.sender,
                sorted(self.recipients), self.body,
                [(name.lower(), read(name, value))
                 for name, value in self.fields])


def address(data):
    return data.split(b'\0')[0].strip(b'<>')


def read(name, value):
    """Subjects are compared as they are shown."""
    if name.lower() != b'subject':
        return value
    text = value.decode('utf-8', 'replace')
    return str(email.header.make_header(email.header.decode_header(
        re.sub('[\r\n]', '', text)))).split()


# --- answers ---

NAMES = ['X-New', 'X-Old', 'X-Twice', 'A', 'From', 'X-Spam', 'X-None']
ACTIONS = ['no action'] * 4 + ['add header', 'rewrite subject', 'greylist',
                               'soft reject', 'reject', 'quarantine',
                               'discard']
VALUES = ['v', 'one\n\ttwo', 'gr\u00fcn', 'x' * 200, 'a  b', '"q" (c)']
BAD_VALUES = ['v\r\nX-Bad: y', 'v\nX-Bad: y', 'v\rw', 'v\n \n w', 'v\u0007']
BAD_NAMES = ['X Bad', 'X-Bad:', 'X-B\u00fcd', 'X-Bad\r\nX-More']
BAD_ADDRESSES = ['a b', 'x@y> SIZE=1', 'a@b\r\nDATA', 'a@b,c@d']


def addition(rng):
    value = rng.choice(VALUES)
    kind = rng.random()
    if kind < 0.2:
        return value
    order = rng.choice([0, 1, 2, 3, 5, 9, 50, -1, -1, -2, -3, -5, -9])
    made = {'value': value}
    if kind < 0.9:
        made['order'] = order
    return made


def is_from_end(value):
    values = value if isinstance(value, list) else [value]
    return any(isinstance(v, dict) and v.get('order', 0) < -1 for v in values)


def milter_block(rng):
    block = {}
    if rng.random() < 0.5:
        block['remove_headers'] = {
            name: rng.choice([0, 0, 1, 2, -1, -2, 7, -7])
            for name in rng.sample(NAMES, rng.randint(1, 3))}
    if rng.random() < 0.7:
        block['add_headers'] = {
            name: ([a for a in (addition(rng) for _ in range(3))
                    if isinstance(a, dict)]
                   if rng.random() < 0.2 else addition(rng))
            for name in rng.sample(NAMES, rng.randint(1, 4))}
    if rng.random() < 0.2:
        block['change_from'] = rng.choice(['other@example.org', '<a@b>', ''])
    if rng.random() < 0.2:
        block['add_rcpt'] = rng.sample(['more@example.net', '<r@example.org>',
                                        'root'], rng.randint(1, 2))
    if rng.random() < 0.2:
        block['del_rcpt'] = rng.sample(['bob@example.net', 'carol@example.net',
                                        'nobody@example.net'], 1)
    if rng.random() < 0.1:
        block['spam_header'] = rng.choice(
            ['Very', {'X-Mark': 'yes'}, {'X-Twice': 'now', 'X-Mark': 'q'}])
    if rng.random() < 0.1:
        block['no_action'] = rng.random() < 0.7
    if rng.random() < 0.1:
        block['reject'] = rng.choice(['discard', 'quarantine'])
    return block


def answer(rng):
    reply = {'score': 7.0, 'required_score': 15.0, 'is_skipped': False,
             'symbols': {}, 'action': rng.choice(ACTIONS)}
    if rng.random() < 0.85:
        reply['milter'] = milter_block(rng)
    if rng.random() < 0.2:
        reply['dkim-signature'] = rng.choice(
            ['v=1; a=x;\n\tb=y', ['one'], ['one', 'two', 'three']])
    if rng.random() < 0.3:
        reply['subject'] = rng.choice(['*** SPAM *** hi', '*** gr\u00fcn ***',
                                       '=?UTF-8?Q?***_gr=C3=BCn?='])
    if rng.random() < 0.3:
        reply['messages'] = {'smtp_message': 'Not this'}
    return reply


# What differs on purpose: the answer is changed so that the peer has none of
# it, and the reason is here.
def without_deviations(reply, body):
    reply = copy.deepcopy(reply)
    block = reply.get('milter', {})
    additions = block.get('add_headers', {})
    # A spam_header marks in spite of no_action; ours does not.
    if block.get('no_action'):
        block.pop('spam_header', None)
    # Places from the end: the peer does not count a field that was added
    # without a place, we do. So without such fields.
    if any(is_from_end(value) for value in additions.values()):
        for name, value in list(additions.items()):
            if isinstance(value, str):
                additions[name] = {'value': value}
    # The peer takes the old mark out last, we do so first: places below it
    # differ by one.
    if reply['action'] == 'add header':
        for value in additions.values():
            for made in value if isinstance(value, list) else [value]:
                if isinstance(made, dict) and \
                        made.get('order', 0) not in (-1, 0, 1):
                    del made['order']
    # The mark takes the place of a field of its name that the answer adds;
    # here both stand.
    if reply['action'] == 'add header':
        for name in ('X-Spam', 'X-Twice'):
            additions.pop(name, None)
    # The peer sends signatures and the body behind its last word when
    # spam_header marks the mail: they are lost. Ours are not.
    if reply['action'] == 'add header' and 'spam_header' in block:
        reply.pop('dkim-signature', None)
        body = None
    return reply, body


def spoil(rng, reply):
    """Puts what must not be written into the answer: what is left of it is to
    be done. The good one, and the bad one."""
    bad = copy.deepcopy(reply)
    block = bad.setdefault('milter', {})
    for _ in range(rng.randint(1, 3)):
        what = rng.random()
        additions = block.setdefault('add_headers', {})
        if what < 0.4:
            additions['X-Evil%d' % len(additions)] = rng.choice(BAD_VALUES)
        elif what < 0.7:
            additions[rng.choice(BAD_NAMES)] = rng.choice(VALUES)
        else:
            block.setdefault('add_rcpt', []).append(rng.choice(BAD_ADDRESSES))
    return reply, bad


# --- the comparison ---

def message():
    return milterwire.Message(
        client='127.0.0.2', client_name='client.example',
        sender='alice@example.org',
        recipients=['bob@example.net', 'carol@example.net'],
        fields=[(b'Received', b'from a by b'), (b'From', b'a@example.org'),
                (b'Subject', b'hi'), (b'X-Twice', b'1'), (b'X-Old', b'old'),
                (b'x-twice', b'2'), (b'A', b'1'), (b'A', b'2'), (b'A', b'3'),
                (b'X-Spam', b'forged')])


class MilterLab(Lab):
    def set_up(self):
        self.stub = Stub()
        folder = self._folder('rspamd')
        self.peer = folder + '/stub.sock'
        self._add(Rspamd(folder, '', more=PROXY % (self.peer,
                                                   self.stub.port)))
        wait_until(lambda: socket_listens(self.peer), 'rspamd_proxy', 30)
        self.ours = self.mfx_score({**SETTINGS, 'engines': [{
            'name': 'rspamd', 'type': 'rspamd',
            'servers': ['127.0.0.1:%d' % self.stub.port]}]})

    def result(self, path, reply, body):
        self.stub.reply, self.stub.body = reply, body
        mail = Mail(message())
        outcome = milterwire.ask(path, message())
        mail.apply(outcome)
        return mail.shown(), outcome.told

    def compare(self, for_peer, for_us, body):
        theirs, told_theirs = self.result(self.peer, for_peer, body)
        ours, told_ours = self.result(self.ours.milter[len('unix:'):], for_us,
                                      body)
        if theirs == ours:
            return None
        return {'answer': for_us, 'theirs': theirs, 'ours': ours,
                'told by them': told_theirs, 'told by us': told_ours}


def report(label, differences, count):
    tap.same(len(differences), 0, '%d answers: %s' % (count, label))
    for difference in differences[:SHOWN]:
        for key, value in difference.items():
            tap.note('%s: %r' % (key, value))


def main():
    scanlab.need('rspamd')
    tap.note('MFX_SEED=%d MFX_REPLIES=%d' % (SEED, REPLIES))
    rng = random.Random(SEED)
    with MilterLab() as lab:
        good, spoiled, seen = [], [], set()
        for number in range(REPLIES):
            reply, body = without_deviations(
                answer(rng), b'Rewritten.\r\n' if rng.random() < 0.1 else None)
            if number % 4 == 3:
                difference = lab.compare(*spoil(rng, reply), body)
                spoiled += [difference] if difference else []
            else:
                difference = lab.compare(reply, reply, body)
                good += [difference] if difference else []
            seen.add(reply['action'])
        report('the MTA is told to do the same', good,
               REPLIES - REPLIES // 4)
        report('what is bad is left out, the rest is done', spoiled,
               REPLIES // 4)
        tap.same(seen, set(ACTIONS), 'every action was proposed')
    tap.done()


main()
