# SPDX-License-Identifier: BSD-2-Clause
# doc/example/hello.c
test mail with a Subject is marked
start
envelope <a@example.org> <b@example.net>
message
Subject: here

text
.
expect continue
edit insert 0 X-Hello \shello
edits
log *: greeted verdict=continue reason=hello*

test mail without is refused
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

text
.
expect replycode 550 5.6.0 this mail has no Subject
