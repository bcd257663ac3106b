# SPDX-License-Identifier: BSD-2-Clause
test fields that tell too much
macro {auth_authen}=anna
start
envelope <anna@example.org> <x@example.net>
message
Received: from laptop (pc7.example.org [192.0.2.77]) by web.example.org with HTTP; Sat, 21 Nov 2026 08:00:00 +0000
Received: from a by b.internal with ESMTP; Sat, 21 Nov 2026 07:00:00 +0000
X-Originating-IP: 192.0.2.77
X-Secret-A: 1
X-Secret-B: 2
User-Agent: Mail 1.0 (build 7)
From: anna@example.org
Subject: x

x
.
expect continue
order Received Received User-Agent From Subject
has User-Agent \smail

test another's From gets the envelope sender
macro {auth_authen}=anna
start
envelope <me@example.com> <x@example.net>
message
From: "The Boss" <boss@example.net>

x
.
expect continue
has From \s"The Boss" <me@example.com>
has Reply-To \s*boss@example.net*
has X-Original-From \s*boss@example.net*
log *: rewritten verdict=continue reason=from_guard *

test unless the envelope sender is another's, too
macro {auth_authen}=anna
start
envelope <boss@example.net> <x@example.net>
message
From: boss@example.net

x
.
expect replycode 550 5.7.1 anna may not use boss@example.net in From
edits

test no login, no guard
start
envelope <boss@example.net> <x@example.net>
message
From: boss@example.net
User-Agent: Mail 1.0

x
.
expect continue
log *: rewritten verdict=continue reason=headers * headers=*
