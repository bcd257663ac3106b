#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sendmail's masquerading and genericstable beside a rule of mfx-masq with the
same settings: a real Sendmail with the features in its .mc, asked in its
address test mode (sendmail -bt, /try) for random addresses, and some messages
through it. Every address comes out the same. So it does with what mfxctl masq
import makes of that .mc and of its sendmail.cf.

MFX_SEED (default 8017) begins the series, MFX_CASES (default 30) is how many
configurations there are, MFX_ADDRESSES (default 250) how many addresses are
tried in each of them, MFX_MAIL_CASES (default 3) configurations get mail.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Client, Lab, LabError, built
from mtalab.sendmail import HOST, unpacked

SEED = int(os.environ.get('MFX_SEED', '8017'))
CASES = int(os.environ.get('MFX_CASES', '30'))
ADDRESSES = int(os.environ.get('MFX_ADDRESSES', '250'))
MAIL_CASES = int(os.environ.get('MFX_MAIL_CASES', '3'))
MAILS = 12
SHOWN = 10  # differences that are printed

USERS = ['u', 'v', 'w', 'root', 'Root', 'a.b', "o'b", 'x=y', '"q r"', '"a@b"',
         '"b\\"c"', 'u*', 'postmaster', 'p%x', 'h!u', 'h!u%x']
DETAILS = ['', '', '', '+d', '+e', '+d+e', '+', '+*', '++']
DOMAINS = ['d1.test', 'a.d1.test', 'b.a.d1.test', 'd2.test', 'x.d2.test',
           'ad1.test', 'w.test', 'a.w.test', 'test', 'solo', 'r.example',
           'd3.test', HOST, 'a.' + HOST, 'sendmail.test', 'localhost',
           'localhost.sendmail.test', 'localhost.d1.test', '[192.0.2.7]',
           '[192.0.2.8]', '[IPv6:2001:db8::1]']
NAMES = [d for d in DOMAINS if d[0] != '[' and 'localhost' not in d]
FLAGS = ['HS', 'HS', 'ES', 'HR', 'ER']
MAILERS = ['esmtp', 'smtp', 'relay']
FIELDS = {'HS': ['From', 'Sender', 'Reply-To', 'Errors-To', 'Resent-From',
                 'Resent-Sender', 'Resent-Reply-To',
                 'Disposition-Notification-To'],
          'HR': ['To', 'Cc', 'Resent-To', 'Resent-Cc', 'Apparently-To'],
          None: ['Return-Receipt-To', 'Mail-Followup-To']}
PHRASES = ['', '"Doe, J" ', 'J ', '=?utf-8?Q?D=C3=B6?= ']


class Maker:
    """is_sane: no addresses and rows that together have no local part. What
    Sendmail writes then, "@domain", would spoil a whole field."""

    def __init__(self, seed, is_sane=False):
        self.rng = random.Random(seed)
        self.details = [d for d in DETAILS
                        if not is_sane or d not in ('+', '+*')]
        self.odd_values = [] if is_sane else ['%9@r.example']

    def pick(self, choices):
        return self.rng.choice(choices)

    def some(self, choices, probability):
        return [c for c in choices if self.rng.random() < probability]

    def chance(self, probability):
        return self.rng.random() < probability

    def local(self):
        user, detail = self.pick(USERS), self.pick(self.details)
        if user[0] == '"':
            return user[:-1] + detail + '"'
        return '+d' if self.chance(0.03) else user + detail

    def address(self):
        local = self.local()
        # without a domain "h!u" and "p%x" are routes of old
        if self.chance(0.12) and not set('!%') & set(local):
            return local
        domain = self.pick(DOMAINS)
        # "localhost." is not "localhost" to Sendmail, and a literal is what
        # it reads out of it
        if domain in NAMES:
            domain = self.pick([domain.title()] + 8 * [domain])
            domain += self.pick(['.'] + 15 * [''])
        return local + '@' + domain

    def message(self):
        """[(flags, field name or "", addresses)], text"""
        parts, lines = [], []
        for flags, names in FIELDS.items():
            for name in self.some(names[1:], 0.4) + names[:1]:
                addresses = [self.address()
                             for _ in range(self.pick([1, 1, 2, 5]))]
                if name.endswith('Sender'):
                    addresses = addresses[:1]
                parts.append((flags, name, addresses))
                lines.append('%s: %s' % (name, ',\r\n '.join(
                    '%s<%s>' % (self.pick(PHRASES), a) for a in addresses)))
        parts.append(('ES', '', [self.local() + '@' + self.pick(NAMES)]))
        self.rng.shuffle(lines)
        return parts, '\r\n'.join(lines + ['', 'body', ''])

    # --- rows of a genericstable ---

    def key(self):
        """A key, and values that make sense there."""
        plain = ['g@r.example', 'G@R.Example', 'g', 'root', 'g@d1.test',
                 'g@w.test', 'g@localhost', 'g@[192.0.2.7]', 'g@[192.0.2.9]',
                 'g.%%@r.example', 'g%2x', '%2'] + self.odd_values
        user = self.pick([u for u in USERS if '"' not in u])
        detail = ['new+%1@r.example', '%1@r.example', '%1', 'g.%1', 'g+%1']
        domain = self.pick(NAMES)
        kind = self.rng.randrange(6)
        if kind == 0:
            return user + self.pick(DETAILS) + '@' + domain, \
                plain + ['@r.example', '%1@r.example']
        if kind == 1:
            return user + '+*@' + domain, plain + detail + ['@r.example']
        if kind == 2:
            return user + self.pick(DETAILS), plain
        if kind == 3:
            return user + '+*', plain + detail
        return '@' + domain, plain + ['%1@r.example', '%1']

    def rows(self, count):
        found = {}
        for _ in range(count):
            key, values = self.key()
            found.setdefault(key.lower(), self.pick(values))
        return found


def listed(names):
    return '"csl:%s"' % ','.join(names)


def said(value):
    return 'true' if value else 'false'


class Case:
    """One configuration, in the words of both."""

    def __init__(self, maker, folder, own_names):
        self.mc, self.plain, self.conf = [], [], []
        self.maker = maker
        self.folder = folder
        os.makedirs(folder)
        self.own_names = list(own_names)
        if maker.chance(0.85):
            name = maker.pick(['masq.example', 'd1.test', 'Masq.Example'])
            self.mc.append("MASQUERADE_AS(`%s')" % name)
            self.conf.append('masquerade_as = "%s"' % name)
        self.classes()
        self.features()
        if maker.chance(0.7):
            self.genericstable()
        self.conf.append('own_names = ' + listed(self.own_names))

    def classes(self):
        maker = self.maker
        names = maker.some(['w.test', 'd3.test', '[192.0.2.7]'], 0.6)
        self.own_names += names
        self.plain = ["LOCAL_DOMAIN(`%s')" % name for name in names]
        for macro, setting, choices, probability in (
                ('MASQUERADE_DOMAIN', 'masquerade_domain', NAMES, 0.3),
                ('MASQUERADE_EXCEPTION', 'masquerade_exception', NAMES, 0.1),
                ('EXPOSED_USER', 'exposed_user',
                 ['root', 'a.b', 'U', 'v+d', 'g'], 0.3),
                ('GENERICS_DOMAIN', 'generics_domain', NAMES, 0.4)):
            names = maker.some(choices, probability)
            if not names:
                continue
            if maker.chance(0.5):
                path = '%s/%s' % (self.folder, setting)
                with open(path, 'w', encoding='ascii') as file:
                    file.write('# names\n' + '\n'.join(names) + '\n')
                self.mc.append("%s_FILE(`%s')" % (macro, path))
                self.conf.append('%s = "file:%s"' % (setting, path))
            else:
                self.mc.append("%s(`%s')" % (macro, ' '.join(names)))
                self.conf.append('%s = %s' % (setting, listed(names)))

    def features(self):
        for name in ('masquerade_entire_domain', 'limited_masquerade',
                     'masquerade_envelope', 'allmasquerade',
                     'generics_entire_domain'):
            if self.maker.chance(0.5):
                self.mc.append("FEATURE(`%s')" % name)
                self.conf.append(name + ' = true')

    def genericstable(self):
        path = self.folder + '/genericstable'
        with open(path, 'w', encoding='ascii') as file:
            for row in self.maker.rows(self.maker.pick([5, 40, 120])).items():
                file.write('%s %s\n' % row)
        self.mc.append("FEATURE(`genericstable', `text -v1 %s')" % path)
        self.conf.append('genericstable = "file:%s"' % path)

    def mc_text(self):
        return '\n'.join(self.plain + self.mc)

    def write_conf(self):
        path = self.folder + '/masq.conf'
        with open(path, 'w', encoding='ascii') as file:
            file.write('rules = ( { kind = "sendmail"; %s; } );\n'
                       % '; '.join(self.conf))
        return path


def try_all(sendmail, cf, mailer, tries):
    """What /try gives for [(flags, address)]."""
    commands, flags = [], ''
    for wanted, address in tries:
        if wanted != flags:
            commands.append('/tryflags ' + wanted)
            flags = wanted
        commands.append('/try %s %s' % (mailer, address))
    text = sendmail.address_test(cf, commands)
    found = re.findall(r'^Rcode = (\d+), addr = (.*)$', text, re.M)
    if len(found) != len(tries):
        raise LabError('%d answers to %d tries\n%s' % (len(found), len(tries),
                                                       text[-2000:]))
    return [address if code == '0' else 'Rcode ' + code
            for code, address in found]


def class_w(sendmail):
    text = sendmail.address_test(sendmail.configuration('names', ''),
                                 ['$=w'])
    return [line.strip() for line in text.splitlines()
            if re.fullmatch(r'[^ ]*[\w\]]', line.strip())]


def plainly(address):
    """Without what Sendmail and mfx write each in its own way: a final dot,
    and quotes that RFC 5322 asks for where "." ends a local part."""
    return re.sub(r'^"([\w.]+)"@', r'\1@', re.sub(r'\.$', '', address))


class Runner(Lab):
    def set_up(self):
        super().set_up()
        self.tool = built('sendmail_masq', self.build_dir + '/t/lib')
        self.drain = self.sink()
        self.peer = self.sendmail(self.drain)
        self.own_names = class_w(self.peer)

    def imported(self, case, source):
        """The masq.conf that mfxctl makes of a .mc or a .cf."""
        folder = '%s/from-%s' % (case.folder, source.rpartition('.')[2])
        os.makedirs(folder)
        made = subprocess.run(
            [built('mfxctl-masq', self.build_dir), 'import', 'sendmail', '-o',
             folder, source], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if made.returncode not in (0, 1):
            raise LabError(made.stdout)
        return folder + '/masq.conf'

    def ask(self, conf, tries):
        result = subprocess.run(
            [self.tool, conf, HOST], text=True, check=True,
            input=''.join('%s %s\n' % one for one in tries),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return result.stdout.splitlines()

    def expect(self, case, mailer, tries):
        """What leaves an MTA that masquerades nothing when mfx-masq has seen
        it. Its own doing in the classes that Sendmail does not masquerade,
        "u" to "u@HOST", is not asked for."""
        ours = self.ask(case.write_conf(), tries)
        asked = {'HS': True, 'ER': False,
                 'ES': 'masquerade_envelope = true' in case.conf,
                 'HR': 'allmasquerade = true' in case.conf}
        later = [n for n, one in enumerate(tries) if not asked[one[0]]]
        plain = self.peer.configuration('plain', '\n'.join(case.plain))
        made = try_all(self.peer, plain, mailer,
                       [(tries[n][0], ours[n]) for n in later])
        for n, address in zip(later, made):
            ours[n] = address
        return [plainly(address) for address in ours]


def compare(case, tries, ours, theirs, label):
    """A value that is no address is an error to mfx-masq ("?") and becomes
    "@domain" in Sendmail."""
    bad = [n for n in range(len(tries))
           if ours[n] != plainly(theirs[n])
           and not (ours[n] == '?' and theirs[n].startswith('@'))]
    tap.ok(not bad, '%s: %d addresses, the same' % (label, len(tries)),
           '%d differ' % len(bad), case.mc_text())
    for n in bad[:SHOWN]:
        tap.note('%s %s: mfx %s, Sendmail %s'
                 % (*tries[n], ours[n], theirs[n]))
    return len(tries), sum(one[1].lower() != new.lower()
                           for one, new in zip(tries, theirs))


def in_test_mode(runner, number):
    maker = Maker(SEED + number)
    case = Case(maker, '%s/case%d' % (runner.dir, number), runner.own_names)
    tries = sorted((maker.pick(FLAGS), maker.address())
                   for _ in range(ADDRESSES))
    mailer = MAILERS[number % len(MAILERS)]
    cf = runner.peer.configuration('case%d' % number, case.mc_text())
    theirs = try_all(runner.peer, cf, mailer, tries)
    ours = runner.expect(case, mailer, tries)
    check_import(runner, case, cf, tries, number)
    return compare(case, tries, ours, theirs, 'case %d' % number)


def check_import(runner, case, cf, tries, number):
    if not any(line.startswith(('masquerade_as', 'genericstable'))
               for line in case.conf):
        return  # nothing is masqueraded: there is no rule
    own = runner.ask(case.write_conf(), tries)
    for source in (cf[:-3] + '.mc', cf):
        tap.same(runner.ask(runner.imported(case, source), tries), own,
                 'case %d: so they are as imported from the %s'
                 % (number, source.rpartition('.')[2]))


def path_of(line):
    return re.match(rb'\w+ \w+:<(.*)>[^>]*$', line).group(1)


def delivered(runner, mail):
    """{field name: addresses}, the envelope sender by the name ""."""
    path = runner.dir + '/delivered'
    with open(path, 'wb') as file:
        file.write(b'X-Envelope-From: <%s>\n' % path_of(mail.sender)
                   + mail.head().replace(b'\r\n', b'\n') + b'\n')
    found = {}
    for line in subprocess.run(
            [built('masqtool', runner.build_dir + '/t/lib')], text=True,
            check=True, input=path + '\n',
            stdout=subprocess.PIPE).stdout.splitlines():
        _, name, *addresses = line.split('\t')
        found['' if name == 'X-Envelope-From' else name] = addresses
    return found


def send(port, sender, text):
    client = Client(port)
    replies = [client.smtp.docmd('MAIL FROM:<%s>' % sender),
               client.smtp.docmd('RCPT TO:<x@far.example>')]
    replies.append(client.smtp.data(text.encode()))
    client.close()
    if any(code != 250 for code, _ in replies):
        raise LabError('%s: %s\n%s' % (sender, replies, text))


def by_mail(runner, number):
    """Messages through a Sendmail that masquerades."""
    maker = Maker(SEED + number, is_sane=True)
    label = 'mails %d' % number
    case = Case(maker, '%s/mails%d' % (runner.dir, number), runner.own_names)
    peer = runner.sendmail(runner.drain, more=case.mc_text())
    tries, theirs, sent, kept = [], [], [], []
    for _ in range(MAILS):
        parts, text = maker.message()
        send(peer.mx_port, parts[-1][2][0], text)
        found = delivered(runner, runner.drain.take())
        for flags, name, addresses in parts:
            if flags is None:
                sent += [plainly(address) for address in addresses]
                kept += found.get(name, [])
            else:
                tries += [(flags, address) for address in addresses]
                theirs += found.get(name, [])
    peer.stop()
    tap.same(kept, sent, '%s: %s stay' % (label, ', '.join(FIELDS[None])))
    if tap.same(len(theirs), len(tries), label + ': all addresses are there'):
        compare(case, tries, runner.expect(case, 'esmtp', tries), theirs,
                label)


def main():
    print('# MFX_SEED=%d MFX_CASES=%d MFX_ADDRESSES=%d'
          % (SEED, CASES, ADDRESSES))
    try:
        unpacked()
    except LabError as error:
        tap.skip_all('no Sendmail: ' + str(error).splitlines()[0])
    with Runner() as runner:
        tap.note('class w: ' + ' '.join(runner.own_names))
        figures = [in_test_mode(runner, n) for n in range(CASES)]
        total = sum(f[0] for f in figures)
        changed = sum(f[1] for f in figures)
        tap.ok(total // 5 < changed < total,
               '%d of %d addresses were rewritten' % (changed, total))
        for number in range(MAIL_CASES):
            by_mail(runner, number)
    tap.done()


main()
