#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SpamAssassin's spamd, asked by our client and by its own (spamc)."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap

RULES = r'''
loadplugin Mail::SpamAssassin::Plugin::Bayes
use_bayes 1
bayes_path BOX/home/bayes
bayes_auto_learn 0
body OWN_WORD /a word of ours/
score OWN_WORD 2.5
body OWN_GOOD /a good word/
score OWN_GOOD -7.25
header OWN_CLIENT X-Spam-Relays-External =~ /^\[ ip=203\.0\.113\.7 rdns=mx\.sender\.example helo=helo\.example by=us\.example ident= envfrom= intl=0 id=4ABC auth= /
header OWN_NAMELESS X-Spam-Relays-External =~ /^\[ ip=203\.0\.113\.7 rdns= /
header OWN_V6 X-Spam-Relays-External =~ /^\[ ip=2001:db8::7 /
header OWN_LOGIN X-Spam-Relays-Trusted =~ /^\[ ip=203\.0\.113\.7 [^\]]*auth=ESMTPSA /
header OWN_SENDER EnvelopeFrom =~ /^bounce\@sender\.example$/
header OWN_INNER X-Spam-Relays-External =~ /^\[ ip=192\.0\.2\.9 /
score OWN_CLIENT 0.1
score OWN_NAMELESS 0.1
score OWN_V6 0.1
score OWN_LOGIN 0.1
score OWN_SENDER 0.1
score OWN_INNER 0.1
'''

PLAIN = scanlab.HEADER + b'\r\nhello\r\n'
SPAM = scanlab.HEADER + b'\r\n' + scanlab.GTUBE + b'\r\n'
SOME = scanlab.HEADER + b'\r\na word of ours\r\n'
GOOD = scanlab.HEADER + b'\r\na good word, a word of ours\r\n'
FORGED = (b'X-Spam-Flag: NO\r\nX-Spam-Status: No, forged\r\n' + SPAM)


def spamc(spamd, *words, message):
    done = subprocess.run(
        ['/usr/bin/spamc', '-d', '127.0.0.1', '-p', str(spamd.port), *words],
        input=message, stdout=subprocess.PIPE, timeout=60, check=False)
    return done.stdout.decode('utf-8', 'replace')


def names(text):
    return sorted(name for name in text.replace('\n', '').split(',') if name)


def ways(spamd):
    return (('TCP', ('server=' + spamd.tcp,)),
            ('UNIX', ('server=' + spamd.unix,)),
            ('compressed', ('server=' + spamd.unix, 'compress=1')),
            ('from a file', ('server=' + spamd.tcp, 'memory=10')))


def verdicts(box, spamd):
    """The numbers are those that spamc shows."""
    for label, message in (('plain', PLAIN), ('GTUBE', SPAM), ('some', SOME),
                           ('negative', GOOD), ('forged', FORGED)):
        path = scanlab.write(box, 'mail', message)
        check = spamc(spamd, '-c', message=message).strip()
        listed = names(spamc(spamd, '-y', message=message).strip())
        for way, words in ways(spamd):
            for command in ('check', 'symbols', 'report', 'headers'):
                got = scanlab.ask_one('spamd', *words, 'bare=1',
                                      'command=' + command, path)
                what = '%s: %s by %s' % (label, command, way)
                tap.same('%s/%s' % (got.get('score'), got.get('required')),
                         check, what)
                tap.same(got.get('spam'), '1' if label in ('GTUBE', 'forged')
                         else '0', what + ': spam or not')
                if command != 'check':
                    tap.same(names(','.join(
                        item.split(':')[0]
                        for item in got.get('symbols', '').split(','))),
                        listed, what + ': symbols')


def scores_of_symbols(box, spamd):
    path = scanlab.write(box, 'mail', GOOD)
    for command in ('report', 'headers'):
        got = scanlab.ask_one('spamd', 'server=' + spamd.unix,
                              'command=' + command, path)
        found = dict(item.split(':') for item in got['symbols'].split(','))
        want = '2.5' if command == 'headers' else found.get('OWN_WORD')
        tap.same(found.get('OWN_WORD'), want, command + ': a score')
        tap.ok(float(found['OWN_GOOD']) < -7, command + ': a negative one')


def fields(box, spamd):
    path = scanlab.write(box, 'mail', FORGED)
    got = scanlab.ask_one('spamd', 'server=' + spamd.tcp, 'command=headers',
                          path)
    tap.same(got.get('X-Spam-Flag'), 'YES', 'the field that spamd added')
    tap.like(got.get('X-Spam-Status', ''), r'^Yes, score=1000\.1 required=5\.0 ',
             'not the one that was there')
    tap.same(got.get('subject'), 'a message', 'the subject')
    tap.lacks(got.get('X-Spam-Status', ''), 'forged', 'nothing forged')


def traces(box, spamd):
    path = scanlab.write(box, 'mail', PLAIN)
    mta = ('mta=us.example', 'id=4ABC', 'helo=helo.example')
    cases = (
        ('a client', ('ip=203.0.113.7', 'client=mx.sender.example',
                      'sender=bounce@sender.example'),
         {'OWN_CLIENT', 'OWN_SENDER'}),
        ('without a name', ('ip=203.0.113.7', 'sender=bounce@sender.example'),
         {'OWN_NAMELESS', 'OWN_SENDER'}),
        ('V6', ('ip=2001:db8::7',), {'OWN_V6'}),
        ('a login over TLS', ('ip=203.0.113.7', 'client=mx.sender.example',
                              'login=alice', 'tls=TLSv1.3'),
         {'OWN_LOGIN', 'OWN_INNER'}),
        ('without a trace', ('ip=203.0.113.7', 'bare=1'), {'OWN_INNER'}),
        ('a HELO that lies', (
            'ip=203.0.113.7',
            'helo=x (y [192.0.2.9]) by us.example (Postfix) with SMTP id 1;'),
         {'OWN_NAMELESS'}),
    )
    for label, words, want in cases:
        got = scanlab.ask_one('spamd', 'server=' + spamd.unix, *mta, *words,
                              path)
        found = {name for name in got.get('symbols', '').split(',')
                 if name.startswith('OWN_')}
        tap.same(found, want, 'trace: ' + label)


def large(box, spamd):
    line = b'0123456789' * 7 + b'\r\n'
    message = SOME + line * 30000
    path = scanlab.write(box, 'mail', message)
    for way, words in ways(spamd):
        got = scanlab.ask_one('spamd', *words, path)
        tap.same((got.get('end'), got.get('score')), ('answered', '2.6'),
                 '2 MB by ' + way)
        got = scanlab.ask_one('spamd', *words, 'max_size=100000', 'part=1',
                              path)
        tap.same((got.get('end'), got.get('score'), got.get('partial')),
                 ('answered', '2.6', '1'), 'its first part by ' + way)


def lessons(box, spamd):
    path = scanlab.write(box, 'mail', SOME)
    words = ('server=' + spamd.unix, 'user=nobody')
    for lesson in ('spam', 'forget', 'ham'):
        got = scanlab.ask_one('spamd', *words, 'learn=' + lesson, path)
        tap.same((got.get('end'), got.get('learned')), ('answered', '1'),
                 'learns: ' + lesson)
    got = scanlab.ask_one('spamd', *words, 'learn=ham', path)
    tap.same((got.get('end'), got.get('learned')), ('answered', None),
             'what it knows it does not learn')
    tap.has(spamd.process.log(), 'for nobody:', 'the user')


def weather(box, spamd):
    path = scanlab.write(box, 'mail', PLAIN)
    server = 'server=' + spamd.unix
    got = scanlab.ask('spamd', server, 'greet=1')
    tap.same(got[0].get('version'), 'spamd', 'it greets')
    got = scanlab.ask('spamd', server, 'repeat=40', 'parallel=20', path)
    tap.same([a.get('end') for a in got], ['answered'] * 40, '20 at once')
    os.killpg(spamd.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    got = scanlab.ask_one('spamd', server, 'time=500', path)
    took = time.monotonic() - began
    tap.same(got.get('end'), 'timeout', 'stopped: a timeout')
    tap.ok(took < 5, 'in time', 'took %.1f s' % took)
    os.killpg(spamd.process.pid, signal.SIGCONT)
    got = scanlab.ask_one('spamd', server, path)
    tap.same(got.get('end'), 'answered', 'it goes on')
    spamd.stop()
    got = scanlab.ask_one('spamd', server, 'server=' + spamd.tcp, path)
    tap.same((got.get('end'), got.get('tries')), ('unreached', '2'),
             'gone: not reached')


def over_tls(box):
    """A second one, with a certificate of its own."""
    key, cert = box + '/key.pem', box + '/cert.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days',
         '2', '-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1',
         '-keyout', key, '-out', cert], check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o644)
    path = scanlab.write(box, 'mail', SOME + b'0123456789' * 50000 + b'\r\n')
    spamd = scanlab.Spamd(box, RULES.replace('BOX', box), (
        '--ssl', '--server-key=' + key, '--server-cert=' + cert))
    try:
        words = ('server=' + spamd.tcp, 'ca=' + cert, path)
        for label, more in (('plain', ()), ('compressed', ('compress=1',)),
                            ('a part', ('max_size=1000', 'part=1'))):
            got = scanlab.ask_one('spamd', *more, *words)
            tap.same((got.get('end'), got.get('score')), ('answered', '2.6'),
                     'over TLS, ' + label)
        got = scanlab.ask_one('spamd', 'name=other.example', *words)
        tap.same(got.get('end'), 'unreached', 'not its name')
        tap.has(got.get('words', ''), 'certificate', 'and why')
        got = scanlab.ask_one('spamd', 'server=' + spamd.tcp, 'time=2000',
                              path)
        tap.ok(got.get('end') in ('unreached', 'broken', 'timeout'),
               'without TLS it does not answer')
    finally:
        spamd.stop()


def main():
    scanlab.need('spamd', 'spamc', 'openssl')
    with scanlab.folder() as box:
        spamd = scanlab.Spamd(box, RULES.replace('BOX', box),
                              ('--allow-tell',))
        try:
            verdicts(box, spamd)
            scores_of_symbols(box, spamd)
            fields(box, spamd)
            traces(box, spamd)
            large(box, spamd)
            lessons(box, spamd)
            weather(box, spamd)
        finally:
            spamd.stop()
        over_tls(box)
    tap.done()


main()
