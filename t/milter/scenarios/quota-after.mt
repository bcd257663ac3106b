# SPDX-License-Identifier: BSD-2-Clause
test after a kill -9 three are counted, and what was held is free
macro {auth_authen}=anna
start
mail <anna@example.org>
rcpt <d@example.net>
rcpt <e@example.net>
expect continue
rcpt <f@example.net>
expect replycode 451*
