# SPDX-License-Identifier: BSD-2-Clause
# Lists of names, and allow lists; the zone is at the end of spf.t.
test a list has the domain of From: refused at the end of the message
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@pass.example> <a@example.org>
message
From: joe@SPAM.example

x
.
expect replycode 550 5.7.1 SPAM.example is listed by from.example: From is spam.example
log *: rejected *lists="from.example=3"*

test and of another not
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@pass.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
count X-Sender-Check 0

test postmaster gets it, with a tag
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@pass.example> <postmaster@example.org>
message
From: joe@spam.example

x
.
expect continue
has X-Sender-Check \sunprotected; helo_spf=none; spf=pass; score=3; lists=from.example=3

test a list has the hash of the sender, in lower case
connect [192.0.2.1] 192.0.2.1
helo some.example.com
mail <Joe@Hashed.example>
rcpt <a@example.org>
expect replycode 550 5.7.1 *Joe@Hashed.example is listed by hash.example*
mail <jim@hashed.example>
rcpt <a@example.org>
expect continue

test a list in the shadow is logged and not scored
connect [192.0.2.10] 192.0.2.10
helo some.example.com
envelope <joe@neutral.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
count X-Sender-Check 0
log *: passed * shadow_lists="shadow.example=9"*

test nor named in the tag that another reason brings
connect [192.0.2.10] 192.0.2.10
helo some.example.com
envelope <joe@soft.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has X-Sender-Check \ssuspicious; helo_spf=none; spf=softfail
log *: tagged * shadow_lists="shadow.example=9"*

test dnswl: what it says is in Authentication-Results
connect [192.0.2.11] 192.0.2.11
helo some.example.com
envelope <joe@neutral.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Authentication-Results \smta.example.org;*spf=neutral*dnswl=pass*dns.zone=dnswl.example*policy.ip=127.0.5.1*policy.txt="good.example.net https://dnswl.example/?d=good"*

test a little trust saves nothing
connect [192.0.2.11] 192.0.2.11
helo some.example.com
envelope <joe@soft.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has X-Sender-Check \ssuspicious;*spf=softfail*

test dnswl: not listed
connect [192.0.2.1] 192.0.2.1
helo some.example.com
envelope <joe@pass.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Authentication-Results *dnswl=none*dns.zone=dnswl.example*

test allow_at: what SPF says refuses nothing
connect [192.0.2.12] 192.0.2.12
helo some.example.com
envelope <joe@fail.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Received-SPF \sfail *
count X-Sender-Check 0
log *: passed * spf=fail *score=-5 *

test and without it it does
connect [192.0.2.11] 192.0.2.11
helo some.example.com
mail <joe@fail.example>
rcpt <a@example.org>
expect replycode 550 5.7.23 *

test dnswl: an error of the list
connect [192.0.2.13] 192.0.2.13
helo some.example.com
envelope <joe@neutral.example> <a@example.org>
message
From: joe@pass.example

x
.
expect continue
has Authentication-Results *dnswl=*error*dns.zone=dnswl.example*
log *dns_list_error list=dnswl.example *
