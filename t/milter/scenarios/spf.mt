# SPDX-License-Identifier: BSD-2-Clause
# The default policy with lists; the zone is in spf.t.
test a sender whose domain allows the client
connect mx.example.net 192.0.2.1
helo mx.example.net
envelope <joe@pass.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Received-SPF \spass*identity=mailfrom;*client-ip=192.0.2.1;*
has Authentication-Results \smta.example.org;*spf=pass*smtp.mailfrom=joe@pass.example*
log *: passed verdict=continue * helo_spf=pass spf=pass *

test a sender whose domain does not: refused to the recipient, with its explanation
connect mx.example.net 192.0.2.1
helo mx.example.net
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 550 5.7.23 SPF fail: 192.0.2.1 may not send as fail.example: 192.0.2.1 is not ours; see http://fail.example/*
log *: recipient_refused *

test the same to postmaster
connect mx.example.net 192.0.2.1
helo mx.example.net
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode
rcpt <Postmaster@example.org>
data
message
From: joe@fail.example

x
.
expect continue
has X-Sender-Check \sunprotected; helo_spf=pass; spf=fail
has Received-SPF \sfail *

test softfail, neutral and none pass
connect mx.example.net 192.0.2.1
helo mx.example.net
envelope <joe@soft.example> <a@example.org>
message
From: joe@soft.example

x
.
expect continue
has Authentication-Results \s*spf=softfail*
count X-Sender-Check 0
envelope <joe@neutral.example> <a@example.org>
message
From: joe@neutral.example

x
.
expect continue
has Authentication-Results \s*spf=neutral*
envelope <joe@nothing.example> <a@example.org>
message
From: joe@nothing.example

x
.
expect continue
has Authentication-Results \s*spf=none*
envelope <joe@broken.example> <a@example.org>
message
From: joe@broken.example

x
.
expect continue
has Authentication-Results \s*spf=permerror*

test DNS that is silent defers
connect mx.example.net 192.0.2.1
helo mx.example.net
mail <joe@slow.example>
rcpt <a@example.org>
expect replycode 451 4.7.24 SPF temperror: slow.example: timeout*

test HELO that its owner forbids
connect mx.example.net 192.0.2.1
helo forged.example
mail <joe@pass.example>
rcpt <a@example.org>
expect replycode 556 5.7.27 forged.example sends no mail*

test the null sender is postmaster at HELO
connect mx.example.net 192.0.2.1
helo mx.example.net
envelope <> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Received-SPF \spass *
log *: passed * spf=pass *

test a second HELO counts, the first does not
connect mx.example.net 192.0.2.1
helo forged.example
helo mx.example.net
envelope <joe@pass.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
log *: passed * helo_spf=pass *

test listed, weight 3
connect [192.0.2.66] 192.0.2.66
helo some.example.com
mail <joe@nothing.example>
rcpt <a@example.org>
expect replycode 550 5.7.1 *zen.example**

test listed, weight 1: a tag
connect [192.0.2.67] 192.0.2.67
helo some.example.com
envelope <joe@nothing.example> <a@example.org>
message
From: joe@nothing.example

x
.
expect continue
has X-Sender-Check \ssuspicious; *
log *: tagged * lists=* *

test a list that refuses to answer lists nobody
connect [192.0.2.68] 192.0.2.68
helo some.example.com
envelope <joe@nothing.example> <a@example.org>
message
From: joe@nothing.example

x
.
expect continue
count X-Sender-Check 0
log *dns_list_error list=zen.example *

test an allow list outweighs
connect [192.0.2.69] 192.0.2.69
helo some.example.com
envelope <joe@nothing.example> <a@example.org>
message
From: joe@nothing.example

x
.
expect continue
count X-Sender-Check 0

test forged fields of ours go, others stay
connect mx.example.net 192.0.2.1
helo mx.example.net
envelope <joe@pass.example> <a@example.org>
message
Authentication-Results: mta.example.org; spf=pass smtp.mailfrom=fail.example
Authentication-Results: elsewhere.example; spf=pass smtp.mailfrom=fail.example
X-Sender-Check: nothing to see
From: joe@pass.example

x
.
expect continue
count Authentication-Results 2
count X-Sender-Check 0
log *: passed * removed_fields=2 *

test mail of ours is not checked
macro {auth_authen}=joe
connect [192.0.2.66] 192.0.2.66
helo forged.example
envelope <joe@fail.example> <a@example.net>
message
From: joe@fail.example

x
.
expect continue
edits
log *: skipped verdict=continue reason="mail of ours" *

test skip.clients
connect [192.0.2.99] 192.0.2.99
helo forged.example
envelope <joe@fail.example> <a@example.org>
message
From: joe@fail.example

x
.
expect continue
edits
log *: skipped verdict=continue reason=skip.clients *

test a forwarder by its own SPF
connect [192.0.2.77] 192.0.2.77
helo out.forwarder.example
envelope <joe@fail.example> <a@example.org>
message
From: joe@fail.example

x
.
expect continue
has Received-SPF \sfail *
count X-Sender-Check 0
log *: passed * forwarder=forwarder.example *

test a forwarder by name
connect out.lists.example 192.0.2.78
helo x.example.com
envelope <joe@fail.example> <a@example.org>
message
From: joe@fail.example

x
.
expect continue
log *: passed * forwarder=*lists.example *

test a HELO name that anybody can say is no forwarder
connect [192.0.2.79] 192.0.2.79
helo trusted.example.com
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode

test a HELO name that is the client's own is one
connect trusted.example.com 192.0.2.79
helo trusted.example.com
envelope <joe@fail.example> <a@example.org>
message
From: joe@fail.example

x
.
expect continue
log *: passed * forwarder=trusted.example.com *

test rules: the first that matches decides; a dry one only says
connect mx.example.net 192.0.2.1
helo mx.example.net
mail <joe@strict.example>
rcpt <a@example.org>
expect replycode 451 4.7.1 no mail from strict.example today*
mail <joe@careless.example>
rcpt <a@example.org>
data
message
From: joe@careless.example

x
.
expect continue
log *: passed * would="reject by maybe" *

test a domain that sends no mail at all has a rule of its own
connect mx.example.net 192.0.2.1
helo mx.example.net
mail <joe@silent.example>
rcpt <a@example.org>
expect replycode 556 5.7.27 silent.example sends no mail*
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 550 5.7.23 *

test secondary MX: the client that its Received field names
connect mx2.example.org 192.0.2.200
helo mx2.example.org
envelope <joe@fail.example> <a@example.org>
message
Received: from spammer.example.com (unknown [192.0.2.66])
	by mx2.example.org (Postfix) with ESMTP id 4Bx; Sat, 21 Nov 2026 10:00:00 +0000 (UTC)
From: joe@fail.example

x
.
expect continue
has X-Sender-Check \ssuspicious; *spf=fail; score=3*
has Received-SPF \sfail *client-ip=192.0.2.66*

test secondary MX without a Received field that can be read
connect mx2.example.org 192.0.2.200
helo mx2.example.org
envelope <joe@fail.example> <a@example.org>
message
From: joe@fail.example

x
.
expect continue
log *: skipped verdict=continue reason=relayed *

test after many names HELO is asked about with the message, and counts as much
connect mx.example.net 192.0.2.1
helo a1.example.net
helo a2.example.net
helo a3.example.net
helo a4.example.net
helo a5.example.net
helo a6.example.net
helo a7.example.net
helo a8.example.net
helo forged.example
mail <joe@pass.example>
rcpt <a@example.org>
expect replycode 556 5.7.27 forged.example sends no mail*
mail <joe@fail.example>
abort
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 55*
helo mx.example.net
envelope <joe@pass.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
log *: passed * helo_spf=pass spf=pass *
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 550 5.7.23 *
rcpt <postmaster@example.org>
expect continue

test secondary MX whose Received field a client has made unreadable
connect mx2.example.org 192.0.2.200
helo mx2.example.org
envelope <joe@fail.example> <a@example.org>
message
Received: from a b (c (unknown [192.0.2.66])
	by mx2.example.org (Postfix) with ESMTP id 4Bx; Sat, 21 Nov 2026 10:00:00 +0000 (UTC)
From: joe@fail.example

x
.
expect continue
has X-Sender-Check \ssuspicious
log *: tagged * reason="the client of a relay cannot be told from Received" *
