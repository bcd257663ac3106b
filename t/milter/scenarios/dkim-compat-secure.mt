# SPDX-License-Identifier: BSD-2-Clause
# One key signs for every domain; what DNSSEC does not protect does not pass.
test sign: a domain whose record is protected
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@signed.example
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=signed.example*s=rsa*
save signed.eml

test sign: one whose record is not
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@plain.example
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=plain.example*s=rsa*
save plain.eml

test verify: protected
start
envelope <a@example.org> <b@example.net>
message-file signed.eml
expect continue|accept
edit insert 0 Authentication-Results *dkim=pass*signed.example*
edits

test verify: not protected
start
envelope <a@example.org> <b@example.net>
message-file plain.eml
expect replycode *5.7.21*

test verify: headers that break the rules never pass
start
envelope <a@example.org> <b@example.net>
run sed 's/^Date: /Subject: a\nSubject: b\nDate: /' signed.eml > two.eml
message-file two.eml
expect continue|accept
edit insert 0 Authentication-Results *dkim=permerror*several*Subject*
edits

test a header section above the limit is discarded
start
envelope <a@example.org> <b@example.net>
run { echo 'From: a@example.org'; printf 'Subject: %05000d\n\nx\n' 0; } > big.eml
message-file big.eml
expect discard
