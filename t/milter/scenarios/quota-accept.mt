# SPDX-License-Identifier: BSD-2-Clause
test without its store, nothing is limited
macro {auth_authen}=anna
start
mail <anna@example.org>
repeat 20 rcpt <r%d@example.net>
expect continue
data
message
From: anna@example.org

x
.
expect continue
within 2000
log *store=none*
