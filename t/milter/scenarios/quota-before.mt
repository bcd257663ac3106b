# SPDX-License-Identifier: BSD-2-Clause
test three of five are counted
macro {auth_authen}=anna
start
envelope <anna@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: anna@example.org

x
.
expect continue
abort
mail <anna@example.org>
rcpt <d@example.net>
rcpt <e@example.net>
expect continue
