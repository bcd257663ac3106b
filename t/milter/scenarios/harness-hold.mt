# SPDX-License-Identifier: BSD-2-Clause
# on_internal_error and on_limit = "hold": no edit that was planned is made.
test too much memory
start
envelope <a@example.org> <b@example.net>
message
X-Do: header insert top X-A b
X-Do: eom memory 20000000

text
.
expect continue|accept
edit quarantine
edits
log *reason="memory exhausted*

test a stage that fails
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom insert top X-A b
X-Do: eom fail

text
.
expect continue|accept
edit quarantine
edits
log *reason="eom stage failed*

test a header section above the limit
start
envelope <a@example.org> <b@example.net>
run { echo 'X-Do: eom insert top X-A b'; printf 'Subject: %05000d\n\nx\n' 0; } > big.eml
message-file big.eml
expect continue|accept
edit quarantine
edits
log *reason="above header_bytes"*

test the next message is as ever
start
envelope <a@example.org> <b@example.net>
message
X-Do: eom insert top X-A b

text
.
expect continue|accept
edit insert 0 X-A *b
edits
