# SPDX-License-Identifier: BSD-2-Clause
"""opendkim_cases - OpenDKIM configurations and messages, made up from a seed

    case = make(random.Random(seed), folder, key_path)
    case.write()             the files of an OpenDKIM of its own
    case.config              path of opendkim.conf
    case.settings            {setting: value}, as written there
    case.messages            what to ask both filters

Small pools of names, so that rows, hosts and messages meet often.
"""
import os

from milterwire import Message

DOMAINS = ['example.com', 'notexample.com', 'sub.example.com',
           'deep.sub.example.com', 'example.org', 'mail.example.org',
           'other.test']
LOCALS = ['alice', 'bob', 'Alice', 'bob+tag', 'a.b']
CLIENTS = [('127.0.0.1', 'localhost'), ('::1', 'localhost'),
           ('192.0.2.10', 'a.example.com'), ('192.0.2.11', 'bad.example.com'),
           ('192.0.2.77', 'x.sub.example.com'), ('198.51.100.5', 'example.org'),
           ('198.51.100.6', 'mx.example.org'), ('203.0.113.9', 'unknown'),
           ('2001:db8::1', 'v6.example.com'), ('2001:db8:1::2', 'unknown'),
           ('10.1.2.3', '[10.1.2.3]')]
HOSTS = ['127.0.0.1', '::1', 'localhost', '192.0.2.10', '192.0.2.0/24',
         '192.0.2.8/29', '!192.0.2.11', '!192.0.2.0/28', '0.0.0.0/0',
         'a.example.com', '.example.com', '!bad.example.com', '.example.org',
         'example.org', '!.sub.example.com', '2001:db8::/32', '2001:db8::1',
         '!2001:db8::1', '198.51.100.4/30', '10.0.0.0/8', '[192.0.2.10]',
         '10.0.0.1/8']
PATTERNS = ['*@example.com', '*@*.example.com', '*example.com', '*@*', '*',
            'alice@example.com', 'a*@example.org', '*@mail.example.org',
            'bob+tag@example.com', '*@sub.example.com', 'Alice@Example.COM',
            '*@*.example.org', 'bob@*', '*@notexample.com', '*.org']
PLAIN_KEYS = ['alice@example.com', 'example.com', '.example.com',
              'alice@.example.com', 'bob@*', '*', 'sub.example.com',
              'Example.ORG', '.example.org', 'bob@example.org',
              'alice@mail.example.org', 'other.test', '.sub.example.com']
SIGNERS = ['', '', '', ':alice@example.com', ':@example.com',
           ':x@sub.example.com', ':%', ':list@example.org', ':@%']
FROMS = ['%s', '%s', '%s', '<%s>', 'A Name <%s>', '"Quoted, Name" <%s>',
         '(comment) %s', '%s (comment)', '"a@b.example" <%s>',
         '=?utf-8?q?n=C3=A4me?= <%s>', 'A. B. <%s>']
ODD_FROMS = ['%s, second@other.test', 'Group: %s;', 'not an address', '', '<>',
             'undisclosed:;', '%s <%s>', '@%s', 'a b@%s']
DAEMONS = ['', '', 'ORIGINATING', 'MSA', 'originating', 'MTA']


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.config = folder + '/opendkim.conf'
        self.settings = {}
        self.files = {}
        self.messages = []
        self.rows = []      # of the signing table
        self.hosts = {}     # setting: entries

    def table(self, kind, name, rows):
        """Stores the rows as kind says; gives what the setting says."""
        if kind == 'csl':
            return 'csl:' + ','.join('='.join(row.split(None, 1))
                                     for row in rows)
        path = '%s/%s' % (self.folder, name)
        self.files[path] = ''.join(row + '\n' for row in rows)
        return '%s:%s' % (kind, path)

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        for path, text in self.files.items():
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
        with open(self.config, 'w', encoding='utf-8') as file:
            for name, value in self.settings.items():
                file.write('%s\t%s\n' % (name, value))


def some(dice, pool, least, most):
    return [dice.choice(pool) for _ in range(dice.randint(least, most))]


def _host_list(dice, case, name, least, most):
    entries = list(dict.fromkeys(some(dice, HOSTS, least, most)))
    kind = dice.choice(['file', 'csl', 'file'])
    if kind == 'file' and dice.random() < 0.3:
        entries.insert(dice.randrange(len(entries) + 1), '# a comment')
    case.hosts[name] = [e for e in entries if not e.startswith('#')]
    case.settings[name] = case.table(kind, name, entries)


def _tables(dice, case, key):
    names = ['k1', 'k2', 'k3', 'K1'] + some(dice, DOMAINS, 0, 4)
    keys = []
    for number, name in enumerate(names):
        domain = dice.choice(['%', 'example.com', 'example.org',
                              'sub.example.com'])
        if name in DOMAINS and dice.random() < 0.5:
            domain = name
        keys.append('%s %s:s%d:%s' % (name, domain, number, key))
    case.settings['KeyTable'] = case.table(dice.choice(['file', 'file', 'csl']),
                                           'KeyTable', keys)
    kind = dice.choice(['refile', 'refile', 'file', 'csl'])
    pool = PATTERNS if kind == 'refile' else PLAIN_KEYS
    known = [name for name in names if name not in DOMAINS]
    for pattern in some(dice, pool, 1, 6):
        name = dice.choice(known + ['%'] if set(DOMAINS) <= set(names)
                           else known)
        case.rows.append((pattern, name + dice.choice(SIGNERS)))
    rows = ['%s %s' % row for row in case.rows]
    case.settings['SigningTable'] = case.table(kind, 'SigningTable', rows)
    if dice.random() < 0.4:
        case.settings['MultipleSignatures'] = 'yes'


def _domain(dice, case, key):
    domains = list(dict.fromkeys(some(dice, DOMAINS + ['Example.ORG'], 1, 3)))
    if dice.random() < 0.1:
        domains = ['*']
    case.settings['Domain'] = case.table(dice.choice(['csl', 'file']), 'Domain',
                                         domains)
    case.settings['Selector'] = 'sel'
    case.settings['KeyFile'] = key
    if dice.random() < 0.5:
        case.settings['SubDomains'] = 'yes'


def _address(dice):
    return '%s@%s' % (dice.choice(LOCALS), dice.choice(
        DOMAINS + ['Example.COM', 'SUB.example.com']))


def _from(dice):
    if dice.random() < 0.12:
        form = dice.choice(ODD_FROMS)
        return form.replace('%s', dice.choice([_address(dice), 'example.com']))
    return dice.choice(FROMS) % _address(dice)


def _message(dice, case):
    client, name = dice.choice(CLIENTS)
    message = Message(client=client, client_name=name,
                      daemon_name=dice.choice(DAEMONS))
    if dice.random() < 0.15:
        message.login = 'alice'
    if dice.random() < 0.25:
        message.macros = {dice.choice(['{site}', '{other}']):
                          dice.choice(['in', 'out'])}
    message.recipients = some(dice, ['rcpt@example.net', 'list@example.net',
                                     'Rcpt@example.net'], 1, 2)
    message.fields = [
        (b'Received', b'from a by b; Mon, 2 Nov 2026 10:00:00 +0000'),
        (b'From', _from(dice).encode()), (b'To', b'rcpt@example.net'),
        (b'Subject', b'hello'), (b'Date', b'Mon, 2 Nov 2026 10:00:00 +0000'),
        (b'Message-ID', b'<1@example.com>')]
    share = dice.random()
    if share < 0.02:
        message.fields = [f for f in message.fields if f[0] != b'From']
    elif share < 0.04:
        message.fields.insert(2, (b'From', _from(dice).encode()))
    case.messages.append(message)


def make(dice, folder, key, messages):
    case = Case(folder)
    case.settings.update({
        'Mode': 'sv', 'Socket': 'local:%s/opendkim.sock' % folder,
        'Syslog': 'no', 'UMask': '000', 'RequireSafeKeys': 'no',
        'AlwaysAddARHeader': 'yes', 'AuthservID': 'mx.example.net',
        'TestPublicKeys': case.table('file', 'zone', [])[5:]})
    (_tables if dice.random() < 0.75 else _domain)(dice, case, key)
    if dice.random() < 0.8:
        _host_list(dice, case, 'InternalHosts', 1, 5)
    if dice.random() < 0.15:
        _host_list(dice, case, 'PeerList', 1, 2)
    if dice.random() < 0.2:
        case.settings['ExemptDomains'] = case.table(
            'csl', '', some(dice, DOMAINS, 1, 2))
    if dice.random() < 0.4:
        case.settings['MTA'] = 'csl:' + ','.join(
            some(dice, ['ORIGINATING', 'MSA'], 1, 2))
    if dice.random() < 0.3:
        case.settings['MacroList'] = 'csl:' + dice.choice(
            ['{site}=out', '{site}', '{site}=out|in', '{other}=in']
        ).replace('{', '').replace('}', '')
    if dice.random() < 0.15:
        case.settings['DontSignMailTo'] = 'csl:list@example.net'
    for _ in range(messages):
        _message(dice, case)
    return case
