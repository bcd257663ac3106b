# SPDX-License-Identifier: BSD-2-Clause
test a live table is asked
start
envelope <anna@example.org> <x@example.net>
message
From: anna@example.org

x
.
expect continue
edit-count sender <anna@example.com> 1
has From \sanna@example.com
