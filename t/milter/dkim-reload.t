#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Reload and stop while mail flows, and a control socket under attack.
. "$(dirname "$0")/dkim.sh"

make_keys
cp "$dir/rsa.pem" "$dir/new.pem"
zone example.org
write_config() { # SELECTORS
  config dkim <<CONF
dns = { test_data = "$dir/zone"; };
$(sign_settings example.org "$1")
CONF
}
reloads() { grep -c 'reloaded' "$dir/dkim.log"; }
reloaded_since() { [ "$(reloads)" -gt "$1" ]; }
write_config '"rsa"'
start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"

# A message in flight ends under the settings it began with.
cp "$dir/dkim.conf" "$dir/old.conf"
(write_config '"new"' && cp "$dir/dkim.conf" "$dir/new.conf")
cp "$dir/old.conf" "$dir/dkim.conf"
sleep 1 # whatever the watcher made of the copies is over
cat >"$dir/flight.mt" <<'MT'
test a message in flight keeps its settings
session old
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
mark
run cp new.conf next.conf && mv next.conf dkim.conf
signal HUP
log *reloaded*
sleep 500
session new
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 DKIM-Signature *s=new*
session old
eoh
body x
eom
expect continue|accept
edit insert 0 DKIM-Signature *s=rsa*
abort
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
edit insert 0 DKIM-Signature *s=new*
MT
talk dkim "$dir/flight.mt"

# A broken configuration leaves the old one running, and says why.
cat >"$dir/broken.mt" <<'MT'
test a broken configuration: the old one goes on
mark
run printf 'nonsense = 7;\nsign = {' > next.conf && mv next.conf dkim.conf
signal HUP
log *reload_failed*
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 DKIM-Signature *s=new*
test a key that is missing: the old one goes on
mark
run sed 's/"new"/"gone"/' new.conf > next.conf && mv next.conf dkim.conf
signal HUP
log *reload_failed*
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 DKIM-Signature *s=new*
test the mended configuration is taken
mark
run cp old.conf next.conf && mv next.conf dkim.conf
signal HUP
log *reloaded*
sleep 300
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 DKIM-Signature *s=rsa*
test without a signal a changed file is noticed
mark
run cp new.conf next.conf && mv next.conf dkim.conf
log *reloaded*
sleep 300
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
expect continue|accept
edit insert 0 DKIM-Signature *s=new*
MT
talk dkim "$dir/broken.mt"

put_load() { # FILE OPTION...
  local out=$1
  shift
  "$load" --socket "$SOCK" --domain example.org --expect DKIM-Signature \
    --value d=example.org --pid "${pids[dkim]}" --warm 0 "$@" >"$out"
}

# Two hundred connections, each in the middle of a message, while the
# configuration changes back and forth.
put_load "$dir/two-hundred.json" --connections 200 --messages 3000 \
  --per-connection 5 &
loading=$!
before=$(reloads)
for i in $(seq 20); do
  if [ $((i % 2)) = 0 ]; then write_config '"rsa"'; else write_config '"new"'; fi
  kill -HUP "${pids[dkim]}"
  sleep 0.1
done
wait $loading
result $? "reload during 200 messages in flight: all are signed"
sed 's/^/# /' "$dir/two-hundred.json"
ok "the reloads happened" await reloaded_since $((before + 3))

# A thousand HUPs under load.
put_load "$dir/hups.json" --messages 6000 &
loading=$!
before=$(reloads)
for _ in $(seq 1000); do kill -HUP "${pids[dkim]}" || break; done
wait $loading
result $? "1,000 HUPs under load: all messages are signed"
sed 's/^/# /' "$dir/hups.json"
ok "it still runs" alive dkim
ok "it reloaded" await reloaded_since "$before"
ok "and still does" ready dkim "$SOCK"

# Memory after many reloads is what it was.
storm() {
  local n=$1 before
  for _ in $(seq "$n"); do
    before=$(reloads)
    kill -HUP "${pids[dkim]}"
    await reloaded_since "$before"
  done
}
storm 20
first=$(rss_kb dkim)
storm 100
second=$(rss_kb dkim)
echo "# resident: $first KiB, $second KiB after 100 more reloads"
steady() { [ "$second" -lt $((first + 8000)) ]; }
if is_plain; then
  ok "reloads leave nothing behind" steady
fi

# The control socket under attack while mail flows.
put_load "$dir/flood.json" --messages 4000 &
loading=$!
"$src/t/milter/flood" "$dir/dkim.ctl" >"$dir/flood.out" 2>&1
result $? "the control socket takes junk"
sed 's/^/# /' "$dir/flood.out"
wait $loading
result $? "mail goes on meanwhile"
ok "mfxctl still gets an answer" await control dkim status
few() { [ "$(descriptors dkim)" -lt 60 ]; }
ok "no descriptors are left behind" await few

# TERM under load: what is in flight is answered, then it ends.
put_load "$dir/term.json" --messages 50000 --connections 32 --timeout 30000 &
loading=$!
sleep 1
stop dkim
ended=$status
wait $loading
sed 's/^/# /' "$dir/term.json"
ok "TERM under load: exit status 0" [ "$ended" -eq 0 ]
# Whatever got an answer was signed; the rest found no daemon.
all_signed() {
  /usr/bin/env python3 - "$dir/term.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
passed = r.get('continue', 0) + r.get('accept', 0)
assert passed > 0, 'nothing was answered'
assert passed == r['checked'], (passed, r['checked'])
assert r.get('timeout', 0) == 0 and r.get('bad', 0) == 0, r
PY
}
ok "every message that passed was signed, none waited for ever" all_signed
ok "the socket is gone" [ ! -e "$dir/milter.sock" ]
finish
