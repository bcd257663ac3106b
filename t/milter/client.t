#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The MTA client itself, towards a plain libmilter filter with no mfx in it.
. "$(dirname "$0")/lib.sh"

# all NR_ flags, two macro lists, one inserted field of 400 bytes
steps=$((0x1ff080))
start floor "$build/t/bench/floor" -s "$SOCK" -n $steps -m 4=i \
  -m '0=j {daemon_name}' -e 1 -H X-Floor -L 400 -l 100
ok "filter answers" await ready floor "$SOCK"
talk floor "$scenarios/client.mt"
ok "load counts what was inserted" "$build/t/bench/load" --socket "$SOCK" \
  --messages 300 --warm 0 --expect X-Floor --value xxx --pid "${pids[floor]}"
misses() {
  ! "$build/t/bench/load" --socket "$SOCK" --messages 10 --warm 0 \
    --expect X-Other
}
ok "load sees what was not inserted" misses
stop floor KILL

start replies "$build/t/bench/floor" -s "$SOCK" -n 0 -e 0
ok "filter without NR_ answers" await ready replies "$SOCK"
talk replies "$scenarios/client-replies.mt"
ok "load with a reply to every stage" "$build/t/bench/load" \
  --socket "$SOCK" --messages 100 --warm 0 --mta sendmail
stop replies KILL
finish
