# SPDX-License-Identifier: BSD-2-Clause
# What is found at the end of the message, and DNS trouble on the way to an
# exception; the zone is in spf.t.
test From is in a list: refused at the end
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@nothing.example> <a@example.org>
message
From: joe@bad.example

x
.
expect replycode 550 5.7.1 *

test the same to postmaster, who gets it
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@nothing.example> <postmaster@example.org>
message
From: joe@bad.example

x
.
expect continue
has X-Sender-Check \sunprotected; *

test mail by a relay that is to be refused, to postmaster
connect mx2.example.org 192.0.2.200
helo mx2.example.org
envelope <joe@fail.example> <postmaster@example.org>
message
Received: from some.example.com (unknown [192.0.2.66])
	by mx2.example.org (Postfix) with ESMTP id 4Bx; Sat, 21 Nov 2026 10:00:00 +0000 (UTC)
From: joe@fail.example

x
.
expect continue
has X-Sender-Check \sunprotected; *

test it may be a forwarder, but DNS is silent
connect [192.0.2.2] 192.0.2.2
helo some.example.com
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 451 4.7.24 *

test a client of which only the port is not known
connect [192.0.2.3] 192.0.2.3 0
helo some.example.com
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 451 *
