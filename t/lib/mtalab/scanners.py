# SPDX-License-Identifier: BSD-2-Clause
"""scanners - the milters of others that ask scanners, and rspamd with its own

    spamd = scanlab.Spamd(folder)               what they ask
    clamd = scanlab.Clamd(folder)
    lab.spamass_milter(spamd, ['-r', '15'])     what an MTA asks
    lab.clamav_milter(clamd, 'OnInfected Reject')
    lab.rspamd()                                .milter is its proxy worker

They are private: own sockets, own folders, no network.
"""
import os
import pwd
import signal

import scanlab
from .process import (Process, Server, free_port, listens, socket_listens,
                      wait_until)

OWNER = 'nobody'


def _folder_of(owner, path):
    os.makedirs(path, exist_ok=True)
    user = pwd.getpwnam(owner)
    os.chown(path, user.pw_uid, user.pw_gid)
    return user


class SpamassMilter(Server):
    """Debian's spamass-milter, which runs spamc for each message."""

    def __init__(self, folder, spamd, words=(), spamc=()):
        [path] = scanlab.need('spamass-milter')
        user = _folder_of(OWNER, folder)
        socket = folder + '/spamass.sock'
        self.milter = 'unix:' + socket
        # the socket's mode is what the umask leaves
        self.process = Process(
            [path, '-p', socket, *words, '--',
             '-U', spamd.unix[len('unix:'):], *spamc], folder + '/log',
            user=user.pw_uid, group=user.pw_gid, extra_groups=(), umask=0)
        self.process.wait_ready(lambda: socket_listens(socket),
                                'the socket of spamass-milter')


class ClamavMilter(Server):
    """Debian's clamav-milter; lines: of its configuration."""

    def __init__(self, folder, clamd, *lines):
        [path] = scanlab.need('clamav-milter')
        os.makedirs(folder, exist_ok=True)
        socket = folder + '/clamav.sock'
        self.milter = 'unix:' + socket
        conf = scanlab.write(folder, 'clamav-milter.conf', '\n'.join([
            'Foreground yes', 'MilterSocket ' + socket,
            'MilterSocketMode 666', 'TemporaryDirectory ' + folder,
            'ClamdSocket ' + clamd.unix, *lines, '']).encode())
        self.process = Process([path, '-c', conf], folder + '/log')
        self.process.wait_ready(lambda: socket_listens(socket),
                                'the socket of clamav-milter', 60)


CONFIG = '''\
options {
  filters = "dkim"; one_shot = true; max_message = 60M;
  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; }
  tempdir = "%(dir)s"; rrd = "%(dir)s/rrd"; cache_file = "%(dir)s/cache";
  hs_cache_dir = "%(dir)s"; url_tld = "%(dir)s/tld";
  dynamic_conf = "%(dir)s/dynamic"; history_file = "%(dir)s/history";
  control_socket = "%(dir)s/control mode=0600";
}
logging { type = "console"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:%(port)d"; count = 2; }
worker "controller" {
  bind_socket = "127.0.0.1:%(controller_port)d"; count = 1;
  secure_ip = "127.0.0.1";
}
%(proxies)s
actions { %(actions)s }
lua = "%(dir)s/rules.lua";
%(more)s
'''
PROXY = '''\
worker "rspamd_proxy" {
  bind_socket = "%(path)s mode=0666"; count = 1; milter = yes; timeout = 60s;
  upstream "local" { default = yes; hosts = "127.0.0.1:%(port)d"; }
  %(more)s
}
'''
ACTIONS = ('reject = 15; rewrite_subject = 8; add_header = 6; greylist = 4; '
           'quarantine { flags = ["no_threshold"]; } '
           'discard { flags = ["no_threshold"]; } '
           'subject = "***SPAM*** %s";')


class Rspamd(Server):
    """Debian's rspamd with rules in Lua and nothing else: two workers that
    scan, its controller, and one that speaks milter and asks them.

    proxies: {name: further settings}, more of the latter; their addresses
    are in .milters. "" is the one whose address is .milter.
    """

    def __init__(self, folder, rules, actions=ACTIONS, proxies=None, more=''):
        [path] = scanlab.need('rspamd')
        _folder_of(OWNER, folder)
        self.dir = folder
        self.port, self.controller_port = free_port(), free_port()
        self.tcp = '127.0.0.1:%d' % self.port
        self.controller = '127.0.0.1:%d' % self.controller_port
        self.milters, lines = {}, []
        for name, settings in {'': '', **(proxies or {})}.items():
            socket = '%s/proxy%s.sock' % (folder, name)
            self.milters[name] = 'unix:' + socket
            lines.append(PROXY % {'path': socket, 'port': self.port,
                                  'more': settings})
        self.milter = self.milters['']
        # the public suffixes would take half a minute to compile
        scanlab.write(folder, 'tld', b'org\nnet\nexample\n')
        scanlab.write(folder, 'rules.lua', rules.encode())
        conf = scanlab.write(folder, 'rspamd.conf', (CONFIG % {
            'dir': folder, 'port': self.port, 'actions': actions,
            'controller_port': self.controller_port,
            'proxies': ''.join(lines), 'more': more}).encode())
        self.argv = [path, '-f', '-u', OWNER, '-g', 'nogroup', '-c', conf]
        self.start()

    def start(self):
        # its workers are in its group: see freeze()
        self.process = Process(self.argv, self.dir + '/log',
                               start_new_session=True)
        self.process.wait_ready(
            lambda: listens(self.port) and listens(self.controller_port) and
            all(socket_listens(milter[len('unix:'):])
                for milter in self.milters.values()), 'rspamd', 60)


def signal_all(engine, number):
    """To a scanner and its workers; clamd has none."""
    if os.getpgid(engine.process.pid) == engine.process.pid:
        os.killpg(engine.process.pid, number)
    else:
        os.kill(engine.process.pid, number)


def freeze(engine):
    signal_all(engine, signal.SIGSTOP)


def thaw(engine):
    signal_all(engine, signal.SIGCONT)


def crash(engine):
    """Returns when the last worker is gone."""
    signal_all(engine, signal.SIGKILL)
    engine.process.child.wait()
    wait_until(lambda: not listens(engine.port), 'the end of a scanner')
