# SPDX-License-Identifier: BSD-2-Clause
test without its store, mail waits
macro {auth_authen}=anna
start
mail <anna@example.org>
rcpt <a@example.net>
expect replycode 451 4.3.0 quota cannot be checked now
within 2000
