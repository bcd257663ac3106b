# SPDX-License-Identifier: BSD-2-Clause
# Over TCP every stage that is sent has a reply.
test no stage without a reply
negotiated 6 -NR_CONN -NR_MAIL -NR_RCPT -NR_HDR -NR_EOH -NR_BODY +LEADSPC
macro {daemon_name}=ORIGINATING
connect
expect continue
envelope <a@example.org> <b@example.net>
message
From: a@example.org

over tcp
.
expect continue|accept
edit-count insert DKIM-Signature 2
within 2000
save tcp.eml
run $MT_CHECK tcp.eml
