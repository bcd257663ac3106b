# SPDX-License-Identifier: BSD-2-Clause
# A message keeps the snapshot it began with; the next one has the new.
test reload in the middle of a message
start
envelope <a@example.org> <b@example.net>
header A: b
run sed -i 's/word = "three"/word = "four"/' life.conf
log *reloaded why="files changed" snapshot=6*
eoh
body text
eom
expect continue
has X-Echo \sword=<three>
envelope <a@example.org> <b@example.net>
message
A: b

text
.
expect continue
has X-Echo \sword=<four>

test an old connection keeps its snapshot when the new one wants more macros
session old
start
session new
run sed -i 's/word = "four"/word = "five"; want = { macros = "{tls_version}"; }/' life.conf
log *reloaded why="files changed" snapshot=7*
session old
envelope <a@example.org> <b@example.net>
message
A: b

.
expect continue
has X-Echo \sword=<four>
session new
start
envelope <a@example.org> <b@example.net>
message
A: b

.
expect continue
has X-Echo \sword=<five>
