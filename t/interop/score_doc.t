#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What doc/score.md says of other programs' settings and of Sieve, done: each
configuration on real engines, each Sieve script on mail that mfx-score has
marked, and the programs that Sieve runs."""
import json
import os
import pwd
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import guide
import scanlab
import tap
from mtalab import STRANGER, Lab, built, send
from mtalab.score_mail import SPAMD_RULES

SOURCE = os.environ.get('MFX_SRCDIR', os.path.dirname(
    os.path.abspath(__file__)) + '/../..')
SECRET = 'c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGlzIGd1aWRl\n'
BODIES = {
    'plain': b'hello\r\n',
    'GTUBE': scanlab.GTUBE + b'\r\n',
    'EICAR': scanlab.EICAR + b'\r\n',
    'seven points': b'seven points\r\n',
}


def message(name):
    return scanlab.HEADER + b'\r\n' + BODIES[name]


class DocLab(Lab):
    def set_up(self):
        super().set_up()
        with open(SOURCE + '/doc/score.md', encoding='utf-8') as file:
            self.text = file.read()
        self.spamd = self._add(scanlab.Spamd(
            self._folder('spamd'), SPAMD_RULES, ['--allow-tell']))
        self.clamd = self._add(scanlab.Clamd(self._folder('clamd')))
        self.rspamd = self._add(scanlab.Rspamd(self._folder('rspamd')))
        self.box = self._folder('box')
        os.makedirs(self.box, mode=0o755)
        self.write('common.conf', 'user = "root";\n')
        for name in BODIES:
            self.write(name + '.eml', message(name))

    def write(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        path = scanlab.write(self.box, name, data)
        os.chmod(path, 0o755 if data.startswith(b'#!') else 0o644)
        return path

    def ctl(self, *words, stdin=b''):
        done = subprocess.run(
            [built('mfxctl', self.build_dir), *words], input=stdin,
            env={**os.environ, 'MFX_LIBEXECDIR': self.build_dir,
                 'MFX_RUNDIR': self.box}, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def localized(self, text):
        """Its engines are ours."""
        text = text.replace('unix:/run/clamav/clamd.ctl', self.clamd.unix)
        text = re.sub(r'servers = \[ "192\.0\.2\.\d+:11333.*?\];',
                      'servers = [ "%s" ];' % self.rspamd.tcp, text)
        return re.sub(r'type = "spamd";',
                      r'\g<0> servers = [ "%s" ];' % self.spamd.tcp, text)


# --- coming from others ---

def check_programs(lab):
    count = 0
    for heading in re.findall(r'^## (Coming from .*)$', lab.text, re.M):
        section = guide.section_of(lab.text, heading)
        [configuration] = [text for _, text in guide.blocks_of(section)]
        conf = lab.write('score.conf', lab.localized(configuration))
        for row in guide.rows_of(section):
            if row[0] not in BODIES:
                continue
            count += 1
            # the client is none of those that are not looked at
            _, out, errors = lab.ctl(
                'score', 'scan', '--json', '--config', conf, '--ip',
                '198.51.100.7', '--from', 'alice@example.org', '--to',
                'bob@example.net', lab.box + '/%s.eml' % row[0])
            try:
                action = json.loads(out).get('action')
            except ValueError:
                action = None
            tap.ok(action == row[1], '%s: %s: %s' % (heading, *row), out,
                   errors)
    tap.ok(count >= 15, 'doc/score.md says what comes of mail')


# --- Sieve ---

DOVECOT = '''\
base_dir = %(dir)s/run
state_dir = %(dir)s/run
mail_location = maildir:%(dir)s/mail
mail_home = %(dir)s/home
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
ssl = no
protocols =
log_path = /dev/stderr
%(plugin)s'''


class Sieve:
    def __init__(self, lab):
        self.lab = lab
        self.dir = lab.box + '/sieve'
        owner = pwd.getpwnam('nobody')
        for name in ('mail', 'home', 'run', 'bin'):
            os.makedirs(os.path.join(self.dir, name))
        os.chown(self.dir + '/mail', owner.pw_uid, owner.pw_gid)
        os.chown(self.dir + '/home', owner.pw_uid, owner.pw_gid)
        blocks = [text for _, text in guide.blocks_of(lab.text)]
        plugins = [text for text in blocks if text.startswith('plugin {')]
        self.scripts = [text for text in blocks if text.startswith('require ')]
        programs = [text for text in blocks if text.startswith('#!')]
        tap.same((len(plugins), len(self.scripts)), (3, 5),
                 'doc/score.md has Dovecot settings and Sieve scripts')
        # a script sees what each of them needs, all at once
        self.conf = [self.configure(i, text) for i, text in enumerate(plugins)]
        self.install()
        for name, verb in (('check-score', 'check-header'), ('learn', 'learn')):
            [text] = [p for p in programs if 'score ' + verb in p]
            self.program(name, text)

    def configure(self, number, plugin):
        plugin = re.sub(r'/usr/lib/dovecot/sieve-(?:pipe|execute)',
                        self.dir + '/bin', plugin)
        return self.lab.write('sieve/dovecot%d.conf' % number, DOVECOT % {
            'dir': self.dir, 'plugin': plugin})

    def install(self):
        """mfxctl is the one that was built; Sieve's user may not be let into
        the folder where that was."""
        folder, libs = self.dir + '/built', self.lab.build_dir + '/.libs'
        os.makedirs(folder)
        for name in ('mfxctl', 'mfxctl-score', 'libmfx.so.0'):
            shutil.copy(os.path.join(libs, name), folder)
        self.lab.write('sieve/bin/mfxctl', (
            '#!/bin/sh\nLD_LIBRARY_PATH="%s" MFX_LIBEXECDIR="%s" '
            'exec "%s/mfxctl" "$@"\n' % (folder, folder, folder)))

    def program(self, name, text):
        text = text.replace('/etc/mfx/score.secrets', self.lab.box + '/secrets')
        text = text.replace('exec mfxctl', 'exec %s/bin/mfxctl' % self.dir)
        text = text.replace('score learn', 'score learn --config %s/learn.conf'
                            % self.lab.box)
        self.lab.write('sieve/bin/' + name, text)

    def compile(self, number, script):
        path = self.lab.write('sieve/%d.sieve' % number, script)
        done = subprocess.run(['sievec', '-c', self.conf_of(script), path],
                              capture_output=True, text=True, check=False)
        tap.ok(done.returncode == 0, 'Sieve script %d is compiled' % number,
               done.stderr, script)
        return path

    def conf_of(self, script):
        return self.conf[2 if 'pipe"' in script else
                         1 if 'execute"' in script else 0]

    def run(self, script, path, *words):
        """What is done with the message: folders, or 'discard'."""
        done = subprocess.run(
            ['sieve-test', '-c', self.conf_of(script), *words,
             self.lab.write('sieve/run.sieve', script), path],
            capture_output=True, text=True, check=False)
        found = re.findall(r'(?:store message in folder: |pipe message to '
                           r'external program .*?)(\S+)', done.stdout)
        return (' '.join(found) or 'discard'), done.stdout + done.stderr


def marked_mail(lab):
    """Files with mail as it comes to delivery, by what was in it."""
    sink = lab.sink()
    secrets = lab.write('secrets', SECRET)
    os.chmod(secrets, 0o600)
    score = lab.mfx_score({
        'engines': [
            {'type': 'spamd', 'servers': [lab.spamd.tcp],
             'on_failure': 'accept', 'takes': ['score', 'action']},
            {'type': 'clamd', 'servers': [lab.clamd.unix], 'on_virus': 'tag',
             'on_failure': 'accept'}],
        'thresholds.reject': 2000,
        'seal.header': 'X-Mfx-Score', 'seal.secrets_file': secrets})
    os.chmod(secrets, 0o644)
    postfix = lab.postfix(sink, [score.milter])
    paths = {}

    def pass_on(label, name):
        code, text = send(postfix.mx_port, message(name), 'alice@example.org',
                          ['bob@example.net'], STRANGER)
        tap.ok(code == 250, 'mail is taken: ' + label, text)
        paths[label] = lab.write(label + '.delivered', sink.take().data)
    for name in BODIES:
        pass_on(name, name)
    lab.spamd.stop()
    pass_on('unscanned', 'GTUBE')
    lab.spamd.start()
    # by a stranger, whose field stays where no mfx-score has removed it
    paths['unsigned'] = lab.write('unsigned.delivered', (
        b'X-Spam-Score: 1.0\r\n' + message('plain')))
    with open(paths['GTUBE'], 'rb') as file:
        paths['moved'] = lab.write('moved.delivered', file.read().replace(
            b'Message-ID: <1@', b'Message-ID: <2@'))
    return paths


# The script's number, and what it makes of mail.
WANTED = [
    (0, {'plain': 'INBOX', 'seven points': 'Junk', 'GTUBE': 'Junk',
         'unscanned': 'INBOX'}),
    (1, {'plain': 'INBOX', 'seven points': 'Junk', 'GTUBE': 'Junk',
         'EICAR': 'discard', 'unscanned': 'INBOX'}),
    (3, {'plain': 'INBOX', 'GTUBE': 'INBOX', 'unsigned': 'Unchecked',
         'moved': 'Unchecked'}),
]


def check_sieve(lab):
    sieve = Sieve(lab)
    for i, script in enumerate(sieve.scripts):
        sieve.compile(i, script)
    paths = marked_mail(lab)
    for number, wanted in WANTED:
        for label, folder in wanted.items():
            got, said = sieve.run(sieve.scripts[number], paths[label])
            with open(paths[label], encoding='latin-1') as file:
                tap.ok(got == folder, 'Sieve script %d: %s: %s' % (
                    number, label, folder), said, file.read()[:1500])
    differ = lab.write('differ.delivered', b'X-Spam-Action: reject\r\n' +
                       message('plain'))
    tap.same(sieve.run(sieve.scripts[2], differ)[0], 'Junk',
             'Sieve script 2: one recipient would have it refused')
    check_learning(lab, sieve)


def check_learning(lab, sieve):
    """imapsieve runs within IMAP alone; without it the rest is the same."""
    password = lab.write('controller.password', scanlab.Rspamd.password + '\n')
    os.chmod(password, 0o600)
    os.chown(password, *pwd.getpwnam('nobody')[2:4])
    lab.write('learn.conf', (
        'engines = ( { type = "rspamd"; servers = ["%s"]; controller = ["%s"]; '
        'controller_password_file = "%s"; }, '
        '{ type = "spamd"; servers = ["%s"]; } );\n' % (
            lab.rspamd.tcp, lab.rspamd.control, password, lab.spamd.tcp)))
    learned = b'Message-ID: <learned@example.org>\r\nSubject: pills\r\n' \
        b'From: a@example.org\r\n\r\n' + b' '.join(
            b'word%d' % i for i in range(200)) + b'\r\n'
    script = sieve.scripts[4].replace('"imapsieve", ', '').replace(
        'environment :matches "imap.user" "*"', 'true').replace(
            '${1}', 'nobody')
    path = lab.write('learned.eml', learned)
    _, said = sieve.run(script, path, '-e')
    tap.ok('learned' in lab.rspamd.log(), 'rspamd has learned by Sieve\'s pipe',
           said, lab.rspamd.log()[-2000:])


def main():
    with DocLab() as lab:
        check_programs(lab)
        if shutil.which('sieve-test'):
            check_sieve(lab)
        else:
            tap.note('dovecot-sieve is not installed')
    tap.done()


main()
