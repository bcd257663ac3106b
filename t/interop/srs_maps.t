#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-masq's map server as Postfix's own tables: postmap asks it, and a private
Postfix rewrites by it in place of PostSRSd, through reloads and a crash."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Lab, LabError, free_port, listens, send, socket_listens, \
    wait_until

US = 'srs.example'
MESSAGE = b'From: a@far.example\r\nTo: b@us.example\r\nSubject: x\r\n\r\nHello\r\n'
LONG = ('a-rather-long-local-part+of-a-mailing-list=user=host.example@'
        'bounces.lists.far.example')


class Maps:
    """The daemon under test, and how its maps are named."""

    def __init__(self, lab):
        self.path = lab.dir + '/srs.sock'
        self.secrets = lab.dir + '/secrets'
        self.ports = [free_port() for _ in range(3)]
        self.write_secrets('tops3cr3t')
        self.daemon = lab.mfx_masq({
            'our_domains': 'csl:us.example',
            'srs.domain': US,
            'srs.secrets_file': self.secrets,
            'map_server.socketmap': ['unix:' + self.path,
                                     'inet:127.0.0.1:%d' % self.ports[0]],
            'map_server.tcp_forward': '127.0.0.1:%d' % self.ports[1],
            'map_server.tcp_reverse': '127.0.0.1:%d' % self.ports[2]})
        self.wait_ready()

    def write_secrets(self, *secrets):
        new = self.secrets + '.new'
        with open(new, 'w', encoding='ascii') as file:
            file.write(''.join(line + '\n' for line in secrets))
        os.chmod(new, 0o600)
        os.rename(new, self.secrets)

    def wait_ready(self):
        wait_until(lambda: socket_listens(self.path) and
                   all(listens(p) for p in self.ports), 'the map server')

    def start(self):
        self.daemon.start()
        self.wait_ready()

    def tables(self):
        """The same map by each way: (forward, reverse)."""
        unix = 'socketmap:unix:%s:' % self.path
        inet = 'socketmap:inet:127.0.0.1:%d:' % self.ports[0]
        yield 'socketmap unix', unix + 'srs_forward', unix + 'srs_reverse'
        yield 'socketmap inet', inet + 'srs_forward', inet + 'srs_reverse'
        yield 'names of PostSRSd 2', unix + 'forward', unix + 'reverse'
        yield ('tcp', 'tcp:127.0.0.1:%d' % self.ports[1],
               'tcp:127.0.0.1:%d' % self.ports[2])


def postmap(postfix, table, key):
    """(status, value, what it says)"""
    got = subprocess.run(['postmap', '-c', postfix.config, '-q', key, table],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=60, check=False)
    return (got.returncode, got.stdout.decode().rstrip('\n'),
            got.stderr.decode())


SENDERS = ['a@far.example', 'First.Last+x@Far.Example', 'a=b@far.example',
           'SRS0=opaque+string@otherdomain.example',
           'SRS1=X=thirddomain.example==opaque+string@otherdomain.example',
           LONG, "o'neil%x@far.example"]
NOT_FOUND_FORWARD = ['a@us.example', 'a', '@far.example', 'x@' + US]
NOT_FOUND_REVERSE = ['a@far.example', 'postmaster@' + US, 'a',
                     'SRS0=FAKE=2W=far.example=a@' + US]


def by_postmap(maps, postfix):
    for name, forward, reverse in maps.tables():
        wrong = []
        for sender in SENDERS:
            status, value, said = postmap(postfix, forward, sender)
            if status or not re.fullmatch(r'SRS[01]=.*@' + US, value) or \
                    len(value.partition('@')[0]) > 64:
                wrong.append((sender, status, value, said))
                continue
            back = postmap(postfix, reverse, value)
            want = sender
            if sender.startswith('SRS1'):
                want = 'SRS0=opaque+string@thirddomain.example'
            if back[:2] != (0, want):
                wrong.append((sender, value, back))
        tap.ok(not wrong, name + ': senders become SRS addresses and come back',
               *wrong)
        got = [postmap(postfix, forward, key) for key in NOT_FOUND_FORWARD]
        got += [postmap(postfix, reverse, key) for key in NOT_FOUND_REVERSE]
        tap.ok(all(one == (1, '', '') for one in got),
               name + ': others are not found, without a word', *got)


def outage(maps, postfix):
    maps.daemon.process.kill()
    for name, forward, _ in maps.tables():
        if name == 'tcp':
            continue  # Postfix tries for ten seconds, as it does below
        status, value, said = postmap(postfix, forward, 'a@far.example')
        tap.ok(status == 1 and not value and said,
               name + ': no server is an error, not an answer',
               status, value, said)
    code, text = send(postfix.mx_port, MESSAGE, sender='a@far.example',
                      to=['b@us.example'])
    tap.ok(code == 451, 'Postfix puts mail off', code, text)
    maps.start()
    code, text = send(postfix.mx_port, MESSAGE, sender='a@far.example',
                      to=['b@us.example'])
    tap.ok(code == 250, 'and takes it again', code, text)


def reload(maps, postfix, sink):
    """The next secrets, on the connections that Postfix has open."""
    send(postfix.mx_port, MESSAGE, sender='a@far.example', to=['b@else.example'])
    old = envelope(sink)[0]
    for secrets, is_known in ((['newer', 'tops3cr3t'], True),
                              (['newer'], False)):
        maps.write_secrets(*secrets)
        maps.daemon.configure({})
        send(postfix.mx_port, MESSAGE, sender='a@far.example',
             to=['b@else.example'])
        tap.ok(envelope(sink)[0] != old, 'a new secret makes other addresses')
        send(postfix.mx_port, MESSAGE, sender='', to=[old])
        tap.same(envelope(sink)[1], ['a@far.example' if is_known else old],
                 'an older one is known for as long as it is listed')
    path = maps.path + '2'
    maps.daemon.configure({'map_server.socketmap': ['unix:' + path],
                           'map_server.mode': '0640'})
    wait_until(lambda: socket_listens(path), 'the new socket')
    tap.same((os.stat(path).st_mode & 0o777, socket_listens(maps.path)),
             (0o640, False), 'sockets change with the settings')


def settings_of(maps):
    """As PostSRSd's documentation has them; alias expansion included."""
    return {
        'sender_canonical_maps': 'socketmap:unix:%s:srs_forward' % maps.path,
        'sender_canonical_classes': 'envelope_sender',
        'recipient_canonical_maps': 'tcp:127.0.0.1:%d' % maps.ports[2],
        'recipient_canonical_classes': 'envelope_recipient, header_recipient',
    }


def path(command):
    return re.search(r'<(.*?)>', command.decode()).group(1)


def envelope(sink):
    mail = sink.take()
    return path(mail.sender), [path(r) for r in mail.recipients]


def by_postfix(postfix, sink):
    for sender in ('a@far.example', LONG, 'Mixed.Case@Far.Example',
                   'SRS0+x=y=Z.example=u@far.example'):
        code, text = send(postfix.mx_port, MESSAGE, sender=sender,
                          to=['b@else.example'])
        tap.ok(code == 250, 'mail of %s is taken' % sender, code, text)
        srs = envelope(sink)[0]
        tap.like(srs, r'(?i)^SRS[01]=.*@' + US, 'its sender is an SRS address')
        code, text = send(postfix.mx_port, MESSAGE, sender='', to=[srs])
        tap.ok(code == 250, 'the bounce is taken', code, text)
        back = envelope(sink)
        tap.same(back, ('', [sender]), 'and goes to the sender')
    for sender in ('x@us.example', ''):
        code, text = send(postfix.mx_port, MESSAGE, sender=sender,
                          to=['b@else.example'])
        tap.same((code, envelope(sink)[0]), (250, sender),
                 'sender <%s> stays' % sender)
    quoted = '"a b"@far.example'
    send(postfix.mx_port, MESSAGE, sender=quoted, to=['b@else.example'])
    srs = envelope(sink)[0]
    tap.like(srs, r'^"SRS0=.*=a b"@' + US + '$', 'quotes are kept')
    send(postfix.mx_port, MESSAGE, sender='', to=[srs])
    tap.same(envelope(sink)[1], [quoted], 'and come back')


with Lab() as lab:
    try:
        sink = lab.sink()
        maps = Maps(lab)
        postfix = lab.postfix(sink, [], settings=settings_of(maps))
        by_postmap(maps, postfix)
        by_postfix(postfix, sink)
        outage(maps, postfix)
        sink.take()
        reload(maps, postfix, sink)
    except LabError as error:
        tap.ok(False, 'the lab works', error)
tap.done()
