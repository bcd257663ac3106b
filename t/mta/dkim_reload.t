#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Behind a Postfix under load: reloads, a broken configuration, TERM. Every
message is signed or put off; none goes out unsigned."""
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Client, wait_until
from mtalab.dkim_lab import DkimLab
from mtalab.filters import write_config
from mtalab.messages import PLAIN

SESSIONS = 8


class Load:
    """Sessions that send messages until each has sent its share."""

    def __init__(self, port, count):
        self.port = port
        self.count = count
        self.codes = []
        self.threads = [threading.Thread(target=self._session)
                        for _ in range(SESSIONS)]
        for thread in self.threads:
            thread.start()

    def _session(self):
        client = Client(self.port)
        for _ in range(self.count // SESSIONS):
            code, _ = client.send(PLAIN, 'alice@example.org',
                                  ['bob@example.net'])
            self.codes.append(code)
        client.close()

    def is_over(self):
        return not any(thread.is_alive() for thread in self.threads)

    def join(self):
        for thread in self.threads:
            thread.join()
        return self.codes


def signed(lab, count):
    """How many of the next `count` delivered mails bear both signatures."""
    good = 0
    for _ in range(count):
        good += len(lab.sink.take().fields('DKIM-Signature')) == 2
    return good


def reload_under_load(lab, postfix):
    load = Load(postfix.submit_port, 400)
    hups = 0
    while not load.is_over():
        os.kill(lab.filter.process.pid, signal.SIGHUP)
        hups += 1
        time.sleep(0.005)
    tap.same(load.join(), [250] * 400, '400 mails during %d HUPs' % hups)
    tap.same(signed(lab, 400), 400, 'all of them are signed')
    tap.ok(lab.filter.is_running(), 'and the daemon lives')


def broken_configuration(lab, postfix):
    write_config(lab.filter.config, {**lab.filter.settings,
                                     'sign.no_such_setting': True})
    os.kill(lab.filter.process.pid, signal.SIGHUP)
    wait_until(lambda: 'no_such_setting' in lab.filter.log(),
               'a log line about the mistake')
    load = Load(postfix.submit_port, 40)
    tap.same(load.join(), [250] * 40, 'mail goes on')
    tap.same(signed(lab, 40), 40, 'and is signed by the old configuration')
    write_config(lab.filter.config, lab.filter.settings)
    lab.filter.ctl('reload')


def term_under_load(lab, postfix):
    load = Load(postfix.submit_port, 400)
    wait_until(lambda: len(load.codes) > 100, 'some mails')
    tap.same(lab.filter.stop(), 0, 'TERM under load ends it with status 0')
    codes = load.join()
    # sessions that never pause may all end before it does
    tap.ok(len(codes) == 400 and set(codes) <= {250, 451},
           'each mail was signed or put off', set(codes))
    taken = codes.count(250)
    tap.same(signed(lab, taken), taken, 'all %d taken are signed' % taken)
    tap.ok(lab.sink.stays_empty(), 'and no others went out')


def main():
    with DkimLab() as lab:
        # without these, a session ends after twenty errors
        postfix = lab.postfix(lab.sink, [lab.filter.milter], settings={
            'smtpd_hard_error_limit': '1000',
            'smtpd_soft_error_limit': '1000'})
        reload_under_load(lab, postfix)
        broken_configuration(lab, postfix)
        term_under_load(lab, postfix)
    tap.done()


main()
