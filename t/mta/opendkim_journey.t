#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""From OpenDKIM to mfx-dkim, one domain at a time, and back, behind a real
Postfix (and the middle of it behind Sendmail): only OpenDKIM; mfx-dkim beside
it in shadow; three domains moved; all moved; OpenDKIM gone; and the same way
back. At every step each message is signed exactly once, by whom it should be,
and verifies; what OpenDKIM uses is never touched."""
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import Client, Lab, wait_until
from mtalab.verifiers import by_dkimpy

DOMAINS = ['d%d.example' % n for n in range(8)]
MOVED = DOMAINS[:3]
ROUND = 12  # messages of each domain at a step
OPENDKIM, MFX = 'simple/simple', 'relaxed/relaxed'  # c= tells who signed


def message(domain, number):
    return (b'From: Writer %d <writer@%s>\r\nTo: rcpt@example.net\r\n'
            b'Subject: number %d\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
            b'Message-ID: <%d@%s>\r\n\r\nHello.\r\n' % (
                number, domain.encode(), number, number, domain.encode()))


def send_round(port):
    """One session, all domains in turn; the replies that were not 250."""
    client = Client(port)
    replies = [client.send(message(domain, number), 'writer@' + domain,
                           ['rcpt@example.net'])
               for number in range(ROUND) for domain in DOMAINS]
    client.close()
    return [reply for reply in replies if reply[0] != 250]


def signature_of(mail):
    """(how many, d=, c=) of a delivered mail."""
    fields = mail.unfolded('DKIM-Signature')
    tags = dict(part.strip().split(b'=', 1)
                for part in (fields or [b''])[0].split(b';') if b'=' in part)
    return (len(fields), tags.get(b'd', b'').decode(),
            tags.get(b'c', b'simple/simple').decode())


class Journey(Lab):
    def set_up(self):
        super().set_up()
        self.keys = [self.key(domain, 'sel', 'rsa') for domain in DOMAINS]
        self.dns = self.nsd([key.record() for key in self.keys])
        self.sink_ = self.sink()
        self.old = self.opendkim(self.keys,
                                 more='Canonicalization simple/simple')
        self.before = self.fingerprint()

    def fingerprint(self):
        """Of all that OpenDKIM reads."""
        paths = [self.old.dir + '/' + name for name in
                 ('opendkim.conf', 'KeyTable', 'SigningTable')]
        paths += [key.path for key in self.keys]
        text = b''
        for path in paths:
            with open(path, 'rb') as file:
                text += file.read() + str(os.stat(path).st_mtime_ns).encode()
        return hashlib.sha256(text).hexdigest()

    def start_new(self):
        """mfx-dkim on OpenDKIM's own tables, in shadow."""
        self.moved_file = self.dir + '/moved'
        self.move([])
        self.new = self.mfx_dkim({
            'dns.servers': ['127.0.0.1:%d' % self.dns.port],
            'mode': 'shadow',
            'verify.enable': False,
            'sign.signing_table': 'refile:%s/SigningTable' % self.old.dir,
            'sign.key_table': 'file:%s/KeyTable' % self.old.dir,
        })

    def move(self, domains):
        with open(self.moved_file + '.new', 'w', encoding='ascii') as file:
            file.write(''.join(domain + '\n' for domain in domains))
        os.rename(self.moved_file + '.new', self.moved_file)

    def shadow(self):
        return {row['domain']: row for row in json.loads(
            self.new.ctl('--json', '--daemon', 'dkim', 'shadow'))}

    def step(self, name, postfix, by_mfx):
        """A round of mail; all of it signed once, by whom it should be."""
        bad = send_round(postfix.submit_port)
        tap.ok(not bad, name + ': all mail is taken', bad[:3])
        wrong, invalid = [], []
        for _ in range(ROUND * len(DOMAINS) - len(bad)):
            mail = self.sink_.take()
            count, domain, canon = signature_of(mail)
            want = MFX if domain in by_mfx else OPENDKIM
            if count != 1 or canon != want:
                wrong.append((count, domain, canon))
            results = by_dkimpy(mail.data, self.dns.port)
            if list(results.values()) != ['pass']:
                invalid.append(results)
        tap.ok(not wrong, name + ': each is signed once, by the right one',
               wrong[:3])
        tap.ok(not invalid, name + ': each signature verifies', invalid[:3])


def look_at_import(lab):
    """What is tried here is what the import would write."""
    said = json.loads(lab.new.ctl('--json', 'import', 'opendkim',
                                  lab.old.dir + '/opendkim.conf'))
    tap.ok(said['complete'] and said['loads'], 'import: whole, and it loads',
           said['settings'], said['problems'])
    for part in ('signing_table = "refile:%s/SigningTable"' % lab.old.dir,
                 'key_table = "file:%s/KeyTable"' % lab.old.dir):
        tap.has(said['config'], part, 'import: ' + part.split(' ')[0])


def walk_over(lab, old_way, both_way, new_way):
    lab.step('only OpenDKIM', old_way, [])
    lab.step('shadow', both_way, [])
    rows = lab.shadow()
    tap.ok(set(rows) == set(DOMAINS) and
           all(row['safe'] and row['same'] == ROUND for row in rows.values()),
           'shadow: every domain is safe to move', rows)
    tap.has(lab.new.ctl('--daemon', 'dkim', 'shadow'),
            'd0.example: safe to move', 'shadow: and says so')
    tap.has(lab.new.log(), 'shadow=same', 'shadow: a line a message')
    lab.move(MOVED)
    lab.new.configure({'mode': 'enforce',
                       'sign.sign_only': 'file:' + lab.moved_file})
    lab.step('three domains moved', both_way, MOVED)
    tap.has(lab.new.log(), 'taken_over=1', 'three domains moved: taken over')
    move_and_wait(lab, both_way, DOMAINS, DOMAINS[-1], 'all domains moved')
    lab.step('all domains moved', both_way, DOMAINS)
    lab.new.configure({'sign.sign_only': ''})
    lab.step('OpenDKIM gone', new_way, DOMAINS)


def signer_of_next(lab, postfix, domain):
    client = Client(postfix.submit_port)
    client.send(message(domain, 0), 'writer@' + domain, ['rcpt@example.net'])
    client.close()
    return signature_of(lab.sink_.take())


def move_and_wait(lab, postfix, domains, probe, name):
    """The table alone is changed, and soon it is in force for the probe."""
    want = (1, probe, MFX if probe in domains else OPENDKIM)
    lab.move(domains)
    began = time.monotonic()
    wait_until(lambda: signer_of_next(lab, postfix, probe) == want,
               'the table in force', 10)
    tap.ok(True, '%s: in force after %.1f s' % (name,
                                                time.monotonic() - began))


def walk_back(lab, old_way, both_way):
    lab.move(DOMAINS)
    lab.new.configure({'sign.sign_only': 'file:' + lab.moved_file})
    lab.step('back: OpenDKIM stands before us again', both_way, DOMAINS)
    move_and_wait(lab, both_way, MOVED, DOMAINS[-1], 'back to three')
    lab.step('back to three', both_way, MOVED)
    move_and_wait(lab, both_way, [], DOMAINS[0], 'back to none')
    lab.step('back to none', both_way, [])
    lab.step('back to OpenDKIM alone', old_way, [])


def unset_table(lab, both_way):
    """Without sign_only a valid signature of the same key is not doubled."""
    lab.new.configure({'sign.sign_only': ''})
    lab.step('no table and both signers', both_way, [])


def behind_sendmail(lab, both_way):
    lab.new.configure({'mode': 'shadow', 'sign.sign_only': ''})
    lab.step('Sendmail, shadow', both_way, [])
    lab.move(MOVED)
    lab.new.configure({'mode': 'enforce',
                       'sign.sign_only': 'file:' + lab.moved_file})
    lab.step('Sendmail, three domains moved', both_way, MOVED)
    lab.new.configure({'sign.sign_only': ''})
    lab.step('Sendmail, no table and both signers', both_way, [])


def wrong_order(lab, wrong_way):
    """mfx-dkim before OpenDKIM: shadow sees nothing to compare with."""
    lab.new.configure({'mode': 'shadow', 'sign.sign_only': ''})
    lab.step('wrong order', wrong_way, [])
    text = lab.new.ctl('--daemon', 'dkim', 'shadow', DOMAINS[5])
    tap.has(text, 'not yet', 'wrong order: not safe')
    tap.has(text, 'stands behind mfx-dkim', 'wrong order: is named')


def main():
    with Journey() as lab:
        lab.start_new()
        look_at_import(lab)
        old_way = lab.postfix(lab.sink_, [lab.old.milter])
        both_way = lab.postfix(lab.sink_, [lab.old.milter, lab.new.milter])
        new_way = lab.postfix(lab.sink_, [lab.new.milter])
        walk_over(lab, old_way, both_way, new_way)
        walk_back(lab, old_way, both_way)
        unset_table(lab, both_way)
        behind_sendmail(lab, lab.sendmail(lab.sink_, [lab.old.milter,
                                                      lab.new.milter]))
        wrong_order(lab, lab.postfix(lab.sink_,
                                     [lab.new.milter, lab.old.milter]))
        tap.ok(lab.fingerprint() == lab.before,
               'what OpenDKIM uses is as it was')
    tap.done()


main()
