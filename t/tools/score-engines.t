#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfxctl score with rspamd, SpamAssassin and ClamAV as Debian has them."""
import contextlib
import json
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap

BUILD = scanlab.BUILD
RULES = r'''
loadplugin Mail::SpamAssassin::Plugin::Bayes
use_bayes 1
bayes_path BOX/home/bayes
bayes_auto_learn 0
body OWN_WORD /a word of ours/
score OWN_WORD 2.5
'''
PLAIN = scanlab.HEADER + b'\r\nhello\r\n'
MARKS = (b'X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=9 required=5\r\n'
         b'\ttests=GTUBE\r\n')


def run(*words, data=b''):
    env = dict(os.environ, MFX_LIBEXECDIR=BUILD)
    done = subprocess.run([BUILD + '/mfxctl', 'score', *words], input=data,
                          env=env, capture_output=True, timeout=300,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def ask(*words, data=b''):
    status, out, errors = run(*words, '--json', data=data)
    try:
        return status, json.loads(out)
    except ValueError:
        tap.note(out + errors)
        return status, {}


def configure(box, name, rspamd, spamd, clamd, password=None):
    scanlab.write(box, 'common.conf', ('user = "%s";\n' % pwd.getpwuid(
        os.getuid()).pw_name).encode())
    secrets = scanlab.write(box, 'secrets', b'a secret of the test\n')
    os.chmod(secrets, 0o600)
    return scanlab.write(box, name, (
        'engines = (\n'
        ' { type = "rspamd"; servers = "%s"; controller = "%s";\n'
        '   controller_password = "%s"; },\n'
        ' { type = "spamd"; servers = "%s"; command = "report"; },\n'
        ' { type = "clamd"; servers = "%s"; } );\n'
        'seal: { header = "X-Mfx-Score"; secrets_file = "%s"; };\n' % (
            rspamd.tcp, rspamd.control, password or rspamd.password,
            spamd.tcp, clamd.unix, secrets)).encode())


def greeted(conf):
    status, engines = ask('engines', '--test', '-c', conf)
    tap.same((status, [e['engine'] for e in engines]),
             (0, ['rspamd', 'spamd', 'clamd']), 'all are greeted')
    tap.has(str(engines), 'rspamd/', 'rspamd says its version')
    tap.has(str(engines), 'ClamAV ', 'clamd says its version')


def symbols(answer, engine):
    return [s['name'] for e in answer['engines'] if e['engine'] == engine
            for s in e['symbols']]


def scans(conf):
    status, answer = ask('scan', '-c', conf, '-', data=PLAIN)
    tap.same((status, answer.get('action'),
              [e['end'] for e in answer.get('engines', [])]),
             (0, 'none', ['answered'] * 3), 'a plain message')
    status, answer = ask('scan', '-c', conf, '-',
                         data=PLAIN + scanlab.GTUBE + b'\r\n')
    tap.same((status, answer.get('action'), answer.get('verdict')),
             (1, 'reject', 'reject'), 'GTUBE')
    tap.has(symbols(answer, 'spamd'), 'GTUBE', 'GTUBE: spamd knows it')
    tap.has(str(answer.get('reply')), '5.7.1', 'GTUBE: the reply')
    status, answer = ask('scan', '-c', conf, '-',
                         data=PLAIN + scanlab.EICAR + b'\r\n')
    tap.same((status, answer.get('cause'), answer.get('reason')),
             (1, 'virus', 'clamd found Own.Eicar.UNOFFICIAL (virus)'), 'EICAR')
    status, answer = ask('scan', '-c', conf, '-e', 'RSPAMD', '-',
                         data=b'X-Score: 6.5\r\n' + PLAIN)
    tap.same((status, answer.get('action'), answer.get('score')),
             (1, 'tag', 6.5), 'marked by rspamd')
    tap.same(len(answer.get('engines', [])), 1, 'rspamd alone')
    tap.has(symbols(answer, 'rspamd'), 'OWN_SCORE', 'a symbol of rspamd')
    status, out, _ = run('scan', '-c', conf, '--ip', '192.0.2.1', '-',
                         data=PLAIN + b'a word of ours\r\n')
    tap.like(out, r'\nspamd: answered by 127\.0\.0\.1:\d+ after \d+ ms\n'
             r'    score 2\.5 of 5; counts 2\.5\n +2\.5 OWN_WORD',
             'a symbol of spamd')


def sealed(conf):
    """The field that a scan would write is good in the message."""
    _, answer = ask('scan', '-c', conf, '-q', '4FzX', '-',
                    data=b'X-Score: 3.25\r\n' + PLAIN)
    seal = [f['to'] for f in answer.get('fields', [])
            if f['name'] == 'X-Mfx-Score']
    tap.same(len(seal), 1, 'a seal would be written')
    text = b'X-Mfx-Score:' + ''.join(seal).replace('\n', '\r\n').encode()
    status, got = ask('check-header', '-c', conf, '-',
                      data=text + b'\r\n' + PLAIN)
    tap.same((status, got.get('result'), got.get('score'),
              got.get('queue_id'), got.get('action')),
             (0, 'good', 3.25, '4FzX', 'none'), 'the seal is good')
    status, got = ask('check-header', '-c', conf, '-',
                      data=text + b'\r\n' + PLAIN.replace(b'<1@', b'<2@'))
    tap.same((status, got.get('result')), (1, 'other_message'),
             'not for another message')


def letter(number, text):
    return scanlab.HEADER.replace(b'<1@', b'<%d@' % number) + (
        b'\r\nnumber %d: %s\r\n' % (number, text * 3))


def counts(answer):
    return {e['engine']: (e['learned'], e['known'], e['failed'])
            for e in answer.get('engines', [])}


def lessons(box, conf):
    bad, good = b'buy cheap watches and pills today ', b'minutes of our meeting '
    for number in range(20):
        scanlab.write(box, 'Junk/cur/%d:2,S' % number, letter(number, bad))
        scanlab.write(box, 'Junk/tmp/%d' % number, b'not this one')
        scanlab.write(box, 'Ham/%d' % number, letter(100 + number, good))
    os.makedirs(box + '/Junk/new')
    for word, folder in (('spam', 'Junk'), ('ham', 'Ham')):
        status, answer = ask('learn', word, '-c', conf, '--parallel', '3',
                             os.path.join(box, folder))
        tap.same((status, answer.get('messages'), counts(answer)),
                 (0, 20, {'rspamd': (20, 0, 0), 'spamd': (20, 0, 0)}),
                 'learns 20: ' + word)
    mail = letter(500, b'cheap pills again and again ')
    for more, want, label in ((b'', (1, 0, 0), 'one of stdin'),
                              (b'', (0, 1, 0), 'the same again'),
                              (MARKS, (0, 1, 0), 'the same, marked by us')):
        status, answer = ask('learn', 'spam', '-c', conf, '-',
                             data=more + mail)
        tap.same((status, counts(answer)),
                 (0, {'rspamd': want, 'spamd': want}), label)
    status, answer = ask('learn', 'forget', '-c', conf, '-', data=mail)
    tap.same((status, counts(answer)), (0, {'spamd': (1, 0, 0)}), 'forgets')


def weather(box, conf, wrong, spamd):
    status, out, errors = run('learn', 'spam', '-c', wrong, '-e', 'rspamd',
                              '-', data=PLAIN)
    tap.same(status, 1, 'a wrong password')
    tap.has(errors, 'refused', 'a wrong password: it is said')
    tap.lacks(out + errors, 'no such word', 'but not which')
    spamd.stop()
    status, out, errors = run('learn', 'ham', '-c', conf, '-', data=PLAIN)
    tap.same(status, 75, 'spamd is away: try again')
    tap.has(errors, 'stdin: spamd: unreached', 'spamd is away: it is said')
    status, answer = ask('scan', '-c', conf, '-', data=PLAIN)
    tap.same((status, answer.get('action'), answer.get('unscanned')),
             (2, 'tempfail', 'spamd: unreached'), 'spamd is away: a scan')
    status, out, _ = run('engines', '--test', '-c', conf, 'spamd', 'clamd')
    tap.same(status, 1, 'spamd is away: greeted')
    tap.like(out, r'\Aspamd \(spamd\)\n .*refused\nclamd \(clamd\)\n .*ClamAV',
             'spamd is away: who answers')


def main():
    scanlab.need('rspamd', 'spamd', 'clamd')
    if not os.path.exists(BUILD + '/mfxctl-score'):
        tap.skip_all('mfxctl-score is not built')
    if os.getuid() != 0:
        tap.skip_all('the scanners are started as other users')
    with contextlib.ExitStack() as stack:
        boxes = [stack.enter_context(scanlab.folder()) for _ in range(4)]
        rspamd = scanlab.Rspamd(boxes[0])
        stack.callback(rspamd.stop)
        spamd = scanlab.Spamd(boxes[1], RULES.replace('BOX', boxes[1]),
                              ('--allow-tell',))
        stack.callback(spamd.stop)
        clamd = scanlab.Clamd(boxes[2])
        stack.callback(clamd.stop)
        conf = configure(boxes[3], 'score.conf', rspamd, spamd, clamd)
        wrong = configure(boxes[3], 'wrong.conf', rspamd, spamd, clamd,
                          'no such word')
        greeted(conf)
        scans(conf)
        sealed(conf)
        lessons(boxes[3], conf)
        weather(boxes[3], conf, wrong, spamd)
    tap.done()


main()
