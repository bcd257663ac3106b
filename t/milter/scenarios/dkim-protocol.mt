# SPDX-License-Identifier: BSD-2-Clause
# How an MTA may talk: both MTAs, every protocol version, every odd order that
# is legal. example.org has an RSA and an Ed25519 key.
test what is negotiated
negotiated 6 +NR_CONN +NR_HDR +NR_EOH +NOUNKNOWN +LEADSPC -NOBODY -NOHDRS

test sign: both keys, above the MTA's Received
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: A <a@example.org>
To: b@example.net
Subject: first
 folded

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=example.org*
edit insert 0 DKIM-Signature *d=example.org*
edits
order DKIM-Signature DKIM-Signature Received From
has DKIM-Signature *a=rsa-sha256*
has DKIM-Signature *a=ed25519-sha256*
save signed.eml
run $MT_CHECK signed.eml

test verify: what was signed passes
start
envelope <a@example.org> <b@example.net>
message-file signed.eml
expect continue|accept
edit insert 0 Authentication-Results *mx.example.net*dkim=pass*dkim=pass*
edits
order Authentication-Results Received DKIM-Signature

test verify: a changed body fails
start
envelope <a@example.org> <b@example.net>
run sed 's/^body/Body/' signed.eml > changed.eml
message-file changed.eml
expect continue|accept
edit insert 0 Authentication-Results *dkim=fail*
edits

test verify: no signature, forged results are deleted from the last up
start
envelope <a@example.org> <b@example.net>
message
Authentication-Results: mx.example.net; dkim=pass header.d=example.org
Authentication-Results: other.example; dkim=pass
AUTHENTICATION-results: (c) MX.example.NET; spf=pass
From: a@example.org
Authentication-Results: mx.example.net;
 dkim=pass

body
.
expect continue|accept
edit delete 4 Authentication-Results
edit delete 3 A*
edit delete 1 Authentication-Results
edit insert 0 Authentication-Results *dkim=none*
edits
count Authentication-Results 2
has Authentication-Results *other.example*

test protocol version 2
offer 2
negotiated 2 -NR_HDR -SKIP -LEADSPC
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Subject: old
 protocol

body
.
expect continue|accept
edit-count insert DKIM-Signature 2
save v2.eml
run $MT_CHECK v2.eml

test protocol version 3
offer 3
negotiated 3
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message-file changed.eml
expect continue|accept
edit-count insert DKIM-Signature 2

test protocol version 4
offer 4
negotiated 4
start
envelope <a@example.org> <b@example.net>
message-file signed.eml
expect continue|accept
edit insert 0 Authentication-Results *dkim=pass*

test version 6 with old steps offered: a reply to everything
offer 6 1ff 7f
negotiated 6 -NR_HDR -NR_BODY -NOUNKNOWN -LEADSPC
macro {daemon_name}=ORIGINATING
connect
expect continue
mail <a@example.org>
expect continue
rcpt <b@example.net>
expect continue
unknown FOO bar
expect continue
data
expect continue
message
From: a@example.org

body
.
expect continue|accept
edit-count insert DKIM-Signature 2
save replies.eml
run $MT_CHECK replies.eml

test a version from the future
offer 6
dial
packet O \x00\x00\x00\x07\x00\x00\x01\xff\x00\x1f\xff\xff
expect answered|bad|closed
close
alive

test sendmail: address fields are signed as Sendmail will write them
mta sendmail
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: A b.c <a@example.org>
To: b@example.net,c@example.net
Date: Mon, 20 Jul 2026 10:00:00 +0200
Message-ID: <1@example.org>

body
.
expect continue|accept
has To \sb@example.net, c@example.net
has From \s"A b.c" <a@example.org>
edit-count insert DKIM-Signature 2
save sendmail.eml
run $MT_CHECK sendmail.eml

test sendmail: nothing that it adds later is oversigned
mta sendmail
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
To: b@example.net

body
.
expect continue|accept
edit-count insert DKIM-Signature 2
run ! tail -n 1 dkim.log | grep -q 'verdict=reject'
save no-date.eml
run (echo "Date: Mon, 20 Jul 2026 10:00:00 +0200"; echo "Message-ID: <2@x>"; cat no-date.eml) | sed 's/\r*$/\r/' > dated.eml
run $MT_CHECK dated.eml

test sendmail: quit-nc and another client on the same connection
mta sendmail
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

1
.
edit-count insert DKIM-Signature 2
quit-nc
connect other.example 192.0.2.9
helo other
envelope <a@example.org> <b@example.net>
message
From: a@example.org

2
.
expect continue|accept
edit-count insert DKIM-Signature 2

test two HELOs, as after STARTTLS
macro {daemon_name}=ORIGINATING
connect
helo first
abort
helo second
mail <a@example.org>
abort
helo third
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test ABORT after EOM, twice, and QUIT
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
abort
abort
quit
alive

test two messages on one connection, the first aborted in its header
macro {daemon_name}=ORIGINATING
start
envelope <x@example.net> <b@example.net>
header From: x@example.net
header Subject: gone
abort
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Subject: kept

one
.
expect continue|accept
edit-count insert DKIM-Signature 2
has DKIM-Signature *d=example.org*
save one.eml
end
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Subject: second

two
.
expect continue|accept
edit-count insert DKIM-Signature 2
save two.eml
run $MT_CHECK one.eml two.eml

test abort in the body, then the connection is used again
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body half a
abort
envelope <a@example.org> <b@example.net>
message
From: a@example.org

whole
.
expect continue|accept
save reused.eml
run $MT_CHECK reused.eml

test no body event
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
eom
expect continue|accept
edit-count insert DKIM-Signature 2
save nobody.eml
run $MT_CHECK nobody.eml

test no recipient stage and no DATA
macro {daemon_name}=ORIGINATING
start
mail <a@example.org>
header From: a@example.org
eoh
eom
expect continue|accept|timeout

test body chunks split everywhere
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
body line one \r
body \nline
body \s
body \s\s\t
body two\r
body \n\r
body \n
body \r\n
body x
body \r\n\r\n
body \r\n
eom
expect continue|accept
edit-count insert DKIM-Signature 2
save split.eml
run $MT_CHECK split.eml

test one byte a chunk
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
repeat 300 body y
body \r
body \n
eom
expect continue|accept
save bytes.eml
run $MT_CHECK bytes.eml

test chunks of 65535
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
repeat 20 body \(65535*z)
body \r\n
eom
expect continue|accept
save chunks.eml
run $MT_CHECK chunks.eml

test the last piece comes with the end of body
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
packet E last piece\r\n
expect continue|accept
edit-count insert DKIM-Signature 2

test macros: the queue id comes only at the end of the header
macro {daemon_name}=ORIGINATING
withhold i
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
define N i=LATEID1
eoh
eom
expect continue|accept
log LATEID1: signed

test macros: the queue id comes only at the end of the message
macro {daemon_name}=ORIGINATING
withhold i
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
eoh
define E i=LATEID2
eom
expect continue|accept
log LATEID2: signed

test macros: no queue id ever
macro {daemon_name}=ORIGINATING
withhold i
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test macros: none at all; the client's address makes it ours
no-macros
connect localhost 127.0.0.1
helo localhost
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test macros: none at all, foreign
no-macros
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 Authentication-Results *dkim=none*

test a login makes it ours
macro {auth_type}=PLAIN
macro {auth_authen}=a
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2
log *origin=login*

test a client without an address is never ours
connect localhost unknown
helo localhost
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 Authentication-Results *
edits

test an alien "From " line that the MTA made a field of
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
X-Mailbox-Line: From alien@example.com  Mon Jul 20 10:00:00 2026
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2
save mbox.eml
run $MT_CHECK mbox.eml

test an alien "From " line that came through as a field
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
packet-silent L From alien@example.com  Mon Jul 20 10\x0000:00 2026\x00
header From: a@example.org
eoh
body x\r\n
eom
expect answered
alive

test the null sender and an address without brackets
macro {daemon_name}=ORIGINATING
start
envelope <> <b@example.net>
message
From: MAILER-DAEMON@example.org

bounce
.
expect continue|accept
edit-count insert DKIM-Signature 2
end
mail a@example.org
rcpt b@example.net
data
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test many recipients, one rejected by the MTA
macro {daemon_name}=ORIGINATING
start
mail <a@example.org>
repeat 300 rcpt <r%d@example.net> NOTIFY=NEVER
data
message
From: a@example.org

x
.
expect continue|accept
edit-count insert DKIM-Signature 2

test a domain without a key passes unsigned, with a line
macro {daemon_name}=ORIGINATING
start
mark
envelope <a@other.example> <b@example.net>
message
From: a@other.example

x
.
expect continue|accept
edits
log *unsigned*
