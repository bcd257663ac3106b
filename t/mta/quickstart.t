#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""quickstart.sh behind its build: it shows two signatures and two passes,
leaves nothing behind, and --keep and --stop do what they say."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + '/../lib')
import tap
from mtalab import Lab

DEMO = HERE + '/../lib/quickstart.py'


def play(lab, *more):
    return subprocess.run(
        ['/usr/bin/python3', '-B', DEMO, '--build', lab.build_dir, '--state',
         lab.dir + '/demo', *more], stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)


def processes_in(folder):
    """Those whose command line names the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as file:
                if folder.encode() in file.read() and int(pid) != os.getpid():
                    found.append(pid)
        except OSError:
            continue
    return found


def main():
    with Lab() as lab:
        demo = lab.dir + '/demo'
        done = play(lab)
        tap.same(done.returncode, 0, 'it runs to its end') or tap.note(
            done.stdout)
        tap.same(done.stdout.count(b'    DKIM-Signature:'), 2,
                 'it shows two signatures')
        tap.same(done.stdout.count(b'dkim=pass ('), 2,
                 'and dkim=pass for both')
        tap.ok(not os.path.exists(demo), 'its folder is gone')
        tap.same(processes_in(demo), [], 'and its servers are')

        kept = play(lab, '--keep')
        tap.same(kept.returncode, 0, '--keep')
        tap.has(kept.stdout, b'swaks --server', 'says how to talk to it')
        tap.ok(len(processes_in(demo)) >= 3, 'its servers still run')
        tap.same(play(lab, '--stop').returncode, 0, '--stop')
        tap.same(processes_in(demo), [], 'ends them')
        tap.ok(not os.path.exists(demo), 'and removes the folder')
    tap.done()


main()
