# SPDX-License-Identifier: BSD-2-Clause
"""nsd - a private, authoritative NSD

It serves one zone, the root: any name can be given records, any other is
answered NXDOMAIN. ask_txt() is a client for verifiers that want a function.
A pair on one port, on 127.0.0.1 and 127.0.0.2, are the two servers of that
zone, and may differ.
"""
import os
import signal
import socket
import struct

from .process import Process, free_port, wait_until

CONFIG = '''\
server:
  ip-address: {address}@{port}
  do-ip6: no
  server-count: 1
  username: ""
  zonesdir: "{dir}"
  database: ""
  zonelistfile: "{dir}/zone.list"
  xfrdfile: "{dir}/xfrd.state"
  pidfile: "{dir}/nsd.pid"
  hide-version: yes
{more}remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "{dir}/root.zone"
'''
ZONE_HEAD = '''\
$ORIGIN .
$TTL {ttl}
@ IN SOA ns.test. hostmaster.test. {serial} 3600 600 86400 {negative}
{servers}
serial.test. IN TXT "{serial}"
'''


class Nsd:
    """records: lines of a zone file, names ending in a dot. rate_limit:
    answers a second to one client, 0 for no limit; else Debian's (200)."""

    def __init__(self, folder, records=(), port=None, address='127.0.0.1',
                 ttl=60, servers=None, rate_limit=None):
        self.dir = folder
        self.port = port or free_port()
        self.address = address
        self.ttl = ttl
        self.servers = servers or {'ns.test.': '127.0.0.1'}
        self.serial = 0
        os.makedirs(folder, exist_ok=True)
        with open(folder + '/nsd.conf', 'w', encoding='ascii') as file:
            file.write(CONFIG.format(
                port=self.port, dir=folder, address=address,
                more='' if rate_limit is None
                else '  rrl-ratelimit: %d\n' % rate_limit))
        self._write(records)
        self.process = Process(['/usr/sbin/nsd', '-d', '-c',
                                folder + '/nsd.conf'], folder + '/log')
        self.process.wait_ready(self._serves_this, 'NSD')

    def _write(self, records):
        self.serial += 1
        path = self.dir + '/root.zone'
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(ZONE_HEAD.format(
                serial=self.serial, ttl=self.ttl,
                negative=min(self.ttl, 30), servers='\n'.join(
                    '@ IN NS %s\n%s IN A %s' % (name, name, address)
                    for name, address in self.servers.items())))
            for line in records:
                file.write(line.rstrip('\n') + '\n')
        os.rename(path + '.new', path)

    def _serves_this(self):
        try:
            answer = ask_txt('serial.test', self.port, seconds=0.2,
                             address=self.address)
        except OSError:
            return False
        return answer == [b'%d' % self.serial]

    def publish(self, records):
        """Replaces all records; returns when they are served."""
        self._write(records)
        os.kill(self.process.pid, signal.SIGHUP)
        wait_until(self._serves_this, 'the new zone')

    def is_running(self):
        return self.process.is_running()

    def log(self):
        return self.process.log()

    def stop(self):
        self.process.stop()


class SilentDns:
    """Takes questions and answers none."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]

    def stop(self):
        self.socket.close()


def _question(name):
    labels = b''.join(bytes([len(label)]) + label
                      for label in name.rstrip('.').encode().split(b'.'))
    head = struct.pack('>6H', 0x4d46, 0x0100, 1, 0, 0, 1)
    # EDNS: a 2048 bit key does not fit into 512 bytes
    edns = b'\0' + struct.pack('>HHIH', 41, 4096, 0, 0)
    return head + labels + b'\0' + struct.pack('>HH', 16, 1) + edns


def _skip_name(packet, at):
    while packet[at]:
        if packet[at] >= 0xc0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _strings(rdata):
    text = b''
    while rdata:
        text += rdata[1:1 + rdata[0]]
        rdata = rdata[1 + rdata[0]:]
    return text


def ask_txt(name, port, seconds=2.0, address='127.0.0.1'):
    """The TXT records of a name, the strings of each joined."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(seconds)
        client.connect((address, port))
        client.send(_question(name))
        packet = client.recv(65535)
    count = struct.unpack('>H', packet[6:8])[0]
    at = _skip_name(packet, 12) + 4
    found = []
    for _ in range(count):
        at = _skip_name(packet, at)
        kind, _, _, length = struct.unpack('>HHIH', packet[at:at + 10])
        at += 10
        if kind == 16:
            found.append(_strings(packet[at:at + length]))
        at += length
    return found
