# SPDX-License-Identifier: BSD-2-Clause
"""milterwire - the MTA's side of the milter protocol, for one message at a time

    outcome = ask('/path/of.sock', Message(client='192.0.2.1', ...))
    outcome.verdict      'accept', 'reject', 'tempfail', 'discard'
    outcome.inserted     [(name, value)]
    outcome.deleted      [(name, number)], the first of a name being 1
    outcome.replaced     [(name, number, value)]
    outcome.envelope     [(b'e', sender), (b'+', recipient), (b'-', recipient)]
    outcome.quarantined  True or False
    outcome.told         [(command, data)] of the end of the message, raw

Speaks protocol 6 as Postfix does: what the filter does not want is not sent,
and no reply is waited for where the filter gives none.
"""
import ipaddress
import socket
import struct

ACTIONS = 0x1ff
STEPS = 0x1fffff
# command: (the filter does not want it, the filter does not reply to it)
STEP_BITS = {
    b'C': (0x01, 0x1000), b'H': (0x02, 0x2000), b'M': (0x04, 0x4000),
    b'R': (0x08, 0x8000), b'T': (0x200, 0x10000), b'L': (0x20, 0x80),
    b'N': (0x40, 0x40000), b'B': (0x10, 0x80000), b'E': (0, 0),
}
LEADING_SPACE = 0x100000
FINAL = {b'a': 'accept', b'r': 'reject', b't': 'tempfail', b'd': 'discard'}


class Message:
    """What the MTA knows: client is an address, or None for a mail without
    one; login None for none; fields are (name, value) pairs of bytes."""

    def __init__(self, **given):
        self.client = '127.0.0.1'
        self.client_name = 'localhost'
        self.login = None
        self.daemon_name = ''
        self.macros = {}
        self.sender = 'sender@example.com'
        self.recipients = ['rcpt@example.net']
        self.fields = []
        self.body = b'Hello.\r\n'
        self.__dict__.update(given)


class Outcome:
    def __init__(self):
        self.verdict = 'accept'
        self.inserted = []
        self.deleted = []
        self.replaced = []
        self.envelope = []
        self.quarantined = False
        self.code = b''
        self.told = []
        self.writes_exactly = False  # values as they are, no blank is added


class _Done(Exception):
    pass


class _Conversation:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')
        self.outcome = Outcome()
        self.steps = 0

    def put(self, command, data=b''):
        self.socket.sendall(struct.pack('>I', len(data) + 1) + command + data)

    def get(self):
        head = self.file.read(4)
        if len(head) < 4:
            raise OSError('the filter closed the connection')
        packet = self.file.read(struct.unpack('>I', head)[0])
        return packet[:1], packet[1:]

    def negotiate(self):
        self.put(b'O', struct.pack('>III', 6, ACTIONS, STEPS))
        command, data = self.get()
        while command != b'O':
            command, data = self.get()
        self.steps = struct.unpack('>III', data[:12])[2]
        self.outcome.writes_exactly = bool(self.steps & LEADING_SPACE)

    def macros(self, stage, values):
        self.put(b'D', stage + b''.join(
            name.encode() + b'\0' + value.encode() + b'\0'
            for name, value in values.items() if value))

    def say(self, command, data=b''):
        """Sends a stage and takes in the answers; _Done at a final one."""
        unwanted, silent = STEP_BITS[command]
        if self.steps & unwanted:
            return
        self.put(command, data)
        if self.steps & silent:
            return
        while self._take(command == b'E'):
            pass

    def _take(self, is_end):
        """One answer; whether more follow it."""
        command, data = self.get()
        if is_end:
            self.outcome.told.append((command, data))
        if command in b'ih':
            parts = (data[4:] if command == b'i' else data).split(b'\0')
            self.outcome.inserted.append((parts[0], parts[1]))
        elif command == b'm':
            name, value = data[4:].split(b'\0')[:2]
            number = struct.unpack('>I', data[:4])[0]
            if value:
                self.outcome.replaced.append((name, number, value))
            else:
                self.outcome.deleted.append((name, number))
        elif command in b'e+2-':
            self.outcome.envelope.append((command.replace(b'2', b'+'),
                                          data.split(b'\0')[0]))
        elif command == b'q':
            self.outcome.quarantined = True
        elif command == b'y':
            self.outcome.code = data.rstrip(b'\0')
            self.outcome.verdict = ('tempfail' if data[:1] == b'4'
                                    else 'reject')
            raise _Done
        elif command in FINAL:
            self.outcome.verdict = FINAL[command]
            raise _Done
        elif command in b'cs':
            if is_end:
                raise _Done
            return False
        return True

    def close(self):
        try:
            self.put(b'Q')
        except OSError:
            pass
        self.file.close()
        self.socket.close()


def _client(message):
    name = message.client_name.encode() + b'\0'
    if message.client is None:
        return name + b'U'
    family = b'6' if ipaddress.ip_address(message.client).version == 6 else b'4'
    address = ('IPv6:' if family == b'6' else '') + message.client
    return name + family + struct.pack('>H', 40000) + address.encode() + b'\0'


def _talk(conversation, message):
    conversation.negotiate()
    conversation.macros(b'C', {'j': 'mx.example.net', '{daemon_name}':
                               message.daemon_name, **message.macros})
    conversation.say(b'C', _client(message))
    conversation.say(b'H', b'client.example\0')
    login = {'{auth_authen}': message.login,
             '{auth_type}': 'PLAIN'} if message.login else {}
    conversation.macros(b'M', {'i': '4Dxyz01', **login})
    conversation.say(b'M', b'<%s>\0' % message.sender.encode())
    for recipient in message.recipients:
        conversation.macros(b'R', {'i': '4Dxyz01'})
        conversation.say(b'R', b'<%s>\0' % recipient.encode())
    conversation.macros(b'T', {'i': '4Dxyz01'})
    conversation.say(b'T')
    leading = b' ' if conversation.steps & LEADING_SPACE else b''
    for name, value in message.fields:
        conversation.say(b'L', name + b'\0' + leading + value + b'\0')
    conversation.macros(b'N', {'i': '4Dxyz01'})
    conversation.say(b'N')
    conversation.say(b'B', message.body)
    conversation.macros(b'E', {'i': '4Dxyz01'})
    conversation.say(b'E')


def ask(path, message):
    conversation = _Conversation(path)
    try:
        _talk(conversation, message)
    except _Done:
        pass
    finally:
        conversation.close()
    return conversation.outcome
