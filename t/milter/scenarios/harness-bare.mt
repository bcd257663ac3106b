# SPDX-License-Identifier: BSD-2-Clause
# Only an eom hook: everything else is negotiated away.
test what is negotiated
negotiated 6 -NOCONNECT +NOHELO -NOMAIL +NORCPT +NODATA +NOHDRS +NOEOH +NOBODY +NOUNKNOWN +NR_CONN +NR_MAIL -RCPT_REJ

test a message
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

text
.
expect continue
edit insert 0 X-Bare *
edits

test stages that were not wanted come all the same
offer 6 1ff 100000
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

text
.
expect continue
edit insert 0 X-Bare *
edits
