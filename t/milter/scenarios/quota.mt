# SPDX-License-Identifier: BSD-2-Clause
# Rules: daily 3/message 5/1d by login; size 2000/message 3000/1d bytes by
# login; bad 2/1d refused recipients by client; held 2/1d by certificate; from
# 4/1d messages by From domain and login. Each test has a login of its own.
test what is negotiated
negotiated 6 +NR_CONN -NR_MAIL -NR_RCPT +NR_HDR -NR_BODY +SKIP +RCPT_REJ +NOUNKNOWN +NOHELO +NODATA

test a message is counted
macro {auth_authen}=anna
start
mark
envelope <anna@example.org> <a@example.net> <b@example.net>
message
From: anna@example.org

x
.
expect continue
log *: counted verdict=continue reason="daily: 2 of 5/1d"* key="login=anna" recipients=2 *

test one of one message too many
macro {auth_authen}=ben
start
mail <ben@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
rcpt <d@example.net>
expect replycode 452 4.5.3 too many recipients*
data
message
From: ben@example.org

x
.
expect continue
log *: recipient_refused *reason="daily: above 3 recipients in one message"*to=d@example.net*

test the limit, over two messages
macro {auth_authen}=carl
start
envelope <carl@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: carl@example.org

x
.
expect continue
abort
mail <carl@example.org>
rcpt <d@example.net>
rcpt <e@example.net>
rcpt <f@example.net>
expect replycode 451 4.7.1 5 of 5 recipients used in 1d; try again in 1d*
rcpt <postmaster@example.net>
expect continue
data
message
From: carl@example.org

x
.
expect continue
abort
mail <carl@example.org>
rcpt <g@example.net>
expect replycode 451*

test an abort gives back, after the end it does not
macro {auth_authen}=dora
start
mail <dora@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
abort
mail <dora@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
data
header From: dora@example.org
abort
envelope <dora@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: dora@example.org

x
.
expect continue
abort
abort
mail <dora@example.org>
rcpt <d@example.net>
rcpt <e@example.net>
rcpt <f@example.net>
expect replycode 451*

test a connection that goes away gives back
macro {auth_authen}=emil
start
mail <emil@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
close
sleep 300
start
mail <emil@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
expect continue

test the same recipient twice is two recipients
macro {auth_authen}=fred
start
mail <fred@example.org>
rcpt <a@example.net>
rcpt <a@example.net>
rcpt <A@example.net>
rcpt <a@example.net>
expect replycode 452*

test login names in another case are the same
macro {auth_authen}=Gina
start
envelope <gina@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: gina@example.org

x
.
expect continue
quit
macro {auth_authen}=gINA
start
mail <gina@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
expect replycode 451*

test size: what SIZE says is held, what comes is counted
macro {auth_authen}=hugo
start
mail <hugo@example.org> SIZE=2001
rcpt <a@example.net>
expect replycode 552 5.3.4 message is larger than 2000 bytes
abort
mail <hugo@example.org> SIZE=1900
rcpt <a@example.net>
data
message
From: hugo@example.org

x
.
expect continue
abort
mail <hugo@example.org> SIZE=1
rcpt <a@example.net>
data
header From: hugo@example.org
eoh
repeat 40 body 0123456789012345678901234567890123456789012345678901234567890123456789
eom
expect replycode 552 5.3.4*

test size: a refusal at the end gives all back
macro {auth_authen}=ina
start
mail <ina@example.org> SIZE=1
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
data
header From: ina@example.org
eoh
repeat 40 body 0123456789012345678901234567890123456789012345678901234567890123456789
eom
expect replycode 552 5.3.4*
abort
mail <ina@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
expect continue

test rules of From are asked at the end
macro {auth_authen}=jan
start
envelope <jan@example.org> <a@example.net>
message
From: jan@one.example

x
.
expect continue
abort
envelope <jan@example.org> <a@example.net>
message
From: jan@one.example

x
.
expect continue
abort
envelope <jan@example.org> <a@example.net>
message
From: jan@one.example

x
.
expect continue
abort
envelope <jan@example.org> <a@example.net>
message
From: jan@one.example

x
.
expect continue
abort
envelope <jan@example.org> <a@example.net>
message
From: jan@one.example

x
.
expect replycode 451 4.7.1 4 of 4 messages used in 1d*
abort
envelope <jan@example.org> <a@example.net>
message
From: jan@two.example

x
.
expect continue

test above a hold rule the message is held
mta postfix
macro {cert_subject}=/CN=machine
start
envelope <m@example.org> <a@example.net> <b@example.net>
message
From: m@example.org

x
.
expect continue
edits 0
abort
envelope <m@example.org> <a@example.net>
message
From: m@example.org

x
.
expect continue
edit-count quarantine * 1

test sendmail shows certificates that it has not verified
mta sendmail
macro {cert_subject}=/CN=other
macro {verify}=NO
start
mark
envelope <m@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: m@example.org

x
.
expect continue
edits 0
log *: passed *reason="no rule counts it"*

test recipients that Postfix refuses
mta postfix
connect client.example 192.0.2.8
helo me
mail <a@example.org>
rcpt <a@example.net>
macro {rcpt_mailer}=error
macro {rcpt_host}=5.1.1
macro {rcpt_addr}=no such user
rcpt <nobody1@example.net>
expect continue
rcpt <nobody2@example.net>
expect continue
sleep 100
macro {rcpt_mailer}=smtp
rcpt <b@example.net>
expect replycode 451*

test recipients that Sendmail refuses
mta sendmail
connect client.example 192.0.2.9
helo me
mail <a@example.org>
macro {nbadrcpts}=1
rcpt <a@example.net>
expect continue
macro {nbadrcpts}=2
rcpt <b@example.net>
expect replycode 451 4.7.1 2 of 2 refused recipients*

test mail of Postfix's sendmail command is answered at the end
mta postfix
macro {auth_authen}=kai
connect localhost 127.0.0.1 0
helo localhost
mail <kai@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
rcpt <d@example.net>
expect continue
data
message
From: kai@example.org

x
.
expect replycode 452 4.5.3*

test a login with control characters and quotes
macro {auth_authen}=ab'c"d
start
envelope <x@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: x@example.org

x
.
expect continue
abort
mail <x@example.org>
rcpt <a@example.net>
rcpt <b@example.net>
rcpt <c@example.net>
expect replycode 451*
alive

test nobody in particular: no login, no key
start
mark
envelope <x@example.org> <a@example.net> <b@example.net> <c@example.net> <d@example.net>
message
From: x@example.org

x
.
expect continue
log *: passed *reason="no rule counts it"*
