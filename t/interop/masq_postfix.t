#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same messages through Postfix's cleanup (canonical_maps,
sender_canonical_maps, recipient_canonical_maps, masquerade_domains and what
belongs to them), through the functions of mfx-masq (masqtool) and through
mfx-masq itself: every address of envelope and header comes out the same,
compared after parsing.

MFX_SEED (default 5321) begins the series, MFX_MESSAGES (default 2000) is how
many messages there are in all, MFX_CASES (default 6) how many configurations.
"""
import concurrent.futures
import itertools
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import milterwire
import tap
from mtalab import Client, Lab, LabError, built, run

SEED = int(os.environ.get('MFX_SEED', '5321'))
MESSAGES = int(os.environ.get('MFX_MESSAGES', '2000'))
CASES = int(os.environ.get('MFX_CASES', '6'))
SHOWN = int(os.environ.get('MFX_SHOWN', '5'))  # differences that are printed
SENDERS = 4

ORIGIN = 'o.test'
LOCAL = ['d.test', 'h.d.test', 'k.x.test']  # and the origin
USERS = ['u', 'v', 'w', 'Root', 'a.b', "o'b", 'x=y', '"q r"', '"a@b"', 'l',
         'l-m', 'owner', 'owner-l', 'l-request', 'postmaster', '"b\\"c"',
         '"..d"', 'mailer', 'MAILER-DAEMON']
# What grows by these in ten lookups is longer than an address may be, which
# Postfix does not mind.
GROWING = ['l-m', 'owner-l', 'l-request', 'MAILER-DAEMON']
EXTENSIONS = ['', '', '', '+e', '+f', '+e+f', '-e', '+']
DOMAINS = ['o.test', 'd.test', 'h.d.test', 'x.test', 'a.x.test', 'b.a.x.test',
           'k.x.test', 'h.k.x.test', 'y.test', 'h.y.test', 'X.Test',
           'H.A.x.test', 'nowhere.example', '[192.0.2.1]', 'test']
ENDS = ['end.example', 'a.end.example', 'End.Example', '[192.0.2.2]']
SENDER_FIELDS = ['From', 'Sender', 'Reply-To', 'Errors-To', 'Resent-From',
                 'Resent-Sender', 'Return-Receipt-To', 'Mail-Followup-To',
                 'Disposition-Notification-To']
RECIPIENT_FIELDS = ['To', 'Cc', 'Resent-To', 'Resent-Cc', 'Resent-Reply-To',
                    'Apparently-To']
PHRASES = ['', 'Doe ', 'J. Doe ', '"Doe, \\"J\\"" ', '=?utf-8?Q?D=C3=B6?= ',
           '(c) D ', 'a@x.test ', '\n\t', '"@x.test" (u@x.test) ']
CLASSES = ['envelope_sender', 'envelope_recipient', 'header_sender',
           'header_recipient']


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, choices):
        return self.rng.choice(choices)

    def local(self, without=()):
        user = self.pick([u for u in USERS if u not in without])
        extension = self.pick(EXTENSIONS)
        return user[:-1] + extension + '"' if user[0] == '"' else \
            user + extension

    def address(self):
        return self.local() + '@' + self.pick(DOMAINS)

    # --- tables ---

    def key(self):
        kind = self.rng.random()
        if kind < 0.45:
            return self.address()
        if kind < 0.75:
            return self.local()
        return '@' + self.pick(DOMAINS)

    def value(self):
        """Half of them lead nowhere further; of the others many end in
        circles."""
        kind = self.rng.random()
        domain = self.pick(self.pick([DOMAINS, ENDS]))
        if kind < 0.6:
            return self.local(GROWING) + '@' + domain
        if kind < 0.75:
            return self.local(GROWING)
        return '@' + domain

    def rows(self, count):
        """Keys and values; of equal keys the first counts in both."""
        found = {}
        for _ in range(count):
            found.setdefault(self.key().lower(), self.value())
        return found

    def classes(self):
        """Some, at least one: Postfix does not start with none."""
        return ([c for c in CLASSES if self.rng.random() < 0.7]
                or [self.pick(CLASSES)])

    def masquerade(self):
        names = [d for d in DOMAINS if d[0] != '[']
        return [self.pick(['', '', '', '!', '!!']) + self.pick(names)
                for _ in range(self.rng.randrange(1, 7))]

    # --- messages ---

    def mailbox(self):
        kind = self.rng.random()
        local = self.local()
        if kind < 0.05:
            return self.pick(['%s', '<%s>', 'N <%s>']) % local
        domain = self.pick(DOMAINS)
        if domain[0] != '[':
            domain += self.pick(['', '', '', '', '.', '(d)'])
        if kind < 0.1 and domain[0] != '[':
            domain = domain.replace('.', self.pick([' . ', '(d).', '.\n ']), 1)
        spec = local + self.pick(['@', '@', '@', '@', ' @ ', '(l)@']) + domain
        if kind < 0.4:
            return spec + self.pick(['', '', ' (c)', '\n (c (d\\) e))'])
        if kind < 0.45:
            return '<@r.test:%s>' % spec
        return '%s<%s>' % (self.pick(PHRASES), spec)

    def field(self):
        separator = self.pick([', ', ',', ' ,\n ', ',\n\t', ' (c),, '])
        text = separator.join(self.mailbox()
                              for _ in range(self.pick([1, 1, 2, 3, 6])))
        if self.rng.random() < 0.07:
            text = 'A Group: %s;' % text
        return text

    def message(self, number):
        envelope = [self.envelope() for _ in range(self.pick([2, 2, 3, 4]))]
        names = ['From', 'To'] + [
            name for name in SENDER_FIELDS[1:] + RECIPIENT_FIELDS[1:]
            if self.rng.random() < 0.25]
        # or Postfix would add it
        if any(name.startswith('Resent-') for name in names):
            names = [n for n in names if n != 'Resent-From'] + ['Resent-From']
        self.rng.shuffle(names)
        fields = ''.join('%s: %s\n' % (name, self.field()) for name in names)
        return envelope, 'X-Number: %d\n%s' % (number, fields)

    def envelope(self):
        # smtpd refuses a bare "a@b" as no address, and cleanup takes
        # MAILER-DAEMON's for the null sender
        local = self.local()
        while local.startswith('MAILER-DAEMON'):
            local = self.local()
        if '@' not in local and self.rng.random() < 0.1:
            return local
        return local + '@' + self.pick(DOMAINS)


class Case:
    """One configuration, in the words of Postfix (settings), of the tool
    (options) and of masq.conf (filter)."""

    def __init__(self, maker, folder, number):
        self.maker = maker
        self.folder = folder
        self.kind = ['texthash', 'lmdb'][number % 2]
        self.settings, self.options = {}, []
        self.filter = {'rules': [], 'local_domains': 'csl:' + ','.join(LOCAL),
                       'origin_domain': ORIGIN}
        self.options += ['local=csl:' + ','.join(LOCAL), 'origin=' + ORIGIN]
        os.makedirs(folder)
        delimiters = maker.pick(['', '+', '+', '+', '-', '+-'])
        self.settings['recipient_delimiter'] = delimiters
        self.options.append('delimiters=' + delimiters)
        self.filter['recipient_delimiter'] = delimiters
        self.propagates = maker.rng.random() < 0.7
        if not self.propagates:
            self.settings['propagate_unmatched_extensions'] = 'virtual'
            self.options.append('propagate=no')
        self.add_canonical('sender_canonical',
                           ['envelope_sender', 'header_sender'])
        self.add_canonical('recipient_canonical',
                           ['envelope_recipient', 'header_recipient'])
        classes = maker.classes()
        self.settings['canonical_classes'] = ' '.join(classes)
        self.options.append('canonical_classes=' + ' '.join(classes))
        self.add_canonical('canonical', classes, number % 3 != 1)
        if maker.rng.random() < 0.8:
            self.add_masquerade()

    def add_rule(self, name, kind, classes, **more):
        self.filter['rules'].append({'name': name, 'kind': kind,
                                     'classes': classes, **more})

    def add_canonical(self, name, classes, has_patterns=False):
        maps = [self.table('%s%d' % (name, n))
                for n in range(self.maker.pick([0, 1, 1, 2]))]
        if has_patterns:
            maps.append(self.patterns())
        if not maps:
            return
        self.settings[name + '_maps'] = ' '.join(postfix for postfix, _ in maps)
        self.options += ['%s=%s' % (name, own) for _, own in maps]
        self.add_rule(name, 'canonical', classes, maps=[own for _, own in maps],
                      propagate_extension=self.propagates)

    def table(self, name):
        path = '%s/%s' % (self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            for row in self.maker.rows(self.maker.pick([5, 40, 120])).items():
                file.write('%s %s\n' % row)
        if self.kind == 'lmdb':
            run(['postmap', 'lmdb:' + path])
        return ('%s:%s' % (self.kind, path),) * 2

    def patterns(self):
        path = self.folder + '/patterns'
        with open(path + '.postfix', 'w', encoding='ascii') as file:
            file.write('/^u\\+.*@(.*)\\.x\\.test$/ pat@y.test\n'
                       '/^v/ @pat.test\n/^[lw]$/ never@y.test\n'
                       '/^@d\\.test$/ never@y.test\n')
        with open(path + '.mfx', 'w', encoding='ascii') as file:
            file.write('u+*@*.x.test pat@y.test\nv* @pat.test\n'
                       '[lw] never@y.test\n@d.test never@y.test\n')
        return 'regexp:%s.postfix' % path, 'refile:%s.mfx' % path

    def add_masquerade(self):
        names, classes = self.maker.masquerade(), self.maker.classes()
        more = {'domains': 'csl:' + ','.join(names)}
        self.settings['masquerade_domains'] = ' '.join(names)
        self.settings['masquerade_classes'] = ' '.join(classes)
        self.options += ['masquerade=' + more['domains'],
                         'masquerade_classes=' + ' '.join(classes)]
        if self.maker.rng.random() < 0.5:
            self.settings['masquerade_exceptions'] = 'root, v, u+e'
            more['exceptions'] = 'csl:root,v,u+e'
            self.options.append('exceptions=csl:root,v,u+e')
        self.add_rule('masquerade', 'masquerade', classes, **more)


def command(argument, address):
    return '%s:<%s>' % (argument, address)


class Runner(Lab):
    def set_up(self):
        super().set_up()
        self.tool = built('masqtool', self.build_dir + '/t/lib')
        self.drain = self.sink()

    def start(self, settings):
        here = 'smtp:[127.0.0.1]:%d' % self.drain.port
        return self.postfix(self.drain, settings={
            'myorigin': ORIGIN, 'mydestination': ' '.join(LOCAL),
            'local_transport': here, 'allow_percent_hack': 'no',
            'swap_bangpath': 'no', 'resolve_dequoted_address': 'no',
            'smtp_connection_cache_on_demand': 'yes',
            **settings})

    def send_some(self, port, messages):
        client = Client(port)
        for envelope, text in messages:
            smtp = client.smtp
            replies = [smtp.docmd(command('MAIL FROM', envelope[0]))]
            replies += [smtp.docmd(command('RCPT TO', to))
                        for to in envelope[1:]]
            data = (text + '\nbody\n').replace('\n', '\r\n').encode()
            replies.append(smtp.data(data))
            if any(code != 250 for code, _ in replies):
                raise LabError('%s %s: %s' % (envelope, text, replies))
        client.close()

    def deliver(self, postfix, messages):
        """Sends them all; gives what arrived, by number."""
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
            for job in [pool.submit(self.send_some, postfix.mx_port,
                                    messages[n::SENDERS])
                        for n in range(SENDERS)]:
                job.result()
        found = {}
        for _ in messages:
            mail = self.drain.take(40)
            found[int(mail.fields('X-Number')[0])] = mail
        return found

    def ask(self, options, paths):
        result = subprocess.run([self.tool] + options, text=True,
                                input=''.join(p + '\n' for p in paths),
                                stdout=subprocess.PIPE, check=True)
        found = {}
        for line in result.stdout.splitlines():
            path, name, *addresses = line.split('\t')
            if name == 'X-Envelope-To':
                addresses = sorted({a.lower() for a in addresses})
            found.setdefault(path, []).append((name, addresses))
        return [found[path] for path in paths]


def write(path, sender, recipients, head):
    with open(path, 'wb') as file:
        file.write(b'X-Envelope-From: <%s>\nX-Envelope-To: %s\n%s\n'
                   % (sender, b', '.join(b'<%s>' % r for r in recipients),
                      head))
    return path


def path_of(line):
    return re.match(rb'\w+ \w+:<(.*)>[^>]*$', line).group(1)


def fields_of(head):
    """(name, value) of each, lines joined by LF."""
    found = []
    for line in head.splitlines():
        if line[:1] in (b' ', b'\t'):
            found[-1][1] += b'\n' + line
        else:
            name, _, value = line.partition(b':')
            found.append([name, value])
    return found


def filtered(path, masq, envelope, head):
    """What mfx-masq makes of a message, in a file."""
    fields = fields_of(head.encode())
    said = milterwire.ask(
        masq.milter.partition(':')[2],
        milterwire.Message(sender=envelope[0], recipients=envelope[1:],
                           fields=[(name, value[1:] if value[:1] == b' '
                                    else value) for name, value in fields]))
    sender = envelope[0].encode()
    recipients = [to.encode() for to in envelope[1:]]
    for command_, address in said.envelope:
        address = address.strip(b'<>')
        if command_ == b'e':
            sender = address
        elif command_ == b'+':
            recipients.append(address)
        else:
            recipients.remove(address)
    for name, number, value in said.replaced:
        same = [field for field in fields if field[0].lower() == name.lower()]
        same[number - 1][1] = b' ' + value
    if said.verdict != 'accept' or said.inserted or said.deleted:
        raise LabError('%s: %s' % (head, vars(said)))
    return write(path, sender, recipients,
                 b''.join(name + b':' + value + b'\n'
                          for name, value in fields))


def is_qualified(field):
    """Bare users get their domain from Postfix, before any filter."""
    return all(re.match(r'(".*"|[^"@]*)@', a) for a in field[1])


def report(label, case, count, bad):
    """bad: (message, before, ours, theirs)"""
    tap.ok(not bad, '%s: %d messages, the same addresses' % (label, count),
           '%d differ; %s' % (len(bad), case.options))
    for (_, head), *fields in bad[:SHOWN]:
        tap.note(head)
        for old, own, other in itertools.zip_longest(*fields):
            if own != other:
                tap.note('%s\n  mfx:     %s\n  Postfix: %s'
                         % (old, own, other))


def compare(runner, case, first, count, label):
    messages = [case.maker.message(first + n) for n in range(count)]
    postfix = runner.start(case.settings)
    arrived = runner.deliver(postfix, messages)
    log = postfix.log()
    postfix.stop()
    masq = runner.mfx_masq(case.filter)
    sent_paths, got_paths, filtered_paths = [], [], []
    for n, (envelope, head) in enumerate(messages):
        mail = arrived[first + n]
        sent_paths.append(write(
            '%s/%d.sent' % (case.folder, n), envelope[0].encode(),
            [to.encode() for to in envelope[1:]], head.encode()))
        got_paths.append(write(
            '%s/%d.got' % (case.folder, n), path_of(mail.sender),
            [path_of(to) for to in mail.recipients],
            mail.head().replace(b'\r\n', b'\n')))
        filtered_paths.append(filtered('%s/%d.filtered' % (case.folder, n),
                                       masq, envelope, head))
    masq.stop()
    before = runner.ask([], sent_paths)
    ours = runner.ask(case.options, sent_paths)
    theirs = runner.ask([], got_paths)
    whole = runner.ask([], filtered_paths)
    report(label, case, count,
           [row for row in zip(messages, before, ours, theirs)
            if row[2] != row[3]])
    only = [[[field for old, field in zip(a, b) if is_qualified(old)]
             for a, b in zip(before, some)] for some in (before, whole, theirs)]
    report(label + ', mfx-masq', case, count,
           [row for row in zip(messages, *only) if row[2] != row[3]])
    pairs = [pair for fields in zip(before, ours)
             for (_, old), (_, new) in zip(*fields) for pair in zip(old, new)]
    return len(pairs), sum(a != b for a, b in pairs), log.count('unreasonable')


def main():
    tap.note('MFX_SEED=%d MFX_MESSAGES=%d MFX_CASES=%d'
             % (SEED, MESSAGES, CASES))
    with Runner() as runner:
        addresses = changed = nested = 0
        count = MESSAGES // CASES
        for n in range(CASES):
            maker = Maker(SEED + n)
            case = Case(maker, '%s/case%d' % (runner.dir, n), n)
            figures = compare(runner, case, n * count, count, 'case %d' % n)
            addresses += figures[0]
            changed += figures[1]
            nested += figures[2]
        tap.ok(addresses // 5 < changed < addresses,
               '%d of %d addresses were rewritten' % (changed, addresses))
        tap.ok(nested > 0, '%d lookups had no end' % nested)
    tap.done()


main()
