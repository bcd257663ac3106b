#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-quota behind a real Postfix: what gets through is what a rule allows,
to the recipient, also with many sessions at once and through kill -9."""
import os
import re
import smtplib
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Client, Lab, send, wait_until

MESSAGE = (b'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\n'
           b'Subject: hello\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
           b'Message-ID: <1@example.org>\r\n\r\nHello\r\n')
SETTINGS = {
    'smtpd_recipient_restrictions':
        'check_recipient_access inline:{{nobody@example.net=REJECT}},'
        ' permit_mynetworks, reject',
}


def people(count, first=0):
    return ['r%d@example.net' % n for n in range(first, first + count)]


class Site:
    """Postfix and mfx-quota; rules change from test to test."""

    def __init__(self, lab):
        self.lab = lab
        self.sink = lab.sink()
        self.quota = lab.mfx_quota({'rules': [rule('none', '1/1d',
                                                   key='certificate')]})
        self.auth = lab.auth_server()
        self.postfix = lab.postfix(self.sink, [self.quota.milter],
                                   settings=SETTINGS,
                                   auth_port=self.auth.port)

    def rules(self, *rules, **more):
        self.quota.configure({'rules': list(rules), **more})

    def send(self, login=None, to=('bob@example.net',), message=MESSAGE,
             port=None, **more):
        return send(port or self.postfix.submit_port, message, to=to,
                    login=login, **more)

    def arrived(self, count):
        """So many mails come, and no more."""
        try:
            mails = [self.sink.take() for _ in range(count)]
        except Exception as error:  # the test says what is missing
            tap.note(error)
            return None
        return mails if self.sink.stays_empty(0.3) else None


def rule(name, limits, **more):
    return {'name': name, 'limits': limits, **more}


def recipients(site):
    site.rules(rule('daily', '20/1d'))
    for n in range(6):
        code, text = site.send('anna', people(3, 3 * n))
        tap.same(code, 250, 'message %d of anna: %s' % (n, text))
    client = Client(site.postfix.submit_port, login='anna')
    client.smtp.mail('alice@example.org')
    replies = [client.smtp.rcpt(to) for to in people(4, 18)]
    tap.same([r[0] for r in replies], [250, 250, 451, 451],
             'the 19th and 20th recipient fit, the 21st and 22nd do not')
    tap.like(replies[2][1].decode(),
             r'^4\.7\.1 .*20 of 20 recipients used in 1d; try again in 1d',
             'the reply says how much, of what, and when')
    tap.same(client.smtp.data(MESSAGE)[0], 250, 'and the message goes on')
    client.close()
    mails = site.arrived(7)
    # in whatever order they were delivered
    tap.same(mails and sorted(len(m.recipients) for m in mails), [2] + [3] * 6,
             'with two recipients')
    tap.same(site.send('ben')[0], 250, 'another login is another account')
    site.arrived(1)
    tap.same(site.send('ANNA')[0], 451, 'and the same in capitals is none')
    tap.has(site.quota.ctl('explain', queue_id(site)), 'daily',
            'explain names the rule')


def queue_id(site):
    found = re.findall(r'(\w+): counted', site.quota.log())
    return found[-1] if found else 'none'


def through_kill(site):
    site.rules(rule('killed', '10/1d'))
    for n in range(4):
        site.send('carl', people(1, n))
    site.arrived(4)
    site.quota.kill()
    # 454 when AUTH is refused before MAIL is
    tap.has((451, 454), site.send('carl')[0], 'without mfx-quota mail waits')
    site.quota.start()
    codes = [site.send('carl', people(1, 10 + n))[0] for n in range(8)]
    tap.same(codes, [250] * 6 + [451] * 2,
             'after kill -9, the four before it still count')
    tap.ok(site.arrived(6), 'six more arrive')


def at_once(site):
    """50 sessions of one login: 100 of 150 recipients fit, not one more."""
    site.rules(rule('crowd', '100/1d'))
    taken, lock = [], threading.Lock()

    def session(n):
        client = Client(site.postfix.submit_port, login='dora')
        client.smtp.mail('alice@example.org')
        good = sum(client.smtp.rcpt(to)[0] == 250
                   for to in people(3, 3 * n))
        code = client.smtp.data(MESSAGE)[0] if good else 0
        client.close()
        with lock:
            taken.append(good if code == 250 else 0)

    threads = [threading.Thread(target=session, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.same(sum(taken), 100, '100 recipients fit, from 50 sessions at once')
    mails = site.arrived(sum(1 for n in taken if n))
    tap.same(mails and sum(len(m.recipients) for m in mails), 100,
             '100 recipients arrive')


def given_back(site):
    site.rules(rule('back', '2/1d'))
    for how in ('rset', 'quit', 'drop'):
        client = Client(site.postfix.submit_port, login='emil')
        client.smtp.mail('alice@example.org')
        tap.same([client.smtp.rcpt(to)[0] for to in people(3)],
                 [250, 250, 451], 'two fit, before ' + how)
        if how == 'rset':
            client.smtp.rset()
        elif how == 'drop':
            client.smtp.sock.shutdown(socket.SHUT_RDWR)
        if how != 'drop':
            client.close()

    def is_free():
        client = Client(site.postfix.submit_port, login='emil')
        client.smtp.mail('alice@example.org')
        codes = [client.smtp.rcpt(to)[0] for to in people(2)]
        client.close()
        return codes == [250, 250]

    tap.ok(wait_until(is_free, 'what was dropped'), 'all is given back')
    client = Client(site.postfix.submit_port, login='emil')
    client.smtp.mail('alice@example.org')
    codes = [client.smtp.rcpt(to)[0]
             for to in ['nobody@example.net'] + people(2)]
    tap.same(codes, [554, 250, 250],
             'a recipient that Postfix refuses is not counted')
    client.smtp.data(MESSAGE)
    client.close()
    site.arrived(1)


def of_one_message(site):
    site.rules(rule('per_message', '3/message 100/1d'))
    client = Client(site.postfix.submit_port, login='fred')
    client.smtp.mail('alice@example.org')
    replies = [client.smtp.rcpt(to) for to in people(4)]
    tap.same([r[0] for r in replies], [250, 250, 250, 452],
             'a fourth recipient has to wait for another message')
    tap.like(replies[3][1].decode(), r'^4\.5\.3 ', 'with 4.5.3')
    tap.same(client.smtp.data(MESSAGE)[0], 250, 'the three get it')
    client.close()
    mails = site.arrived(1)
    tap.same(mails and len(mails[0].recipients), 3, 'and only they')


def of_the_command(site):
    """Postfix's sendmail command: an answer before the end would stick."""
    site.rules(rule('command', '1/1d', key='client', action='reject'))
    for _ in range(2):
        site.postfix.sendmail(['-f', 'alice@example.org', 'bob@example.net'],
                              b'Subject: one\n\nHello\n')
    mails = site.arrived(2)
    tap.ok(mails, 'one mail arrives, and one bounce')
    senders = sorted(m.sender for m in mails or [])
    tap.has(b' '.join(senders), b'<>', 'the second came back to its sender')
    tap.same('empty' in site.postfix.queue(), True, 'nothing is stuck')


def xclient(site):
    """A submission proxy tells the login, since it did the AUTH itself."""
    site.rules(rule('proxied', '1/1d', action='reject'))

    def through_proxy():
        smtp = smtplib.SMTP('127.0.0.1', site.postfix.submit_port)
        smtp.ehlo()
        smtp.docmd('XCLIENT', 'LOGIN=gina ADDR=127.0.0.9')
        smtp.ehlo()
        smtp.mail('alice@example.org')
        code = smtp.rcpt('bob@example.net')[0]
        if code == 250:
            smtp.data(MESSAGE)
        smtp.quit()
        return code

    tap.same([through_proxy(), through_proxy()], [250, 550],
             'the login of XCLIENT is counted')
    site.arrived(1)


def trusted_sender(site):
    site.rules(rule('sender', '1/1d', key='sender', action='reject'))
    tap.same([site.send()[0] for _ in range(2)], [250, 250],
             'a sender without a login is not believed')
    site.arrived(2)
    site.rules(rule('sender', '1/1d', key='sender', action='reject'),
               **{'sender_trusted_from': 'csl:127.0.0.1'})
    tap.same([site.send()[0] for _ in range(2)], [250, 550],
             'but from a client in sender_trusted_from it is')
    tap.same(site.send(source=STRANGER)[0], 250, 'and from no other')
    site.arrived(2)
    site.quota.configure({'sender_trusted_from': ''})


def hold_and_discard(site):
    site.rules(rule('held', '1/1d', action='hold'))
    tap.same([site.send('hugo')[0] for _ in range(2)], [250, 250],
             'both are taken')
    tap.ok(site.arrived(1), 'one is delivered')
    tap.like(site.postfix.queue(), r'[0-9A-F]+! ', 'the other is on hold')
    site.rules(rule('gone', '1/1d', action='discard'))
    tap.same([site.send('ina')[0] for _ in range(2)], [250, 250],
             'both are taken')
    tap.ok(site.arrived(1), 'and one is thrown away')


def sizes(site):
    site.rules(rule('size', '5000/1d 3000/message', count='bytes',
                    action='reject'))
    large = MESSAGE + b'x' * 70 + b'\r\n'
    large += (b'y' * 70 + b'\r\n') * 50
    code, text = site.send('jan', message=large, options=['SIZE=%d' % len(large)])
    tap.same((code, text[:5]), (552, '5.3.4'), 'too large by its own word')
    code, text = site.send('jan', message=large, options=['SIZE=100'])
    tap.same((code, text[:5]), (552, '5.3.4'), 'too large, whatever it said')
    fits = MESSAGE + (b'z' * 70 + b'\r\n') * 25
    codes = [site.send('jan', message=fits)[0] for _ in range(3)]
    tap.same(codes, [250, 250, 550], 'twice 2000 fit in 5000, three times not')
    tap.ok(site.arrived(2), 'two arrive')


def exempt(site):
    site.rules(rule('exempt', '1/1d', exempt_recipients='csl:help@example.net'),
               **{'exempt_recipients': 'csl:.postmaster.example',
                  'exempt_logins': 'csl:root'})
    client = Client(site.postfix.submit_port, login='kai')
    client.smtp.mail('alice@example.org')
    codes = [client.smtp.rcpt(to)[0] for to in (
        'a@example.net', 'help@example.net', 'b@example.net',
        'x@mx.postmaster.example', 'c@example.net')]
    tap.same(codes, [250, 250, 451, 250, 451],
             'an exempt recipient exempts itself, and nobody else')
    client.smtp.data(MESSAGE)
    client.close()
    tap.same([site.send('root')[0] for _ in range(3)], [250] * 3,
             'an exempt login is not counted')
    site.arrived(4)
    site.quota.configure({'exempt_recipients': '', 'exempt_logins': ''})


def by_from(site):
    site.rules(rule('from', '1/1d', key='from_domain', action='reject'))
    codes = [site.send('lea')[0] for _ in range(2)]
    tap.same(codes, [250, 550], 'the domain of From is counted at the end')
    other = MESSAGE.replace(b'alice@example.org', b'alice@example.com')
    tap.same(site.send('lea', message=other)[0], 250, 'another one is another')
    site.arrived(2)


def connections(site):
    site.rules(rule('rate', '3/1d', key='client', count='connections'))
    port = site.postfix.mx_port
    codes = [site.send(port=port, source='127.0.0.3')[0] for _ in range(3)]
    tap.same(codes, [250] * 3, 'three connections of a day')
    client = Client(port, source='127.0.0.3')
    code, text = client.smtp.mail('a@example.org')
    client.close()
    tap.same((code, text[:5]), (421, b'4.7.0'), 'the fourth gets 421 at MAIL')
    site.arrived(3)
    site.rules(rule('open', '2', key='client', count='open_connections'))
    clients = [Client(port, source='127.0.0.4') for _ in range(3)]
    codes = [c.smtp.mail('a@example.org')[0] for c in clients]
    tap.same(sorted(codes), [250, 250, 421], 'two at once, not three')
    for client in clients:
        client.close()

    def is_free():
        client = Client(port, source='127.0.0.4')
        code = client.smtp.mail('a@example.org')[0]
        client.close()
        return code == 250

    tap.ok(wait_until(is_free, 'closed connections'),
           'closed ones make room again')


def dry_run(site):
    site.rules(rule('dry', '1/1d', mode='dry-run'))
    codes = [site.send('mia')[0] for _ in range(3)]
    tap.same(codes, [250] * 3, 'a dry rule refuses nobody')
    tap.like(site.quota.log(), r'counted .*would_refuse=dry',
             'and says whom it would have')
    site.rules(rule('dry', '4/1d'))
    tap.same([site.send('mia')[0] for _ in range(2)], [250, 451],
             'but it has counted')
    site.quota.configure({'mode': 'dry-run'})
    tap.same([site.send('mia')[0] for _ in range(2)], [250, 250],
             'a dry daemon refuses nobody either')
    site.quota.configure({'mode': 'enforce'})
    site.arrived(6)


def tables(site):
    path = site.quota.dir + '/limits'

    def write(text):
        with open(path + '.new', 'w', encoding='ascii') as file:
            file.write(text)
        os.rename(path + '.new', path)

    write('nora 3/1d\nexample.org gold\nolga@example.com blocked\n')
    site.rules(rule('own', '1/1d', limits_table='file:' + path,
                    plans='inline:gold=2/1d'))
    tap.same([site.send('nora')[0] for _ in range(4)], [250] * 3 + [451],
             'a login has limits of its own')
    tap.same([site.send('x@example.org')[0] for _ in range(3)],
             [250] * 2 + [451], 'a domain has a plan')
    tap.same([site.send('paul')[0] for _ in range(2)], [250, 451],
             'others have those of the rule')
    tap.same(site.send('olga@example.com')[0], 451, 'one is blocked')
    write('nora 4/1d\n')

    def is_new():
        return site.send('nora')[0] == 250

    tap.ok(wait_until(is_new, 'the new limits'), 'a changed file is in force')
    tap.same(site.send('nora')[0], 451, 'with what was counted before')
    write('nora 4/1y\n')
    wait_until(lambda: 'reload_failed' in site.quota.log(), 'a refused reload')
    tap.like(site.quota.log(), r'limits:1\b.*nora.*the span', 'a bad row is '
             'refused with file and line')
    tap.same(site.send('nora')[0], 451, 'and the old limits hold')
    site.arrived(7)


def distinct(site):
    site.rules(rule('distinct', '2/1d', count='distinct_recipients'),
               rule('new', '3/1d', count='new_recipients'),
               rule('places', '2/1d', count='client_addresses'))
    codes = [site.send('quin', [to])[0] for to in (
        'a@example.net', 'A@example.net', 'b@example.net', 'a@example.net',
        'c@example.net')]
    tap.same(codes, [250, 250, 250, 250, 451],
             'two different recipients, not three')
    site.arrived(4)
    site.rules(rule('new', '3/1d', count='new_recipients'))
    codes = [site.send('quin', [to])[0] for to in (
        'd@example.net', 'e@example.net', 'a@example.net')]
    tap.same(codes, [250, 451, 250], 'three new ones; known ones at any time')
    site.arrived(2)
    site.rules(rule('places', '2/1d', count='client_addresses'))
    codes = [site.send('quin', source='127.0.0.%d' % n)[0]
             for n in (5, 5, 6, 5)]
    tap.same(codes, [250, 250, 451, 250],
             'from two addresses (127.0.0.1 was the first), not three')
    site.arrived(3)


def bad_recipients(site):
    site.rules(rule('bad', '2/1d', key='client', count='refused_recipients'))
    client = Client(site.postfix.mx_port, source='127.0.0.7')
    client.smtp.mail('alice@example.org')
    codes = [client.smtp.rcpt(to)[0] for to in (
        'a@example.net', 'nobody@example.net', 'b@example.net',
        'nobody@example.net')]
    tap.same(codes, [250, 554, 250, 554], 'one bad recipient is allowed')
    client.close()

    def is_refused():
        client = Client(site.postfix.mx_port, source='127.0.0.7')
        client.smtp.mail('alice@example.org')
        code = client.smtp.rcpt('c@example.net')[0]
        client.close()
        return code == 451

    tap.ok(wait_until(is_refused, 'the count of bad recipients'),
           'after the second no further one is taken')


def awkward_logins(site):
    site.rules(rule('odd', '1/1d'))
    for label, login in (('1000 letters', 'x' * 1000), ('8 bit', 'j\xfcrg'),
                         ('a slash', 'a/b'), ('an equals sign', 'a=b,c=d'),
                         ('a percent sign', '%s%n')):
        try:
            codes = [site.send(login)[0] for _ in range(2)]
        except (UnicodeError, smtplib.SMTPException) as error:
            tap.note('%s: %s' % (label, error))
            continue
        tap.same(codes, [250, 451], 'a login with %s is counted' % label)
        site.arrived(1)


def main():
    with Lab() as lab:
        site = Site(lab)
        for test in (recipients, through_kill, at_once, given_back,
                     of_one_message, of_the_command, xclient, trusted_sender,
                     hold_and_discard, sizes, exempt, by_from, connections,
                     dry_run, tables, distinct, bad_recipients,
                     awkward_logins):
            tap.note(test.__name__)
            test(site)
        tap.same(site.quota.stop(), 0, 'mfx-quota ends well')
    tap.done()


if __name__ == '__main__':
    main()
