# SPDX-License-Identifier: BSD-2-Clause
"""filters - the milters that a test attaches

Each has .milter, the address for an MTA (a UNIX socket in its folder).
"""
import os
import re

from .process import LabError, Process, Server, run, socket_listens


def libconfig(value, indent=''):
    """Python data as libconfig text; a dict is a group, a list of dicts a
    list of groups."""
    if isinstance(value, dict):
        inner = indent + '  '
        lines = ['%s%s = %s;' % (inner, name, libconfig(item, inner))
                 for name, item in value.items()]
        return '{\n%s\n%s}' % ('\n'.join(lines), indent)
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)) and value \
            and isinstance(value[0], dict):
        return '(%s)' % ', '.join(libconfig(item, indent) for item in value)
    if isinstance(value, (list, tuple)):
        return '[%s]' % ', '.join(libconfig(item) for item in value)
    return '"%s"' % re.sub(r'(["\\])', r'\\\1', value)


def _grouped(settings):
    """'sign.domains' becomes sign = { domains }."""
    tree = {}
    for name, value in settings.items():
        group = tree
        *above, last = name.split('.')
        for word in above:
            group = group.setdefault(word, {})
        group[last] = value
    return tree


def write_config(path, settings):
    """settings: dotted names to values."""
    text = ''.join('%s = %s;\n' % (name, libconfig(value))
                   for name, value in _grouped(settings).items())
    with open(path + '.new', 'w', encoding='utf-8') as file:
        file.write(text)
    os.rename(path + '.new', path)


def built(name, build_dir):
    """A program of this build; it may lie in any folder."""
    for folder in ('', 'milters/dkim/', 'tools/mfxctl/'):
        path = '%s/%s%s' % (build_dir, folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise LabError('%s is not built in %s' % (name, build_dir))


class Mfx(Server):
    """One of our daemons; `name` as in mfx-NAME."""
    name = None

    def __init__(self, folder, build_dir, settings):
        os.makedirs(folder, exist_ok=True)
        self.dir = folder
        self.build_dir = build_dir
        self.config = '%s/%s.conf' % (folder, self.name)
        self.milter = settings.get('socket', 'unix:%s/%s.sock' % (
            folder, self.name))
        self.control = '%s/%s.ctl' % (folder, self.name)
        self.settings = {
            'socket': self.milter,
            'socket_mode': '0666',
            'user': 'root',
            'control.socket': self.control,
            'log.target': 'stderr',
            # 127.0.0.2 is a stranger: see smtp.py
            'origin.internal_hosts': 'csl:127.0.0.1',
        }
        self.settings.update(self.own_settings())
        self.settings.update(settings)
        self.start()

    def own_settings(self):
        return {}

    def start(self):
        write_config(self.config, self.settings)
        self.process = Process(
            [built('mfx-' + self.name, self.build_dir), '-c', self.config],
            self.dir + '/log')
        self.process.wait_ready(
            lambda: socket_listens(self.milter.partition(':')[2]),
            'the socket of mfx-' + self.name)

    def configure(self, settings):
        """Takes other settings into force, as an operator would."""
        self.settings.update(settings)
        write_config(self.config, self.settings)
        self.ctl('reload')

    def ctl(self, *arguments, check=True):
        return run([built('mfxctl', self.build_dir), '-s', self.control]
                   + list(arguments), check=check,
                   env={'MFX_LIBEXECDIR': self.build_dir}).stdout.decode()


class MfxDkim(Mfx):
    name = 'dkim'

    def own_settings(self):
        return {'state_dir': self.dir + '/state'}


class MfxQuota(Mfx):
    name = 'quota'

    def own_settings(self):
        return {'store.path': self.dir + '/quota.db'}


class MfxMasq(Mfx):
    name = 'masq'

    def own_settings(self):
        return {'store.path': self.dir + '/masq.db'}


class MfxSpf(Mfx):
    name = 'spf'


class MfxScore(Mfx):
    name = 'score'

    def own_settings(self):
        return {'store.path': self.dir + '/score.db'}


class OpenDkim(Server):
    """Debian's opendkim, the peer: keys sign for their own domains."""

    def __init__(self, folder, keys, mode='s', more=''):
        os.makedirs(folder, exist_ok=True)
        self.dir = folder
        self.milter = 'unix:%s/opendkim.sock' % folder
        self._table('KeyTable', ['%s %s:%s:%s' % (
            key.name(), key.domain, key.selector, key.path) for key in keys])
        self._table('SigningTable', ['*@%s %s' % (key.domain, key.name())
                                     for key in keys])
        self._table('opendkim.conf', [
            'Mode ' + mode, 'Socket local:%s/opendkim.sock' % folder,
            'KeyTable file:%s/KeyTable' % folder,
            'SigningTable refile:%s/SigningTable' % folder,
            'InternalHosts 127.0.0.1', 'Canonicalization relaxed/relaxed',
            'MultipleSignatures yes', 'MacroList daemon_name|ORIGINATING',
            'UMask 000', 'RequireSafeKeys no', 'Syslog no', more])
        self.process = Process(['/usr/sbin/opendkim', '-f', '-x',
                                folder + '/opendkim.conf'], folder + '/log')
        self.process.wait_ready(
            lambda: socket_listens(folder + '/opendkim.sock'),
            'the socket of opendkim')

    def _table(self, name, lines):
        with open('%s/%s' % (self.dir, name), 'w', encoding='ascii') as file:
            file.write('\n'.join(lines) + '\n')
