# SPDX-License-Identifier: BSD-2-Clause
# Over TCP every stage is answered.
test what is negotiated
negotiated 6 -NR_CONN -NR_HELO -NR_MAIL -NR_RCPT -NR_DATA -NR_HDR -NR_EOH -NR_BODY +SKIP +LEADSPC

test a verdict is given where it is found
start
envelope <a@example.org> <b@example.net>
header A: b
expect continue
header X-Do: eoh reject 550 5.7.5 bad header
expect continue
eoh
expect replycode 550 5.7.5 bad header

test but those of connect and helo at MAIL
connect bad.example
expect continue
helo me
expect continue
mail <a@example.org>
expect replycode 550 5.7.1 no such client
