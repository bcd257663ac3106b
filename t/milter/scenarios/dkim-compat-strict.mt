# SPDX-License-Identifier: BSD-2-Clause
# The signing address from a macro; broken headers; a small limit.
test sign: the macro says who
macro {daemon_name}=ORIGINATING
macro {auth_author}=<s@list.example>
start
envelope <a@example.org> <b@example.net>
message
From: a@example.com
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=list.example*
edits

test sign: without the macro the From field does
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=example.org*s=rsa*
edits

test sign: no Date
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

body
.
expect replycode 550*no Date field*

test sign: the key is not there, the mail is discarded
macro {daemon_name}=ORIGINATING
start
envelope <a@lost.example> <b@example.net>
message
From: a@lost.example
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect discard

test verify: two Subject fields
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Date: Fri, 21 Nov 2025 10:00:00 +0000
Subject: a
Subject: b

body
.
expect replycode 550*several Subject fields*

test verify: as it should be
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Date: Fri, 21 Nov 2025 10:00:00 +0000
Subject: a

body
.
expect continue|accept
edit insert 0 Authentication-Results *dkim=none*
edits

test a header section above the limit is held, unsigned
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header Subject: \(5000*x)
header Date: x
eoh
body x\r\n
eom
expect continue|accept
edit quarantine
edits

test the next message on the connection is as ever
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header Subject: \(5000*x)
eoh
body x\r\n
eom
expect continue|accept
edit quarantine
envelope <a@example.org> <b@example.net>
message
From: a@example.org
Date: Fri, 21 Nov 2025 10:00:00 +0000

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=example.org*
edits
