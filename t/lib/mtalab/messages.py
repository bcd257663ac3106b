# SPDX-License-Identifier: BSD-2-Clause
"""messages - mail to send: an ordinary one, and those that are hard to sign"""

HEAD = (b'From: Alice <alice@example.org>\r\n'
        b'To: Bob <bob@example.net>\r\n'
        b'Subject: a message\r\n'
        b'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n'
        b'Message-ID: <1@example.org>\r\n')
PLAIN = HEAD + b'\r\nHello.\r\n'

AWKWARD = (
    ('folded and empty fields',
     HEAD + b'X-Empty:\r\nX-Blank: \r\nX-Folded: one\r\n\ttwo\r\n   three\r\n'
     b'Comments:no blank behind the colon\r\n\r\nHello.\r\n'),
    ('trailing blank lines', HEAD + b'\r\nHello.\r\n\r\n\r\n\r\n'),
    ('an empty body', HEAD + b'\r\n'),
    ('a body of blank lines', HEAD + b'\r\n\r\n\r\n'),
    ('lines of dots', HEAD + b'\r\n.\r\n..\r\n.x\r\n. .\r\n'),
    ('blanks at line ends', HEAD + b'\r\none  \r\n \t\r\n\ttwo\t \r\n'),
    ('8-bit bytes', HEAD.replace(b'a message', b'gr\xc3\xbc\xc3\x9fe \xff')
     + b'\r\n\xe4\xf6\xfc \xc3\xa9\r\n'),
    ('repeated fields',
     HEAD + b'Keywords: one\r\nKeywords: two\r\nKeywords: three\r\n'
     b'Comments: a\r\nComments: b\r\n\r\nHello.\r\n'),
    ('no blank line at the end', HEAD + b'\r\nHello.'),
    ('a long line', HEAD + b'\r\n' + b'x' * 900 + b'\r\n'),
    ('200 fields', HEAD + b''.join(b'X-Number: %d\r\n' % n
                                   for n in range(200)) + b'\r\nHello.\r\n'),
    ('300 KB', HEAD + b'\r\n' + (b'0123456789abcdef ' * 4 + b'\r\n') * 4400),
)

