# SPDX-License-Identifier: BSD-2-Clause
"""score_mail - mail that scanners judge in every way, the rules by which they
do, and what becomes of it behind an MTA

    box.spamd = scanlab.Spamd(folder, SPAMD_RULES)
    box.rspamd = Rspamd(folder, RSPAMD_RULES)
    for letter in LETTERS:
        outcome = observe(mta, mta.doors['peer'], letter, sink)

Rules look for words of the body: "five points" counts 5 for rspamd and 5.5
for SpamAssassin, and so on. A field X-Case makes rspamd propose other things.
"""
import base64
import re

import scanlab
from .process import LabError, wait_until
from .smtp import OURS, STRANGER, send

SPAMD_RULES = '''\
rewrite_header Subject *****SPAM*****
add_header all Level _STARS(*)_
add_header all Checker-Version SpamAssassin _VERSION_ on test
body FIVE /five points/
score FIVE 5.5
describe FIVE Five points and a half
body SEVEN /seven points/
score SEVEN 7
body NINE /nine points/
score NINE 9
body TWENTY /twenty points/
score TWENTY 20
body GOOD /good words/
score GOOD -1.25
'''
RSPAMD_RULES = '''\
local function symbol(name, score, text)
  rspamd_config:register_symbol{ name = name, score = score, group = 'test',
    description = 'the word is ' .. text, callback = function(task)
      if tostring(task:get_rawbody()):find(text, 1, true) then
        return true, 1.0, 'an option'
      end
      return false
    end }
end
symbol('FIVE', 5, 'five points')
symbol('SEVEN', 7, 'seven points')
symbol('NINE', 9, 'nine points')
symbol('TWENTY', 20, 'twenty points')
symbol('GOOD', -1.25, 'good words')

local function proposes(action, text)
  return function(task) task:set_pre_result(action, text, 'test') end
end
local function wants(reply)
  return function(task) task:set_milter_reply(reply) end
end
local cases = {
  soft = proposes('soft reject', 'Come back later'),
  hold = proposes('quarantine', 'Put aside'),
  discard = proposes('discard', 'Thrown away'),
  words = proposes('reject', 'Not here: see https://example.org/?a=1%'),
  fields = wants{
    remove_headers = { ['X-Old'] = 0, ['X-Twice'] = 2 },
    add_headers = { ['X-New'] = 'one', ['X-Old'] = 'new' } },
  first = wants{ add_headers = { ['X-Put'] = { value = 'v', order = 0 } } },
  second = wants{ add_headers = { ['X-Put'] = { value = 'v', order = 1 } } },
  fourth = wants{ add_headers = { ['X-Put'] = { value = 'v', order = 3 } } },
  last = wants{ add_headers = { ['X-Put'] = { value = 'v', order = -1 } } },
  fromend = wants{ add_headers = { ['X-Put'] = { value = 'v', order = -3 } } },
  folded = wants{ add_headers = { ['X-Folded'] = 'one\\n\\ttwo\\n three' } },
  utf8 = wants{ add_headers = { ['X-Utf8'] = 'gr\\195\\188n' } },
  twice = wants{ add_headers = { ['X-Many'] = {
    { value = 'a', order = 1 }, { value = 'b', order = 1 } } } },
  removelast = wants{ remove_headers = { ['X-Twice'] = -1 } },
  people = wants{ change_from = 'other@example.org',
    add_rcpt = { 'more@example.net' }, del_rcpt = { 'bob@example.net' } },
  header = wants{ spam_header = 'X-Junk' },
  headers = wants{ spam_header = { ['X-Junk'] = 'very', ['X-Bad'] = 'too' } },
  harmless = wants{ no_action = true },
  body = function(task)
    local text = tostring(task:get_content()):gsub('hello', 'HELLO there')
    task:set_message(text)
  end,
}
for name, act in pairs(cases) do
  rspamd_config:register_symbol{ name = 'CASE_' .. name:upper(), score = 0,
    type = 'prefilter', callback = function(task)
      if task:get_header('X-Case') == name then act(task) end
      return false
    end }
end
'''
FORGED = (b'X-Spam: Yes\r\nX-Spam-Flag: YES\r\nX-Spam-Status: No, score=-9\r\n'
          b'X-Spam-Level: **\r\nX-Spam-Other: 1\r\nX-Virus-Scanned: by me\r\n'
          b'X-Virus-Status: Clean\r\n')
MEGABYTE = 1 << 20


class Letter:
    def __init__(self, label, body=b'hello\r\n', more=b'', subject=b'a message',
                 sender='alice@example.org', to=('bob@example.net',),
                 source=STRANGER, author=b'Alice <alice@example.org>',
                 login=None):
        self.label, self.sender, self.to, self.source, self.login = (
            label, sender, to, source, login)
        line = b'' if subject is None else b'Subject: ' + subject + b'\r\n'
        self.data = (
            b'Received: from a.example ([192.0.2.9]) by b.example;\r\n'
            b'\tMon, 2 Nov 2026 10:00:00 +0000\r\n'
            b'From: ' + author + b'\r\n'
            b'To: Bob <bob@example.net>\r\n' + line +
            b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
            b'Message-ID: <1@example.org>\r\n' + more + b'\r\n' + body)


def attached(data):
    """more and body of a message with a file."""
    return (b'MIME-Version: 1.0\r\n'
            b'Content-Type: multipart/mixed; boundary="b"\r\n',
            b'--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n'
            b'--b\r\nContent-Type: application/octet-stream; name="a.com"\r\n'
            b'Content-Transfer-Encoding: base64\r\n\r\n' +
            base64.encodebytes(data).replace(b'\n', b'\r\n') + b'--b--\r\n')


def sized(label, size):
    """A letter of so many bytes."""
    line = b'0123456789' * 7 + b'01234567\r\n'
    small = len(Letter(label, body=b'').data)
    body = line * ((size - small) // len(line) + 1)
    return Letter(label, body=body[:size - small - 2] + b'\r\n')


def letters():
    mime, eicar = attached(scanlab.EICAR)
    return [
        Letter('plain'),
        Letter('five', b'five points\r\n'),
        Letter('seven', b'seven points\r\n'),
        Letter('nine', b'nine points\r\n'),
        Letter('two symbols', b'nine points\r\ngood words\r\n'),
        Letter('negative', b'good words\r\n'),
        Letter('twenty', b'twenty points\r\n'),
        Letter('gtube', scanlab.GTUBE + b'\r\n'),
        Letter('eicar', scanlab.EICAR + b'\r\n'),
        Letter('eicar attached', eicar, mime),
        Letter('eicar and gtube', scanlab.GTUBE + b'\r\n' + scanlab.EICAR +
               b'\r\n'),
        Letter('pua', b'this is a tool of the test\r\n'),
        Letter('forged, ham', more=FORGED),
        Letter('forged, spam', b'seven points\r\n', more=FORGED),
        Letter('forged, subject', b'nine points\r\n', more=FORGED),
        Letter('forged, virus', scanlab.EICAR + b'\r\n', more=FORGED),
        Letter('UTF-8 subject', b'nine points\r\n',
               subject='größe €'.encode()),
        Letter('encoded subject', b'nine points\r\n',
               subject=b'=?UTF-8?Q?gr=C3=B6=C3=9Fe?= of =?UTF-8?B?4oKs?='),
        Letter('long encoded subject', b'nine points\r\n', subject=b'\r\n '
               .join([b'=?UTF-8?Q?' + b'=C3=B6' * 9 + b'?='] * 4)),
        Letter('folded subject', b'nine points\r\n',
               subject=b'one two\r\n\tthree'),
        Letter('no subject', b'nine points\r\n', subject=None),
        Letter('empty subject', b'nine points\r\n', subject=b''),
        Letter('three recipients', b'seven points\r\n', to=(
            'bob@example.net', 'eve@example.net', 'joe@other.example')),
        Letter('null sender', b'seven points\r\n', sender=''),
        Letter('8-bit body', b'seven points \xe4\xf6\r\n'),
        Letter('ours', b'seven points\r\n', source=OURS),
        Letter('ours, twenty', b'twenty points\r\n', source=OURS),
        Letter('ours, eicar', scanlab.EICAR + b'\r\n', source=OURS),
        Letter('login', b'seven points\r\n', login='joe'),
        Letter('login, eicar', scanlab.EICAR + b'\r\n', login='joe'),
    ]


def cases():
    """What only rspamd is asked for."""
    fields = (b'X-Old: 1\r\nX-Twice: first\r\nX-Old: 2\r\n'
              b'X-Twice: second\r\nX-Twice: third\r\n')
    found = [Letter('case ' + name, more=fields + b'X-Case: ' + name.encode()
                    + b'\r\n') for name in (
        'soft', 'hold', 'discard', 'words', 'fields', 'first', 'second',
        'fourth', 'last', 'fromend', 'folded', 'utf8', 'twice', 'removelast',
        'people', 'harmless', 'body')]
    found += [
        Letter('case signed', author=b'ann@signed.example', source=OURS)]
    return found + [
        Letter('spam, ' + name, b'%s points\r\n' % points,
               b'X-Case: %s\r\n' % name.encode()) for name, points in (
            ('header', b'seven'), ('headers', b'seven'),
            ('harmless', b'twenty'), ('people', b'nine'))]


def around_the_limit():
    """clamd takes 25 MB."""
    return [sized('%d MB%s' % (size, label), size * MEGABYTE + more)
            for size, label, more in (
                (24, '', 0), (25, ' less 1 KB', -1024), (25, ' and 1 KB', 1024),
                (26, '', 0))]


class Outcome:
    """What became of one letter: what the client and the sink saw."""

    def __init__(self, reply, fate, mail):
        self.reply, self.fate = reply, fate
        self.sender = self.recipients = self.fields = self.body = None
        self.mail = mail
        if mail:
            self.sender = _address(mail.sender)
            self.recipients = sorted(_address(r) for r in mail.recipients)
            self.fields = [_field(*field) for field in mail.fields()]
            self.body = mail.body()

    def get(self, name):
        """The value of the one field of that name on one line; '' without,
        and all of them if there are several."""
        values = [' '.join(value.split()) for field, value in self.fields or ()
                  if field.lower() == name.lower()]
        return values[0] if len(values) == 1 else '; '.join(values)

    def __str__(self):
        lines = ['%s: %s' % (self.fate, self.reply)]
        if self.fields is not None:
            lines += ['%s -> %s' % (self.sender, ' '.join(self.recipients))]
            lines += ['%s:%s' % field for field in self.fields]
        return '\n'.join(lines)


def _address(command):
    return re.search(rb'<(.*?)>', command).group(1).decode()


def _field(name, value):
    if b'by mx.postfix.test' in value or b'by mx.sendmail.test' in value:
        return name, ' (by the MTA)'
    if name == 'DKIM-Signature':
        # with the time in it
        value = re.sub(rb'\b(t|x|b)=[0-9A-Za-z+/=\s]+', rb'\1=', value)
    return name, value.decode('utf-8', 'backslashreplace')


FATES = (('held', r': (milter-hold: END|.*quarantine=)'),
         ('discarded', r': (milter-discard: |[Mm]ilter.*discard)'))


def observe(mta, port, letter, sink):
    mark = len(mta.log())
    code, text = send(port, letter.data, letter.sender, letter.to,
                      letter.source, letter.login)
    queue_id = re.search(r'(?:queued as |2\.0\.0 )([0-9A-Za-z]{9,})\b', text)
    if code != 250:
        return Outcome('%d %s' % (code, text), 'refused', None)
    if not queue_id:
        raise LabError('no queue id in ' + text)

    def fate():
        if not sink.stays_empty(0.02):
            return 'delivered'
        log = [line for line in mta.log()[mark:].splitlines()
               if queue_id.group(1) in line]
        return next((name for name, pattern in FATES
                     for line in log if re.search(pattern, line)), None)
    found = wait_until(fate, 'the end of ' + letter.label, 60)
    return Outcome('250', found, sink.take() if found == 'delivered' else None)


def differences(theirs, ours):
    """In words; none for outcomes that are alike."""
    found = ['%s: theirs %s, ours %s' % (name, getattr(theirs, name),
                                         getattr(ours, name))
             for name in ('reply', 'fate', 'sender', 'recipients')
             if getattr(theirs, name) != getattr(ours, name)]
    if theirs.fields is None or ours.fields is None:
        return found
    for whose, left, right in (('theirs', theirs, ours),
                               ('ours', ours, theirs)):
        rest = list(right.fields)
        for field in left.fields:
            if field in rest:
                rest.remove(field)
            else:
                found.append('only %s: %s:%s' % (whose, *field))
    if not found and theirs.fields != ours.fields:
        found.append('order: theirs %s, ours %s' % tuple(
            ' '.join(name for name, _ in outcome.fields)
            for outcome in (theirs, ours)))
    if theirs.body != ours.body:
        found.append('body: theirs %d bytes, ours %d' % (
            len(theirs.body), len(ours.body)))
    return found
