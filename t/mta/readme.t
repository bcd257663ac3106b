#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What README.md tells a postmaster to do works as written: the socket
directory under the queue directory, reached from inside the chroot, with
mfx-dkim running as a user of its own; and the examples in conf/ load."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + '/../lib')
import tap
from mtalab import STRANGER, built, run, send
from mtalab.dkim_lab import DOMAIN, DkimLab
from mtalab.messages import PLAIN

SOURCE = os.path.abspath(HERE + '/../..')
USER = 'nobody'  # README makes a user mfx


class ReadmeLab(DkimLab):
    def filter_settings(self):
        queue = self.dir + '/mta/spool'
        os.makedirs(queue)
        run(['install', '-d', '-o', USER, '-g', 'postfix', '-m', '2750',
             queue + '/mfx'])
        run(['chown', '-R', USER, self.dir + '/keys'])
        run(['install', '-d', '-o', USER, self.dir + '/run'])
        return {**super().filter_settings(),
                'socket': 'unix:%s/mfx/dkim.sock' % queue,
                'socket_mode': '0660', 'user': USER,
                'control.socket': self.dir + '/run/dkim.ctl'}


def read(path):
    with open(SOURCE + '/' + path, encoding='utf-8') as file:
        return file.read()


def main_cf_of_readme():
    """The main.cf lines in README.md, as a dict."""
    text = read('README.md')
    return dict(re.findall(r'^    (\w+) = (.*)$', text, re.M))


def examples_load(lab):
    for name in ('dkim.conf', 'common.conf'):
        text = read('conf/' + name)
        text = text.replace('user = "mfx"', 'user = "%s"' % USER)
        text = text.replace('/var/spool/postfix/mfx', lab.dir + '/run')
        text = text.replace('"csl:"', '"csl:%s"' % DOMAIN)
        text = text.replace('"rsa2026", "ed2026"', '"rsa", "ed"')
        text = text.replace('/etc/mfx', lab.dir)
        with open('%s/%s' % (lab.dir, name), 'w', encoding='utf-8') as file:
            file.write(text)
    checked = run([built('mfx-dkim', lab.build_dir), '-t', '-c',
                   lab.dir + '/dkim.conf'], check=False)
    tap.same(checked.returncode, 0, 'conf/dkim.conf and common.conf load')
    tap.note(checked.stdout + checked.stderr)


def settings_agree():
    settings = main_cf_of_readme()
    for line in read('conf/postfix/main.cf').splitlines():
        if ' = ' in line and not line.startswith('#'):
            name, value = line.split(' = ')
            tap.same(settings.get(name), value,
                     'conf/postfix/main.cf and README agree on ' + name)
    milter = [line for line in read('conf/sendmail/mfx.mc').splitlines()
              if line.startswith('INPUT_MAIL_FILTER')][0]
    tap.has(read('README.md'), milter,
            'conf/sendmail/mfx.mc and README agree')
    return settings


def main():
    with ReadmeLab() as lab:
        settings = settings_agree()
        postfix = lab.postfix(lab.sink, settings=settings, chroot=True,
                              folder=lab.dir + '/mta')
        code, text = send(postfix.submit_port, PLAIN, source=STRANGER)
        tap.same(code, 250, 'submitted through the chroot: ' + text)
        tap.same(lab.verdicts(lab.sink.take()), {'rsa': 'pass', 'ed': 'pass'},
                 'and signed')
        postfix.sendmail(['-f', 'alice@example.org', 'bob@example.net'],
                         PLAIN.replace(b'\r\n', b'\n'))
        tap.same(lab.verdicts(lab.sink.take()), {'rsa': 'pass', 'ed': 'pass'},
                 'the sendmail command too')
        with open('/proc/%d/status' % lab.filter.process.pid,
                  encoding='ascii') as status:
            uid = re.search(r'Uid:\s+(\d+)', status.read()).group(1)
        tap.same(uid, run(['id', '-u', USER]).stdout.decode().strip(),
                 'mfx-dkim runs as its own user')
        examples_load(lab)
    tap.done()


main()
