# SPDX-License-Identifier: BSD-2-Clause
"""redis - a private redis-server in memory, on a free port of loopback

    redis = lab.redis()                       the primary
    other = lab.redis(replica_of=redis)       a replica of it
    other.promote()                           is the primary
"""
import os
import signal

from .process import (LabError, Process, Server, free_port, listens, run,
                      wait_until)


class Redis(Server):
    def __init__(self, folder, replica_of=None, more=()):
        os.makedirs(folder, exist_ok=True)
        self.dir = folder
        self.port = free_port()
        self.more = list(more)
        self.follows = [] if replica_of is None else [
            '--replicaof', '127.0.0.1', str(replica_of.port)]
        self.start()
        if replica_of is not None:
            wait_until(lambda: 'master_link_status:up' in self.ask(
                'INFO', 'replication'), 'the replica of Redis')

    def server(self):
        """As redis.servers names it."""
        return '127.0.0.1:%d' % self.port

    def start(self):
        self.process = Process(
            ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1',
             '--save', '', '--appendonly', 'no', '--dir', self.dir,
             '--repl-diskless-sync-delay', '0'] + self.follows + self.more,
            self.dir + '/log')
        self.process.wait_ready(lambda: listens(self.port), 'redis-server')

    def ask(self, *words):
        return run(['redis-cli', '-p', str(self.port)] + list(words)
                   ).stdout.decode()

    def promote(self):
        """A primary from now on, and after a restart."""
        self.follows = []
        return self.ask('REPLICAOF', 'NO', 'ONE')

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self):
        try:
            self.thaw()
        except (OSError, LabError):
            pass
        return super().stop()
