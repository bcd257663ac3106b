# SPDX-License-Identifier: BSD-2-Clause
"""mtalab - private servers for one test: Postfix, Sendmail, NSD, sink, filter

    with Lab() as lab:
        nsd = lab.nsd([key.record()])
        sink = lab.sink()
        filter = lab.mfx_dkim({...})
        postfix = lab.postfix(sink, [filter.milter])
        send(postfix.submit_port, message)
        mail = sink.take()

Leaving the block (also by an exception, SIGTERM or SIGINT) stops what was
started, last first, each by its process id, and removes the lab's folder;
so does an exception in set_up(), where a kind of lab starts what all its
tests need.
Ports are whatever is free, so several labs run at once.

Folder: a new one in $MFX_LAB_DIR, by default /var/lib; not /tmp, see
sendmail.py. It stays when a test failed and MFX_LAB_KEEP is set.
$MFX_BUILDDIR says where mfx was built.
"""
import os
import shutil
import signal
import sys
import tempfile

import tap
from .auth import AuthServer
from .filters import MfxDkim, MfxMasq, MfxQuota, MfxScore, MfxSpf, \
    OpenDkim, built
from .keys import Key
from .nsd import Nsd, SilentDns
from .postfix import Postfix
from .process import (LabError, Process, free_port, listens, run,
                      socket_listens, wait_until)
from .redis import Redis
from .sendmail import Sendmail
from .sink import Mail, Sink
from .smtp import OURS, STRANGER, Client, send

__all__ = ['AuthServer', 'Client', 'Key', 'Lab', 'LabError', 'Mail',
           'MfxDkim', 'MfxMasq', 'MfxQuota', 'MfxScore', 'MfxSpf',
           'Nsd', 'OURS', 'OpenDkim', 'Postfix', 'Process', 'Redis',
           'STRANGER', 'Sendmail', 'SilentDns', 'Sink', 'built', 'free_port', 'listens',
           'run', 'send', 'socket_listens', 'wait_until']


def _interrupted(number, _frame):
    sys.exit(128 + number)


class Lab:
    def __init__(self):
        if os.geteuid() != 0:
            tap.skip_all('a private MTA needs root')
        self.build_dir = os.environ.get('MFX_BUILDDIR', os.getcwd())
        self.dir = tempfile.mkdtemp(
            prefix='mfx-lab.', dir=os.environ.get('MFX_LAB_DIR', '/var/lib'))
        os.chmod(self.dir, 0o755)
        self.started = []

    def __enter__(self):
        signal.signal(signal.SIGTERM, _interrupted)
        signal.signal(signal.SIGINT, _interrupted)
        signal.signal(signal.SIGHUP, _interrupted)
        try:
            self.set_up()
        except BaseException:
            # Python does not leave a block that it could not enter
            self.__exit__(*sys.exc_info())
            raise
        return self

    def set_up(self):
        """What a kind of lab starts for all its tests."""

    def __exit__(self, kind, value, trace):
        bad = tap.failed() > 0 or (kind is not None and kind is not SystemExit)
        if bad:
            self._show_logs()
        self.stop()
        if bad and os.environ.get('MFX_LAB_KEEP'):
            tap.note('kept: ' + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        return False

    def stop(self):
        while self.started:
            try:
                self.started.pop().stop()
            except (OSError, LabError) as error:
                tap.note('stopping: %s' % error)

    def _show_logs(self):
        for thing in self.started:
            if hasattr(thing, 'log'):
                tap.note('--- log of %s' % type(thing).__name__)
                tap.note('\n'.join(thing.log().splitlines()[-40:]))

    def _add(self, thing):
        self.started.append(thing)
        return thing

    def _folder(self, name):
        path = '%s/%s' % (self.dir, name)
        count = 1
        while os.path.exists(path):
            count += 1
            path = '%s/%s%d' % (self.dir, name, count)
        return path

    def sink(self):
        return self._add(Sink())

    def auth_server(self):
        return self._add(AuthServer())

    def nsd(self, records=(), **more):
        return self._add(Nsd(self._folder('nsd'), records, **more))

    def silent_dns(self):
        return self._add(SilentDns())

    def key(self, domain, selector, algorithm):
        return Key('%s/keys/%s' % (self.dir, domain), domain, selector,
                   algorithm)

    def mfx_dkim(self, settings):
        return self._add(MfxDkim(self._folder('mfx-dkim'), self.build_dir,
                                 settings))

    def mfx_quota(self, settings):
        return self._add(MfxQuota(self._folder('mfx-quota'), self.build_dir,
                                  settings))

    def mfx_masq(self, settings):
        return self._add(MfxMasq(self._folder('mfx-masq'), self.build_dir,
                                 settings))

    def mfx_spf(self, settings):
        return self._add(MfxSpf(self._folder('mfx-spf'), self.build_dir,
                                settings))

    def mfx_score(self, settings):
        return self._add(MfxScore(self._folder('mfx-score'), self.build_dir,
                                  settings))

    def redis(self, **more):
        return self._add(Redis(self._folder('redis'), **more))

    def opendkim(self, keys, **more):
        return self._add(OpenDkim(self._folder('opendkim'), keys, **more))

    def postfix(self, sink, milters=(), folder=None, **more):
        return self._add(Postfix(folder or self._folder('postfix'), sink.port,
                                 milters, **more))

    def sendmail(self, sink, milters=(), **more):
        shim = self.build_dir + '/t/lib/.libs/sendmail_shim.so'
        return self._add(Sendmail(self._folder('sendmail'), sink.port,
                                  milters, shim=shim, **more))
