# SPDX-License-Identifier: BSD-2-Clause
test a table that cannot be asked lets the mail pass as it is
start
envelope <anna@example.org> <x@example.net>
message
From: anna@example.org

x
.
expect continue
edits
log *: passed verdict=continue reason="a table cannot be asked"*
