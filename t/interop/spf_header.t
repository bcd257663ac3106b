#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What we write of SPF, as python3-spf and python3-authres read it: the same
values come out that went in, and nothing else, whatever a stranger sends."""
import email
import email.policy
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap

try:
    import authres
    import spf
except ImportError:
    tap.skip_all('python3-spf and python3-authres are not installed')

BUILD = os.environ.get('MFX_BUILDDIR', '.')
RECEIVER = 'mx.example.org'
RESULTS = ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror',
           'permerror']
ERRORS = ['temperror', 'permerror']
LABELS = ['result', 'identity', 'ip', 'helo', 'sender', 'receiver',
          'mechanism', 'problem', 'local', 'domain']


def case(**more):
    values = dict(result='pass', identity='mailfrom', ip='192.0.2.1',
                  helo='foo.example.com', sender='myname@example.com',
                  receiver=RECEIVER, mechanism='ip4:192.0.2.1', problem='',
                  local='myname', domain='example.com')
    values.update(more)
    return values


def write(cases, eai=False):
    """[(Received-SPF, Authentication-Results)]"""
    data = b''.join(c[name].encode() + b'\0' for c in cases for name in LABELS)
    out = subprocess.run([os.path.join(BUILD, 't/lib/spfheadertool')] +
                         ['eai'] * eai, input=data, check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    values = out.split('\0')[:-1]
    return list(zip(values[::2], values[1::2]))


def read_received(value):
    """What pyspf makes of the field."""
    query = spf.query('0.0.0.0', '', '')
    query.parse_header_spf(re.sub(r'\n(?=[ \t])', '', value).strip())
    return query


def read_results(value):
    header = authres.AuthenticationResultsHeader.parse(
        'Authentication-Results:' + value.replace('\n', '\r\n'))
    return header


def expect_received(c):
    got = dict(result=c['result'], c=c['ip'], h=c['helo'], r=c['receiver'],
               s=c['sender'] if c['sender'] else '<>',
               mechanism=c['mechanism'] or None)
    return got


def wanted_mailfrom(c):
    if not c['sender']:
        return 'postmaster@' + c['domain']
    local = c['sender'].rpartition('@')[0]
    return (c['sender'] if re.fullmatch(r"[A-Za-z0-9!#$%&'*+._^`{|}~-]+", local)
            else c['domain'])


def check_plain(label, c, received, results):
    query = read_received(received)
    want = expect_received(c)
    got = {name: getattr(query, name) for name in want}
    if c['identity'] == 'helo':
        del want['s'], got['s']
    tap.ok(got == want and query.ident == c['identity'],
              label + ': pyspf reads it', '%r\nis not %r' % (got, want))
    header = read_results(results)
    tap.ok(header.authserv_id == RECEIVER and len(header.results) == 1 and
              header.results[0].method == 'spf' and
              header.results[0].result == c['result'],
              label + ': authres reads it', results)
    result = header.results[0]
    if c['identity'] == 'helo':
        tap.ok(result.smtp_helo == c['domain'] and
                  result.smtp_mailfrom is None, label + ': smtp.helo', results)
    else:
        tap.ok(result.smtp_mailfrom == wanted_mailfrom(c),
                  label + ': smtp.mailfrom', results)


def plain_cases():
    for result in RESULTS:
        yield result, case(result=result,
                           mechanism='' if result in ERRORS else 'default',
                           problem='two words' if result in ERRORS else '')
    yield 'helo', case(identity='helo', domain='foo.example.com', local='')
    yield 'null sender', case(sender='', domain='foo.example.com',
                              local='postmaster')
    yield 'IPv6', case(ip='2001:db8::1', mechanism='ip6:2001:db8::/32')
    yield 'quoted local part', case(sender='"my name"@example.com',
                                    local='"my name"')
    yield 'equal sign', case(sender='bounce=a=b@example.com', local='bounce=a=b')
    yield 'slash', case(sender='a/b@example.com', local='a/b')
    yield 'address literal', case(helo='[192.0.2.1]')
    yield 'long', case(sender='l' * 64 + '@' + 'd' * 63 + '.example.com',
                       local='l' * 64, domain='d' * 63 + '.example.com')


ODD = ['"', '\\', '(', ')', ';', '=', '<', '>', '@', ' ', '\t', '\r', '\n', ',',
       'a', '.', '\x01', '\x7f', '\u00fc', '\u2028', 'receiver=', '; dkim=pass',
       '\r\nX-Forged: yes', '\n\n', '=?utf-8?q?x?=', '%', '{', 'spf=pass ', "'",
       '\r\n\t; spf=pass\r\n\tsmtp.mailfrom=bank.example', ') receiver=b.example']


def hostile_cases(seed, count):
    source = random.Random(seed)
    for _ in range(count):
        texts = [''.join(source.choices(ODD, k=source.randrange(8)))
                 for _ in range(6)]
        if source.random() < .1:
            texts[0] = texts[0] * 200
        yield case(result=source.choice(RESULTS),
                   identity=source.choice(['helo', 'mailfrom']),
                   helo=texts[0], sender=texts[1], mechanism=texts[2],
                   problem=texts[3], local=texts[4], domain=texts[5])


def judge_hostile(c, received, results):
    """None, or what is wrong."""
    text = ('Received-SPF:%s\nAuthentication-Results:%s\nEnd: yes\n\nbody\n' %
            (received, results))
    if max(len(line.encode()) for line in text.split('\n')) > 998:
        return 'a line is too long'
    if re.search('[\0-\x08\x0b-\x1f\x7f]', text):
        return 'a control byte'
    message = email.message_from_string(text, policy=email.policy.compat32)
    if message.keys() != ['Received-SPF', 'Authentication-Results', 'End']:
        return 'a field is broken: %r' % message.keys()
    query = read_received(received)
    if query.result != c['result'] or query.r != RECEIVER:
        return 'pyspf reads %r of %r' % (query.result, query.r)
    if query.c != c['ip'] or query.ident != c['identity']:
        return 'pyspf reads %r, %r' % (query.c, query.ident)
    if results.count(';') != 1:
        return 'more than one semicolon'
    if not results.isascii():
        return None  # authres knows no UTF-8 in quotes
    try:
        header = read_results(results)
    except authres.core.SyntaxError as error:
        return 'authres: %s' % error
    if ([(r.method, r.result) for r in header.results] !=
            [('spf', c['result'])] or header.authserv_id != RECEIVER):
        return 'authres reads ' + repr(header.results)
    return None


def main():
    cases = list(plain_cases())
    for (label, c), fields in zip(cases, write([c for _, c in cases])):
        check_plain(label, c, *fields)
    for eai in False, True:
        cases = list(hostile_cases(7208, 2000))
        bad = []
        for c, (received, results) in zip(cases, write(cases, eai)):
            wrong = judge_hostile(c, received, results)
            if wrong:
                bad.append('%s\n%r\n%s\n%s' % (wrong, c, received, results))
        tap.ok(not bad, '2000 hostile cases%s' % (' (eai)' * eai),
                  '%d:\n%s' % (len(bad), '\n'.join(bad[:3])))
    tap.done()


main()
