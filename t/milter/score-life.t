#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-score while the world around it changes: engines that go and come back,
# a full disk, a mail of 100 MB, a reload while 200 scans run, an MTA that goes
# in the middle of a scan.
. "$(dirname "$0")/score.sh"

# After the mail: it passes, looked at.
passes() {
  echo "expect continue|accept"
  echo "count X-Spam-Status 0 *nscanned*"
}
defers() { echo "expect replycode 451 4.*"; }

# --- engines that go and come back ---

start_liar liar
config away <<CONF
engines = ( $(engine rspamd liar 'max_failures = 3; retry = "200ms";
  retry_max = "400ms"; check_interval = "0";') );
scan_timeout = "1s";
CONF
tell_liar liar refuse
start_daemon away
ok "mfx-score starts while its engine is down" await ready away "$SOCK"
for mode in refuse silent close reset; do
  tell_liar liar $mode
  {
    for i in 1 2 3 4; do
      mail "engine: $mode: mail $i is deferred in time" </dev/null
      defers
      echo "within 3500"
    done
    mail "engine: $mode: it is out, and mail no longer waits for it" </dev/null
    defers
    echo "within 800"
    echo "log 4T*: *"
    echo "log-count 1 4T*: *"
  } >"$dir/away.mt"
  talk away "$dir/away.mt"
  tell_liar liar answer
  comes_back() {
    { mail "$mode" </dev/null && passes; } >"$dir/back.mt"
    "$build/t/milter/miltertalk" -s "$SOCK" -l "$dir/away.log" "$dir/back.mt"
  }
  ok "engine: $mode: it comes back" await comes_back
done
stop_clean away

# --- a disk that is full, a folder that is gone or forbidden ---

big() { # LABEL: a mail of 5 MB
  mail "$1" </dev/null | sed \
    's/^body$/\\(75000*01234567890123456789012345678901234567890123456789012345678901234\\r\\n)/'
}
disk() { # NAME POLICY
  config "$1" <<CONF
engines = ( $(engine rspamd liar "on_failure = \"$2\"; idle_timeout = \"1s\";") );
memory_limit = "64K";
memory_total = "0";
temp_folder = "$dir/disk";
CONF
}
mkdir "$dir/disk"
disk full tempfail
start_daemon full
ok "mfx-score answers" await ready full "$SOCK"
{ big "a mail of 5 MB" && passes; } >"$dir/fits.mt"
{
  big "it cannot be kept: deferred"
  defers
  echo "log 4T*: *"
  echo "log-count 1 4T*: *"
  mail "a small one can" </dev/null
  passes
} >"$dir/unkept.mt"
{
  big "by setting it passes, marked"
  echo "expect continue|accept"
  echo "has X-Spam-Status *nscanned*"
} >"$dir/marked.mt"
talk full "$dir/fits.mt"
sleep 1.2
before=$(descriptors full)
is_mounted=
if mount -t tmpfs -o size=1m mfx-test "$dir/disk" 2>/dev/null; then
  is_mounted=yes
  unmount() { [ -z "$is_mounted" ] || umount "$dir/disk"; is_mounted=; }
  trap 'unmount; cleanup' EXIT
  echo "# the disk is full"
  talk full "$dir/unkept.mt"
  mount -o remount,ro "$dir/disk"
  echo "# the disk is read-only"
  talk full "$dir/unkept.mt"
  mount -o remount,rw,size=20m "$dir/disk"
  echo "# there is room again"
  talk full "$dir/fits.mt"
  sleep 1.2
  used() { [ "$(df --output=used "$dir/disk" | tail -n 1)" -eq 0 ]; }
  ok "no room stays taken" await used
  mount -o remount,size=1m "$dir/disk"
else
  echo "# SKIP no file system can be mounted here"
fi
disk full accept
kill -HUP "${pids[full]}"
ok "reloaded" await logged full "reloaded why=HUP"
[ -z "$is_mounted" ] || talk full "$dir/marked.mt"
[ -z "$is_mounted" ] || unmount
rmdir "$dir/disk"
echo "# the folder is gone"
talk full "$dir/marked.mt"
mkdir "$dir/disk"
talk full "$dir/fits.mt"
sleep 1.2
ok "no descriptor is left of $(descriptors full), $before before" \
  await few_descriptors full "$before"
stop_clean full

if [ "$(id -u)" -eq 0 ]; then
  disk forbidden tempfail
  sed -i 's/^user = .*/user = "nobody";/' "$dir/forbidden.conf"
  chmod 755 "$dir"
  chown nobody "$dir"
  chmod 700 "$dir/disk"
  start_daemon forbidden
  ok "mfx-score answers as another user" await ready forbidden "$SOCK"
  echo "# the folder may not be written to"
  talk forbidden "$dir/unkept.mt"
  chmod 777 "$dir/disk"
  talk forbidden "$dir/fits.mt"
  stop_clean forbidden
  chown root "$dir"
fi

# --- 100 MB ---

config large <<CONF
engines = ( $(engine rspamd liar), $(engine spamd liar), $(engine clamd liar) );
CONF
start_daemon large
ok "mfx-score answers" await ready large "$SOCK"
{ mail "a small mail" </dev/null && passes; } >"$dir/small.mt"
talk large "$dir/small.mt"
began=$(peak_kb large)
ok "a mail of 100 MB" "$load" --socket "$SOCK" --size 100M --messages 1 \
  --warm 0 --connections 1 --timeout $((patience * 1000)) --client 192.0.2.1
for protocol in http spamc clamd; do
  ok "$protocol has seen all of it" grep -qE "asked $protocol 10[45][0-9]{6}" "$dir/liar.log"
done
echo "# peak memory: $began KB before, $(peak_kb large) KB after"
# a quarter of memory_total, and little more
grown() { [ $(($(peak_kb large) - began)) -lt $((16384 + 8192)) ]; }
if is_plain; then ok "memory grows as far as the settings let it" grown; fi
stop_clean large

# --- a reload while 200 scans run ---

reload() { # MAX_FAILURES
  config reload <<CONF
engines = ( $(engine rspamd liar "max_connections = 0; max_requests = 0;
  max_failures = $1; idle_timeout = \"1s\";") );
scan_timeout = "40s";
CONF
}
reload 3
start_daemon reload
ok "mfx-score answers" await ready reload "$SOCK"
talk reload "$dir/small.mt"
sleep 1.2
before=$(descriptors reload)
asked=$(liar_count liar 'asked http')
tell_liar liar "late 5000"
"$load" --socket "$SOCK" --client 192.0.2.1 --connections 200 --messages 200 \
  --per-connection 1 --rate 200 --warm 0 >"$dir/reload.json" &
loading=$!
ok "200 scans run" await liar_has liar 'asked http' $((asked + 200))
answered=$(liar_count liar answered)
reload 4
kill -HUP "${pids[reload]}"
ok "reloaded" await logged reload "reloaded why=HUP"
echo "# answered meanwhile: $(($(liar_count liar answered) - answered))"
tell_liar liar "late 0"
talk reload "$dir/small.mt"
wait $loading
result $? "200 messages are answered"
sed 's/^/# /' "$dir/reload.json"
ok "all passed" grep -q '"continue": 200' "$dir/reload.json"
ok "nothing was asked twice" [ "$(liar_count liar 'asked http')" -eq $((asked + 201)) ]
ok "no descriptor is left of $(descriptors reload), $before before" \
  await few_descriptors reload "$before"

# --- an MTA that goes ---

gone=$(liar_count liar 'gone answering')
cat >"$dir/gone.mt" <<'MT'
test an MTA goes in the middle of a scan
start
envelope <a@example.org> <b@example.net>
header From: a@example.org
header Liar-Rspamd: !silent
eoh
body text
mark
raw \x00\x00\x00\x01E
sleep 300
close
MT
talk reload "$dir/gone.mt"
SECONDS=0
ok "an engine is let go" await liar_has_more liar 'gone answering' "$gone"
ok "at the next progress packet" [ $SECONDS -le 8 ]
ok "no descriptor is left of $(descriptors reload), $before before" \
  await few_descriptors reload "$before"
stop_clean reload
finish
