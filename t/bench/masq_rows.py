# SPDX-License-Identifier: BSD-2-Clause
"""masq_rows - what a message costs in mfx-masq with large tables, against a
floor that makes as many edits (From, Reply-To, sender)"""
import os
import subprocess
import sys

from benchlib import BUILD, Filter

DAEMON = os.environ.get('MFX_MASQ', os.path.join(BUILD, 'mfx-masq'))


class MasqRows:

    def start_masq(self, rows):
        user = subprocess.run(['id', '-un'], stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        canonical = self.write('canonical', ''.join(
            'writer@d%d.example writer@host.m%d.example\n' % (n, n)
            for n in range(rows)))
        domains = self.write('masquerade', ''.join(
            'm%d.example\n' % n for n in range(rows)))
        conf = self.write('mfx-masq.conf', '''socket = "unix:%s";
socket_mode = "0666";
user = "%s";
log = { target = "stderr"; level = "info"; };
rules = ( { kind = "canonical"; maps = "texthash:%s"; whose = "all"; },
          { kind = "masquerade"; domains = "file:%s"; whose = "all"; } );
''' % (self.path('mfx-masq.sock'), user, canonical, domains))
        f = Filter(self, 'mfx-masq', [DAEMON, '-c', conf])
        f.wait_ready()
        return f

    def check_rewritten(self, f, sent):
        """Each message has been rewritten, and as the tables say."""
        with open(f.log_path) as log:
            lines = [line for line in log if ': rewritten ' in line]
        if len(lines) != sent:
            sys.exit('%s: rewritten %d, sent were %d' % (f.name, len(lines),
                                                         sent))
        for line in lines[::max(1, len(lines) // 100)]:
            number = line.split(' from=<writer@d')[1].split('.')[0]
            if ' new_sender=writer@m%s.example ' % number not in line:
                sys.exit('%s: wrongly rewritten: %s' % (f.name, line))

    def row_masq(self):
        """Canonical and then masquerade, From and sender, each of 100,000."""
        count, rows, sent = self.scale(20000), 100000, []
        options = ['--domain', 'd%u.example', '--domains', rows]
        f = self.start_masq(rows)
        line = self.log_bytes(f, options)
        sent.append(100)
        floor = self.start_floor(f, line, header='From', header_bytes=40,
                                 edits=3)

        def load():
            sent.append(count + count // 10)
            return f.load('--messages', count, '--warm', count // 10, *options)
        got = self.rounds({
            f.name: load,
            'floor': lambda: floor.load('--messages', count, '--warm',
                                        count // 10, *options)})
        for each in (f, floor):
            self.notes.append('masq, %s: %.1f us, %.0f messages/s, p99 %.2f '
                              'ms, %.1f MB' % (
                                  each.name, got[each.name]['cpu_us'],
                                  got[each.name]['per_second'],
                                  got[each.name]['p99_ms'],
                                  got[each.name]['rss_kb'] / 1024))
        self.ratio_row('rewrite 4 KB, 100,000 canonical rows, 100,000 domains',
                       got[f.name]['cpu_us'], got['floor']['cpu_us'], 'floor',
                       1.25)
        self.check_rewritten(f, sum(sent))
        f.stop()
        floor.stop()
