# SPDX-License-Identifier: BSD-2-Clause
# Bad input. Files with big contents are made by dkim-hostile.t.
test a field of 60,000 bytes
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header Subject: \(60000*x)
eoh
body x\r\n
eom
expect continue|accept
edit-count insert DKIM-Signature 2
save long.eml
run $MT_CHECK long.eml

test a From of 60,000 bytes
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: "\(59000*x)" <a@example.org>
eoh
body x\r\n
eom
expect answered
within 5000
alive

test a packet just below the limit of libmilter
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header X: \(65500*x)
eoh
body \(65535*x)
eom
expect continue|accept
edit-count insert DKIM-Signature 2

test a packet above the limit ends the session
mark
start
mail <a@example.org>
header From: a@example.org
raw \x00\x01\x00\x01L\(65537*x)
wait
expect closed
alive

test a packet that claims two gigabytes
start
mail <a@example.org>
raw \x7f\xff\xff\xffLx
wait
expect closed
alive

test a packet that claims four gigabytes
timeout 1500
start
raw \xff\xff\xff\xffL
wait
expect closed|timeout
close
alive

test a packet of no length
dial
negotiate
timeout 1500
raw \x00\x00\x00\x00
wait
expect closed|timeout
close
alive

test 100,000 fields: above the limit, deferred
macro {daemon_name}=ORIGINATING
mark
start
envelope <a@example.org> <b@example.net>
message-file fields.eml
expect tempfail|replycode 4*
within 30000
edits
log *verdict=tempfail*

test 9,000 fields: below the limit
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message-file fields9000.eml
expect continue|accept
within 30000
edit-count insert DKIM-Signature 2

test more header bytes than the limit, in few fields
macro {daemon_name}=ORIGINATING
mark
start
envelope <a@example.org> <b@example.net>
message-file headerbytes.eml
expect tempfail|replycode 4*
log *verdict=tempfail*

test the next message on such a connection is as ever
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message-file headerbytes.eml
expect tempfail|replycode 4*
abort
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test no header and no body, ours: refused, for it has no From
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
eoh
eom
expect reject|replycode 5*

test no header and no body, foreign
start
envelope <a@example.net> <b@example.org>
eoh
eom
expect continue|accept
edit insert 0 Authentication-Results *dkim=none*

test no header but a body
start
envelope <a@example.net> <b@example.org>
eoh
body text\r\n
eom
expect continue|accept
edit insert 0 Authentication-Results *dkim=none*

test 50 MB in one line
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message-file oneline.eml
expect continue|accept
edit-count insert DKIM-Signature 2
save oneline-signed.eml

test 50 MB in one line, verified
start
envelope <a@example.org> <b@example.net>
message-file oneline-signed.eml
expect continue|accept
edit insert 0 Authentication-Results *dkim=pass*

test NUL and 8-bit bytes in the body
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body a\0b\0\0c\r\n\xff\xfe\x80\x00\xe4\r\n
body \x00
eom
expect continue|accept
edit-count insert DKIM-Signature 2
save nul.eml
run $MT_CHECK nul.eml

test 8-bit bytes in fields
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: \xe4\xf6\xfc <a@example.org>
header Subject: \xff\x80\xc0\xaf
header X-\xe4: y
eoh
body x\r\n
eom
expect answered
edits 2

test NUL in a field cuts it, as Postfix does
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
packet-silent L Subject\x00 cut\x00here\x00
expect none|closed
eoh
eom
expect answered|closed|timeout
alive

test bare CR and bare LF in the body
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body one\ntwo\rthree\r\r\nfour\n\r\nfive\r
body \nsix\n
eom
expect continue|accept
edit-count insert DKIM-Signature 2

test CR and LF in a field's value
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header Subject: a\rb\n c\r\n d\n\n e
eoh
body x\r\n
eom
expect answered
alive

test a field with blanks in its name
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
packet-silent L a b c\x00value\x00
expect none|closed
eoh
body x\r\n
eom
expect continue|accept
edit-count insert DKIM-Signature 2

test a field with no name
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
packet-silent L \x00value\x00
expect none|closed
packet E
expect answered|closed
close
alive

test a field with no end
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
packet-silent L Subject\x00value
expect none|closed
packet E
expect answered|closed
close
alive

test 1,000 DKIM-Signature fields: ten are checked
start
envelope <a@example.net> <b@example.org>
message-file signatures.eml
expect continue|accept
within 20000
edit insert 0 Authentication-Results *dkim=*
log *ignored_signatures=990*

test 1,000 good signatures with one last that aligns
start
envelope <a@example.org> <b@example.org>
message-file aligned.eml
expect continue|accept
within 20000
edit insert 0 Authentication-Results *dkim=pass*header.d=example.org*

test a signature with an enormous h=
start
envelope <a@example.net> <b@example.org>
message-file enormous.eml
expect continue|accept
within 10000
edit insert 0 Authentication-Results *dkim=permerror*

test signatures that are nonsense
start
envelope <a@example.net> <b@example.org>
message
DKIM-Signature:
DKIM-Signature: ;;;;
DKIM-Signature: v=1
DKIM-Signature: v=1; a=rsa-sha256; d=; s=; h=; b=; bh=
DKIM-Signature: v=1; a=rsa-sha256; d=example.org; d=example.org; s=rsa; h=from; b=AA; bh=AA
DKIM-Signature: v=1; a=rsa-sha1; d=example.org; s=rsa; h=from; b=AAAA; bh=AAAA
DKIM-Signature: v=2; a=x; c=y; d=\xff.example; s=\x01; l=99999999999999999999; t=-1; x=1
From: a@example.net

x
.
expect continue|accept
edit insert 0 Authentication-Results *dkim=*
edits

test values of a signature that would break out of the result
start
envelope <a@example.net> <b@example.org>
message
DKIM-Signature: v=1; a=rsa-sha256; d=example.org"; s=x\sdkim=pass;\n h=from; b=AAAA; bh=AAAA; i=@"; dkim=pass
From: a@example.net

x
.
expect continue|accept
count Authentication-Results 0 *dkim=pass header*
alive

test several From fields of ours are refused
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
From: b@example.org

x
.
expect reject|replycode 5*

test From fields without an address that can be read
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: @,,,<>;:

x
.
expect reject|replycode 5*

test a comment 20,000 deep
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: \(20000*()a@example.org
header To: \(20000*<)
eoh
eom
expect answered
within 10000
alive

test disconnect after connecting
dial
close
alive

test disconnect inside the first packet
dial
raw \x00\x00\x00\x0dO\x00\x00
close
alive

test disconnect after the negotiation
open
close
alive

test disconnect after connect
connect
close
alive

test disconnect after helo
start
close
alive

test disconnect after mail
start
mail <a@example.org>
close
alive

test disconnect after rcpt
start
mail <a@example.org>
rcpt <b@example.net>
close
alive

test disconnect after data
start
envelope <a@example.org> <b@example.net>
close
alive

test disconnect in the header
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
close
alive

test disconnect at the end of the header
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
close
alive

test disconnect in the body
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body half
close
alive

test disconnect inside a packet of the body
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
raw \x00\x00\xff\xffBhalf
close
alive

test disconnect with the end of the message unanswered
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body x
packet-silent E
expect none|closed
close
alive

test disconnect after the answer
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
eom
expect continue|accept
close
alive

test stages out of order: the end of a message first
open
timeout 1500
packet E
expect answered|closed|timeout|bad
close
alive

test stages out of order: body, header, rcpt before mail
start
timeout 1500
packet-silent B body
expect none|closed
packet-silent L From\x00a@example.org\x00
expect none|closed
packet-silent R <b@example.net>\x00
expect none|closed
packet-silent N
expect none|closed
packet E
expect answered|closed|timeout|bad
close
alive

test stages out of order: mail inside a message
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
mail <c@example.org>
rcpt <d@example.net>
data
header From: a@example.org
eoh
body x
eom
expect answered
alive

test stages out of order: connect twice, helo in the body
start
timeout 3000
packet-silent C host\x004\x9c\x40192.0.2.1\x00
expect none|closed
mail <a@example.org>
expect answered|none|timeout|closed
close
alive

test two negotiations
open
timeout 1500
packet O \x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff
expect answered|bad|timeout|closed
close
alive

test a negotiation that is cut short
dial
timeout 1500
packet O \x00\x00
expect answered|bad|timeout|closed
close
alive

test unknown packets
start
timeout 1500
packet Z whatever
expect answered|closed|timeout|bad
close
alive

test broken connect packets
open
timeout 1500
packet-silent C host
expect none|closed
packet-silent C host\x004
expect none|closed
packet-silent C host\x004\x00
expect none|closed
packet-silent C host\x006\x00\x19not-an-address\x00
expect none|closed
packet-silent C \x00X\x00\x00\x00
expect none|closed
close
open
packet-silent C host\x004\x9c\x40999.999.999.999\x00
expect none|closed
helo x
mail <a@example.org>
expect answered|none|timeout|closed
close
alive

test broken macro packets
start
define M
packet-silent D
expect none|closed
packet-silent D M
expect none|closed
packet-silent D Mname
expect none|closed
packet-silent D M\x00\x00\x00
expect none|closed
packet-silent D M{auth_authen}\x00\(60000*x)\x00
expect none|closed
mail <a@example.org>
expect answered|none|closed
close
alive

test mail without an end, without an address
start
timeout 1500
packet-silent M
expect none|closed
close
start
packet-silent M no-nul
expect none|closed
close
start
packet-silent M \x00\x00\x00\x00
expect none|closed
close
alive

test unknown SMTP commands between stages
start
unknown FOO
mail <a@example.org>
unknown XXX \xff\xff
rcpt <b@example.net>
data
header From: a@example.net
eoh
eom
expect continue|accept

test after all that a message is signed
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

fine
.
expect continue|accept
edit-count insert DKIM-Signature 2
save fine.eml
run $MT_CHECK fine.eml
