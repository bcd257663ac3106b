# SPDX-License-Identifier: BSD-2-Clause
# Every hook is there, on a UNIX socket.
test what is negotiated
negotiated 6 +NR_CONN +NR_HELO -NR_MAIL -NR_RCPT -NR_DATA +NR_HDR +NR_EOH -NR_BODY +SKIP +LEADSPC +NOUNKNOWN -NOHELO -NODATA -RCPT_REJ

test what a hook knows
macro {auth_authen}=me
macro {auth_type}=PLAIN
start greeter
mail <a@example.org> SIZE=10 SMTPUTF8
rcpt <b@example.net>
rcpt <c@example.net>
data
message
X-Do: eom echo sender
X-Do: eom echo login
X-Do: eom echo helo
X-Do: eom echo client
X-Do: eom echo client_name
X-Do: eom echo origin
X-Do: eom echo mta
X-Do: eom echo recipients
X-Do: eom echo headers
X-Do: eom echo smtputf8
X-Do: eom echo i

text
.
expect continue
has X-Echo \ssender=<a@example.org>
has X-Echo \slogin=<me>
has X-Echo \shelo=<greeter>
has X-Echo \sclient=<192.0.2.1>
has X-Echo \sclient_name=<client.example>
has X-Echo \sorigin=<login>
has X-Echo \smta=<postfix>
has X-Echo \srecipients=<2>
has X-Echo \sheaders=<11>
has X-Echo \ssmtputf8=<yes>
has X-Echo \si=<4*>
log *: passed verdict=continue reason="" from=<a@example.org> origin=login client=192.0.2.1 ms=*

test what the MTA says of size and port, and what came over the wire
connect client.example 192.0.2.1 4321
helo me
mail <a@example.org> size=1000
rcpt <b@example.net>
message
X-Do: eom echo declared_size
X-Do: eom echo client_port
X-Do: eom echo header_bytes
A: one
	two

text
.
expect continue
has X-Echo \sdeclared_size=<1000>
has X-Echo \sclient_port=<4321>
has X-Echo \sheader_bytes=<101>
log *: ended body_bytes=6

test a size that is no number is none, and a message that is aborted ends
connect localhost 127.0.0.1 0
helo me
mail <a@example.org> SIZE=1x
rcpt <b@example.net>
message
X-Do: eom echo declared_size
X-Do: eom echo client_port

.
expect continue
has X-Echo \sdeclared_size=<none>
has X-Echo \sclient_port=<0>
mark
mail <a@example.org>
rcpt <b@example.net>
abort
mail <a@example.org>
log *: ended body_bytes=0

test sendmail is recognized, the null sender, a client without address
mta sendmail
connect localhost unknown 0 U
helo me
envelope <> <b@example.net>
message
X-Do: eom echo mta
X-Do: eom echo sender
X-Do: eom echo client
X-Do: eom echo origin

.
expect continue
has X-Echo \smta=<sendmail>
has X-Echo \ssender=<>
has X-Echo \sclient=<none>
has X-Echo \sorigin=<foreign>

test what connect found is said at MAIL, for each message
connect bad.example
helo me
expect go-on
mail <a@example.org>
expect replycode 550 5.7.1 no such client
mail <b@example.org>
expect replycode 550 5.7.1 no such client
log-count 2 *: rejected verdict=reject reason="no such client"*

test accept at connect ends each message at MAIL
connect dull.example
helo me
mail <a@example.org>
expect accept

test what the first HELO found is void with the second
start bad.helo
helo good.helo
mail <a@example.org>
expect continue
abort
helo bad.helo
mail <a@example.org>
expect replycode 550 5.7.1 no such greeting

test a helo hook that fails
start broken.helo
mail <a@example.org>
expect replycode 451 4.3.0*
log *: deferred verdict=tempfail reason="helo stage failed"*

test verdicts at MAIL
start
mail <reject@mail>
expect replycode 550 5.7.2 not from you
mail <later@mail>
expect replycode 451 4.7.2 come again
mail <accept@mail>
expect accept
mail <discard@mail>
expect discard
mail <fail@mail>
expect replycode 451 4.3.0*
log *: deferred verdict=tempfail reason="mail stage failed: temporary failure"*

test a wait at MAIL ends with command_wait
start
mail <wait@mail>
expect replycode 451 4.4.3 waited long enough
at-least 900
within 5000

test a refused recipient is refused alone
start
mail <a@example.org>
rcpt <reject@rcpt>
expect replycode 550 5.7.3 nobody%%here
rcpt <later@rcpt>
expect replycode 451 4.7.3 later
rcpt <good@rcpt>
expect continue
data
expect continue
message
X-Do: eom echo recipients

.
expect continue
has X-Echo \srecipients=<1>
log *: recipient_refused verdict=reject reason=nobody%here from=<a@example.org> to=reject@rcpt origin=* client=*

test given up once its recipient was refused
start
mail <gave-up@example.org>
rcpt <reject@rcpt>
expect replycode 550 5.7.3 nobody%%here
abort

test discard at RCPT is for the whole message
start
mail <a@example.org>
rcpt <discard@rcpt>
expect discard

test a rcpt hook that fails defers the message
start
mail <a@example.org>
rcpt <fail@rcpt>
expect replycode 451 4.3.0*
rcpt <good@rcpt>
expect replycode 451 4.3.0*
data
expect replycode 451 4.3.0*

test reject at DATA
start
envelope <reject@data> <b@example.net>
expect replycode 554 5.7.4 no content from you

test verdicts of stages without reply come with the next that has one
start
envelope <a@example.org> <b@example.net>
header X-Do: eoh reject 550 5.7.5 bad header
expect go-on
header X-More: 1
eoh
expect go-on
body text
expect replycode 550 5.7.5 bad header
log *: rejected verdict=reject reason="bad header"*

test without a body the end of message has it
start
envelope <a@example.org> <b@example.net>
header X-Do: eoh discard
eoh
eom
expect discard

test accept in eoh, and the body is not asked for
start
envelope <a@example.org> <b@example.net>
header X-Do: eoh accept
eoh
body text
expect accept

test accept with edits comes at the end
start
envelope <a@example.org> <b@example.net>
header X-Do: eoh insert top X-In yes
header X-Do: eoh accept
eoh
body text
expect continue
eom
expect accept
edit insert 0 X-In *
edits

test skip
start
envelope <a@example.org> <b@example.net>
header X-Do: body skip
header X-Do: eom insert top X-End yes
eoh
body one
expect skip
eom
expect continue
edit insert 0 X-End *

test edits reach the MTA in the safe order
start
envelope <a@example.org> <b@example.net>
message
A: 1
a: 2
A: 3
B: 1
X-Do: eom insert top X-Top first
X-Do: eom insert top X-Top second
X-Do: eom insert below X-Below one
X-Do: eom sender new@example.org
X-Do: eom addrcpt add@example.net
X-Do: eom delrcpt <b@example.net>
X-Do: eom delete A 1
X-Do: eom change A 2 two
X-Do: eom delete A 3
X-Do: eom delete B 1
X-Do: eom body new body
X-Do: eom hold look at this

text
.
expect continue
edit body new body
edit delete 3 A
edit change 2 a \stwo
edit delete 1 A
edit delete 1 B
edit insert 1 X-Below \sone
edit insert 0 X-Top \ssecond
edit insert 0 X-Top \sfirst
edit sender <new@example.org>
edit delete-rcpt <b@example.net>
edit add-rcpt <add@example.net>
edit quarantine look at this
edits
order X-Top X-Top Received X-Below A X-Do
has A \stwo
log *: held verdict=hold reason="look at this"*

test an index is told as it is given, in that order, from the end by what is there
start
envelope <a@example.org> <b@example.net>
message
A: 1
X-Do: eom insert top X-Top top
X-Do: eom insert 0 X-Above one
X-Do: eom insert 3 X-Between two
X-Do: eom insert -1 A three
X-Do: eom insert -2 X-Near-End four
X-Do: eom insert -12 X-First five
X-Do: eom insert -14 X-Highest six

text
.
expect continue
edit insert 0 X-Above \sone
edit insert 3 X-Between \stwo
edit add A \sthree
edit insert 11 X-Near-End \sfour
edit insert 2 X-First \sfive
edit insert 0 X-Highest \ssix
edit insert 0 X-Top \stop
edits
order X-Top X-Highest X-Above Received X-First A X-Between X-Do X-Do X-Do X-Do X-Do X-Do X-Do X-Near-End A
log *: passed verdict=continue*

test sendmail has one place for 1 to 8, and adds above a field of that name
mta sendmail
start
envelope <a@example.org> <b@example.net>
message
A: 1
X-Do: eom insert 3 X-Three one
X-Do: eom insert -1 A two
X-Do: eom insert -1 X-End three
X-Do: eom delete A 1

text
.
expect continue
edit delete 1 A
edit insert 3 X-Three \sone
edit add A \stwo
edit add X-End \sthree
edits
order Received X-Three A X-Do X-Do X-Do X-Do X-End
has A \stwo

test a changed envelope keeps what RFC 3461 says, and nothing else
start
mail <a@example.org> SIZE=10 RET=HDRS ENVID=QQ+20 BODY=8BITMIME AUTH=<>
rcpt <b@example.net> NOTIFY=SUCCESS,FAILURE FOO=1 ORCPT=rfc822;b+2Bc@example.net
message
X-Do: eom sender new@example.org
X-Do: eom addrcpt add@example.net

.
expect continue
edit sender-args <new@example.org> RET=HDRS ENVID=QQ+20
edit add-rcpt-args <add@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.net
edits

test Sendmail, which forgets more, is told more
mta sendmail
start
mail <a@example.org> RET=HDRS BODY=8BITMIME
rcpt <b@example.net>
message
X-Do: eom sender new@example.org
X-Do: eom addrcpt add@example.net

.
expect continue
edit sender-args <new@example.org> RET=HDRS BODY=8BITMIME
edit add-rcpt <add@example.net>
edits

test a deletion and a change of one field: the deletion
start
envelope <a@example.org> <b@example.net>
message
A: 1
X-Do: eom change A 1 one
X-Do: eom delete A 1
X-Do: eom change A 1 two

.
expect continue
edit delete 1 A
edits

test a field that cannot be written defers the message
start
envelope <a@example.org> <b@example.net>
header X-Do: eom insert top X:Y value
eoh
eom
expect replycode 451 4.3.0*
edits
log *: deferred verdict=tempfail reason="a header field to be written is not safe"*

test an action that the MTA does not offer defers the message
offer 6 1 1fffff
start
envelope <a@example.org> <b@example.net>
header X-Do: eom insert top X-A yes
header X-Do: eom sender other@example.org
eoh
eom
expect replycode 451 4.3.0*
log *: deferred verdict=tempfail reason="the MTA did not take: sender"*

test replies are made safe
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom reject 250 2.1.0 100% fine\t\x80 end

.
expect replycode 550 5.7.1 100%% fine ? end

test an empty and a large new body
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom body-size 0

text
.
expect continue
edit-count body * 1
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom body-size 200000

text
.
expect continue
edit-count body * 4

test progress while waiting at the end
start
envelope <a@example.org> <b@example.net>
header X-Do: eom wait 3500
eoh
eom
expect continue
progress 1
at-least 3400
log *waited=expired*

test an event that comes ends the wait
start
envelope <a@example.org> <b@example.net>
header X-Do: eom set-after 60000
eoh
eom
expect continue
within 5000
log *waited=set*

test a message that takes too much memory
start
envelope <a@example.org> <b@example.net>
header X-Do: eoh memory 20000000
eoh
eom
expect replycode 452 4.3.1*
log *: deferred verdict=tempfail reason="memory exhausted (message_memory)"*

test too many header fields
start
envelope <a@example.org> <b@example.net>
repeat 1001 header X-%d: v
eoh
eom
expect replycode 451 4.3.4*
log *: deferred verdict=tempfail reason="above header_count"*

test a header section that is too large
start
envelope <a@example.org> <b@example.net>
repeat 9 header X-%d: \(60000*x)
eoh
eom
expect replycode 451 4.3.4*
log *: deferred verdict=tempfail reason="above header_bytes"*

test two messages, abort after each and in the middle
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom echo i

.
expect continue
abort
abort
mark
envelope <b@example.org> <b@example.net>
header A: b
abort
envelope <c@example.org> <b@example.net>
log *: aborted verdict=continue stage=header*
message
X-Do: eom echo sender

.
expect continue
has X-Echo \ssender=<c@example.org>

test a MAIL without an end of the message before
mark
start
mail <one@example.org>
mail <two@example.org>
rcpt <b@example.net>
data
eoh
eom
expect continue
log *from=<two@example.org>*

test the connection ends in the middle
mark
start
envelope <lost@example.org> <b@example.net>
header A: b
close
# libmilter may see the end before it reads the field
log *: aborted verdict=continue stage=* reason="" from=<lost@example.org>*
log-count 1 *lost@example.org*
alive

test an end of message without a beginning is not passed
start
eoh
timeout 1000
eom
expect tempfail|timeout|closed
alive

test unknown commands are never accepted
offer 6 1ff 100000
start
unknown FOO bar
expect continue
envelope <a@example.org> <b@example.net>
message
X-Do: eom insert top X-Yes yes

.
expect continue
edit insert 0 X-Yes *

test version 2: exact values are restored as far as they go
offer 2
negotiated 2 -NR_HDR -SKIP
start
envelope <a@example.org> <b@example.net>
message
A: 1
X-Do: eom insert top X-Old yes

text
.
expect continue
edit insert 0 X-Old yes

test versions 3 to 5
offer 3
negotiated 3
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom echo sender

.
expect continue
close
offer 4
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom echo sender

.
expect continue
close
offer 5
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom echo sender

.
expect continue

test a header field with an impossible name is left alone
start
envelope <a@example.org> <b@example.net>
header From you\sFri: v
header A: 1
header X Y: v
header A: 2
header X-Do: eom delete A 2
header X-Do: eom echo headers
eoh
eom
expect continue
edit delete 2 A
has X-Echo \sheaders=<4>

test NUL, 8-bit and bare CR in values
start
envelope <a@example.org> <b@example.net>
header A: \x80\xff\rx\r\n\tfolded
header X-Do: eom change A 1 clean
eoh
eom
expect continue
edit change 1 A \sclean

test no macros at all
no-macros
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom echo i
X-Do: eom echo mta

.
expect continue
has X-Echo \si=<>
has X-Echo \smta=<unknown>
log NOQUEUE: passed*

test what is kept for explain
withhold i
start
mail <a@example.org>
rcpt <b@example.net>
data
define L i=EXPLAIN1
header X-Do: eoh fact colour red
header X-Do: eom insert top X-Seen yes
define N i=EXPLAIN1
eoh
define E i=EXPLAIN1
eom
expect continue
log EXPLAIN1: passed*colour=red*

test a packet above the limit ends the session
mark
start
envelope <large@example.org> <b@example.net>
raw \x00\x20\x00\x00L\(70000*x)
wait
expect closed
log *: aborted*from=<large@example.org>*
log-count 1 *large@example.org*
alive
