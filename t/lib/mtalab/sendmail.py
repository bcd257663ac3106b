# SPDX-License-Identifier: BSD-2-Clause
"""sendmail - a private Sendmail on a machine whose MTA is something else

Debian's packages conflict with Postfix, so they are downloaded and unpacked
(never installed) into a cache folder: $MFX_CACHE_DIR or /var/cache/mfx-test.

    mx_port       DAEMON_OPTIONS Name=MTA
    submit_port   DAEMON_OPTIONS Name=ORIGINATING
    doors[name]   for each of `doors`, {name: milters}: Name=name, and those
                  milters instead
    submit()      the sendmail command through submit.cf (the MSP), which
                  hands the mail to submit_port

The folder, like every one above it, must not be writable for all: Sendmail
then refuses a filter's UNIX socket in it, so /tmp will not do.
"""
import fcntl
import glob
import os
import shutil
import tempfile

from .process import LabError, Process, free_port, listens, run

# the second line is what a machine without any MTA lacks of its libraries
PACKAGES = ['sendmail-bin', 'sendmail-base', 'sendmail-cf',
            'libwrap0', 'liblockfile1', 'libnsl2']
HOST = 'mx.sendmail.test'

COMMON = '''\
divert(-1)
VERSIONID(`mfx test')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `{host}')
define(`confSERVICE_SWITCH_FILE', `{dir}/etc/service.switch')
define(`confCW_FILE', `-o {dir}/etc/local-host-names')
define(`confTO_IDENT', `0')
define(`confDONT_PROBE_INTERFACES', `True')
define(`confLOG_LEVEL', `10')
define(`confQUEUE_LA', `10000')
define(`confREFUSE_LA', `10000')
'''
MTA = COMMON + '''\
undefine(`ALIAS_FILE')
define(`MAIL_SETTINGS_DIR', `{dir}/etc/')
define(`QUEUE_DIR', `{dir}/mqueue')
define(`STATUS_FILE', `{dir}/etc/statistics')
define(`HELP_FILE', `{dir}/etc/helpfile')
define(`confPID_FILE', `{dir}/sendmail.pid')
define(`confTRUSTED_USERS', `root nobody')
define(`confMILTER_LOG_LEVEL', `14')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
FEATURE(`accept_unresolvable_domains')
FEATURE(`promiscuous_relay')
define(`SMART_HOST', `esmtp:[127.0.0.1]')
define(`MAIL_HUB', `esmtp:[127.0.0.1]')
define(`ESMTP_MAILER_ARGS', `TCP $h {sink_port}')
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={mx_port}')
DAEMON_OPTIONS(`Name=ORIGINATING, Family=inet, Addr=127.0.0.1, \
Port={submit_port}, M=E')
{milters}
{doors}
{more}
MAILER(`local')
MAILER(`smtp')
'''
MSP = COMMON + '''\
define(`confRUN_AS_USER', `nobody:nogroup')
define(`MSP_QUEUE_DIR', `{dir}/clientmqueue')
define(`confPID_FILE', `{dir}/sm-client.pid')
define(`RELAY_MAILER_ARGS', `TCP $h {submit_port}')
FEATURE(`msp', `[127.0.0.1]')
'''
MILTER = '%s(`filter%d\', `S=%s, F=T, T=C:30s;S:30s;R:60s;E:10m\')'
DOOR = ('DAEMON_OPTIONS(`Name=%s, Family=inet, Addr=127.0.0.1, Port=%d, '
        'InputMailFilters=%s\')')


def unpacked():
    """The folder with the unpacked packages; fetched on first use."""
    cache = os.environ.get('MFX_CACHE_DIR', '/var/cache/mfx-test')
    root = cache + '/sendmail'
    os.makedirs(cache, exist_ok=True)
    with open(cache + '/lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(root):
            _fetch(cache, root)
    return root


def _fetch(cache, root):
    work = tempfile.mkdtemp(dir=cache)
    os.chmod(work, 0o755)
    run(['sh', '-c', 'cd "$0" && apt-get download "$@"', work] + PACKAGES,
        timeout=300)
    for package in glob.glob(work + '/*.deb'):
        run(['dpkg', '-x', package, work + '/root'])
    # for a set-gid program ld.so ignores LD_PRELOAD and LD_LIBRARY_PATH
    run(['chmod', 'g-s', work + '/root/usr/libexec/sendmail/sendmail'])
    os.rename(work + '/root', root)
    shutil.rmtree(work)


def milter_address(spec):
    kind, _, rest = spec.partition(':')
    return 'local:' + rest if kind == 'unix' else spec


def _check_path(path):
    """Says what Sendmail would say, only understandably."""
    while path != '/':
        path = os.path.dirname(path)
        if os.stat(path).st_mode & 0o002:
            raise LabError('%s is writable for all: Sendmail refuses filter '
                           'sockets below it' % path)


def _filters(milters, doors):
    """The lines of the .mc for both."""
    numbers = {}
    for spec in [*milters, *(m for group in doors.values() for m in group)]:
        if not spec.startswith('inet'):
            _check_path(spec.partition(':')[2])
        numbers.setdefault(spec, len(numbers))
    return '\n'.join(MILTER % (
        'INPUT_MAIL_FILTER' if spec in milters else 'MAIL_FILTER', number,
        milter_address(spec)) for spec, number in numbers.items()), numbers


class Sendmail:
    def __init__(self, folder, sink_port, milters=(), more='', shim=None,
                 doors=None):
        """more: further lines for the .mc; shim: syslog shim to preload."""
        self.dir = folder
        self.root = unpacked()
        self.shim = shim
        self.mx_port = free_port()
        self.submit_port = free_port()
        self.doors = {name: free_port() for name in doors or {}}
        self.process = None
        self._folders()
        lines, numbers = _filters(milters, doors or {})
        self.values = {'dir': folder, 'host': HOST, 'sink_port': sink_port,
                       'mx_port': self.mx_port,
                       'submit_port': self.submit_port,
                       'milters': lines, 'more': more,
                       'doors': '\n'.join(DOOR % (name, port, ';'.join(
                           'filter%d' % numbers[spec]
                           for spec in doors[name]))
                           for name, port in self.doors.items())}
        self._make_cf('sendmail', MTA.format(**self.values))
        self._make_cf('submit', MSP.format(**self.values))
        self.start()

    def _folders(self):
        for part, mode in (('etc', 0o755), ('log', 0o755), ('mqueue', 0o700),
                           ('clientmqueue', 0o770)):
            os.makedirs('%s/%s' % (self.dir, part), exist_ok=True)
            os.chmod('%s/%s' % (self.dir, part), mode)
        run(['chown', 'nobody:nogroup', self.dir + '/clientmqueue'])
        with open(self.dir + '/log/mail.log', 'a', encoding='ascii'):
            os.chmod(self.dir + '/log/mail.log', 0o666)
        with open(self.dir + '/etc/service.switch', 'w',
                  encoding='ascii') as file:
            file.write('hosts files\naliases files\npasswd files\n')

    def _make_cf(self, name, text):
        source = '%s/etc/%s.mc' % (self.dir, name)
        with open(source, 'w', encoding='utf-8') as file:
            file.write(text)
        cf = self.root + '/usr/share/sendmail/cf'
        made = run(['m4', '-D_CF_DIR_=%s/' % cf, cf + '/m4/cf.m4', source])
        path = '%s/etc/%s.cf' % (self.dir, name)
        with open(path, 'wb') as file:
            file.write(made.stdout)
        return path

    def configuration(self, name, more):
        """The path of a .cf with other lines in its .mc."""
        return self._make_cf(name, MTA.format(**{**self.values,
                                                 'more': more}))

    def address_test(self, cf, commands):
        """What sendmail -bt says to the commands."""
        return run([self.binary(), '-bt', '-C', cf],
                   data=''.join(c + '\n' for c in commands).encode(),
                   env=self.environment()).stdout.decode()

    def environment(self):
        """The shim names the host too: without a dot in the machine's name
        Sendmail sleeps a minute at every start."""
        libraries = (glob.glob(self.root + '/usr/lib/*-linux-gnu')
                     + glob.glob(self.root + '/lib/*-linux-gnu'))
        env = {'LD_LIBRARY_PATH': ':'.join(libraries)}
        if self.shim:
            env.update(LD_PRELOAD=self.shim, MFX_SHIM_HOST=HOST,
                       MFX_SHIM_LOG=self.dir + '/log/mail.log')
        return env

    def binary(self):
        return self.root + '/usr/libexec/sendmail/sendmail'

    def start(self):
        self.process = Process(
            [self.binary(), '-L', 'sm-mta', '-C', self.dir +
             '/etc/sendmail.cf', '-bD', '-q1h'],
            self.dir + '/log/start.log', env=self.environment())
        try:
            self.process.wait_ready(
                lambda: all(listens(port) for port in (
                    self.mx_port, self.submit_port, *self.doors.values())),
                'the ports of Sendmail')
        except LabError as error:
            raise LabError('%s\n%s' % (error, self.log())) from None

    def submit(self, arguments, message):
        """The sendmail command as users run it: through the MSP."""
        return run([self.binary(), '-Ac', '-C', self.dir + '/etc/submit.cf']
                   + arguments, data=message, env=self.environment())

    def log(self):
        with open(self.dir + '/log/mail.log', encoding='utf-8',
                  errors='replace') as file:
            return file.read()

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None
