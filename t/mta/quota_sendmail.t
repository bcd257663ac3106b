#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-quota behind a real Sendmail."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import STRANGER, Client, Lab, LabError, send, wait_until

MESSAGE = (b'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\n'
           b'Subject: hello\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
           b'Message-ID: <1@example.org>\r\n\r\nHello\r\n')
# Sendmail refuses by its access rules, before any filter hears of it
MORE = '''\
LOCAL_RULESETS
SLocal_check_rcpt
R$*nobody$*	$#error $@ 5.1.1 $: "550 nobody lives here"
'''


def people(count, first=0):
    return ['r%d@example.net' % n for n in range(first, first + count)]


def rule(name, limits, **more):
    return {'name': name, 'limits': limits, **more}


class Site:
    def __init__(self, lab):
        self.sink = lab.sink()
        self.quota = lab.mfx_quota({
            'rules': [rule('none', '1/1d', key='certificate')],
            'sender_trusted_from': 'csl:127.0.0.1',
        })
        self.sendmail = lab.sendmail(self.sink, [self.quota.milter], more=MORE)

    def rules(self, *rules, **more):
        self.quota.configure({'rules': list(rules), **more})

    def send(self, sender='alice@example.org', to=('bob@example.net',),
             message=MESSAGE, **more):
        return send(self.sendmail.submit_port, message, sender=sender, to=to,
                    **more)

    def arrived(self):
        count = 0
        while not self.sink.stays_empty(1.0):
            self.sink.take()
            count += 1
        return count


def recipients(site):
    """Sendmail has no XCLIENT: behind a submission proxy the envelope sender
    is the key, from the proxy's address alone."""
    site.rules(rule('daily', '10/1d', key='sender'))
    codes = [site.send(to=people(3, 3 * n))[0] for n in range(3)]
    tap.same(codes, [250] * 3, 'nine recipients of ten')
    client = Client(site.sendmail.submit_port)
    client.smtp.mail('alice@example.org')
    replies = [client.smtp.rcpt(to) for to in people(3, 9)]
    tap.same([r[0] for r in replies], [250, 451, 451], 'the tenth fits')
    tap.like(replies[1][1].decode(), r'4\.7\.1 .*10 of 10 recipients',
             'the reply says how much')
    tap.same(client.smtp.data(MESSAGE)[0], 250, 'and the message goes on')
    client.close()
    site.quota.kill()
    tap.same(site.send()[0], 451, 'without mfx-quota mail waits')
    site.quota.start()
    tap.same(site.send()[0], 451, 'after kill -9 the account is still used up')
    tap.same(site.send(sender='ben@example.org')[0], 250,
             'another sender is another account')
    tap.same(site.send(source=STRANGER)[0], 250,
             'a stranger with that name is not believed')
    tap.same(site.arrived(), 6, 'six mails arrive')


def given_back(site):
    site.rules(rule('back', '2/1d', key='sender'))
    for how in ('rset', 'quit'):
        client = Client(site.sendmail.submit_port)
        client.smtp.mail('carl@example.org')
        tap.same([client.smtp.rcpt(to)[0] for to in people(3)],
                 [250, 250, 451], 'two fit, before ' + how)
        if how == 'rset':
            client.smtp.rset()
        client.close()

    def is_free():
        client = Client(site.sendmail.submit_port)
        client.smtp.mail('carl@example.org')
        codes = [client.smtp.rcpt(to)[0]
                 for to in ['nobody@example.net'] + people(2)]
        client.smtp.data(MESSAGE)
        client.close()
        return codes == [550, 250, 250]

    tap.ok(wait_until(is_free, 'what was given back'),
           'all is given back, and whom Sendmail refuses is not counted')
    tap.same(site.arrived(), 1, 'one arrives')


def of_one_message(site):
    site.rules(rule('per_message', '3/message', key='client'))
    client = Client(site.sendmail.submit_port)
    client.smtp.mail('alice@example.org')
    replies = [client.smtp.rcpt(to) for to in people(4)]
    tap.same([r[0] for r in replies], [250, 250, 250, 452],
             'a fourth recipient has to wait')
    tap.like(replies[3][1].decode(), r'4\.5\.3 ', 'with 4.5.3')
    client.smtp.data(MESSAGE)
    client.close()
    tap.same(site.arrived(), 1, 'the message arrives')


def sizes(site):
    site.rules(rule('size', '5000/1d 3000/message', key='client',
                    count='bytes', action='reject'))
    large = MESSAGE + (b'y' * 70 + b'\r\n') * 50
    tap.same(site.send(message=large, options=['SIZE=%d' % len(large)])[0],
             552, 'too large by its own word')
    tap.same(site.send(message=large, options=['SIZE=100'])[0], 552,
             'too large, whatever it said')
    fits = MESSAGE + (b'z' * 70 + b'\r\n') * 25
    tap.same([site.send(message=fits)[0] for _ in range(3)], [250, 250, 550],
             'twice 2000 fit in 5000, three times not')
    tap.same(site.arrived(), 2, 'two arrive')


def at_the_end(site):
    site.rules(rule('from', '1/1d', key='from_domain', action='reject'))
    tap.same([site.send()[0] for _ in range(2)], [250, 550],
             'the domain of From is counted at the end')
    site.rules(rule('held', '1/1d', key='client', action='hold'))
    tap.same([site.send()[0] for _ in range(2)], [250, 250], 'both are taken')
    tap.same(site.arrived(), 2, 'one of these is delivered')
    held = [name for name in os.listdir(site.sendmail.dir + '/mqueue')
            if name.startswith('hf')]
    tap.same(len(held), 1, 'the other is in quarantine')


def connections(site):
    site.rules(rule('rate', '3/1d', key='client', count='connections'))
    codes = [site.send(source='127.0.0.3')[0] for _ in range(3)]
    tap.same(codes, [250] * 3, 'three connections of a day')
    client = Client(site.sendmail.submit_port, source='127.0.0.3')
    code, text = client.smtp.mail('a@example.org')
    client.close()
    tap.same((code, text[:5]), (421, b'4.7.0'), 'the fourth gets 421 at MAIL')
    tap.same(site.arrived(), 3, 'three arrive')


def bad_recipients(site):
    """Sendmail says only how many it has refused, with the next recipient."""
    site.rules(rule('bad', '2/1d', key='client', count='refused_recipients'))
    client = Client(site.sendmail.submit_port, source='127.0.0.7')
    client.smtp.mail('alice@example.org')
    for to in ('nobody@one.example', 'nobody@two.example', 'a@example.net'):
        client.smtp.rcpt(to)
    client.close()

    def is_refused():
        client = Client(site.sendmail.submit_port, source='127.0.0.7')
        client.smtp.mail('alice@example.org')
        code = client.smtp.rcpt('c@example.net')[0]
        client.close()
        return code == 451

    tap.ok(wait_until(is_refused, 'the count of bad recipients'),
           'after two bad ones no further one is taken')


def command(site):
    site.rules(rule('command', '1/1d', key='sender', action='reject'))

    def submit():
        try:
            site.sendmail.submit(['-f', 'dora@example.org', 'bob@example.net'],
                                 MESSAGE.replace(b'\r\n', b'\n'))
            return 'taken'
        except LabError:
            return 'refused'

    tap.same([submit(), submit()], ['taken', 'refused'],
             'the sendmail command (MSP) is counted')
    tap.has((1, 2), site.arrived(), 'one mail arrives, perhaps a bounce, too')
    tap.like(site.quota.log(), r'recipient_refused .*dora@example.org',
             'the log says so')


def main():
    with Lab() as lab:
        site = Site(lab)
        for test in (recipients, given_back, of_one_message, sizes,
                     at_the_end, connections, bad_recipients, command):
            tap.note(test.__name__)
            test(site)
        tap.same(site.quota.stop(), 0, 'mfx-quota ends well')
    tap.done()


if __name__ == '__main__':
    main()
