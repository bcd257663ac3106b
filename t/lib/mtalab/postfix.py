# SPDX-License-Identifier: BSD-2-Clause
"""postfix - a private Postfix beside whatever MTA the machine has

Own configuration, queue, data and log below one folder; loopback ports:

    mx_port       takes mail as an MX does
    submit_port   the same with milter_macro_daemon_name=ORIGINATING

    doors[name]   for each of `doors`, {name: milters}: takes mail as mx_port
                  does and asks those milters instead

All offer AUTH PLAIN where auth_port is given. It delivers to a sink and asks
no DNS. `settings` are further main.cf lines
as a dict; they replace those here. chroot: smtpd and cleanup see the queue
directory only, as in Debian's master.cf. Needs root and the package's users.
"""
import os
import time

from .process import end_pid, free_port, listens, run, wait_until

MAIN = '''\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
maillog_file = {dir}/log/mail.log
maillog_file_prefixes = {dir}/log
syslog_name = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.postfix.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:nobody lives here
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtp_dns_support_level = disabled
smtp_host_lookup = native
default_transport = smtp:[127.0.0.1]:{sink_port}
relay_transport = $default_transport
smtpd_milters = {milters}
non_smtpd_milters = {milters}
milter_default_action = tempfail
milter_connect_timeout = 5s
milter_command_timeout = 30s
milter_content_timeout = 60s
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
biff = no
'''
MASTER = '''\
127.0.0.1:{mx_port} inet n - {chroot} - - smtpd
127.0.0.1:{submit_port} inet n - {chroot} - - smtpd
  -o syslog_name=postfix/submission
  -o milter_macro_daemon_name=ORIGINATING
{doors}pickup unix n - n 1 1 pickup
cleanup unix n - {chroot} - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''
DOOR = '''\
127.0.0.1:{port} inet n - {chroot} - - smtpd
  -o {{ smtpd_milters = {milters} }}
'''
AUTH = {
    'smtpd_sasl_auth_enable': 'yes',
    'smtpd_sasl_type': 'dovecot',
    'smtpd_sasl_path': 'inet:127.0.0.1:%d',
}


def milter_address(spec):
    """unix:/PATH and inet:PORT@HOST as Postfix writes them."""
    kind, _, rest = spec.partition(':')
    if kind == 'inet' and '@' in rest:
        port, _, host = rest.partition('@')
        return 'inet:%s:%s' % (host, port)
    return 'unix:' + rest if kind == 'local' else spec


def _milters(specs):
    return ' '.join(milter_address(spec) for spec in specs)


def _write_main(path, text, settings):
    """A name given twice is not only untidy: each daemon warns of it, postlogd
    by a datagram to itself, on which it blocks for ever."""
    lines = [line for line in text.splitlines()
             if line.partition('=')[0].strip() not in settings]
    lines += ['%s = %s' % item for item in settings.items()]
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    # one written less than two seconds ago is read again and again
    past = time.time() - 10
    os.utime(path, (past, past))


class Postfix:
    def __init__(self, folder, sink_port, milters=(), settings=None,
                 auth_port=None, chroot=False, doors=None):
        self.dir = folder
        self.config = folder + '/etc'
        self.mx_port = free_port()
        self.submit_port = free_port()
        self.doors = {name: free_port() for name in doors or {}}
        self.pid = None
        for part in ('etc', 'spool', 'data', 'log'):
            os.makedirs('%s/%s' % (folder, part), exist_ok=True)
        run(['chown', 'postfix', folder + '/data'])
        _write_main(self.config + '/main.cf', MAIN.format(
            dir=folder, sink_port=sink_port,
            milters=_milters(milters)),
            {**self._auth(auth_port), **(settings or {})})
        with open(self.config + '/master.cf', 'w', encoding='ascii') as file:
            jail = 'y' if chroot else 'n'
            file.write(MASTER.format(
                mx_port=self.mx_port, submit_port=self.submit_port,
                chroot=jail, doors=''.join(
                    DOOR.format(port=port, chroot=jail,
                                milters=_milters(doors[name]))
                    for name, port in self.doors.items())))
        run(['postfix', '-c', self.config, 'check'])
        self.start()

    @staticmethod
    def _auth(port):
        return {name: value.replace('%d', str(port))
                for name, value in AUTH.items()} if port else {}

    def start(self):
        daemons = run(['postconf', '-c', self.config, '-h',
                       'daemon_directory']).stdout.decode().strip()
        # master goes to the background, and -w waits until it listens
        run([daemons + '/master', '-c', self.config, '-w'])
        with open(self.dir + '/spool/pid/master.pid',
                  encoding='ascii') as file:
            self.pid = int(file.read())
        ports = [self.mx_port, self.submit_port, *self.doors.values()]
        wait_until(lambda: all(listens(port) for port in ports),
                   'the ports of Postfix')

    def sendmail(self, arguments, message):
        """Its sendmail command."""
        return run(['/usr/sbin/sendmail', '-C', self.config] + arguments,
                   data=message)

    def queue(self):
        return run(['postqueue', '-c', self.config, '-p']).stdout.decode()

    def flush(self):
        run(['postqueue', '-c', self.config, '-f'])

    def log(self):
        try:
            with open(self.dir + '/log/mail.log', encoding='utf-8',
                      errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def is_running(self):
        return self.pid is not None

    def stop(self):
        if self.pid:
            end_pid(self.pid)
            self.pid = None
