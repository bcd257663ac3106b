#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-spf and DNS in every state: each message is answered in time, nothing is
# refused for an outage, no octet of a hostile record reaches a reply or a
# header, and a flood of names does not starve other mail.
. "$(dirname "$0")/daemon.sh" mfx-spf

good='txt "v=spf1 ip4:192.0.2.1 -all"'
words() { # COUNT FORMAT: a record of many strings
  echo -n '"v=spf1"'
  seq 1 "$1" | sed "s/.*/ \" $2\"/" | tr -d '\n'
}

# Name of a sender's domain (below .example), what DNS does with its TXT, which
# results are right, longest time in ms. spf.time_limit is 3 s.
cases=$(cat <<CASES
good|$good|pass|2500
late|late=500 $good|pass|4500
toolate|late=30000 $good|temperror|6500
silent|silent|temperror|6500
servfail|servfail|temperror|6500
refused|refused|temperror|6500
servfailonce|times=1 servfail|pass,temperror|6500
nxdomain|nxdomain|none|2500
nodata|nodata|none|2500
nosoa|nxdomain nosoa|none|2500
referral|referral|none,temperror|6500
truncated|udp truncate|pass|6500
truncatedonly|truncate|temperror|6500
cnameloop|loop|none,temperror|6500
chain|chain 3 $good|pass|2500
wrongid|id $good|temperror|6500
wrongquestion|question=evil.example $good|temperror|6500
wrongport|port $good|temperror|6500
emptytxt|txt ""|none|2500
noise|udp truncate|none|6500
large|udp truncate|pass,permerror|6500
includes|udp truncate|permerror|6500
loop|txt "v=spf1 include:loop.example -all"|permerror|6500
redirects|txt "v=spf1 redirect=redirects.example"|permerror|6500
half|txt "v=spf1 include:servfail.example include:good.example -all"|temperror|6500
macros|txt "v=spf1 exists:%{d99r}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d} ip4:192.0.2.1 -all"|pass,permerror,temperror|6500
void|txt "v=spf1 a:v1.none.example a:v2.none.example a:v3.none.example ip4:192.0.2.1 -all"|permerror|6500
bytes|txt "v=spf1 a:\\228\\246.example ip4:192.0.2.1 -all"|permerror|2500
nul|txt "v=spf1 ip4:192.0.2.1\\000 -all"|permerror|2500
CASES
)
malformed=$(sed -n 's/^    \(el\)\{0,1\}if kind == "\([a-z_]*\)".*/\2/p' \
  "$src/t/lib/dnsliar")
for kind in $malformed; do
  cases="$cases
bad-${kind//_/-}|malformed $kind|temperror,none|6500"
done
{
  while IFS='|' read -r name outcome _; do
    echo "$name.example TXT $outcome"
  done <<<"$cases"
  echo "servfailonce.example TXT $good"
  echo "truncated.example TXT tcp $good"
  echo "noise.example TXT tcp bytes 60000"
  echo "large.example TXT tcp txt $(words 2500 'ip4:198.51.100.0\/32') \" ip4:192.0.2.1 -all\""
  echo "includes.example TXT tcp txt $(words 1000 'include:i&.many.example')"
  echo '*.many.example TXT txt "v=spf1 ?all"'
  # explanations, and what lists say
  echo 'why.example TXT txt "v=spf1 -all exp=text.why.example"'
  echo 'text.why.example TXT txt "go away\013\010250 ok"'
  echo 'why8.example TXT txt "v=spf1 -all exp=text.why8.example"'
  echo 'text.why8.example TXT txt "caf\233 \000 end"'
  echo 'whylong.example TXT txt "v=spf1 -all exp=text.whylong.example"'
  echo "text.whylong.example TXT tcp txt $(words 300 'word')"
  echo 'text.whylong.example TXT udp truncate'
  echo 'whydark.example TXT txt "v=spf1 -all exp=text.dark.example"'
  echo '66.2.0.192.bl.example A a 127.0.0.2'
  echo '66.2.0.192.bl.example TXT txt "see\013\010X-Evil: yes\000\155\255 there"'
  echo '67.2.0.192.bl.example A a 127.0.0.2'
  echo '67.2.0.192.bl.example TXT silent'
  echo '7.2.0.192.bl.example ANY silent'
  echo '8.2.0.192.bl.example ANY late=30000 a 127.0.0.2'
  # a flood
  echo '*.dark.example ANY silent'
  echo "*.fresh.example TXT $good"
  echo '*.flood.example TXT txt "v=spf1 ?all"'
} >"$dir/liar.script"

mkfifo "$dir/liar.in"
exec 9<>"$dir/liar.in"
"$src/t/lib/dnsliar" "$dir/liar.script" <"$dir/liar.in" >"$dir/liar.out" \
  2>"$dir/liar.log" &
pids[liar]=$!
await grep -q '^port' "$dir/liar.out"
port=$(sed -n 's/^port //p' "$dir/liar.out")

weather() { # NAME TEMPERROR
  config "$1" <<CONF
authserv_id = "mta.example.org";
dns = { servers = [ "127.0.0.1:$port" ]; timeout = "2s"; tries = 2;
  cache_entries = 300; max_outstanding = 200; };
spf = { time_limit = "3s"; };
mail_from = { on_temperror = "$2"; };
lists = { timeout = "1s"; cache_size = 100; };
dns_lists = ( { sites = "bl.example=127.0.0.2"; health = "none"; } );
health = { trouble = 1000000; };
CONF
}
weather weather accept
start_daemon weather
ok "mfx-spf answers" await ready weather "$SOCK"

mail() { # LABEL CLIENT HELO SENDER: up to the end of the message
  cat <<MT
test $1
connect [$2] $2
helo $3
envelope <$4> <b@example.org>
message
From: a@example.com

body
.
expect continue
MT
}
# Fails when a message holds what no field may hold.
cat >"$dir/is-clean" <<'SH'
#!/bin/sh
! LC_ALL=C grep -anP '[^\x20-\x7e\t\r]|\r.' "$1"
SH
chmod +x "$dir/is-clean"

while IFS='|' read -r name _ want ms; do
  mail "$name: $want" 192.0.2.1 mx.example.net "a@$name.example"
  echo "within $ms"
  echo "save $name.out"
  echo "run grep -qE '[[:space:]]spf=(${want//,/|})\\b' $name.out"
  echo "run ./is-clean $name.out"
done <<<"$cases" >"$dir/cases.mt"
# Cases that wait for different names need not wait for one another.
split_cases() {
  awk -v dir="$dir" '/^test /{n++} {print > (dir "/part" n % 4 ".mt")}' \
    "$dir/cases.mt"
}
split_cases
for part in 0 1 2 3; do
  talk weather "$dir/part$part.mt" >"$dir/part$part.tap" &
  talking[part]=$!
done
for part in 0 1 2 3; do
  wait "${talking[part]}"
  while IFS= read -r line; do
    case $line in
    "ok "*) result 0 "${line#ok * - }" ;;
    "not ok "*) result 1 "${line#not ok * - }" ;;
    *) echo "$line" ;;
    esac
  done <"$dir/part$part.tap"
done
ok "all cases were asked" [ $tests -gt "$(wc -l <<<"$cases")" ]

{
  cat <<'MT'
test an explanation with line ends is not passed on
connect [192.0.2.1] 192.0.2.1
helo mx.example.net
mail <a@why.example>
rcpt <b@example.org>
expect replycode 550 5.7.23 SPF fail: 192.0.2.1 may not send as why.example

test nor one with other octets
connect [192.0.2.1] 192.0.2.1
helo mx.example.net
mail <a@why8.example>
rcpt <b@example.org>
expect replycode 550 5.7.23 SPF fail: 192.0.2.1 may not send as why8.example

test a long one is cut, or left out
connect [192.0.2.1] 192.0.2.1
helo mx.example.net
mail <a@whylong.example>
rcpt <b@example.org>
expect replycode 550 5.7.23 SPF fail: 192.0.2.1 may not send as whylong.example*
within 6500

test one that does not come is not waited for too long
connect [192.0.2.1] 192.0.2.1
helo mx.example.net
mail <a@whydark.example>
rcpt <b@example.org>
expect replycode 550 5.7.23 SPF fail: 192.0.2.1 may not send as whydark.example
within 6500

test what a list says, without octets that do not belong there
connect [192.0.2.66] 192.0.2.66
helo mx.example.net
mail <a@nxdomain.example>
rcpt <b@example.org>
expect replycode 550 5.7.1 192.0.2.66 is listed by bl.example: see?*X-Evil: yes?*there

test what a list does not say is not waited for too long
connect [192.0.2.67] 192.0.2.67
helo mx.example.net
mail <a@nxdomain.example>
rcpt <b@example.org>
expect replycode 550 5.7.1 192.0.2.67 is listed by bl.example
within 3500

test listed while SPF does not answer
connect [192.0.2.66] 192.0.2.66
helo mx.example.net
mail <a@other.dark.example>
rcpt <b@example.org>
expect replycode 550 5.7.1 192.0.2.66 is listed by bl.example*
within 6500

MT
  for client in 7 8; do
    mail "a list is silent while SPF answers" 192.0.2.$client mx.example.net a@nxdomain.example
    echo "within 3500"
    echo "has Authentication-Results *spf=none*"
    echo "count X-Sender-Check 0"
  done
  mail "both are silent" 192.0.2.7 both.dark.example a@both.dark.example
  echo "within 6500"
  echo "has Authentication-Results *spf=temperror*"
  long='\(60*abc.)example'
  mail "a HELO name of 247 octets" 192.0.2.1 "$long" a@good.example
  mail "a HELO name of 607 octets" 192.0.2.1 '\(150*abc.)example' a@good.example
  echo "has Authentication-Results *spf=pass*smtp.mailfrom=a@good.example*"
  mail "a HELO name with octets that are none of a name" 192.0.2.1 \
    'a\x80\xff\x22\x0d\x0aX-Evil:(;).example' a@good.example
  echo "count X-Evil 0"
  echo "has Authentication-Results *spf=pass*"
  echo "save odd.out"
  echo "run ./is-clean odd.out"
  mail "a sender's domain of 607 octets" 192.0.2.1 mx.example.net 'a@\(150*abc.)example'
  echo "has Authentication-Results *spf=none*"
  mail "a local part of 3000 octets" 192.0.2.1 mx.example.net 'a\(3000*b)@good.example'
  mail "a sender's domain with octets that are none of a name" 192.0.2.1 \
    mx.example.net 'a\x22\x0d\x0aX-Evil: 1@a\xff\x80\x01;.example'
  echo "count X-Evil 0"
  echo "save odd.out"
  echo "run ./is-clean odd.out"
} >"$dir/odd.mt"
talk weather "$dir/odd.mt"

# A client that goes while its check is under way, and a reload meanwhile.
{
  echo "test clients that go in mid-check"
  for i in $(seq 7); do
    echo "session gone$i"
    echo "connect [192.0.2.1] 192.0.2.1"
    echo "helo gone$i.dark.example"
    echo "mail <a@gone$i.dark.example>"
    [ $((i % 2)) -eq 0 ] || echo "abort"
    echo "close"
  done
} >"$dir/gone.mt"
talk weather "$dir/gone.mt"
mail "a check goes on over a reload" 192.0.2.1 mx.example.net a@reload.dark.example \
  >"$dir/reload.mt"
echo "has Authentication-Results *spf=temperror*" >>"$dir/reload.mt"
talk weather "$dir/reload.mt" >"$dir/reload.tap" &
waiting=$!
sleep 0.5
weather weather tempfail
kill -HUP "${pids[weather]}"
ok "reloaded" await logged weather ' reloaded|^reloaded|reloaded '
wait $waiting
ok "a check goes on over a reload" grep -q '^ok ' "$dir/reload.tap"
cat >"$dir/defer.mt" <<'MT'
test by setting DNS that is silent defers
connect [192.0.2.1] 192.0.2.1
helo mx.example.net
mail <a@silent.example>
rcpt <b@example.org>
expect replycode 451 4.7.24 SPF temperror: silent.example: timeout
MT
talk weather "$dir/defer.mt"

# Clients that name many names and want no answer. What others send is checked
# meanwhile, and nothing grows.
flood() { # NUMBER DOMAIN
  echo "test flood"
  echo "connect [198.51.100.$1] 198.51.100.$1"
  for i in $(seq 1500); do
    echo "helo h$1-$i.$2"
    echo "mail <a@m$1-$i.$2>"
    echo "abort"
  done
}
for n in 1 2 3; do flood $n dark.example; done >"$dir/dark.mt"
flood 4 flood.example | sed 's/^abort/rcpt <b@example.org>\n&/' >"$dir/flood.mt"
for i in $(seq 30); do
  mail "mail during a flood: $i" 192.0.2.1 mx.example.net "a@g$i.fresh.example"
  echo "has Authentication-Results *spf=pass*"
  echo "within 3000"
done >"$dir/meanwhile.mt"
flooding=()
for script in dark flood; do
  "$build/t/milter/miltertalk" -s "$SOCK" -t $((patience * 1000)) \
    "$dir/$script.mt" >"$dir/$script.tap" 2>&1 &
  flooding+=($!)
done
sleep 0.3
talk weather "$dir/meanwhile.mt"
for pid in "${flooding[@]}"; do wait "$pid"; done
ok "who floods is answered, too" grep -q '^ok 3' "$dir/dark.tap"
ok "and who gets answers" grep -q '^ok 1' "$dir/flood.tap"
control weather metrics >"$dir/metrics"
sed -n 's/^mfx_dns_/# mfx_dns_/p' "$dir/metrics"
at_most() { # METRIC MAX
  awk -v name="$1" -v max="$2" '$1 == name { is_good = $2 <= max }
    END { exit !is_good }' "$dir/metrics"
}
ok "the cache stays below its bound" at_most mfx_dns_cache_entries 300
ok "that of the lists, too" at_most mfx_spf_list_cache_entries 100
ok "and what is open" at_most mfx_dns_outstanding 200
ok "no question was refused for that" at_most mfx_dns_over_limit_total 0
ok "it still runs" alive weather
stop_clean weather
finish
