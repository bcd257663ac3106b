# SPDX-License-Identifier: BSD-2-Clause
# The client towards a filter with NR_ flags that inserts one field.
test one message
negotiated 6 +NR_HDR +NR_BODY +LEADSPC -NOBODY -NOHDRS
start
expect none
envelope <a@example.org> <b@example.net> <c@example.net>
message
From: a@example.org
Subject: folded
	here

body
.
expect continue
edit insert 0 X-Floor xxx*
edits
order X-Floor Received From Subject
has Subject \sfolded\n\there
count X-Floor 1

test two messages, abort between
start
envelope <a@example.org> <b@example.net>
message
A: 1

.
end
envelope <a@example.org> <b@example.net>
message
B: 2

text
.
expect continue
edit insert 0 X-Floor *
edits
end

test no body and no header
start
envelope <a@example.org> <b@example.net>
eoh
eom
expect continue
edits 1

test version 2
offer 2
negotiated 2 -NR_HDR -SKIP
start
envelope <a@example.org> <b@example.net>
message
A: b

c
.
expect continue

test many and long fields
start
envelope <a@example.org> <b@example.net>
header X: \(60000*x)
repeat 20000 header X-%d: v
eoh
body \(65535*y)
body \(65535*y)
eom
expect continue
count X-20000 1

test a packet above the limit ends the session
start
mail <a@example.org>
raw \x00\x20\x00\x00L\(10000*x)
wait
expect closed

test the connection can end at any place
start
envelope <a@example.org> <b@example.net>
header A: b
close
start
envelope <a@example.org> <b@example.net>
eoh
eom
expect continue
alive
