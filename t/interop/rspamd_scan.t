#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rspamd, asked by our client and by plain HTTP."""
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import scanlab
import tap

RULES = r'''
-- what it was told, as it understood it
local function told(task)
  local out = {}
  local function add(name, value)
    if value then table.insert(out, name .. '=' .. tostring(value)) end
  end
  local ip, from = task:get_ip(), task:get_from('smtp')
  if ip and ip:is_valid() then add('ip', ip) end
  add('host', task:get_hostname())
  add('helo', task:get_helo())
  add('user', task:get_user())
  add('queue', task:get_queue_id())
  if from then add('from', '<' .. (from[1].addr or '') .. '>') end
  for _, to in ipairs(task:get_recipients('smtp') or {}) do add('to', to.addr) end
  add('principal', task:get_principal_recipient())
  for _, name in ipairs{'TLS-Cipher', 'TLS-Version', 'TLS-Cert-Issuer', 'MTA-Name',
      'MTA-Tag', 'User-Agent', 'X-Rspamd-Mail-Esmtp-Args', 'Log-Tag', 'Helo-Forged'} do
    add(name, task:get_request_header(name))
  end
  add('pass', task:has_flag('pass_all'))
  add('log', not task:has_flag('no_log'))
  return table.concat(out, ' ')
end

rspamd_config:register_symbol({name = 'OWN_TOLD', type = 'normal', score = 0.0,
  callback = function(task)
    if task:get_header('X-Tell') then return true, 1.0, told(task) end
  end})
rspamd_config:register_symbol({name = 'OWN_COUNT', type = 'normal', score = 0.0,
  callback = function(task)
    return true, 1.0, tostring(#(task:get_recipients('smtp') or {}))
  end})
rspamd_config:register_symbol({name = 'OWN_EDITS', type = 'postfilter', score = 0.0,
  callback = function(task)
    local want = task:get_header('X-Edits')
    if want == 'fields' then
      task:set_milter_reply({
        remove_headers = {['X-Old'] = 0, ['X-First'] = 1, ['X-Last'] = -1},
        add_headers = {['X-New'] = 'a', ['X-Top'] = {value = 'b', order = 0},
          ['X-Second'] = {value = 'c', order = 1},
          ['X-End'] = {value = 'd', order = -1},
          ['X-Two'] = {{value = 'e', order = 1}, {value = 'f', order = 2}}},
      })
    elseif want == 'envelope' then
      task:set_milter_reply({change_from = 'new@example.org',
        add_rcpt = {'more@example.net'}, del_rcpt = {'b@example.net'},
        no_action = true})
    elseif want == 'mark' then
      task:set_milter_reply({spam_header = 'very much'})
    elseif want == 'discard' then
      task:set_milter_reply({reject = 'discard'})
    elseif want == 'body' then
      local text = string.gsub(tostring(task:get_content()), 'a word', 'another')
      task:set_message(text)
    elseif want == 'message' then
      task:set_pre_result('soft reject', 'come back, please', 'own_module')
    end
  end})
rspamd_config:register_symbol({name = 'OWN_BYTES', type = 'normal', score = 0.0,
  callback = function(task)
    if task:get_header('X-Bytes') then return true, 1.0, 'caf\233 \1\2"\\' end
  end})
'''

PLAIN = scanlab.HEADER + b'\r\nhello http://link.example/ bob@link.example\r\n'
SPAM = scanlab.HEADER + b'\r\n' + scanlab.GTUBE + b'\r\n'


def scored(score, *more):
    return b''.join([b'X-Score: %s\r\n' % score.encode(), *more,
                     scanlab.HEADER, b'\r\na word of ours\r\n'])


def ways(rspamd):
    return (('TCP', ('server=' + rspamd.tcp,)),
            ('UNIX', ('server=' + rspamd.unix,)),
            ('compressed', ('server=' + rspamd.tcp, 'compress=1')),
            ('from a file', ('server=' + rspamd.tcp, 'memory=10')),
            ('a controller', ('server=' + rspamd.control, 'controller=1',
                              'password=' + rspamd.password)))


def verdicts(box, rspamd):
    """The numbers are those that plain HTTP shows."""
    cases = (('plain', PLAIN, 'no action'), ('GTUBE', SPAM, 'reject'),
             ('grey', scored('4.5'), 'greylist'),
             ('marked', scored('6.25'), 'add header'),
             ('subject', scored('8'), 'rewrite subject'),
             ('rejected', scored('15.5'), 'reject'),
             ('good', scored('-7.25'), 'no action'))
    for label, message, action in cases:
        path = scanlab.write(box, 'mail', message)
        own = rspamd.check(message, IP='192.0.2.1')
        for way, words in ways(rspamd):
            got = scanlab.ask_one('rspamd', *words, 'ip=192.0.2.1', path)
            what = '%s by %s' % (label, way)
            tap.same((got.get('action'), own['action']), (action, action),
                     what + ': the action')
            tap.same(got.get('score'), '%.1f' % own['score'],
                     what + ': the score')
            tap.same(got.get('required'), '15.0', what + ': the threshold')
            tap.same(sorted(part.split(':')[0]
                            for part in got.get('symbols', '').split(',')),
                     sorted(own['symbols']), what + ': symbols')
            tap.same(got.get('spam'), '1' if action in (
                'reject', 'add header', 'rewrite subject') else '0',
                what + ': spam or not')
    path = scanlab.write(box, 'mail', scored('8'))
    got = scanlab.ask_one('rspamd', 'server=' + rspamd.unix, path)
    tap.same(got.get('subject'), '***SPAM*** a message', 'the subject')
    path = scanlab.write(box, 'mail', SPAM)
    got = scanlab.ask_one('rspamd', 'server=' + rspamd.unix, path)
    tap.same(got.get('reply'), 'Gtube pattern', 'words for the reply')
    path = scanlab.write(box, 'mail', PLAIN)
    got = scanlab.ask_one('rspamd', 'server=' + rspamd.unix, path)
    tap.same((got.get('url'), got.get('email'), got.get('message_id')),
             ('link.example', 'bob@link.example', '1@example.org'),
             'links and the id')


def told(box, rspamd):
    path = scanlab.write(box, 'mail', b'X-Tell: 1\r\n' + PLAIN)

    def tell(*words):
        return scanlab.ask_one('rspamd', 'server=' + rspamd.tcp, *words,
                               path).get('option-OWN_TOLD')
    # rspamd takes what it is not told from the message
    found = 'ip=192.0.2.9 %sfrom=<> principal=bob@example.net '
    tap.same(tell(), found % '' + 'User-Agent=mfx/%s log=true' % version(),
             'nothing but the null sender')
    tap.same(
        tell('ip=192.0.2.1', 'client=mx.example.org', 'helo=helo.example',
             'sender=a@example.org', 'sender_args=SIZE=100', 'login=alice',
             'rcpt=b@example.net', 'rcpt_args=NOTIFY=NEVER',
             'rcpt="c,d"@example.net', 'id=4ABC', 'mta=us.example', 'tag=t',
             'tls=TLSv1.3', 'cipher=AES', 'issuer=CN=ca', 'deliver=e@example.net',
             'all=1', 'quiet=1'),
        'ip=192.0.2.1 host=mx.example.org helo=helo.example user=alice '
        'queue=4ABC from=<a@example.org> to=b@example.net '
        'to=c,d@example.net principal=e@example.net '
        'TLS-Cipher=AES TLS-Version=TLSv1.3 TLS-Cert-Issuer=CN=ca '
        'MTA-Name=us.example MTA-Tag=t User-Agent=mfx/%s '
        'X-Rspamd-Mail-Esmtp-Args=SIZE=100 Log-Tag=4ABC pass=true'
        % version(), 'all there is')
    tap.same(tell('ip=2001:db8::1', 'client=unknown', 'rcpt=root@example.net'),
             'ip=2001:db8::1 from=<> to=root@example.net '
             'principal=root@example.net User-Agent=mfx/%s log=true'
             % version(), 'V6, no name')
    tap.same(tell('helo=x\r\nHelo-Forged: y'),
             found % 'helo=x??Helo-Forged: y ' + 'User-Agent=mfx/%s log=true'
             % version(), 'a HELO that would be more')
    path = scanlab.write(box, 'mail', PLAIN)
    for count in (1, 50, 1000, 2000):
        got = scanlab.ask_one('rspamd', 'server=' + rspamd.tcp,
                              'rcpts=%d' % count, path)
        tap.same(got.get('option-OWN_COUNT'), str(count),
                 '%d recipients' % count)


def version():
    with open(os.path.join(scanlab.BUILD, 'config.h'), encoding='utf-8') as head:
        for line in head:
            if line.startswith('#define PACKAGE_VERSION'):
                return line.split('"')[1]
    return ''


def settings(box, rspamd):
    path = scanlab.write(box, 'mail', scored('2'))
    server = 'server=' + rspamd.tcp
    got = scanlab.ask_one('rspamd', server, path)
    tap.same(got.get('action'), 'no action', 'without settings')
    got = scanlab.ask_one('rspamd', server, 'settings_id=strict', path)
    tap.same(got.get('action'), 'reject', 'settings by their id')
    got = scanlab.ask_one(
        'rspamd', server, 'settings={"actions":{"add header":1}}', path)
    tap.same(got.get('action'), 'add header', 'settings of our own')


def edits(box, rspamd):
    def ask(what, score='0', *words):
        path = scanlab.write(box, 'mail', scored(
            score, b'X-Edits: %s\r\n' % what.encode()))
        return scanlab.ask_one('rspamd', 'server=' + rspamd.unix, *words, path)

    def found(got):
        return {name: value for name, value in got.items()
                if name.startswith(('add-', 'remove-'))}
    tap.same(found(ask('fields')), {
        'remove-0-X-Old': '1', 'remove-1-X-First': '1',
        'remove--1-X-Last': '1', 'add--1-X-New': 'a', 'add-0-X-Top': 'b',
        'add-1-X-Second': 'c', 'add--1-X-End': 'd', 'add-1-X-Two': 'e',
        'add-2-X-Two': 'f'}, 'fields')
    got = ask('envelope')
    tap.same((got.get('sender'), got.get('add_rcpt'), got.get('del_rcpt'),
              got.get('no_action')),
             ('new@example.org', 'more@example.net', 'b@example.net', '1'),
             'the envelope')
    tap.same(ask('mark', '7').get('spam-add--1-X-Spam'), 'very much',
             'another mark')
    tap.same(ask('none', '7').get('spam-add--1-X-Spam'), 'Yes', 'the mark')
    # behind a rejection rspamd looks no further, unless it is to
    tap.same(ask('discard', '20', 'all=1').get('action'), 'discard',
             'discarded')
    got = ask('message')
    tap.same((got.get('action'), got.get('reply')),
             ('soft reject', 'come back, please'), 'words for the sender')
    for way, words in ways(rspamd):
        path = scanlab.write(box, 'mail', scored('0', b'X-Edits: body\r\n'))
        got = scanlab.ask_one('rspamd', *words, path)
        tap.same(got.get('body'), 'another of ours\\x0d\n',
                 'another body by ' + way)
    path = scanlab.write(box, 'mail', b'X-Bytes: 1\r\n' + PLAIN)
    got = scanlab.ask_one('rspamd', 'server=' + rspamd.tcp, path)
    tap.same(got.get('end'), 'answered', 'bytes that are no UTF-8')


def large(box, rspamd):
    line = b'0123456789' * 7 + b'\r\n'
    for count in (800, 1000, 30000, 140000):
        message = scored('6.5') + line * count
        path = scanlab.write(box, 'mail', message)
        for way, words in ways(rspamd):
            for more in ((), ('pause=300',)):
                got = scanlab.ask_one('rspamd', *words, *more, path)
                tap.same((got.get('end'), got.get('score')),
                         ('answered', '6.5'),
                         '%d bytes by %s %s' % (len(message), way, more))
        got = scanlab.ask_one('rspamd', 'server=' + rspamd.tcp,
                              'max_size=1000', 'part=1', path)
        tap.same((got.get('score'), got.get('partial')), ('6.5', '1'),
                 'its first part')


def lessons(box, rspamd):
    texts = {'spam': b'buy these cheap watches and pills today, dear friend',
             'ham': b'the minutes of our meeting are attached as you asked'}
    words = ('server=' + rspamd.control, 'controller=1',
             'password=' + rspamd.password)
    for lesson, text in texts.items():
        path = scanlab.write(box, lesson, scanlab.HEADER.replace(
            b'<1@', b'<%s@' % lesson.encode()) + b'\r\n' + text * 5 + b'\r\n')
        got = scanlab.ask_one('rspamd', *words, 'learn=' + lesson, path)
        tap.same((got.get('end'), got.get('learned')), ('answered', '1'),
                 'learns: ' + lesson)
        got = scanlab.ask_one('rspamd', *words, 'learn=' + lesson, path)
        tap.same((got.get('end'), got.get('learned')), ('answered', None),
                 'knows it: ' + lesson)
        tap.has(got.get('report', ''), 'already learned', 'and says so')
    got = scanlab.ask_one('rspamd', 'server=' + rspamd.control_unix,
                          'controller=1', 'compress=1', 'learn=ham',
                          scanlab.write(box, 'mail', PLAIN * 3))
    tap.same((got.get('end'), got.get('learned')), ('answered', '1'),
             'learns what is compressed')
    got = scanlab.ask_one('rspamd', words[0], 'controller=1', 'password=wrong',
                          'learn=ham', box + '/ham')
    tap.same(got.get('end'), 'refused', 'not without the password')
    tap.has(got.get('words', ''), 'HTTP 401 Unauthorized', 'and why')
    tap.lacks(str(got), 'wrong', 'the password is not told')
    got = scanlab.ask_one('rspamd', *words, 'learn=forget', box + '/ham')
    tap.same(got.get('end'), 'not_asked', 'it cannot forget')


def weather(box, rspamd):
    path = scanlab.write(box, 'mail', PLAIN)
    server = 'server=' + rspamd.tcp
    for where in (rspamd.tcp, rspamd.unix, rspamd.control):
        got = scanlab.ask('rspamd', 'server=' + where, 'greet=1')
        tap.like(got[0].get('version'), r'^rspamd/\d', 'it greets: ' + where)
    for way, words in ways(rspamd):
        got = scanlab.ask('rspamd', *words, 'repeat=60', 'parallel=20', path)
        tap.same([a.get('end') for a in got], ['answered'] * 60,
                 '20 at once by ' + way)
    os.killpg(rspamd.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    got = scanlab.ask_one('rspamd', server, 'time=500', path)
    took = time.monotonic() - began
    os.killpg(rspamd.process.pid, signal.SIGCONT)
    tap.same(got.get('end'), 'timeout', 'stopped: a timeout')
    tap.ok(took < 5, 'in time', 'took %.1f s' % took)
    got = scanlab.ask_one('rspamd', server, path)
    tap.same(got.get('end'), 'answered', 'it goes on')
    rspamd.stop()
    got = scanlab.ask_one('rspamd', server, 'server=' + rspamd.unix, path)
    tap.same((got.get('end'), got.get('tries')), ('unreached', '2'),
             'gone: not reached')
    rspamd.start()
    got = scanlab.ask_one('rspamd', server, path)
    tap.same(got.get('end'), 'answered', 'back again')


# --- TLS: rspamd has none of its own; a front of ours lays it over ---

def pump(source, sink):
    with contextlib.suppress(OSError):
        while True:
            piece = source.recv(65536)
            if not piece:
                break
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def serve(front, context, port):
    while True:
        try:
            link = front.accept()[0]
        except OSError:
            return
        try:
            link = context.wrap_socket(link, server_side=True)
        except OSError:
            link.close()
            continue
        back = socket.create_connection(('127.0.0.1', port))
        for pair in ((link, back), (back, link)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def certificates(box):
    def openssl(*words):
        subprocess.run(['openssl', *words], check=True, cwd=box,
                       stderr=subprocess.DEVNULL)
    for name, extension in (('server', 'subjectAltName=DNS:scan.example'),
                            ('client', 'subjectAltName=DNS:us.example')):
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                '-subj', '/CN=' + name, '-addext', extension,
                '-keyout', name + '.key', '-out', name + '.pem')


def over_tls(box, rspamd):
    certificates(box)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(box + '/server.pem', box + '/server.key')
    context.load_verify_locations(box + '/client.pem')
    context.verify_mode = ssl.CERT_REQUIRED
    path = scanlab.write(box, 'mail', scored('6.5'))
    with socket.create_server(('127.0.0.1', 0)) as front:
        threading.Thread(target=serve, args=(front, context, rspamd.port),
                         daemon=True).start()
        words = ['server=127.0.0.1:%d' % front.getsockname()[1]]
        known = ['ca=%s/server.pem' % box, 'name=scan.example']
        ours = ['cert=%s/client.pem' % box, 'key=%s/client.key' % box]
        got = scanlab.ask('rspamd', *words, *known, *ours, 'repeat=10',
                          'parallel=5', path)
        tap.same([(a.get('end'), a.get('score')) for a in got],
                 [('answered', '6.5')] * 10, 'over TLS')
        for label, options in (('not its name', [known[0], 'name=x.example']),
                               ('not whom we trust',
                                ['ca=%s/client.pem' % box, known[1]]),
                               ('its address is no name', known[:1])):
            got = scanlab.ask_one('rspamd', *words, *options, *ours, path)
            tap.same(got.get('end'), 'unreached', label)
            tap.like(got.get('words', ''), '(?i)certificate|ssl',
                     label + ': why')
        got = scanlab.ask_one('rspamd', *words, *known, path)
        tap.ok(got.get('end') in ('unreached', 'broken'),
               'it wants our certificate', str(got))
        got = scanlab.ask_one('rspamd', *words, path)
        tap.ok(got.get('end') in ('unreached', 'broken'),
               'without TLS it does not answer', str(got))


def main():
    scanlab.need('rspamd', 'openssl')
    with scanlab.folder() as box:
        rspamd = scanlab.Rspamd(box, RULES)
        try:
            verdicts(box, rspamd)
            told(box, rspamd)
            settings(box, rspamd)
            edits(box, rspamd)
            large(box, rspamd)
            lessons(box, rspamd)
            over_tls(box, rspamd)
            weather(box, rspamd)
        finally:
            rspamd.stop()
    tap.done()


main()
