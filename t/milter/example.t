#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The milter of doc/writing-a-milter.md, built against libmfx.so and run.
. "$(dirname "$0")/lib.sh"

same() {
  sed -n '/^```c$/,/^```$/p' "$src/doc/writing-a-milter.md" | sed '1d;$d' |
    cmp - "$src/doc/example/hello.c"
}
ok "the guide shows the example as it is" same
# with the flags of this build, so that sanitizers fit
cc=$(sed -n 's/^CC = //p' "$build/Makefile")
cflags=$(sed -n 's/^CFLAGS = //p' "$build/Makefile")
build_it() {
  ${cc:-cc} -std=c11 -Wall -Wextra -Werror $cflags -I"$build/include" \
    -o "$dir/mfx-hello" "$src/doc/example/hello.c" -L"$build/.libs" -lmfx
}
ok "it builds" build_it
cat >"$dir/hello.conf" <<CONF
socket = "$SOCK";
user = "$(id -un)";
log = { target = "stderr"; };
control = { socket = "$dir/hello.ctl"; };
CONF
export LD_LIBRARY_PATH=$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
start hello "$dir/mfx-hello" -c "$dir/hello.conf"
ok "it runs" await ready hello "$SOCK"
talk hello "$scenarios/example.mt"
stop hello
ok "it ends with status 0" test "$status" = 0
finish
