# SPDX-License-Identifier: BSD-2-Clause
"""smtp - the client side: bytes in, reply out

    code, text = send(port, message, sender=..., to=[...])

gives the reply that decided: the first refusal, else the one to the end of
data. `source` is the address the client comes from: all of 127.0.0.0/8 is
here, so 127.0.0.2 can play a stranger while 127.0.0.1 is one of us.
"""
import smtplib

OURS = '127.0.0.1'
STRANGER = '127.0.0.2'


class Client:
    def __init__(self, port, source=OURS, helo='client.test', login=None):
        self.smtp = smtplib.SMTP('127.0.0.1', port, local_hostname=helo,
                                 timeout=90, source_address=(source, 0))
        self.smtp.ehlo()
        if login:
            self.smtp.login(login, 'secret')

    def send(self, message, sender, to, options=()):
        """One message; the session stays usable for the next."""
        reply = self.smtp.mail(sender, list(options))
        if reply[0] != 250:
            self.smtp.rset()
            return _text(reply)
        taken = 0
        for recipient in to:
            reply = self.smtp.rcpt(recipient)
            taken += reply[0] in (250, 251)
        if not taken:
            self.smtp.rset()
            return _text(reply)
        try:
            return _text(self.smtp.data(message))
        except smtplib.SMTPDataError as error:
            return error.smtp_code, error.smtp_error.decode('utf-8', 'replace')

    def close(self):
        try:
            self.smtp.quit()
        except (smtplib.SMTPException, OSError):
            pass


def _text(reply):
    return reply[0], reply[1].decode('utf-8', 'replace')


def send(port, message, sender='alice@example.org', to=('bob@example.net',),
         source=OURS, login=None, options=()):
    try:
        client = Client(port, source, login=login)
    except smtplib.SMTPResponseException as error:
        return error.smtp_code, error.smtp_error.decode('utf-8', 'replace')
    try:
        return client.send(message, sender, to, options)
    except smtplib.SMTPServerDisconnected as error:
        return 0, str(error)
    finally:
        client.close()
