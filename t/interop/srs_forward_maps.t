#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""forward_maps against Postfix's own expansion: generated virtual and alias
tables, mail for each address of the site through a private Postfix, and it
leaves the site with the sender it came with exactly where mfx-masq says so.

MFX_SEED (default 1321) begins the series, MFX_CASES (default 8) is how many
pairs of tables there are.
"""
import collections
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Client, Lab, LabError, run, wait_until

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
TOOL = os.path.join(BUILD, 't/lib/srsmapstool')
SEED = int(os.environ.get('MFX_SEED', '1321'))
CASES = int(os.environ.get('MFX_CASES', '8'))

LOCAL = 'local.test'      # in mydestination: aliases(5) are for these
VIRTUAL = 'virtual.test'  # virtual aliases only
RELAY = 'relay.test'      # ours, kept on another machine
FOREIGN = ['far.example', 'near.example']
SENDER = 'sender@origin.example'
USERS = ['ann', 'ben', 'cid', 'dan', 'eve', 'fay', 'gus', 'list', 'post',
         'List-two', 'o.x', 'under_score']
EXTENSIONS = ['', '', '', '+x', '+y']


class Maker:
    def __init__(self, seed, folder):
        self.rng = random.Random(seed)
        self.folder = folder
        self.includes = 0

    def pick(self, choices):
        return self.rng.choice(choices)

    def user(self):
        return self.pick(USERS)

    def address(self):
        return '%s%s@%s' % (self.user(), self.pick(EXTENSIONS),
                            self.pick([LOCAL, LOCAL, VIRTUAL, RELAY]))

    def foreign(self):
        return '%s@%s' % (self.user(), self.pick(FOREIGN))

    def some(self, member):
        return ', '.join(member() for _ in range(self.pick([1, 1, 1, 2, 3])))

    # --- virtual(5) ---

    def virtual_member(self):
        kind = self.rng.random()
        if kind < 0.15:
            return self.foreign()
        if kind < 0.3:
            return self.user()
        return self.address()

    def virtual(self):
        rows = {}
        for _ in range(16):
            key = self.pick([
                self.address, self.address, self.address, self.user,
                lambda: '@' + self.pick([VIRTUAL, VIRTUAL, LOCAL, RELAY])])()
            value = self.some(self.virtual_member)
            if key[0] == '@':
                value = self.pick([self.foreign(), self.address(),
                                   '@' + self.pick([LOCAL, RELAY] + FOREIGN)])
                # Postfix takes one that maps to itself for a loop
                value = value if value != key else self.address()
            elif '@' in key and self.rng.random() < 0.2:
                value = key + self.pick(['', ', ' + self.foreign()])
            rows[key.lower()] = value
        return ''.join('%s %s\n' % row for row in rows.items())

    # --- aliases(5) ---

    def alias_member(self):
        kind = self.rng.random()
        if kind < 0.15:
            return self.foreign()
        if kind < 0.25:
            return '\\' + self.user()
        if kind < 0.32:
            return '/dev/null'
        if kind < 0.38:
            return '"|/bin/cat >/dev/null"'
        if kind < 0.45:
            return self.include()
        if kind < 0.75:
            return self.user()
        return self.elsewhere()

    def elsewhere(self):
        """Not of LOCAL: there Sendmail, unlike Postfix, has another look at
        its virtual table, and so have we."""
        return '%s%s@%s' % (self.user(), self.pick(EXTENSIONS),
                            self.pick([VIRTUAL, RELAY]))

    def include(self):
        self.includes += 1
        path = '%s/include%d' % (self.folder, self.includes)
        with open(path, 'w', encoding='ascii') as file:
            file.write('# members\n%s\n' % '\n'.join(
                self.pick([self.user, self.user, self.elsewhere, self.foreign,
                           self.user])() for _ in range(2)))
        return self.pick([':include:%s', '":include:%s"']) % path

    def aliases(self):
        rows = {}
        for _ in range(9):
            key = self.user().lower() + self.pick(['', '', '', '', '+x'])
            rows[key] = self.some(self.alias_member)
            if self.rng.random() < 0.15:
                rows['owner-' + key] = 'ann'
        return ''.join('%s: %s\n' % row for row in rows.items())

    def recipients(self):
        found = ['%s%s@%s' % (user, extension, domain)
                 for user in USERS for extension in ('', '+x', '+z')
                 for domain in (LOCAL, VIRTUAL, RELAY)]
        return found + ['nobody@' + LOCAL, 'nobody@' + VIRTUAL,
                        'nobody@' + FOREIGN[0], 'Ann@' + LOCAL.upper()]


def postfix_settings(folder, there, here):
    """Mail for the site's own mailboxes goes to another sink."""
    own = 'smtp:[127.0.0.1]:%d' % here.port
    return {
        'mydestination': LOCAL, 'myorigin': LOCAL,
        'virtual_alias_domains': VIRTUAL,
        'relay_domains': RELAY,
        'relay_transport': own,
        'virtual_alias_maps': 'texthash:%s/virtual' % folder,
        'alias_maps': 'texthash:%s/aliases.map' % folder,
        'local_transport': 'local', 'mailbox_transport': own,
        'fallback_transport': own, 'local_recipient_maps': '',
        'recipient_delimiter': '+', 'default_transport':
            'smtp:[127.0.0.1]:%d' % there.port,
        'allow_mail_to_commands': 'alias, forward, include',
        'allow_mail_to_files': 'alias, forward, include',
        'bounce_queue_lifetime': '0', 'maximal_queue_lifetime': '0',
        'soft_bounce': 'no', 'notify_classes': '', 'default_privs': 'nobody',
        'smtp_destination_recipient_limit': '1',
        'smtpd_soft_error_limit': '1000', 'smtpd_hard_error_limit': '1000',
        'duplicate_filter_limit': '10000',
    }


def write(path, text):
    with open(path + '.new', 'w', encoding='ascii') as file:
        file.write(text)
    os.rename(path + '.new', path)


def path_of(command):
    return re.search(r'<(.*?)>', command.decode()).group(1)


def number_of(mail):
    return int(mail.unfolded('X-Number')[0])


class Site:
    def __init__(self, lab):
        self.lab = lab
        self.there, self.here = lab.sink(), lab.sink()
        self.postfix = None

    def start(self, folder):
        self.postfix = self.lab.postfix(
            self.there, folder=folder + '/postfix',
            settings=postfix_settings(folder, self.there, self.here))

    def send_all(self, recipients):
        """Returns those that Postfix does not take."""
        client, refused = Client(self.postfix.mx_port), set()
        for number, recipient in enumerate(recipients):
            code, text = client.send(
                b'Subject: x\r\nX-Number: %d\r\n\r\nx\r\n' % number, SENDER,
                [recipient])
            if code in (451, 550):  # no end, no such user
                refused.add(number)
            elif code != 250:
                raise LabError('%s: %d %s' % (recipient, code, text))
        client.close()
        wait_until(lambda: 'Mail queue is empty' in self.postfix.queue(),
                   'an empty queue', 120)
        return refused

    def left(self):
        """{number: addresses it left for with the sender it came with}"""
        found = collections.defaultdict(list)
        while not self.there.stays_empty(0):
            mail = self.there.take()
            if path_of(mail.sender) == SENDER:
                found[number_of(mail)] += [path_of(r) for r in mail.recipients]
        return found


def ask(folder, recipients):
    got = subprocess.run(
        [TOOL, 'map=texthash:%s/virtual' % folder,
         'map=alias:%s/aliases' % folder, 'local=csl:' + LOCAL,
         'our=csl:%s,%s,%s' % (LOCAL, VIRTUAL, RELAY), 'origin=' + LOCAL,
         'delimiters=+'],
        input=''.join(r + '\n' for r in recipients), stdout=subprocess.PIPE,
        universal_newlines=True, check=True, timeout=60).stdout.splitlines()
    return got


def one_case(site, number):
    folder = '%s/case%d' % (site.lab.dir, number)
    os.mkdir(folder)
    maker = Maker(SEED + number, folder)
    aliases = maker.aliases()
    write(folder + '/virtual', maker.virtual())
    write(folder + '/aliases', aliases)
    # Postfix reads aliases(5) as a map of another form
    write(folder + '/aliases.map',
          ''.join('%s %s\n' % tuple(line.split(': ', 1))
                  for line in aliases.splitlines()))
    recipients = maker.recipients()
    site.start(folder)
    refused = site.send_all(recipients)
    left, said = site.left(), ask(folder, recipients)
    # tables without an end can stop a mail on its way, which says nothing
    is_endless = 'unreasonable' in site.postfix.log()
    site.postfix.stop()  # one at a time
    wrong = ['%s: mfx-masq says "%s", Postfix sent to %s' % (
        r, said[i], ', '.join(left.get(i, [])) or 'nobody')
        for i, r in enumerate(recipients) if i not in refused
        if said[i].startswith('leaves') != bool(left.get(i))
        and not (is_endless and i not in left)]
    tap.ok(not wrong, 'tables %d: %d recipients, %d leave, %d not taken' % (
        number, len(recipients), len(left), len(refused)), *wrong[:10])
    if wrong and os.environ.get('MFX_SHOWN'):
        tap.note(open(folder + '/virtual', encoding='ascii').read())
        tap.note(aliases)
        for include in range(1, maker.includes + 1):
            with open('%s/include%d' % (folder, include),
                      encoding='ascii') as file:
                tap.note('include%d: %s' % (include,
                                            file.read().replace('\n', ' ')))


if not os.path.exists(TOOL):
    tap.skip_all('t/lib/srsmapstool is not built')
with Lab() as lab:
    try:
        site = Site(lab)
        for case in range(CASES):
            one_case(site, case)
    except LabError as error:
        tap.ok(False, 'the lab works', error)
tap.done()
