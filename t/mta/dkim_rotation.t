#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A whole rotation, with two name servers and a mail every moment: each bears
one RSA and one Ed25519 signature, and what it bears is published at both
servers when it goes out."""
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Client, Lab, LabError
from mtalab.messages import PLAIN
from mtalab.nsd import ask_txt
from mtalab.verifiers import by_dkimpy

DOMAIN = 'example.org'
TTL = 3
QUEUE_LIFE = 6
ADDRESSES = ['127.0.0.1', '127.0.0.2']
SERVERS = {'ns1.test.': ADDRESSES[0], 'ns2.test.': ADDRESSES[1]}


def later(condition, what, seconds=30.0):
    """As wait_until, for questions that cost a process each."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabError('waited %g s for %s' % (seconds, what))
        time.sleep(0.2)


class RotationLab(Lab):
    def set_up(self):
        super().set_up()
        self.old = [self.key(DOMAIN, 'r1', 'rsa'),
                    self.key(DOMAIN, 'e1', 'ed25519')]
        self.records = [key.record() for key in self.old]
        first = self.nsd(self.records, ttl=TTL, servers=SERVERS)
        second = self.nsd(self.records, ttl=TTL, servers=SERVERS,
                          port=first.port, address=ADDRESSES[1])
        self.servers = [first, second]
        self.mails = self.sink()
        self.filter = self.mfx_dkim({
            'dns.servers': ['127.0.0.1:%d' % first.port],
            'sign.domains': 'csl:' + DOMAIN,
            'sign.selectors': ['r1', 'e1'],
            'sign.key_path': self.dir + '/keys/%d/%s.pem',
            'state_dir': self.dir + '/state',
            'rotation.selector': 'k%Y%m',
            'rotation.queue_life': '%ds' % QUEUE_LIFE,
            'rotation.servers': ['%s:%d' % (address, first.port)
                                 for address in ADDRESSES],
            'rotation.check_interval': '1s',
            'rotation.wait_interval': '1s',
        })
        self.mta = self.postfix(self.mails, [self.filter.milter])

    def verb(self, *words):
        said = self.filter.ctl('--json', 'dkim', *words, check=False)
        return json.loads(said)

    def rotate(self, *more):
        return self.verb('rotate', DOMAIN, '-c', self.filter.config, *more)

    def keys(self):
        """{selector: what mfxctl dkim keys says of it}"""
        answer = self.verb('keys', '--socket', self.filter.control)
        return {key['selector']: key for key in answer['keys']}

    def zone(self, form='zone'):
        return self.filter.ctl('dkim', 'zone', '-c', self.filter.config, '-f',
                               form)


class Traffic(threading.Thread):
    """Sends one mail after the other, and has each verified at once, by what
    each of the two servers publishes now."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab = lab
        self.stopping = False
        self.sent = []  # (time, {selector: algorithm})
        self.bad = []
        self.start()

    def run(self):
        client = Client(self.lab.mta.submit_port)
        while not self.stopping:
            try:
                self.one(client)
            except Exception as error:  # a thread's end must be seen
                self.bad.append(repr(error))
                return
            time.sleep(0.1)
        client.close()

    def one(self, client):
        code, text = client.send(PLAIN, 'alice@example.org',
                                 ['bob@example.net'])
        if code != 250:
            self.bad.append(text)
            return
        mail = self.lab.mails.take()
        made = {}
        for value in mail.unfolded('DKIM-Signature'):
            tags = dict(re.findall(r'(\w+)=([^;]*)', value.decode()))
            made[tags['s'].strip()] = tags['a'].strip()
        self.sent.append((time.time(), made))
        if sorted(made.values()) != ['ed25519-sha256', 'rsa-sha256']:
            self.bad.append('signed by %r' % made)
        for server in self.lab.servers:
            results = by_dkimpy(mail.data, server.port, server.address)
            if set(results.values()) != {'pass'} or len(results) != 2:
                self.bad.append('%s: %r' % (server.address, results))

    def latest(self):
        """Selectors of a mail that is sent from now on."""
        count = len(self.sent)
        later(lambda: len(self.sent) > count + 1 or self.bad, 'a mail')
        return set(self.sent[-1][1])

    def first_with(self, selectors):
        return next(when for when, made in self.sent
                    if set(made) & set(selectors))

    def end(self):
        self.stopping = True
        self.join(30)


def lines_of(zone):
    """Records of a zone file, each on one line."""
    joined = re.sub(r'\(([^)]*)\)', lambda m: ' '.join(m[1].split()), zone)
    return [line for line in joined.splitlines() if 'TXT' in line]


def new_keys(lab):
    made = lab.rotate()['keys']
    tap.same(sorted(key['algorithm'] for key in made),
             ['ed25519-sha256', 'rsa-sha256'], 'rotate: one of each algorithm')
    tap.same(sorted(key['replaces'] for key in made), ['e1', 'r1'],
             'rotate: each replaces one')
    tap.same([key['made'] for key in made], [True, True], 'rotate: made')
    again = lab.rotate()['keys']
    tap.same([(key['selector'], key['record'], key['made']) for key in again],
             [(key['selector'], key['record'], False) for key in made],
             'rotate again: the same, and no third')
    for key in made:
        tap.same(os.stat(key['file']).st_mode & 0o777, 0o600,
                 'rotate: %s is private' % key['selector'])
    return {key['selector']: key for key in made}


def whole_rotation(lab, traffic):
    old = {'r1', 'e1'}
    tap.same(traffic.latest(), old, 'before: the old keys sign')
    made = new_keys(lab)
    new = set(made)
    later(lambda: new <= set(lab.keys()), 'the daemon to see them')
    later(lambda: all(lab.keys()[s]['in_dns'] == 'none' for s in new),
               'a look at DNS')
    keys = lab.keys()
    tap.same({keys[s]['state'] for s in new}, {'new'}, 'unpublished: new')
    tap.same({keys[s]['next'] for s in new}, {'publish'},
             'unpublished: to be published')
    tap.same(traffic.latest(), old, 'unpublished: the old keys sign')

    both = lab.records + [key['zone'] for key in made.values()]
    lab.servers[0].publish(both)
    later(lambda: all(lab.keys()[s]['in_dns'] == 'some' for s in new),
               'a look at the first server')
    time.sleep(TTL + 2)
    keys = lab.keys()
    tap.same({keys[s]['state'] for s in new}, {'new'},
             'on one server: still new')
    tap.same([(server['address'], server['has_key'])
              for server in keys[min(new)]['servers']],
             [(ADDRESSES[0], True), (ADDRESSES[1], False)],
             'on one server: keys says which')
    tap.same(traffic.latest(), old, 'on one server: the old keys sign')

    published = time.time()
    lab.servers[1].publish(both)
    later(lambda: traffic.latest() == new or traffic.bad,
               'the new keys to sign', 60)
    tap.ok(traffic.first_with(new) >= published + TTL,
           'on both: they sign after the TTL, not before')
    keys = lab.keys()
    tap.same({keys[s]['state'] for s in new}, {'active'}, 'they are active')
    tap.same({keys[s]['state'] for s in old}, {'retired'}, 'the old: retired')
    tap.same({keys[s]['next'] for s in old}, {'keep'},
             'the old records must stay')
    tap.ok(all('when' in keys[s] for s in old), 'and until when')
    withdraw(lab, old, new)


def withdraw(lab, old, new):
    later(lambda: {lab.keys()[s]['next'] for s in old} == {'withdraw'},
               'the queue life to pass', 60)
    tap.ok(True, 'after the queue life: to be withdrawn')
    lines = lines_of(lab.zone())
    tap.same(len(lines), 4, 'zone: four records')
    empty = [line for line in lines if re.search(r'p="', line)]
    tap.same({line.split('.')[0] for line in empty}, old,
             'zone: the old ones with an empty p=')
    for server in lab.servers:
        server.publish(lines)
    tap.same(ask_txt('r1._domainkey.' + DOMAIN, lab.servers[0].port),
             [b'v=DKIM1; k=rsa; p='], 'DNS has it so')
    later(lambda: {lab.keys()[s]['state'] for s in old} == {'withdrawn'},
               'a look at what was withdrawn', 60)
    keys = lab.keys()
    tap.same({keys[s]['in_dns'] for s in old}, {'revoked'}, 'withdrawn: p=')
    tap.same({keys[s]['state'] for s in new}, {'active'}, 'the new: active')


def signers(lab):
    return {s for s, key in lab.keys().items() if key['signing']}


def afterwards(lab, new):
    lab.filter.stop()
    lab.filter.start()
    tap.same(signers(lab), new, 'after a restart the same keys sign')
    for key in lab.old:
        os.unlink(key.path)
    lab.filter.ctl('reload')
    tap.same(signers(lab), new, 'without the old files they do, too')
    tap.same([key['replaces'] in new and key['made']
              for key in lab.rotate('--algorithm', 'ed25519')['keys']], [True],
             'and the next one replaces them')
    lab.filter.configure({'sign.selectors': sorted(new)})
    tap.same(signers(lab), new, 'and when the configuration names them')
    again = lab.rotate('--algorithm', 'rsa')['keys']
    tap.same([key['replaces'] in new for key in again], [True],
             'and they can be rotated again')


def main():
    with RotationLab() as lab:
        traffic = Traffic(lab)
        whole_rotation(lab, traffic)
        new = traffic.latest()
        traffic.end()
        tap.same(traffic.bad, [], '%d mails: each signed once by each '
                 'algorithm, and right at both servers' % len(traffic.sent))
        afterwards(lab, new)
    tap.done()


main()
