# SPDX-License-Identifier: BSD-2-Clause
"""sink - an SMTP server that keeps what it gets, byte for byte

    sink = Sink()
    ... an MTA delivers to 127.0.0.1:sink.port ...
    mail = sink.take()          # the oldest one not yet taken; waits

Mails are kept as they came over the wire: CRLF, dots unstuffed, nothing
added. A recipient refused@... is refused. With a folder each is also written there as NNNN.eml, and
`python3 -m mtalab.sink PORT FOLDER` runs one by itself.
"""
import os
import socket
import sys
import threading
import time

from .process import LabError

GREETING = b'220 sink.test ESMTP'
EXTENSIONS = b'250-sink.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN'


class Mail:
    """One delivered message: sender and recipients as the commands had
    them, data as it came."""

    def __init__(self, sender, recipients, data):
        self.sender = sender
        self.recipients = recipients
        self.data = data

    def head(self):
        return self.data.partition(b'\r\n\r\n')[0] + b'\r\n'

    def body(self):
        return self.data.partition(b'\r\n\r\n')[2]

    def fields(self, name=None):
        """[(name, text behind the colon with its folding)], in order."""
        result = []
        for line in self.head().split(b'\r\n')[:-1]:
            if line[:1] in (b' ', b'\t') and result:
                result[-1] = (result[-1][0], result[-1][1] + b'\r\n' + line)
            else:
                field, _, value = line.partition(b':')
                result.append((field.strip().decode('latin-1'), value))
        if name is None:
            return result
        return [v for n, v in result if n.lower() == name.lower()]

    def unfolded(self, name):
        """The values of that name, each on one line."""
        return [b' '.join(v.split()) for v in self.fields(name)]


class _Session:
    def __init__(self, sink, connection):
        self.sink = sink
        self.connection = connection
        self.lines = connection.makefile('rb')

    def say(self, text):
        self.connection.sendall(text + b'\r\n')

    def run(self):
        sender, recipients = b'', []
        self.say(GREETING)
        for line in iter(self.lines.readline, b''):
            word = line[:4].upper()
            if word == b'EHLO':
                self.say(EXTENSIONS)
            elif word == b'MAIL':
                sender, recipients = line.strip(), []
                self.say(b'250 2.1.0 Ok')
            elif word == b'RCPT' and b'<refused@' in line:
                self.say(b'550 5.1.1 No such user')
            elif word == b'RCPT':
                recipients.append(line.strip())
                self.say(b'250 2.1.5 Ok')
            elif word == b'DATA':
                self.say(b'354 Go on')
                data = self.read_data()
                number = self.sink.keep(Mail(sender, recipients, data))
                self.say(b'250 2.0.0 Kept as %04d' % number)
            elif word == b'QUIT':
                self.say(b'221 2.0.0 Bye')
                return
            elif word in (b'HELO', b'RSET', b'NOOP'):
                self.say(b'250 2.0.0 Ok')
            else:
                self.say(b'502 5.5.2 What?')

    def read_data(self):
        kept = []
        for line in iter(self.lines.readline, b''):
            if line == b'.\r\n':
                return b''.join(kept)
            kept.append(line[1:] if line.startswith(b'.') else line)
        raise ConnectionError('ended within DATA')


class Sink:
    def __init__(self, port=0, folder=None):
        self.folder = folder
        self.mails = []
        self.taken = 0
        self.changed = threading.Condition()
        self.listener = socket.create_server(('127.0.0.1', port), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                _Session(self, connection).run()
            except (ConnectionError, OSError):
                pass

    def keep(self, mail):
        with self.changed:
            self.mails.append(mail)
            number = len(self.mails)
            self.changed.notify_all()
        if self.folder:
            path = os.path.join(self.folder, '%04d.eml' % number)
            with open(path + '.part', 'wb') as file:
                file.write(mail.data)
            os.rename(path + '.part', path)
        return number

    def take(self, seconds=20.0):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.mails) > self.taken,
                                         seconds):
                raise LabError('no mail arrived within %g s' % seconds)
            self.taken += 1
            return self.mails[self.taken - 1]

    def stays_empty(self, seconds=0.5):
        """True if nothing new comes within that time."""
        with self.changed:
            return not self.changed.wait_for(
                lambda: len(self.mails) > self.taken, seconds)

    def stop(self):
        # accept() in the other thread does not notice close() alone
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def main():
    Sink(int(sys.argv[1]), sys.argv[2])
    while True:
        time.sleep(3600)


if __name__ == '__main__':
    main()
