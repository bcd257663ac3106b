# SPDX-License-Identifier: BSD-2-Clause
# SRS at srs.example.org without short forms. masq.t puts a sender of 70 octets
# in the place of @LONG@, and its SRS address in that of @SRS@.
test a long sender is written out
connect mx.example.net 192.0.2.1
helo mx
envelope <@LONG@@sender.example> <there@example.net>
message
From: joe@sender.example

x
.
expect continue
edit sender <SRS0=????=??=sender.example=@LONG@@srs.example.org>
edits
log *: rewritten verdict=continue reason=srs *

test and comes back
connect mx.example.net 192.0.2.1
helo mx
envelope <> <@SRS@@srs.example.org>
message
From: MAILER-DAEMON@mx.example.net

x
.
expect continue
edit delete-rcpt <@SRS@@srs.example.org>
edit add-rcpt <@LONG@@sender.example>
edits
