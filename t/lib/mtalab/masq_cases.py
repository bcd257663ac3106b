# SPDX-License-Identifier: BSD-2-Clause
"""masq_cases - what mfx-masq does behind any MTA: the same site, the same
mail, the same result

    with MasqLab() as lab:
        site = Site(lab, lab.sendmail(lab.sink, lab.milters()))
        run_all(site)

Mail goes through mfx-masq and then through mfx-dkim, which signs for
example.com: the name that mail of this site is to have.
"""
import email.utils
import os
import re

import tap
from . import STRANGER, send
from .dkim_lab import DkimLab

DOMAIN = 'example.com'
BOTH = {'rsa': 'pass', 'ed': 'pass'}
HEAD = (b'From: "Alice, A." <alice@host7.example.org> (at work)\r\n'
        b'To: Bob <bob@example.net>,\r\n\tcarol@host8.example.org\r\n'
        b'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n'
        b'Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
        b'Message-ID: <1.2@host7.example.org>\r\n')
MESSAGE = HEAD + b'\r\nHello\r\n'
FOREIGN = (b'From: Joe <joe@sender.example>\r\nTo: away@example.com\r\n'
           b'Subject: hi\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n'
           b'Message-ID: <9@sender.example>\r\n\r\nHello\r\n')
TABLES = {
    # a generated list, as a Sendmail site has it
    'masq-domains': ''.join('host%d.example.org\n' % n for n in range(20)),
    'generics': 'dora@host9.example.org dora.doe@example.com\n',
    'aliases': 'away: joe@elsewhere.example\nhere: bob\n',
    'secrets': 'sesame\n',
}


class MasqLab(DkimLab):
    def __init__(self):
        super().__init__({'sign.domains': 'csl:' + DOMAIN})

    def filter_settings(self):
        os.symlink('example.org', '%s/keys/%s' % (self.dir, DOMAIN))
        return super().filter_settings()

    def set_up(self):
        super().set_up()
        self.dns.publish([key.record().replace('example.org', DOMAIN)
                          for key in (self.rsa, self.ed)] + [
            '_dmarc.strict.example. 60 IN TXT "v=DMARC1; p=reject"',
            '_dmarc.mild.example. 60 IN TXT "v=DMARC1; p=none"'])
        for name, text in TABLES.items():
            self.write(name, text)
        os.chmod(self.dir + '/secrets', 0o600)
        self.masq = self.mfx_masq(self.masq_settings())

    def write(self, name, text):
        path = '%s/%s' % (self.dir, name)
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(text)
        os.rename(path + '.new', path)

    def milters(self):
        return [self.masq.milter, self.filter.milter]

    def masq_settings(self):
        return {
            'our_domains': 'csl:example.org,.example.org,' + DOMAIN,
            'local_domains': 'csl:' + DOMAIN,
            'rules': [{
                'name': 'sendmail', 'kind': 'sendmail',
                'masquerade_as': DOMAIN,
                'masquerade_domain': 'file:%s/masq-domains' % self.dir,
                'genericstable': ['texthash:%s/generics' % self.dir],
                'generics_domain': 'csl:host9.example.org',
                'classes': ['envelope_sender', 'header_sender', 'message_id'],
            }, {
                'name': 'old', 'kind': 'canonical',
                'maps': ['inline:{{@old.example=@new.example}}'],
                'classes': ['envelope_recipient', 'header_recipient'],
            }],
            'srs.domain': 'srs.example.com',
            'srs.secrets_file': self.dir + '/secrets',
            'srs.forward_maps': ['alias:%s/aliases' % self.dir],
            'munge.when': 'dmarc', 'munge.mail': 'forwarded',
            'munge.domain': 'via.example.com',
            'munge.secrets_file': self.dir + '/secrets',
            'munge.phrase_suffix': ' via us',
            'dns.servers': ['127.0.0.1:%d' % self.dns.port],
            'dns.timeout': '2s',
        }


class Site:
    def __init__(self, lab, mta):
        self.lab, self.mta, self.sink = lab, mta, lab.sink

    def submit(self, message=MESSAGE, sender='alice@host7.example.org',
               to=('bob@example.net',), **more):
        return send(self.mta.submit_port, message, sender=sender, to=to,
                    source=STRANGER, **more)

    def receive(self, message=FOREIGN, sender='joe@sender.example',
                to=('away@example.com',), **more):
        return send(self.mta.mx_port, message, sender=sender, to=to,
                    source=STRANGER, **more)


def addresses(mail, name):
    values = [v.decode('utf-8', 'replace') for v in mail.unfolded(name)]
    return [a for _, a in email.utils.getaddresses(values)]


def path_of(line):
    return re.search(rb'<(.*?)>', line).group(1).decode()


def paths(mail):
    return sorted(path_of(line) for line in mail.recipients)


def rewritten_and_signed(site):
    code, text = site.submit()
    tap.same(code, 250, 'submitted: ' + text)
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'alice@example.com', 'the sender')
    tap.same(addresses(mail, 'From'), ['alice@example.com'], 'From')
    tap.has(mail.unfolded('From')[0], b'Alice, A.', 'its display name')
    tap.same(addresses(mail, 'To'),
             ['bob@example.net', 'carol@host8.example.org'],
             'recipients are not masqueraded')
    tap.same(mail.unfolded('Message-ID'), [b'<1.2@example.com>'], 'Message-ID')
    tap.has(mail.unfolded('Subject')[0], b'=?utf-8?q?gr=C3=BC=C3=9Fe?=',
            'Subject as it was')
    tap.same(site.lab.verdicts(mail), BOTH,
             'both signatures hold, for the new name')
    tap.has(b' '.join(mail.unfolded('DKIM-Signature')), b'd=example.com',
            'which is d=')
    said = site.lab.masq.ctl('explain', queue_id(text))
    tap.has(said, 'alice@host7.example.org: alice@example.com',
            'explain tells it')


def queue_id(reply):
    """Postfix: "queued as X", Sendmail: "2.0.0 X Message accepted"."""
    found = re.search(r'queued as (\w+)', reply) or \
        re.search(r'2\.0\.0 (\w+) Message accepted', reply)
    return found.group(1) if found else 'unknown'


def generic(site):
    site.submit(MESSAGE.replace(b'alice@host7', b'dora@host9'),
                sender='dora@host9.example.org')
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'dora.doe@example.com', 'genericstable')
    tap.same(addresses(mail, 'From'), ['dora.doe@example.com'], 'From, too')
    tap.same(site.lab.verdicts(mail), BOTH, 'and signed')


def foreign(site):
    """What only has our name in it is not ours."""
    site.receive(MESSAGE, sender='alice@host7.example.org',
                 to=['here@example.com'])
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'alice@host7.example.org',
             'mail from outside keeps its sender')
    tap.same(addresses(mail, 'From'), ['alice@host7.example.org'], 'and From')


def recipients(site):
    message = MESSAGE.replace(b'carol@host8.example.org', b'u1@old.example')
    code, text = site.submit(message, to=[
        'u1@old.example', 'u1@new.example', 'u2@old.example',
        'bob@example.net'])
    tap.same(code, 250, 'four recipients: ' + text)
    got = []
    while not site.sink.stays_empty(1.0):
        mail = site.sink.take()
        got += paths(mail)
    tap.same(sorted(got), ['bob@example.net', 'u1@new.example',
                           'u2@new.example'],
             'two become one, the others what the table says')
    tap.same(addresses(mail, 'To'), ['bob@example.net', 'u1@new.example'],
             'To says so')


def parameters(site):
    """RFC 3461: what the client asked for outlives the rewriting."""
    from . import Client
    client = Client(site.mta.submit_port, source=STRANGER)
    client.smtp.mail('alice@host7.example.org', ['RET=HDRS', 'ENVID=QQ314'])
    client.smtp.rcpt('u2@old.example', ['NOTIFY=NEVER',
                                        'ORCPT=rfc822;u2@old.example'])
    code, _ = client.smtp.data(MESSAGE)
    client.close()
    tap.same(code, 250, 'with RET, ENVID, NOTIFY and ORCPT')
    mail = site.sink.take()
    tap.has(mail.sender, b'ENVID=QQ314', 'ENVID goes on')
    tap.has(mail.sender, b'RET=HDRS', 'RET goes on')
    tap.same(paths(mail), ['u2@new.example'], 'to another recipient')
    tap.has(mail.recipients[0], b'NOTIFY=NEVER', 'NOTIFY goes on')


def bounce_comes_back(site):
    code, text = site.receive()
    tap.same(code, 250, 'foreign mail that is forwarded: ' + text)
    mail = site.sink.take()
    srs = path_of(mail.sender)
    tap.like(srs, r'^SRS0=[\w+/-]{4}=[A-Z2-7]{2}=sender\.example=joe'
             r'@srs\.example\.com$', 'has an SRS sender')
    tap.same(addresses(mail, 'From'), ['joe@sender.example'], 'and its From')
    bounce = (b'From: <MAILER-DAEMON@elsewhere.example>\r\nTo: <' +
              srs.encode() + b'>\r\nSubject: failed\r\n\r\nno\r\n')
    code, text = site.receive(bounce, sender='', to=[srs])
    tap.same(code, 250, 'a bounce to it: ' + text)
    mail = site.sink.take()
    tap.same(paths(mail), ['joe@sender.example'],
             'arrives at the original sender')
    tap.same(path_of(mail.sender), '', 'from the null sender')
    wrong = srs.replace('=joe@', '=eve@')
    code, text = site.receive(bounce, sender='', to=[wrong])
    tap.like('%d %s' % (code, text), r'^55\d 5\.\d\.\d .*SRS',
             'a forged one is refused, and the reply says what it is')
    site.receive(to=['here@example.com'])
    tap.same(path_of(site.sink.take().sender), 'joe@sender.example',
             'mail that stays keeps its sender')


def short_form(site):
    """A sender too long for an SRS address is kept in the store, and known
    to a daemon that was killed meanwhile."""
    long = 'a.person.with.a.very.long.name.indeed' * 2 + '@sender.example'
    long = long[-79:]
    code, text = site.receive(sender=long)
    tap.same(code, 250, 'a long sender: ' + text)
    srs = path_of(site.sink.take().sender)
    tap.like(srs, r'^SRS0=[\w+/-]{4}=[A-Z2-7]{2}=1=[0-9A-V]{32}'
             r'@srs\.example\.com$', 'gets a short form')
    tap.ok(len(srs.partition('@')[0]) <= 64, 'of 64 octets at most')
    site.lab.masq.kill()
    site.lab.masq.start()
    code, text = site.receive(FOREIGN, sender='', to=[srs.lower()])
    tap.same(code, 250, 'a bounce to it, in lower case: ' + text)
    tap.same(paths(site.sink.take()), [long], 'arrives at the long one')


def outgoing(site):
    """An instance that sees nothing but outgoing mail rewrites all that is
    foreign."""
    site.lab.masq.configure({'srs.forward': 'all'})
    site.receive(to=['here@example.com'])
    tap.like(path_of(site.sink.take().sender), r'^SRS0=.*=joe@srs\.example',
             'srs.forward = "all"')
    site.receive(sender='dora@mail.example.org', to=['here@example.com'])
    tap.same(path_of(site.sink.take().sender), 'dora@mail.example.org',
             'but not our own sender')
    site.lab.masq.configure({'srs.forward': 'forwarded'})


def munged(site):
    """A forwarder's copy of mail whose author's domain wants it refused."""
    message = FOREIGN.replace(b'Joe <joe@sender.example>',
                              b'"Joe, the Plumber" <joe@strict.example>')
    site.receive(message, sender='joe@strict.example')
    mail = site.sink.take()
    author = addresses(mail, 'From')[0]
    tap.like(author, r'^[^@]+@via\.example\.com$',
             'p=reject: From leads through us')
    tap.has(mail.unfolded('From')[0], b'Joe, the Plumber via us',
            'its display name stays')
    reply = (b'From: bob@elsewhere.example\r\nTo: <' + author.encode() +
             b'>\r\nSubject: Re: hi\r\n\r\nHello\r\n')
    code, text = site.receive(reply, sender='bob@elsewhere.example',
                              to=[author])
    tap.same(code, 250, 'a reply: ' + text)
    tap.same(paths(site.sink.take()), ['joe@strict.example'],
             'comes back to the author')
    local = author.partition('@')[0]
    forged = ('a' if local[0] != 'a' else 'b') + local[1:] + '@via.example.com'
    code, text = site.receive(reply, to=[forged])
    tap.same(code, 550, 'a forged one is refused: ' + text)
    broken = message.replace(b'<joe@strict.example>', b'<joe@strict.example')
    site.lab.masq.configure({'parse_error': 'reject'})
    code, text = site.receive(broken, sender='joe@strict.example')
    tap.same(code, 550, 'an author that cannot be read, by parse_error: '
             + text)
    site.lab.masq.configure({'parse_error': 'keep'})
    site.receive(FOREIGN.replace(b'sender.example', b'mild.example'))
    tap.same(addresses(site.sink.take(), 'From'), ['joe@mild.example'],
             'p=none: From stays')


def large(site):
    """200 recipients, 300 addresses in the header."""
    to = ['r%d@old.example' % n for n in range(200)]
    listed = b',\r\n\t'.join(b'"N %d" <r%d@old.example>' % (n, n)
                             for n in range(300))
    code, text = site.submit(
        MESSAGE.replace(b'Bob <bob@example.net>', listed), to=to)
    tap.same(code, 250, 'a large one: ' + text)
    got = []
    while not site.sink.stays_empty(1.0):
        mail = site.sink.take()
        got += paths(mail)
    tap.same(sorted(got), sorted(a.replace('old', 'new') for a in to),
             'all 200 recipients are rewritten, each once')
    tap.same(addresses(mail, 'To')[:300],
             ['r%d@new.example' % n for n in range(300)],
             'and all 300 addresses in To')
    tap.ok(max(map(len, mail.data.split(b'\r\n'))) <= 998,
           'no line is too long')
    tap.same(site.lab.verdicts(mail), BOTH, 'the signature holds')


def reloaded(site):
    """The generated list changes: no restart, no command."""
    from . import wait_until
    before = site.lab.masq.log().count('reloaded why=')
    site.lab.write('masq-domains', TABLES['masq-domains'] +
                   'host99.example.org\n')
    wait_until(lambda: site.lab.masq.log().count('reloaded why=') > before,
               'the new list is in force')
    site.submit(MESSAGE.replace(b'host7', b'host99'),
                sender='alice@host99.example.org')
    mail = site.sink.take()
    tap.same(addresses(mail, 'From'), ['alice@example.com'],
             'a new line of masq-domains is in force')


def away(site):
    site.lab.masq.kill()
    code, text = site.submit()
    tap.same(code // 100, 4, 'without mfx-masq mail waits: ' + text)
    site.lab.masq.start()
    tap.same(site.submit()[0], 250, 'and with it goes on')
    tap.same(path_of(site.sink.take().sender), 'alice@example.com',
             'rewritten')


ALL = (rewritten_and_signed, generic, foreign, recipients, parameters,
       bounce_comes_back, short_form, munged, outgoing, large, reloaded, away)


def run_all(site, *more):
    for test in ALL + more:
        tap.note(test.__name__)
        test(site)
    tap.same(site.lab.masq.stop(), 0, 'mfx-masq ends well')
    tap.done()
