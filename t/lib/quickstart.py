#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The part of quickstart.sh after the build; see there."""
import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mtalab.filters import built, write_config
from mtalab.nsd import Nsd
from mtalab.postfix import Postfix
from mtalab.process import (LabError, Process, end_pid, free_port, listens,
                            run, socket_listens, wait_until)
from mtalab.smtp import STRANGER

DOMAIN = 'example.org'
KEYS = (('rsa', 'rsa'), ('ed', 'ed25519'))
USER = 'nobody'


def say(number, text):
    print('\n== %s. %s' % (number, text), flush=True)


def show(text):
    for line in text.rstrip('\n').splitlines():
        print('    ' + line)
    sys.stdout.flush()


def require(condition, text):
    if not condition:
        raise LabError(text)


class Demo:
    def __init__(self, build, state):
        self.build = build
        self.state = state
        self.config = state + '/dkim.conf'
        self.socket = state + '/dkim.sock'
        self.control = state + '/dkim.ctl'
        self.delivered = state + '/delivered'
        self.records = []
        self.started = []
        self.nsd = self.postfix = None

    def remember(self, name, pid):
        """Which process it is, told by its start time too: a number alone
        may belong to somebody else by the time of --stop."""
        self.started.append(pid)
        with open(self.state + '/started', 'a', encoding='ascii') as file:
            file.write('%s %d %s\n' % (name, pid, start_time(pid)))

    def mfxctl(self, *arguments):
        # mfxctl finds its daemon commands where they were built
        tool = built('mfxctl-dkim', self.build)
        return run([built('mfxctl', self.build)] + list(arguments),
                   env={'MFX_LIBEXECDIR': os.path.dirname(tool)}
                   ).stdout.decode()

    def make_keys(self):
        say(3, 'a key of each kind for %s (mfxctl dkim genkey)' % DOMAIN)
        folder = '%s/keys/%s' % (self.state, DOMAIN)
        os.makedirs(folder)
        for selector, algorithm in KEYS:
            path = '%s/%s.pem' % (folder, selector)
            line = self.mfxctl('dkim', 'genkey', '--domain', DOMAIN,
                               '--selector', selector, '--algorithm',
                               algorithm, '--owner', USER, '--out', path)
            self.records.append(line)
            show(line)

    def start_nsd(self):
        self.nsd = Nsd(self.state + '/nsd', self.records)
        self.remember('nsd', self.nsd.process.pid)
        say(4, 'NSD serves both records at 127.0.0.1:%d' % self.nsd.port)

    def start_mfx_dkim(self):
        write_config(self.config, {
            'socket': 'unix:' + self.socket,
            'socket_mode': '0666',
            'user': USER,
            'control.socket': self.control,
            'log.target': 'stderr',
            'authserv_id': 'mx.postfix.test',
            'dns.servers': ['127.0.0.1:%d' % self.nsd.port],
            'origin.internal_hosts': 'csl:127.0.0.1',
            'sign.domains': 'csl:' + DOMAIN,
            'sign.selectors': [selector for selector, _ in KEYS],
            'sign.key_path': self.state + '/keys/%d/%s.pem',
        })
        say(5, 'mfx-dkim, configured by %s' % self.config)
        with open(self.config, encoding='utf-8') as file:
            show(file.read())
        daemon = [built('mfx-dkim', self.build), '-c', self.config]
        run(daemon + ['-t'])
        os.chown(self.state, *owner_of(USER))
        process = Process(daemon, self.state + '/mfx-dkim.log',
                          start_new_session=True)
        process.wait_ready(lambda: socket_listens(self.socket),
                           'the socket of mfx-dkim')
        self.remember('mfx-dkim', process.pid)

    def start_postfix(self):
        os.makedirs(self.delivered)
        port = free_port()
        sink = Process([sys.executable, '-B', '-m', 'mtalab.sink', port,
                        self.delivered], self.state + '/sink.log',
                       cwd=os.path.dirname(os.path.abspath(__file__)),
                       start_new_session=True)
        self.remember('sink', sink.pid)
        sink.wait_ready(lambda: listens(port), 'the sink')
        self.postfix = Postfix(self.state + '/postfix', port,
                               ['unix:' + self.socket])
        self.remember('postfix', self.postfix.pid)
        say(6, 'Postfix with smtpd_milters = unix:%s' % self.socket)
        show('submission at 127.0.0.1:%d, MX at 127.0.0.1:%d; what it '
             'delivers ends in\n%s' % (self.postfix.submit_port,
                                       self.postfix.mx_port, self.delivered))

    def deliver(self, number, arguments):
        """Runs swaks; gives the path of what came out at the other end."""
        path = '%s/%04d.eml' % (self.delivered, number)
        command = ['swaks', '--from', 'alice@' + DOMAIN,
                   '--to', 'bob@example.net'] + arguments
        show('$ ' + ' '.join(quoted(word) for word in command))
        run(command)
        wait_until(lambda: os.path.exists(path), 'delivery of ' + path)
        return path

    def submit(self):
        say(7, 'a message is submitted (swaks) ...')
        path = self.deliver(1, ['--server', '127.0.0.1:%d' %
                                self.postfix.submit_port,
                                '--header', 'Subject: Signed by mfx',
                                '--body', 'Hello from mfx-dkim.'])
        print('\n   ... and delivered like this:\n')
        text = read(path)
        show(text)
        count = len(re.findall(r'(?mi)^DKIM-Signature:', text))
        require(count == 2, 'expected two signatures, found %d' % count)
        return path

    def send_back(self, path):
        say(8, 'the same message comes in again through the MX port ...')
        path = self.deliver(2, ['--server', '127.0.0.1:%d' %
                                self.postfix.mx_port,
                                '--local-interface', STRANGER,
                                '--data', '@' + path])
        print('\n   ... and this stands above it now:\n')
        text = read(path)
        field = re.search(r'(?mi)^Authentication-Results:.*\n(?:[ \t].*\n)*',
                          text)
        require(field, 'there is no Authentication-Results:\n' + text)
        show(field.group(0))
        for selector, algorithm in KEYS:
            require(re.search(r'dkim=pass[^;]*header\.s=%s\b' % selector,
                              field.group(0)),
                    'the %s signature does not pass' % algorithm)
        print('\n   dkim=pass for both signatures: RSA-2048 and Ed25519.')

    def tell(self):
        say(9, 'mfx-dkim logged a line for each message:')
        lines = [line for line in read(self.state + '/mfx-dkim.log')
                 .splitlines() if ' verdict=' in line]
        show('\n'.join(lines))

    def tell_how_to_talk(self):
        say(10, 'left running (--keep)')
        libexec = os.path.dirname(built('mfxctl-dkim', self.build))
        show('''\
submit mail      swaks --server 127.0.0.1:%d --from alice@%s --to bob@example.net
look at it       ls %s
as a stranger    swaks --server 127.0.0.1:%d --local-interface %s --from x@example.com --to bob@example.net
ask mfx-dkim     export MFX_LIBEXECDIR=%s
                 %s -s %s status
                 %s -s %s explain QUEUEID
settings         %s (then: mfxctl ... reload)
logs             %s/mfx-dkim.log, %s/postfix/log/mail.log
stop it all      ./quickstart.sh --stop''' % (
            self.postfix.submit_port, DOMAIN, self.delivered,
            self.postfix.mx_port, STRANGER, libexec,
            built('mfxctl', self.build), self.control,
            built('mfxctl', self.build), self.control,
            self.config, self.state, self.state))

    def play(self):
        self.make_keys()
        self.start_nsd()
        self.start_mfx_dkim()
        self.start_postfix()
        self.send_back(self.submit())
        self.tell()


def quoted(word):
    return "'%s'" % word if re.search(r'[^\w@%+=:,./-]', word) else word


def read(path):
    with open(path, encoding='utf-8', errors='replace', newline=None) as file:
        return file.read()


def owner_of(user):
    return [int(run(['id', flag, user]).stdout) for flag in ('-u', '-g')]


def start_time(pid):
    try:
        return read('/proc/%d/stat' % pid).rpartition(')')[2].split()[19]
    except OSError:
        return None


def stop(state):
    """Ends what was started, last first, and removes the folder."""
    try:
        lines = read(state + '/started').splitlines()
    except FileNotFoundError:
        lines = []
    for line in reversed(lines):
        _, pid, started = line.split()
        if start_time(int(pid)) == started:
            end_pid(int(pid))
    shutil.rmtree(state, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True)
    parser.add_argument('--state', required=True)
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('--stop', action='store_true')
    options = parser.parse_args()
    stop(options.state)
    if options.stop:
        print('stopped; %s is gone' % options.state)
        return 0
    os.makedirs(options.state)
    demo = Demo(options.build, options.state)
    try:
        demo.play()
        if options.keep:
            demo.tell_how_to_talk()
            return 0
    except (LabError, OSError, subprocess.TimeoutExpired) as error:
        print('\nquickstart.sh: FAILED: %s' % error, file=sys.stderr)
        for name in ('mfx-dkim.log', 'postfix/log/mail.log'):
            if os.path.exists('%s/%s' % (options.state, name)):
                print('--- end of %s' % name, file=sys.stderr)
                print('\n'.join(read('%s/%s' % (options.state, name))
                                .splitlines()[-20:]), file=sys.stderr)
        stop(options.state)
        return 1
    except BaseException:
        stop(options.state)
        raise
    stop(options.state)
    print('\nEverything that was started is stopped again.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
