# SPDX-License-Identifier: BSD-2-Clause
# mode = "dry-run": decisions are logged, mail passes unchanged.
test no edit is made
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

text
.
expect continue|accept
edits
log *: passed verdict=continue mode=dry-run*

test no refusal is given
start
mail <reject@mail>
expect go-on
rcpt <reject@rcpt>
expect go-on
data
message
From: a@example.org

text
.
expect continue|accept
edits
log *: rejected verdict=reject mode=dry-run reason=would*
