#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ClamAV's clamd, asked by our client in each of the ways it can be asked."""
import base64
import io
import os
import signal
import sys
import time
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap

PLAIN = scanlab.HEADER + b'\r\nhello\r\n'
# found only by one who knows that this is mail
ATTACHED = (scanlab.HEADER + b'MIME-Version: 1.0\r\n'
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
            b'--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n'
            b'--b\r\nContent-Type: application/octet-stream; name="a.com"\r\n'
            b'Content-Transfer-Encoding: base64\r\n\r\n' +
            base64.encodebytes(scanlab.EICAR).replace(b'\n', b'\r\n') +
            b'--b--\r\n')
TOOL = scanlab.HEADER + b'\r\nthis is a tool of the test\r\n'
MEGABYTE = 1 << 20
LEAD = len(b'From mfx\n')


def encrypted_zip():
    """A message with a zip file whose entry says that it is encrypted."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.writestr('secret.txt', b'x' * 200)
    data = bytearray(out.getvalue())
    for mark, at in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):
        data[data.index(mark) + at] |= 1
    return ATTACHED[:ATTACHED.rindex(b'\r\n\r\n')] + b'\r\n\r\n' + \
        base64.encodebytes(bytes(data)).replace(b'\n', b'\r\n') + b'--b--\r\n'


def sized(size):
    """A message of exactly so many bytes."""
    line = b'0123456789' * 7 + b'01234567\r\n'
    body = scanlab.HEADER + b'\r\n'
    body += line * ((size - len(body)) // len(line) + 1)
    return body[:size]


def ways(clamd):
    return (('TCP', ('server=' + clamd.tcp,)),
            ('UNIX', ('server=' + clamd.unix, 'files=0')),
            ('descriptor', ('server=' + clamd.unix, 'memory=100')),
            ('session', ('server=' + clamd.unix, 'files=0', 'session=1')),
            ('file on disk, streamed', ('server=' + clamd.tcp, 'memory=100')))


def verdicts(box, clamd):
    cases = (
        ('plain', PLAIN, {'end': 'answered'}),
        ('empty', b'', {'end': 'answered'}),
        ('EICAR attached', ATTACHED, {
            'end': 'answered', 'class': 'virus',
            'virus': 'Own.Eicar.UNOFFICIAL'}),
        ('unwanted', TOOL, {
            'end': 'answered', 'class': 'pua',
            'virus': 'PUA.Own.Tool.UNOFFICIAL'}),
        ('encrypted', encrypted_zip(), {
            'end': 'answered', 'class': 'encrypted',
            'virus': 'Heuristics.Encrypted.Zip'}),
    )
    for label, message, want in cases:
        path = scanlab.write(box, 'mail', message)
        for way, words in ways(clamd):
            got = scanlab.ask_one('clamd', *words, path)
            got.pop('tries', None)
            if want.get('virus', '').startswith('Own.Eicar'):
                # by its digest or by its content, whichever comes first
                got['virus'] = got.get('virus', '').replace('.Digest', '')
            tap.same(got, want, '%s by %s' % (label, way))


def sizes(box, clamd):
    """Around StreamMaxLength, which counts the line in front, too."""
    limit = 25 * MEGABYTE
    for label, size, end in (('24 MB', 24 * MEGABYTE, 'answered'),
                             ('just fits', limit - LEAD, 'answered'),
                             ('one more', limit - LEAD + 1, 'too_large'),
                             ('26 MB', 26 * MEGABYTE, 'too_large')):
        path = scanlab.write(box, 'mail', sized(size))
        for way, words in ways(clamd):
            want = 'answered' if way == 'descriptor' else end
            got = scanlab.ask_one('clamd', *words, path)
            tap.same(got.get('end'), want, '%s by %s' % (label, way))
        part = scanlab.ask_one('clamd', 'server=' + clamd.tcp,
                               'max_size=1000000', 'part=1', path)
        tap.same((part.get('end'), part.get('partial')), ('answered', '1'),
                 '%s, the first part' % label)


def many(box, clamd):
    path = scanlab.write(box, 'mail', ATTACHED)
    for way, words in ways(clamd):
        got = scanlab.ask('clamd', *words, 'repeat=100', 'parallel=25', path)
        tap.same([a.get('class') for a in got], ['virus'] * 100,
                 '100 at once by ' + way)


def weather(box, clamd):
    path = scanlab.write(box, 'mail', PLAIN)
    server = 'server=' + clamd.unix
    got = scanlab.ask('clamd', server, 'greet=1')
    tap.like(got[0].get('version', ''), r'^ClamAV \d', 'it says its version')
    clamd.process.child.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    got = scanlab.ask_one('clamd', server, 'time=500', path)
    took = time.monotonic() - began
    tap.same(got.get('end'), 'timeout', 'stopped: a timeout')
    tap.ok(took < 5, 'in time', 'took %.1f s' % took)
    clamd.process.child.send_signal(signal.SIGCONT)
    got = scanlab.ask_one('clamd', server, path)
    tap.same(got.get('end'), 'answered', 'it goes on')
    clamd.process.kill()
    got = scanlab.ask_one('clamd', server, 'server=' + clamd.tcp, path)
    tap.same(got.get('end'), 'unreached', 'killed: not reached')
    tap.same(got.get('tries'), '2', 'both were tried')
    clamd.start()
    got = scanlab.ask_one('clamd', server, path)
    tap.same(got.get('end'), 'answered', 'started again')


def under_load(box, clamd):
    """Two of them: one is stopped, goes on, is killed, comes back."""
    os.makedirs(box + '/other')
    other = scanlab.Clamd(box + '/other')
    path = scanlab.write(box, 'mail', ATTACHED)
    try:
        asking = scanlab.begin('clamd', 'server=' + clamd.tcp,
                               'server=' + other.unix, 'order=turn',
                               'attempt=400', 'time=20000', 'memory=100',
                               'seconds=4', 'parallel=20', path)
        for what in (lambda: clamd.process.child.send_signal(signal.SIGSTOP),
                     lambda: clamd.process.child.send_signal(signal.SIGCONT),
                     clamd.process.kill, clamd.start):
            time.sleep(0.5)
            what()
        got = scanlab.finish(asking)
        kinds = {(a.get('end'), a.get('class')) for a in got}
        tap.same(kinds, {('answered', 'virus')}, 'nothing is lost under load')
        tap.note('%d messages' % len(got))
        tap.ok(any(a.get('tries') == '2' for a in got),
               'and some were asked of both')
    finally:
        other.stop()


def main():
    scanlab.need('clamd')
    with scanlab.folder() as box:
        clamd = scanlab.Clamd(box)
        try:
            verdicts(box, clamd)
            sizes(box, clamd)
            many(box, clamd)
            weather(box, clamd)
            under_load(box, clamd)
        finally:
            clamd.stop()
    tap.done()


main()
