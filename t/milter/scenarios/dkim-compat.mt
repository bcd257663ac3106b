# SPDX-License-Identifier: BSD-2-Clause
# Signing by the Sender field and OpenDKIM's tables; whom results count from.
test sign: path with the row's domain, i= within d=, software header on top
macro {daemon_name}=ORIGINATING
macro i=4Bx9
macro j=mx.example.net
start
envelope <a@example.org> <b@example.net>
message
From: a@sub.example.org
Subject: x

body
.
expect continue|accept
edit insert 0 DKIM-Filter *mfx-dkim *mx.example.net*4Bx9
edit insert 0 DKIM-Signature *d=example.org*s=rsa*i=agent@sub.example.org*
edits

test sign: the Sender field says who
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Sender: s@list.example
Subject: x

body
.
expect continue|accept
edit insert 0 DKIM-Filter *
edit insert 0 DKIM-Signature *a=ed25519-sha256*d=list.example*s=ed*
edits
save list.eml
run $MT_CHECK list.eml

test sign: a Sender without an address is as a bad From
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Sender: nobody

body
.
expect replycode *no usable domain in Sender*

test sign: an excepted recipient's mail passes untouched
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net> <archive@example.net>
message
From: a@example.org

body
.
expect continue|accept
edits

test sign: the key is not there, the mail is held
macro {daemon_name}=ORIGINATING
start
envelope <a@lost.example> <b@example.net>
message
From: a@lost.example

body
.
expect continue|accept
edit quarantine
edits

test verify: a trusted signer; queue id behind our name
macro i=4Bx9
macro j=mx.example.net
start
envelope <a@example.org> <b@example.net>
message-file list.eml
expect continue|accept
edit insert 0 DKIM-Filter *
edit insert 0 Authentication-Results *"mx.example.net/4Bx9"*dkim=pass*list.example*
edits

test verify: forged results, of us and of others that are named
macro i=4Bx9
macro j=mx.example.net
start
envelope <a@example.org> <b@example.net>
run { for i in mx.example.net mx.example.net/4Bx8 old.example old.example.org a.below.example below.example x.y.star.example; do printf 'Authentication-Results: %s; dkim=pass\n' $i; done; cat list.eml; } > forged.eml
message-file forged.eml
expect continue|accept
edit-count delete Authentication-Results 5
count Authentication-Results 3
has Authentication-Results *old.example.org*
has Authentication-Results *below.example;*

test verify: a signer that is not trusted counts as none
start
envelope <a@example.org> <b@example.net>
run sed 's/d=list.example/d=other.example/' list.eml > untrusted.eml
message-file untrusted.eml
expect replycode *no DKIM signature*

test verify: the key is not there, the mail is discarded
start
envelope <a@example.org> <b@example.net>
run sed -e 's/s=ed;/s=gone;/' list.eml > gone.eml
message-file gone.eml
expect discard

test verify: a field that must be signed, and is there, and is not
start
envelope <a@example.org> <b@example.net>
run sed 's/^Sender:/X-Flag: 1\nSender:/' list.eml > flag.eml
message-file flag.eml
expect continue|accept
edit insert 0 DKIM-Filter *
edit insert 0 Authentication-Results *dkim=policy*required*
edits
