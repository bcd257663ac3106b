# SPDX-License-Identifier: BSD-2-Clause
test without its store, mfx-quota gives out its share: 10 % of 10
macro {auth_authen}=anna
start
envelope <anna@example.org> <a@example.net>
message
From: anna@example.org

x
.
expect continue
within 2000
log *: counted *store=local*
abort
mail <anna@example.org>
rcpt <d@example.net>
expect replycode 451 4.7.1*
