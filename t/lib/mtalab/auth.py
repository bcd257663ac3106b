# SPDX-License-Identifier: BSD-2-Clause
"""auth - the server's side of Dovecot's authentication protocol, taking any
PLAIN login: so the private Postfix offers AUTH without a password anywhere"""
import base64
import socket
import threading

HELLO = (b'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n'
         b'COOKIE\t00\nDONE\n')


class AuthServer:
    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
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

    @staticmethod
    def _serve(connection):
        connection.sendall(HELLO)
        for line in connection.makefile('rb'):
            words = line.rstrip(b'\n').split(b'\t')
            if words[0] == b'AUTH':
                given = [w[5:] for w in words if w.startswith(b'resp=')]
                user = base64.b64decode(given[0]).split(b'\0')[1]
                connection.sendall(b'OK\t%s\tuser=%s\n' % (words[1], user))

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
