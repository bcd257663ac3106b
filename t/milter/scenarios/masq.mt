# SPDX-License-Identifier: BSD-2-Clause
# Rules: tables (canonical), strip (masquerade example.org), walled; SRS at
# srs.example.org. masq.t puts addresses in the place of @NOW@ and the like.
test mail that is not ours is left alone
connect mx.example.net 192.0.2.1
helo mx
envelope <anna@example.org> <there@example.org>
message
From: anna@example.org
Sender: x@host.example.org

x
.
expect continue
edits
log *: passed verdict=continue reason="nothing to rewrite"*

test ours is rewritten, envelope and header, nothing else in the field
macro {auth_authen}=anna
start
mail <anna@example.org> RET=HDRS SIZE=100
rcpt <old+x@example.org> NOTIFY=NEVER
rcpt <other@example.net>
message
From: "Anna, S." <anna@example.org> (work)
To: "the old one" <old@example.org>, other@example.net
Cc: Team: bob@example.org, anna@example.org;
Message-ID: <1.2@host.example.org>
Subject: anna@example.org
X-From: anna@example.org
Reply-To: root@host.example.org, me@host.example.org

x
.
expect continue
edits 8
order Received From To Cc Message-ID Subject X-From Reply-To
has Reply-To \sroot@host.example.org, me@example.org
has Message-ID \s<1.2@example.org>
has Cc \sTeam: bob@example.com, anna.smith@example.org;
has To \s"the old one" <old@example.com>, other@example.net
has From \s"Anna, S." <anna.smith@example.org> (work)
has Subject \sanna@example.org
has X-From \sanna@example.org
edit-count sender-args <anna.smith@example.org> 1
edit-count delete-rcpt <old+x@example.org> 1
edit-count add-rcpt-args <old+x@example.com> 1
log *: rewritten verdict=continue reason=rules * new_sender=anna.smith@example.org recipients=1 fields=5 addresses=6 *

test two recipients that become one
macro {auth_authen}=anna
start
envelope <x@example.com> <a@gone.example> <a@example.com> <b@gone.example> <B@gone.example>
message
From: x@example.com

x
.
expect continue
edit delete-rcpt <a@gone.example>
edit delete-rcpt <b@gone.example>
edit delete-rcpt <B@gone.example>
edit add-rcpt <b@example.com>
edits

test the null sender is never rewritten
macro {auth_authen}=anna
start
envelope <> <other@example.net>
message
From: MAILER-DAEMON@raw.example.org

x
.
expect continue
edits

test a rule for some clients, whoever they are
connect x 192.0.2.66
helo me
envelope <guest@example.net> <other@example.org>
message
From: Guest <guest@example.net>
To: guest@example.net

x
.
expect continue
edit change 1 From \sGuest <visitor@example.net>
edits

test a table without an end is left after ten times
macro {auth_authen}=anna
start
envelope <x@example.com> <other@example.net>
message
From: loop1@example.org

x
.
expect continue

test a field that cannot be understood stays
macro {auth_authen}=anna
start
envelope <x@example.com> <other@example.net>
message
From: anna@example.org <
To: anna@example.org

x
.
expect continue
edit change 1 To \sanna.smith@example.org
edits
log *: rewritten * strange=From *

test forwarded mail gets an SRS sender, and keeps its ENVID
connect mx.example.net 192.0.2.1
helo mx
mail <joe@sender.example> ENVID=QQ
rcpt <away@example.org>
message
From: joe@sender.example

x
.
expect continue
edit sender-args <SRS0=????=??=sender.example=joe@srs.example.org> ENVID=QQ
edits
log *: rewritten verdict=continue reason=srs *

test what stays here does not
connect mx.example.net 192.0.2.1
helo mx
envelope <joe@sender.example> <here@example.org>
message
From: joe@sender.example

x
.
expect continue
edits

test our own sender does not
connect mx.example.net 192.0.2.1
helo mx
envelope <joe@mail.example.org> <away@example.org>
message
From: joe@mail.example.org

x
.
expect continue
edits

test a bounce comes back
connect mx.example.net 192.0.2.1
helo mx
mail <>
rcpt <@NOW@@srs.example.org> ORCPT=rfc822;x
expect continue
message
From: MAILER-DAEMON@mx.example.net

x
.
expect continue
edit delete-rcpt <@NOW@@srs.example.org>
edit add-rcpt-args <joe@sender.example> ORCPT=rfc822;x
edits

test an address of the older secret, twenty days old
connect mx.example.net 192.0.2.1
helo mx
envelope <> <@SECOND@@SRS.example.org>
message
From: MAILER-DAEMON@mx.example.net

x
.
expect continue
edit delete-rcpt <@SECOND@@SRS.example.org>
edit add-rcpt <joe@sender.example>
edits

test forged and old ones are refused, the others are not
connect mx.example.net 192.0.2.1
helo mx
mail <>
rcpt <@FORGED@@srs.example.org>
expect replycode 550 5.*
rcpt <@OLD@@srs.example.org>
expect replycode 550 5.*
rcpt <anna@example.org>
expect continue
message
From: MAILER-DAEMON@mx.example.net

x
.
expect continue
edits

test a sender that was long before may stay long
macro {auth_authen}=anna
start
envelope <bounce-0123456789-0123456789-0123456789-0123456789-0123456789-012345678@lists.example.org> <other@example.net>
message
From: x@example.com

x
.
expect continue
edit sender <bounce-0123456789-0123456789-0123456789-0123456789-0123456789-012345678@example.org>
edits

test an address that no MTA takes waits for the table to be mended
macro {auth_authen}=anna
start
envelope <toolong@example.org> <other@example.net>
message
From: x@example.com

x
.
expect replycode 451 4.3.0 addresses cannot be rewritten now
edits
log *: deferred verdict=tempfail reason="*cannot be an envelope address*"*
