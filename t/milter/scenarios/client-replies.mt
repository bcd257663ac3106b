# SPDX-License-Identifier: BSD-2-Clause
# The client towards a filter that answers every stage and inserts nothing.
test a reply to every stage
negotiated 6 -NR_HDR -NR_MAIL -LEADSPC
connect
expect continue
helo me
expect continue
mail <a@example.org> SIZE=10
expect continue
rcpt <b@example.net>
expect continue
data
expect continue
header A: b
expect continue
eoh
expect continue
body text
expect continue
eom
expect continue
edits
within 10000

test sendmail's way
mta sendmail
start
envelope <a@example.org> <b@example.net>
message
A: b

c
.
expect continue
end
quit-nc
start
envelope <> <b@example.net>
eoh
eom
expect continue

test a macro that never comes, and one by hand
withhold i {mail_addr}
macro {daemon_name}=ORIGINATING
start
define M {auth_type}=PLAIN
envelope <a@example.org> <b@example.net>
eoh
eom
expect continue
