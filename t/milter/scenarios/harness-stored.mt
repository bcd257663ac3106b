# SPDX-License-Identifier: BSD-2-Clause
# The whole body at the end of the message.
test no body
start
envelope <a@example.org> <b@example.net>
header A: b
eoh
eom
expect continue
has X-Echo \sbody=<0>

test a small body
start
envelope <a@example.org> <b@example.net>
header A: b
eoh
body \(1000*x)
body y
eom
expect continue
has X-Echo \sbody=<1001>

test a body that goes to a file
start
envelope <a@example.org> <b@example.net>
header A: b
eoh
repeat 20 body \(65535*x)
eom
expect continue
has X-Echo \sbody=<1310700>
has X-Echo \sbody_bytes=<1310700>
