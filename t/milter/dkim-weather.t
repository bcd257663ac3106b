#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# DNS in every state: each message is answered in time, an outage is never an
# answer, and a dead server piles nothing up.
. "$(dirname "$0")/dkim.sh"

make_keys
split_txt() { # TEXT: in strings of at most 200 bytes
  echo "$1" | fold -w 200 | sed 's/.*/"&"/' | tr '\n' ' '
}
good="txt $(split_txt "$rsa_record")"

# Name of a From domain (below .example), what DNS does, which results are
# right (a shell pattern list for grep -E), longest time in ms.
# The limits have room: dns.timeout is 2 s.
cases=$(cat <<CASES
good|$good|pass|2000
late|late=600 $good|pass|5000
toolate|late=9000 $good|temperror|8000
silent|silent|temperror|8000
servfail|servfail|temperror|8000
refused|refused|temperror|8000
formerr|formerr|temperror|8000
servfailonce|times=1 servfail|pass,temperror|8000
nxdomain|nxdomain|permerror|2000
nodata|nodata|permerror|2000
nosoa|nxdomain nosoa|permerror|2000
referral|referral|permerror,temperror|8000
truncated|udp truncate|pass|8000
truncatedonly|truncate|temperror|8000
huge|udp truncate|permerror|8000
loop|loop|permerror,temperror|8000
chain|chain 3 $good|pass|2000
longchain|chain 60 $good|permerror,temperror,pass|8000
wrongid|id $good|temperror|8000
wrongquestion|question=evil.example $good|temperror|8000
wrongport|port $good|temperror|8000
wrongclass|class $good|temperror,pass,permerror|8000
revoked|txt "v=DKIM1; k=rsa; p="|permerror|2000
badkey|txt "v=DKIM1; k=rsa; p=!!!!"|permerror|2000
notakey|txt "v=spf1 -all"|permerror|2000
emptytxt|txt ""|permerror|2000
CASES
)
malformed=$(sed -n 's/^    \(el\)\{0,1\}if kind == "\([a-z_]*\)".*/\2/p' \
  "$src/t/lib/dnsliar")
{
  while IFS='|' read -r name outcome _ _; do
    echo "rsa._domainkey.$name.example TXT $outcome"
  done <<<"$cases"
  echo "rsa._domainkey.servfailonce.example TXT $good"
  echo "rsa._domainkey.truncated.example TXT tcp $good"
  echo "rsa._domainkey.huge.example TXT tcp bytes 60000"
  for i in $(seq 400); do
    echo "rsa$i._domainkey.silent.example TXT silent"
  done
  for kind in $malformed; do
    echo "rsa._domainkey.bad-${kind//_/-}.example TXT malformed $kind"
  done
} >"$dir/liar.script"
for kind in $malformed; do
  cases="$cases
bad-${kind//_/-}|-|temperror,permerror|8000"
done

mkfifo "$dir/liar.in"
exec 9<>"$dir/liar.in"
"$src/t/lib/dnsliar" "$dir/liar.script" <"$dir/liar.in" >"$dir/liar.out" \
  2>"$dir/liar.log" &
pids[liar]=$!
await grep -q '^port' "$dir/liar.out"
port=$(sed -n 's/^port //p' "$dir/liar.out")

domains=$(cut -d'|' -f1 <<<"$cases" | sed 's/$/.example/' | paste -sd,)
config dkim <<CONF
dns = { servers = [ "127.0.0.1:$port" ]; timeout = "2s"; tries = 2; };
$(sign_settings "$domains" '"rsa"')
CONF
start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"

# Every message is signed by the daemon, then comes back as foreign mail.
while IFS='|' read -r name outcome want ms; do
  cat >"$dir/case.mt" <<MT
test $name: signed
macro {daemon_name}=ORIGINATING
start
envelope <a@$name.example> <b@example.net>
message
From: a@$name.example
Subject: $name

body
.
expect continue|accept
edit insert 0 DKIM-Signature *
save $name.eml
test $name: $want
start
envelope <a@$name.example> <b@example.net>
message-file $name.eml
expect continue|accept
within $ms
edit insert 0 Authentication-Results *
save $name.out
run grep -qE 'dkim=(${want//,/|})\\b' $name.out
edits
MT
  talk dkim "$dir/case.mt"
done <<<"$cases"

# A server that says nothing, under load: every message is answered after one
# timeout, and nothing grows with the number of questions.
mkdir "$dir/silent"
for i in $(seq 400); do
  sed "s/s=rsa/s=rsa$i/" "$dir/silent.eml" >"$dir/silent/$i.eml"
done
before=$(descriptors dkim)
"$load" --socket "$SOCK" --client 192.0.2.1 --from "$dir/silent" \
  --messages 400 --warm 0 --connections 50 --expect Authentication-Results \
  --value dkim=temperror --pid "${pids[dkim]}" >"$dir/dead.json" &
loading=$!
sleep 1
during=$(descriptors dkim) running=$(threads dkim)
wait $loading
result $? "400 messages while DNS is dead: each a temperror, each answered"
sed 's/^/# /' "$dir/dead.json"
echo "# descriptors: $before before, $during during; $running threads"
few_sockets() { [ $((during - before)) -lt $((50 + 20)) ]; }
ok "sockets do not pile up" few_sockets
few_threads() { [ "$running" -lt 120 ]; }
ok "threads do not pile up" few_threads

# By setting an outage defers.
config dkim <<CONF
dns = { servers = [ "127.0.0.1:$port" ]; timeout = "1s"; tries = 1; };
verify = { on_temperror = "tempfail"; };
$(sign_settings "$domains" '"rsa"')
CONF
kill -HUP "${pids[dkim]}"
ok "reloaded" await logged dkim ' reloaded|^reloaded|reloaded '
cat >"$dir/defer.mt" <<'MT'
test an outage defers when a setting says so
start
envelope <a@silent.example> <b@example.net>
message-file silent.eml
expect tempfail|replycode 4*
edits
MT
talk dkim "$dir/defer.mt"
stop_clean dkim
finish
