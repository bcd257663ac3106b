#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""PostSRSd 1.10 (its TCP maps) and Mail::SRS, both in both directions."""
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap

BUILD = os.environ.get('MFX_BUILDDIR', os.getcwd())
TOOL = os.path.join(BUILD, 't/lib/srstool')
POSTSRSD = shutil.which('postsrsd', path='/usr/sbin:/usr/bin:/usr/local/sbin')
US, PEER = 'us.example', 'peer.example'
RANDOM = 300
DAY = 24 * 60 * 60

PERL = r'''
use Mail::SRS;
my ($separator, $length, @secrets) = @ARGV;
my $srs = new Mail::SRS(Secret => \@secrets, Separator => $separator,
                        HashLength => $length, AlwaysRewrite => 1);
local $SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, $address) = split / /, $line, 2;
    my $got = eval { $verb eq 'forward' ? $srs->forward($address, 'peer.example')
                                        : $srs->reverse($address) };
    print defined $got ? "ok $got\n" : "no\n";
}
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def lines(command, asked):
    got = subprocess.run(command, input=''.join(line + '\n' for line in asked),
                         stdout=subprocess.PIPE, universal_newlines=True,
                         check=True, timeout=60).stdout.splitlines()
    assert len(got) == len(asked), (command, len(got), len(asked))
    return got


class Us:
    """The engine; a query with a short answer is an error of the test."""

    def __init__(self, secrets, separator, length, days=0, options=()):
        self.command = [TOOL, 'domain=' + US, 'separator=' + separator,
                        'length=%d' % length, 'minimum=%d' % length,
                        'now=%d' % (time.time() + days * DAY)]
        self.command += ['key=' + s for s in secrets] + list(options)

    def ask(self, verb, addresses):
        got = lines(self.command, [verb + ' ' + a for a in addresses])
        return [line.split(' ', 1)[1] if line.split(' ', 1)[0] in ('ok', 'long')
                else None for line in got]


class Perl:
    name = 'Mail::SRS'
    awkward = ['srs0@example.org', 'SRS1@example.org']

    def __init__(self, secrets, separator, length):
        self.command = ['perl', '-e', PERL, separator, str(length), *secrets]

    def ask(self, verb, addresses):
        got = lines(self.command, [verb + ' ' + a for a in addresses])
        return [line[3:] if line.startswith('ok ') else None for line in got]

    def stop(self):
        pass


class PostSRSd:
    name = 'PostSRSd'
    awkward = []  # it takes the end of "srs0" for a separator

    def __init__(self, secrets, separator, length):
        self.dir = tempfile.mkdtemp(prefix='mfx-postsrsd-')
        file = os.path.join(self.dir, 'secrets')
        with open(file, 'w') as out:
            out.write(''.join(s + '\n' for s in secrets))
        self.connections = {}
        for _ in range(5):
            self.ports = {'forward': free_port(), 'reverse': free_port()}
            self.process = subprocess.Popen(
                [POSTSRSD, '-4', '-s' + file, '-d' + PEER, '-a' + separator,
                 '-n%d' % length, '-N%d' % length, '-l127.0.0.1', '-A',
                 '-f%d' % self.ports['forward'],
                 '-r%d' % self.ports['reverse']])
            if self.connect():
                return
            self.stop()
        tap.skip_all('postsrsd does not start')

    def connect(self):
        for verb, port in self.ports.items():
            end = time.monotonic() + 20
            while True:
                try:
                    s = socket.create_connection(('127.0.0.1', port), 20)
                    break
                except OSError:
                    if (self.process.poll() is not None
                            or time.monotonic() > end):
                        return False
                    time.sleep(0.02)
            self.connections[verb] = s.makefile('rwb')
            s.close()
        return True

    def ask(self, verb, addresses):
        file, found = self.connections[verb], []
        for address in addresses:
            file.write(b'get ' + quoted(address) + b'\n')
            file.flush()
            answer = file.readline().rstrip(b'\n')
            found.append(unquoted(answer[4:]) if answer.startswith(b'200 ')
                         else None)
        return found

    def stop(self):
        for file in self.connections.values():
            file.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


def quoted(text):
    return b''.join(b'%%%02X' % c if c <= 0x20 or c >= 0x7F or c == 0x25
                    else bytes([c]) for c in text.encode())


def unquoted(data):
    parts = data.split(b'%')
    return (parts[0] + b''.join(bytes([int(p[:2], 16)]) + p[2:]
                                for p in parts[1:])).decode()


def addresses(peer):
    """Real ones and odd ones, none that is SRS already."""
    pick = random.Random(peer.name)
    letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
    found = ['a@b', 'postmaster@example.org', 'First.Last@Example.ORG',
             'owner-list+user=host.example@lists.example',
             'prvs=0123abcdef=user@example.com', 'a=b=c@d.example',
             '=@example.org', '==x==@example.org',
             'SRS2=a=b=c=d@example.org', 'SRSO=x@example.org',
             "o'neil!#$&*/?^_`{|}~-@example.org", 'u%h@relay.example',
             'a@[192.0.2.1]', 'a@xn--bcher-kva.example', 'x' * 64 + '@e.example',
             'a@' + 'd' * 60 + '.' + 'e' * 60 + '.example',
             'u@' + '0.' * 40 + 'ip6.arpa', 'm\u00fcller@example.org',
             'a b@example.org'] + peer.awkward
    while len(found) < RANDOM:
        local = ''.join(pick.choice(letters + '.=+-_')
                        for _ in range(pick.randint(1, 30)))
        labels = (''.join(pick.choice(letters) for _ in range(pick.randint(1, 12)))
                  for _ in range(pick.randint(1, 4)))
        if not local.lower().startswith(('srs0', 'srs1')):
            found.append(local + '@' + '.'.join(labels))
    return found


def compare(got, want, label):
    wrong = ['%r, want %r' % pair for pair in zip(got, want)
             if pair[0] != pair[1]]
    tap.ok(not wrong and len(got) == len(want),
           '%s: %d addresses' % (label, len(want)), *wrong[:5])


def both_ways(kind, us, peer, senders):
    by_peer = peer.ask('forward', senders)
    by_us = us.ask('forward', senders)
    compare([a.replace('@' + US, '@' + PEER) if a else None for a in by_us],
            by_peer, kind + ': the same addresses')
    compare(us.ask('reverse', by_peer), senders, kind + ': we reverse theirs')
    compare(peer.ask('reverse', by_us), senders, kind + ': they reverse ours')
    folded = [a.upper() for a in by_us]
    compare(peer.ask('reverse', folded), us.ask('reverse', folded),
            kind + ': both reverse what became upper case')
    compare(us.ask('reverse', [a.lower() for a in by_peer]),
            peer.ask('reverse', [a.lower() for a in by_us]),
            kind + ': and lower case')
    forged = [a[:5] + ('B' if a[5] in 'aA' else 'A') + a[6:] for a in by_us]
    compare(us.ask('reverse', forged), [None] * len(forged),
            kind + ': we refuse another hash')
    compare(peer.ask('reverse', forged), [None] * len(forged),
            kind + ': so do they')


def chains(kind, us, peer, third, senders):
    """third forwards first, with a secret of its own; then both, and back."""
    first = third.ask('forward', senders)
    by_peer, by_us = peer.ask('forward', first), us.ask('forward', first)
    compare([a.replace('@' + US, '@' + PEER) for a in by_us], by_peer,
            kind + ': SRS1 of an SRS0')
    tap.ok(all(a.startswith('SRS1') for a in by_us), kind + ': SRS1 it is')
    again = us.ask('forward', by_peer)
    compare([a.split('=', 1)[1] for a in again],
            [a.replace('@' + PEER, '@' + US).split('=', 1)[1] for a in by_us],
            kind + ': SRS1 of an SRS1')
    compare(us.ask('reverse', by_peer), first, kind + ': we reverse their SRS1')
    compare(peer.ask('reverse', again), first, kind + ': they reverse ours')
    compare(third.ask('reverse', us.ask('reverse', again)), senders,
            kind + ': the first forwarder has the sender')


def one_peer(peer_class, separator, length, senders):
    kind = '%s "%s" %d' % (peer_class.name, separator, length)
    secrets = ['correct horse', 'b4ttery st4ple', 'x' * 200]
    peer = peer_class(secrets, separator, length)
    try:
        us = Us(secrets, separator, length)
        both_ways(kind, us, peer, senders)
        chains(kind, us, peer, Us(['a third'], '+', 6), senders[:100])
        # the first secret signs, any verifies
        rotated = Us([secrets[2], secrets[0]], separator, length)
        compare(rotated.ask('reverse', peer.ask('forward', senders[:50])),
                senders[:50], kind + ': we know their secret as our second')
        compare(peer.ask('reverse', rotated.ask('forward', senders[:50])),
                senders[:50], kind + ': they know ours as their third')
        stranger = Us(['unknown to them'], separator, length)
        compare(peer.ask('reverse', stranger.ask('forward', senders[:50])),
                [None] * 50, kind + ': they do not know a fourth')
        url = Us(secrets, separator, length, options=['alphabet=url'])
        compare(url.ask('reverse', peer.ask('forward', senders)), senders,
                kind + ': an engine of the other alphabet reverses theirs')
        old = Us(secrets, separator, length, days=-21)
        compare(peer.ask('reverse', old.ask('forward', senders[:20])),
                senders[:20], kind + ': 21 days are not too old for them')
        old = Us(secrets, separator, length, days=-22)
        compare(peer.ask('reverse', old.ask('forward', senders[:20])),
                [None] * 20, kind + ': 22 are')
        late = Us(secrets, separator, length, days=22)
        compare(late.ask('reverse', peer.ask('forward', senders[:20])),
                senders[:20], kind + ': we grant a day more')
        late = Us(secrets, separator, length, days=23)
        compare(late.ask('reverse', peer.ask('forward', senders[:20])),
                [None] * 20, kind + ': and no second one')
    finally:
        peer.stop()


def midnight_is_near():
    return DAY - time.time() % DAY < 60


if not os.path.exists(TOOL):
    tap.skip_all('t/lib/srstool is not built')
peers = []
if POSTSRSD:
    peers.append(PostSRSd)
if subprocess.run(['perl', '-MMail::SRS', '-e', '1'],
                  stderr=subprocess.DEVNULL, check=False).returncode == 0:
    peers.append(Perl)
if not peers:
    tap.skip_all('neither postsrsd nor libmail-srs-perl is installed')
while midnight_is_near():
    time.sleep(1)
for peer_class in (PostSRSd, Perl):
    if peer_class not in peers:
        tap.note('%s is not installed' % peer_class.name)
        continue
    some = addresses(peer_class)
    for sign, digits in (('=', 4), ('+', 4), ('-', 12)):
        one_peer(peer_class, sign, digits, some)
tap.done()
