#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every configuration in doc/score.md, and the example in conf/, is one that
mfx-score takes; the settings, options and metrics that the guide speaks of
exist, and every option of those whom mfx-score replaces has its line."""
import os
import pwd
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + '/../lib')
import tap
from guide import blocks_of, rows_of, section_of

SOURCE = os.environ.get('MFX_SRCDIR', HERE + '/../..')
BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
DAEMON = BUILD + '/mfx-score'
ENGINELESS = 'warning: engines: there is none, so no mail is looked at'

# What the files that the guide names hold; a path without a content is not
# looked into.
FILES = {
    'score.secrets': 'c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGlzIGd1aWRl\n',
    'redis.password': 'secret\n',
    'score-block-login': '#!/bin/sh\n',
}


def read(path):
    with open(SOURCE + '/' + path, encoding='utf-8') as file:
        return file.read()


def is_configuration(text):
    return re.search(r'^\w+ = ["({\d\w].*$', text, re.M) and ';' in text


class Checks:
    """mfx-score -t in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder + '/score.conf'
        user = pwd.getpwuid(os.getuid()).pw_name
        self.write('common.conf', 'user = "%s";\n' % user)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        os.chmod(path, 0o700 if text.startswith('#!') else 0o600)
        return path

    def localized(self, text):
        return re.sub(
            r'(?<=")/etc/mfx/([\w.-]+)(?=")',
            lambda at: self.write(at.group(1), FILES[at.group(1)]), text)

    def run(self, *words):
        done = subprocess.run([DAEMON, *words], capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def said(self, text):
        self.write('score.conf', self.localized(text))
        return self.run('-t', '-c', self.conf)

    def takes(self, text, label):
        status, said = self.said(text)
        tap.ok(status == 0, label + ': mfx-score -t takes it', said, text)
        # a part of a configuration may have no engine
        said = said.replace(ENGINELESS, '')
        tap.ok(not re.search(r'error|warning:', said),
               label + ': without a word of warning', said)


def whole_example(text):
    """With all that is only shown in it."""
    text = re.sub(r'^#(\w+ = [({]\n(?:#.*\n)*?#[)}];\n)',
                  lambda at: re.sub(r'^#', '', at.group(1), flags=re.M),
                  text, flags=re.M)
    text = re.sub(r'^#(  , \{(?:.*\n#)*?.*\}\n)',
                  lambda at: re.sub(r'^#', '', at.group(1), flags=re.M),
                  text, flags=re.M)
    return re.sub(r'^( *)#( *\w+ = .*;(?: *#.*)?)$', r'\1\2', text, flags=re.M)


def check_configurations(checks, guide):
    found = [b for b in blocks_of(guide) if is_configuration(b[1])]
    tap.ok(len(found) >= 15, 'doc/score.md has configurations',
           '%d of them' % len(found))
    for heading, text in found:
        checks.takes(text, heading)
    example = read('conf/score.conf')
    checks.takes(example, 'conf/score.conf')
    whole = whole_example(example)
    tap.same(re.findall(r'^ *#+ *\S+ = .*;|^# *, .*', whole, re.M), [],
             'conf/score.conf: nothing is only shown any more')
    checks.takes(whole, 'all of conf/score.conf')
    # all settings at their defaults are none
    checks.takes(checks.run('--example')[1], 'mfx-score --example')
    checks.said(whole)
    dump = checks.run('-T', '-c', checks.conf)[1]
    checks.takes(dump, 'what -T prints')
    tap.same(checks.run('-T', '-c', checks.conf)[1], dump, 'and printed alike')


# --- names ---

# What others know, by their manual pages.
OPTIONS = {
    'spampd': '''--host --port --socket --socket-perms --relayhost --relayport
        --relaysocket --user --group --children --maxrequests --childtimeout
        --satimeout --pid --logsock --nodetach --detach --setsid --maxsize --dose
        --tagall --log-rules-hit --set-envelope-headers --set-envelope-from
        --auto-whitelist --local-only --homedir --saconfig --debug --version
        --help --dead-letters --heloname --stop-at-threshold --add-sc-header
        --hostname''',
    'clamsmtp': '''Action ClamAddress Header KeepAlives Listen OutAddress PidFile
        Quarantine MaxConnections TempDirectory TimeOut TransparentProxy User
        VirusAction XClient Bounce''',
    'spamass-milter': '''-p -b -B -C -R -d -D -e -f -i -I -a -m -M -P -r -S -u -x
        --''',
    'clamav-milter': '''Example MilterSocket MilterSocketGroup MilterSocketMode
        FixStaleSocket User ReadTimeout Foreground Chroot PidFile
        TemporaryDirectory ClamdSocket LocalNet AllowList SkipAuthenticated
        MaxFileSize OnClean OnInfected OnFail RejectMsg AddHeader ReportHostname
        VirusAction LogFile LogFileUnlock LogFileMaxSize LogRotate LogTime
        LogSyslog LogFacility LogVerbose LogInfected LogClean
        SupportMultipleRecipients''',
    'rspamd_proxy': '''bind_socket milter count timeout keypair max_retries
        discard_on_reject quarantine_on_reject spam_header client_ca_name
        reject_message script upstream.name upstream.hosts upstream.key
        upstream.default upstream.local upstream.timeout upstream.parser
        upstream.settings upstream.compression upstream.self_scan
        upstream.keepalive mirror.name mirror.hosts mirror.probability''',
}


def check_names(checks, guide):
    known = set(re.findall(r'^\.It Ic (?:engines\[\]\.|profiles\[\]\.)?([\w.]+)',
                           checks.run('--man')[1], re.M))
    named = re.findall(r'`((?:thresholds|outgoing|skip|recipients|redirect|'
                       r'headers|seal|reply|greylist|store|origin)\.\w+)[` ]', guide)
    tap.ok(len(named) >= 25, 'doc/score.md names settings', '%d' % len(named))
    groups = {name.rpartition('.')[0] for name in known}
    tap.same([name for name in named if name not in known | groups],
             [], 'and all of them exist')
    # on the right side of the tables of others
    for program, options in OPTIONS.items():
        rows = rows_of(section_of(guide, 'Coming from ' + program))
        left = ' '.join(row[0] for row in rows)
        tap.same([option for option in options.split()
                  if not re.search(r'`(?:\w+ )*(?:-- )?%s[` ,:]' %
                                   re.escape(option), left)], [],
                 program + ': each option has its line')
        settings = [word for row in rows for word in
                    re.findall(r'`([a-z_]+(?:\.[a-z_]+)?) = ', row[-1])]
        tap.same([word for word in settings if word not in known], [],
                 program + ': settings on our side exist')
    page = read('doc/mfx-score.8')
    counted = set(re.findall(r'"(mfx_score_\w+)', read(
        'milters/score/metrics.c')))
    tap.same(sorted(name for name in set(re.findall(
        r'mfx_score_[a-z_]+', guide + page)) if name not in counted and not any(
            name.startswith(prefix) for prefix in
            ('mfx_score_server_', 'mfx_score_store_'))), [],
             'metrics that are spoken of exist')
    tap.same(sorted(name for name in counted if name not in page and
                    not name.endswith('_sum') and not name.endswith('_count')),
             [], 'and doc/mfx-score.8 has them all')


def check_warnings(checks):
    status, said = checks.said('engines = ( { type = "rspamd"; } );\n'
                               'scan_timeout = "61s";\n')
    tap.ok(status == 0 and 'score.conf:2: warning: scan_timeout: end_wait is '
           'shorter (60 s)' in said, 'end_wait must be longer', said)


def check_program(guide):
    [shown] = [text for _, text in blocks_of(guide) if 'quota block' in text]
    tap.ok(read('conf/score-block-login').endswith(
        shown[shown.index('[ -n'):]), 'score-block-login is as it is shown')


def main():
    if not os.path.exists(DAEMON):
        tap.skip_all('mfx-score is not built')
    guide = read('doc/score.md')
    with tempfile.TemporaryDirectory(prefix='mfx-doc-') as folder:
        checks = Checks(folder)
        check_configurations(checks, guide)
        check_names(checks, guide)
        check_program(guide)
        check_warnings(checks)
    tap.done()


main()
