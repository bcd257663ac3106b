# SPDX-License-Identifier: BSD-2-Clause
"""spf_cases - what mfx-spf does behind any MTA: the same zones, the same
clients, the same replies

    with SpfLab() as lab:
        site = Site(lab, lab.sendmail(lab.sink, lab.milters()))
        run_all(site)

All of 127.0.0.0/8 is this machine, so a client is whoever the case wants:
127.0.1.1 may send for pass.example, 127.0.1.66 is listed by bl.example.
"""
import re

import tap
from . import Lab, wait_until
from .smtp import Client

GOOD, LISTED, UNASKED, ERRING, VOUCHED, DOUBTED, RELAY, FORWARDER = (
    '127.0.1.%d' % n for n in (1, 66, 65, 67, 68, 69, 200, 77))
KEY = 's3cr3tk3y'
TEXT = '%s 60 IN TXT "%s"'
MESSAGE = (b'From: Joe <joe@sender.example>\r\nTo: a@example.org\r\n'
           b'Subject: hi\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
           b'Message-ID: <9@sender.example>\r\n\r\nHello\r\n')


def reversed_octets(address):
    return '.'.join(reversed(address.split('.')))


def listing(address, zone, answer, text=None):
    name = '%s.%s.' % (reversed_octets(address), zone)
    lines = ['%s 60 IN A %s' % (name, answer)]
    return lines + ([TEXT % (name, text)] if text else [])


def record(domain, text):
    return TEXT % (domain + '.', text)


RECORDS = [
    record('pass.example', 'v=spf1 ip4:127.0.1.1 -all'),
    record('mx.pass.example', 'v=spf1 ip4:127.0.1.1 -all'),
    record('fail.example', 'v=spf1 -all exp=why.fail.example'),
    record('why.fail.example', 'mail of %{d} never comes from %{i}'),
    record('soft.example', 'v=spf1 ~all'),
    record('neutral.example', 'v=spf1 ?all'),
    record('broken.example', 'v=spf1 ipv4:127.0.1.1 -all'),
    record('endless.example', 'v=spf1 include:endless.example -all'),
    record('own.example', 'v=spf1 ip4:203.0.113.1 -all'),
    record('forwarder.example', 'v=spf1 ip4:%s -all' % FORWARDER),
    'host.example. 60 IN A 127.0.1.1',
    record('named.example', 'v=spf1 a:host.example -all'),
] + listing('127.0.0.2', 'bl.example', '127.0.0.2') \
  + listing(LISTED, 'bl.example', '127.0.0.4', 'see http://bl.example/') \
  + listing(UNASKED, 'bl.example', '127.0.0.4') \
  + listing(ERRING, 'bl.example', '127.255.255.254') \
  + listing(VOUCHED, 'bl.example', '127.0.0.4') \
  + listing('127.0.0.2', 'wl.example', '127.0.0.2') \
  + listing(VOUCHED, 'wl.example', '127.0.5.3') \
  + listing('127.0.0.2', KEY + '.paid.example', '127.0.0.2') \
  + listing(DOUBTED, KEY + '.paid.example', '127.0.0.2', 'a paid listing') \
  + ['test.dbl.example. 60 IN A 127.0.1.2',
     'bad.example.dbl.example. 60 IN A 127.0.1.2']
# bl.example as a parked domain answers for whatever name
WORLD = ['*.bl.example. 60 IN A 127.0.0.2']


class SpfLab(Lab):
    def set_up(self):
        super().set_up()
        self.dns = self.nsd(RECORDS)
        self.sink = self.sink()
        self.filter = self.mfx_spf(self.spf_settings())
        wait_until(lambda: self.filter.ctl('lists').count('in use') == 4,
                   'the lists to be tested')

    def spf_settings(self):
        return {
            'authserv_id': 'mx.example.org',
            'dns.servers': ['127.0.0.1:%d' % self.dns.port],
            'dns.timeout': '2s',
            'dns.cache_entries': 0,
            'lists.sites': 'bl.example=127.0.0.[2..11]*3, '
                           '%s.paid.example*1, wl.example*-5' % KEY,
            'lists.reply_map':
                'inline:%s.paid.example=paid.example' % KEY,
            'lists.tag_at': 1, 'lists.reject_at': 3,
            'lists.cache_min': '0', 'lists.cache_max': '1s',
            'dns_lists': [{'sites': 'dbl.example*3', 'type': 'domain',
                           'keys': 'sender_domain'}],
            'health.interval': '10s', 'health.retry': '1s',
            'health.trouble': 2,
            'forwarders.domains': ['forwarder.example'],
            'relays.hosts': 'csl:' + RELAY,
        }

    def milters(self):
        return [self.filter.milter]

    def revive_dns(self):
        self.dns = self.nsd(RECORDS, port=self.dns.port)

    def wait_log(self, text, mark=0):
        wait_until(lambda: text in self.filter.log()[mark:],
                   text + ' in the log of mfx-spf', seconds=60)


class Site:
    def __init__(self, lab, mta):
        self.lab, self.mta, self.sink = lab, mta, lab.sink

    def receive(self, sender, client=GOOD, helo=None, to=('a@example.org',),
                message=MESSAGE, port=None):
        if helo is None:
            helo = 'mx.pass.example' if client == GOOD else 'client.test'
        session = Client(port or self.mta.mx_port, client, helo)
        try:
            return session.send(message, sender, to)
        finally:
            session.close()


def passed(site, label, **what):
    """The mail that came through, or None."""
    code, text = site.receive(**what)
    if not tap.same(code, 250, '%s: is taken (%s)' % (label, text)):
        return None
    return site.sink.take()


def refused(site, label, want, **what):
    code, text = site.receive(**what)
    tap.like('%d %s' % (code, text.replace('\n', ' ')), want, label)


def one(mail, name):
    found = [value.decode() for value in mail.unfolded(name)] if mail else []
    return found[0] if found else ''


# --- cases ---

def results(site):
    for sender, result in (('joe@pass.example', 'pass'),
                           ('joe@soft.example', 'softfail'),
                           ('joe@neutral.example', 'neutral'),
                           ('joe@nothing.example', 'none'),
                           ('joe@broken.example', 'permerror'),
                           ('joe@endless.example', 'permerror'),
                           ('joe@named.example', 'pass')):
        mail = passed(site, result, sender=sender)
        tap.like(one(mail, 'Authentication-Results'),
                 r'^mx\.example\.org;.* spf=%s\b.*smtp\.mailfrom=%s' % (
                     result, sender), '%s: Authentication-Results' % sender)
        tap.like(one(mail, 'Received-SPF'),
                 r'^%s \(.*\).* client-ip=127\.0\.1\.1;' % result,
                 '%s: Received-SPF' % sender)
    mail = passed(site, 'null sender', sender='')
    tap.like(one(mail, 'Received-SPF'), '^pass .*helo=mx.pass.example',
             'null sender: HELO passes')


def refusals(site):
    refused(site, 'fail: refused with the explanation of the domain',
            r'^550 5\.7\.23 .*SPF fail: 127\.0\.1\.1 may not send as '
            r'fail\.example: mail of fail\.example never comes from '
            r'127\.0\.1\.1', sender='joe@fail.example')
    refused(site, 'fail of HELO', r'^550 5\.7\.23 .*fail\.example',
            sender='joe@pass.example', helo='fail.example')
    mail = passed(site, 'postmaster', sender='joe@fail.example',
                  to=('postmaster@example.org',))
    tap.like(one(mail, 'X-Sender-Check'), '^unprotected;.*spf=fail',
             'postmaster: is told')
    code, text = site.receive(sender='joe@fail.example',
                              to=('a@example.org', 'abuse@example.org'))
    tap.same(code, 250, 'one of two recipients: ' + text)
    mail = site.sink.take()
    tap.same([r for r in mail.recipients if b'abuse' in r], mail.recipients,
             'one of two recipients: only that one')


def lists(site):
    refused(site, 'listed: refused with what the list says',
            r'^550 5\.7\.1 .*127\.0\.1\.66 is listed by bl\.example: '
            r'see http://bl\.example/', sender='joe@nothing.example',
            client=LISTED)
    mail = passed(site, 'a list that refuses to answer lists nobody',
                  sender='joe@nothing.example', client=ERRING)
    tap.same(one(mail, 'X-Sender-Check'), '', 'no tag')
    site.lab.wait_log('dns_list_error list=bl.example')
    mail = passed(site, 'an allow list outweighs it',
                  sender='joe@nothing.example', client=VOUCHED)
    tap.same(one(mail, 'X-Sender-Check'), '', 'no tag')
    mail = passed(site, 'doubted', sender='joe@nothing.example',
                  client=DOUBTED)
    tap.like(one(mail, 'X-Sender-Check'),
             r'^suspicious;.*score=1; lists=paid\.example', 'doubted: tag')
    refused(site, 'listed by the domain of the sender',
            r'^550 5\.7\.1 .*bad\.example is listed by dbl\.example',
            sender='joe@bad.example')
    tap.lacks(site.lab.filter.log() + one(mail, 'X-Sender-Check')
              + site.lab.filter.ctl('metrics') + site.lab.filter.ctl('lists'),
              KEY, 'the key of a list is never shown')


def forged(site):
    message = (b'Authentication-Results: mx.example.org; spf=pass '
               b'smtp.mailfrom=bank.example\r\n'
               b'Authentication-Results: other.example; spf=pass\r\n'
               b'X-Sender-Check: all is well\r\n') + MESSAGE
    mail = passed(site, 'forged fields', sender='joe@soft.example',
                  message=message)
    found = [v for v in mail.unfolded('Authentication-Results')
             if v.startswith(b'mx.example.org')]
    tap.same(len(found), 1, 'forged fields of ours are gone')
    tap.lacks(found[0], b'bank', 'ours is ours')
    tap.same(len(mail.unfolded('Authentication-Results')), 2,
             'of others they stay')
    tap.same(mail.unfolded('X-Sender-Check'), [], 'and a forged tag goes')


def relayed(site):
    message = (b'Received: from spammer.example (unknown [127.0.1.66])\r\n'
               b'\tby mx2.example.org (Postfix) with ESMTP id 4Bx12\r\n'
               b'\tfor <a@example.org>; Sat, 21 Nov 2026 08:00:00 +0000\r\n'
               ) + MESSAGE
    mail = passed(site, 'by a secondary MX', sender='joe@fail.example',
                  client=RELAY, helo='mx2.example.org', message=message)
    tap.like(one(mail, 'X-Sender-Check'),
             '^suspicious;.*spf=fail.*bl.example', 'its client is checked')
    tap.like(one(mail, 'Received-SPF'), 'client-ip=127.0.1.66', 'and named')
    mail = passed(site, 'by a forwarder', sender='joe@fail.example',
                  client=FORWARDER, helo='out.forwarder.example')
    tap.like(one(mail, 'Received-SPF'), '^fail ', 'its mail is only marked')


def outgoing(site):
    ours = dict(sender='joe@own.example', helo='client.test',
                port=site.mta.submit_port, client='127.0.0.1')
    mail = passed(site, 'mail of ours', **ours)
    tap.same(mail.unfolded('Received-SPF'), [], 'is not checked')
    site.lab.filter.configure({'outgoing.check': 'header',
                               'outgoing.addresses': ['203.0.113.9']})
    mail = passed(site, 'mail of ours that others would refuse', **ours)
    tap.like(one(mail, 'X-SPF-Warning'), r'own\.example.*203\.0\.113\.9.*fail',
             'warns')
    site.lab.filter.configure({'outgoing.check': 'reject'})
    refused(site, 'or is refused', r'^550 5\.7\.23 .*203\.0\.113\.9', **ours)
    site.lab.filter.configure({'outgoing.addresses': ['203.0.113.1']})
    mail = passed(site, 'from an address that is right', **ours)
    tap.same(mail.unfolded('X-SPF-Warning'), [], 'no warning')
    site.lab.filter.configure({'outgoing.check': 'off'})


def list_turns_bad(site):
    """A list that lists the world refuses little mail: it is found out."""
    mark = len(site.lab.filter.log())
    site.lab.dns.publish([r for r in RECORDS if 'bl.example' not in r
                          or 'dbl' in r] + WORLD)
    replies = []

    def is_taken():
        replies.append(site.receive(sender='joe@soft.example',
                                    client='127.0.1.90')[0])
        return replies[-1] == 250
    wait_until(is_taken, 'mail to pass', seconds=60)
    site.sink.take()
    tap.has(site.lab.filter.log()[mark:], 'dns_list_down list=bl.example',
            'a list that lists the world goes (%d refused)'
            % (len(replies) - 1))
    mark = len(site.lab.filter.log())
    site.lab.dns.publish(RECORDS)
    site.lab.wait_log('dns_list_up list=bl.example', mark)
    wait_until(lambda: site.receive(sender='joe@nothing.example',
                                    client=LISTED)[0] == 550,
               'the list to count again', seconds=30)
    tap.ok(True, 'and comes back')


def dns_dies(site):
    site.lab.dns.stop()
    refused(site, 'DNS is dead: temporary', r'^4\d\d ',
            sender='joe@pass.example')
    refused(site, 'nobody is refused for good', r'^4\d\d ',
            sender='joe@fail.example', client=UNASKED)
    mail = passed(site, 'postmaster gets his mail',
                  sender='joe@fail.example', to=('postmaster@example.org',))
    tap.like(one(mail, 'X-Sender-Check'), 'temperror', 'marked')
    site.lab.revive_dns()
    mail = passed(site, 'DNS is back', sender='joe@pass.example')
    tap.like(one(mail, 'Received-SPF'), '^pass ', 'pass again')
    refused(site, 'fail again', r'^550 5\.7\.23', sender='joe@fail.example')


def policies(site):
    """Each thing that a result can do."""
    def softfail(action, **what):
        site.lab.filter.configure({'mail_from.on_softfail': action})
        return site.receive(sender='joe@soft.example', **what)

    tap.same(softfail('tag')[0], 250, 'tag: is taken')
    tap.like(one(site.sink.take(), 'X-Sender-Check'),
             '^suspicious;.*spf=softfail', 'tag: a field')
    code, text = softfail('tempfail')
    tap.like('%d %s' % (code, text), r'^451 4\.7\.23 .*soft\.example',
             'tempfail')
    code, text = softfail('reject')
    tap.like('%d %s' % (code, text), r'^550 5\.7\.23 .*soft\.example',
             'reject')
    for action in 'discard', 'hold':
        tap.same(softfail(action)[0], 250, action + ': is taken')
        tap.ok(site.sink.stays_empty(1.0), action + ': goes nowhere')
        wait_until(lambda: re.search(
            r': (discarded|held) .*reason="SPF of the sender softfails"',
            site.lab.filter.log()), action + ' in the log')
    site.lab.filter.configure({'rules': [
        {'name': 'soft', 'results': ['softfail'], 'action': 'reject',
         'code': '554 5.7.1', 'text': 'no $domain from $client',
         'domains': 'csl:.example'}]})
    refused(site, 'a rule with words of its own',
            r'^554 5\.7\.1 .*no soft\.example from 127\.0\.1\.1',
            sender='joe@soft.example')
    del site.lab.filter.settings['rules']
    site.lab.filter.configure({'mail_from.on_softfail': 'accept',
                               'spf.reject_code': '553 5.7.23',
                               'spf.text': 'SPF: $result'})
    refused(site, 'code and text by settings', r'^553 5\.7\.23 .*SPF: fail',
            sender='joe@fail.example')
    for name in 'spf.reject_code', 'spf.text':
        del site.lab.filter.settings[name]
    site.lab.filter.configure({})


def dry_run(site):
    site.lab.filter.configure({'mode': 'dry-run'})
    mail = passed(site, 'dry-run', sender='joe@fail.example', client=LISTED)
    tap.same(mail.unfolded('Received-SPF'), [], 'dry-run: nothing is written')
    tap.like(site.lab.filter.log(), r'would_reject|rejected.*dry|dry.*reject',
             'dry-run: the log says what would be')
    site.lab.filter.configure({'mode': 'enforce'})


def run_all(site, *more):
    for case in (results, refusals, lists, forged, relayed, outgoing,
                 policies, dry_run, list_turns_bad, dns_dies) + more:
        tap.note('--- ' + case.__name__)
        case(site)
    tap.done()
