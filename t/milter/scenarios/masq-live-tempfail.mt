# SPDX-License-Identifier: BSD-2-Clause
test a table that cannot be asked defers the mail
start
envelope <anna@example.org> <x@example.net>
message
From: anna@example.org

x
.
expect replycode 451 4.3.0 *
edits
