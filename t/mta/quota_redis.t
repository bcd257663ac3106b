#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Three relays, one Redis: a limit holds over all of them, through the death
of a daemon, of Redis, and a failover."""
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Lab, send, wait_until

MESSAGE = (b'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\n'
           b'Subject: hello\r\n\r\nHello\r\n')
RELAYS = 3


class Site:
    def __init__(self, lab):
        self.lab = lab
        self.sink = lab.sink()
        self.auth = lab.auth_server()
        self.primary = lab.redis()
        self.replica = lab.redis(replica_of=self.primary)
        self.quotas = [lab.mfx_quota({
            'rules': [{'name': 'daily', 'limits': '30/1d'}],
            'store.type': 'redis',
            'redis.servers': [self.primary.server(), self.replica.server()],
        }) for _ in range(RELAYS)]
        self.relays = [lab.postfix(self.sink, [quota.milter],
                                   auth_port=self.auth.port)
                       for quota in self.quotas]

    def configure(self, **settings):
        for quota in self.quotas:
            quota.configure({name.replace('__', '.'): value
                             for name, value in settings.items()})

    def send(self, relay, login, to='bob@example.net'):
        return send(self.relays[relay].submit_port, MESSAGE, to=[to],
                    login=login)

    def all_at_once(self, login, count, during=None):
        """So many messages over each relay; how many were taken."""
        codes, lock = [], threading.Lock()

        def session(relay):
            for n in range(count):
                code = self.send(relay, login, 'r%d@example.net' % n)[0]
                with lock:
                    codes.append(code)

        threads = [threading.Thread(target=session, args=(n,))
                   for n in range(RELAYS)]
        for thread in threads:
            thread.start()
        if during:
            during(lambda: len(codes))
        for thread in threads:
            thread.join()
        tap.note('replies: %s' % {c: codes.count(c) for c in set(codes)})
        return codes.count(250)

    def arrived(self):
        count = 0
        try:
            while not self.sink.stays_empty(1.0):
                self.sink.take()
                count += 1
        except Exception as error:
            tap.note(error)
        return count


def shared(site):
    taken = site.all_at_once('anna', 15)
    tap.same(taken, 30, 'three relays together let 30 through')
    tap.same(site.arrived(), 30, '30 arrive')
    text = site.quotas[0].ctl('metrics')
    tap.like(text, r'mfx_quota_store_up 1\b', 'the metrics say it is up')


def daemon_dies(site):
    def kill(done):
        wait_until(lambda: done() >= 10, 'ten replies', 60)
        site.quotas[1].kill()
        site.quotas[1].start()

    taken = site.all_at_once('ben', 20, kill)
    arrived = site.arrived()
    tap.same(arrived, taken, 'what was taken arrives')
    # a message in flight at the kill may be counted and not sent
    tap.ok(29 <= taken <= 30, 'with a kill -9 in the middle: %d' % taken)
    more = [site.send(n, 'ben')[0] for n in range(RELAYS)]
    tap.same(more, [451] * 3, 'and no more after it')


def failover(site):
    site.configure(redis__wait_replicas=1, redis__wait='2s')
    taken = [site.send(n % 3, 'carl')[0] for n in range(12)]
    tap.same(taken, [250] * 12, 'with a replica to wait for')
    site.primary.kill()
    tap.note(site.replica.promote())
    site.configure(redis__wait_replicas=0)

    def is_up():
        return all('mfx_quota_store_up 1' in quota.ctl('metrics')
                   for quota in site.quotas)

    wait_until(is_up, 'the new primary', 30)
    codes = [site.send(n % 3, 'carl')[0] for n in range(21)]
    tap.same(codes.count(250), 18,
             'after a failover the first twelve still count')
    tap.same(site.arrived(), 30, '30 arrive')


def away(site):
    """No Redis at all: each relay gives out its share, and what passed is
    counted when it is back."""
    site.configure(store_error='local', local_share=20)
    site.replica.kill()
    codes = [site.send(0, 'dora')[0] for _ in range(8)]
    tap.same(codes, [250] * 6 + [451] * 2,
             'one relay gives out a fifth of 30 by itself')
    tap.like(site.quotas[0].log(), r'store_down', 'the log says why')
    tap.like(site.quotas[0].log(), r'counted .*store=local',
             'and of each message who counted it')
    tap.same(site.send(1, 'dora')[0], 250, 'another one has its own share')
    site.configure(store_error='tempfail')
    tap.same(site.send(0, 'emil')[0], 451, 'or mail waits')
    site.configure(store_error='accept')
    tap.same([site.send(0, 'emil')[0] for _ in range(2)], [250] * 2,
             'or nothing is limited')
    site.replica.start()

    def is_merged():
        return 'messages=7' in ' '.join(
            re.findall(r'merged messages=\d+', site.quotas[0].log())) or sum(
                int(n) for n in re.findall(r'merged messages=(\d+)',
                                           site.quotas[0].log())) >= 8

    wait_until(is_merged, 'what was counted meanwhile', 30)
    wait_until(lambda: 'merged' in site.quotas[1].log(), 'the other relay', 30)
    codes = [site.send(2, 'dora')[0] for _ in range(24)]
    tap.same(codes.count(250), 23,
             'seven passed meanwhile, so 23 are left, on any relay')
    codes = [site.send(2, 'emil')[0] for _ in range(29)]
    tap.same(codes.count(250), 28, 'what nothing limited was counted, too')
    site.arrived()


def frozen(site):
    """Redis hangs: no longer than store_timeout."""
    import time
    site.configure(store_error='local', store_timeout='300ms')
    site.send(0, 'fred')
    site.replica.freeze()
    began = time.monotonic()
    code = site.send(0, 'fred')[0]
    took = time.monotonic() - began
    site.replica.thaw()
    tap.same(code, 250, 'mail goes on while Redis hangs')
    tap.ok(took < 5, 'after %.1f s' % took)
    site.arrived()


def main():
    with Lab() as lab:
        site = Site(lab)
        for test in (shared, daemon_dies, failover, away, frozen):
            tap.note(test.__name__)
            test(site)
        tap.same([quota.stop() for quota in site.quotas], [0] * RELAYS,
                 'all end well')
    tap.done()


if __name__ == '__main__':
    main()
