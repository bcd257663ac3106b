#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-spf and lists that break while mail flows: one that lists the world,
# refuses, or is gone with its DNS server; each is out of use until it works
# again, and no mail is refused for it. Keys in names are never said.
. "$(dirname "$0")/daemon.sh" mfx-spf

mkfifo "$dir/liar.in"
exec 9<>"$dir/liar.in"
port=0
dns() { # SCRIPT: the server that answers from now on
  stop liar
  : >"$dir/liar.out"
  "$src/t/lib/dnsliar" --port "$port" "$dir/$1" <"$dir/liar.in" \
    >"$dir/liar.out" 2>>"$dir/liar.log" &
  pids[liar]=$!
  await grep -q '^port' "$dir/liar.out" || return 1
  port=$(sed -n 's/^port //p' "$dir/liar.out")
}
cat >"$dir/good" <<'ZONE'
2.0.0.127.s3cret.zen.example A ttl=1 a 127.0.0.2
66.2.0.192.s3cret.zen.example A ttl=1 a 127.0.0.4
66.2.0.192.s3cret.zen.example TXT ttl=1 txt "https://s3cret.zen.example/66"
test.dbl.example A ttl=1 a 127.0.1.2
spam.example.dbl.example A ttl=1 a 127.0.1.2
ZONE
cat - "$dir/good" >"$dir/world" <<'ZONE'
1.0.0.127.s3cret.zen.example A ttl=1 a 127.0.0.2
1.2.0.192.s3cret.zen.example A ttl=1 a 127.0.0.2
ZONE
sed 's/a 127.*/a 127.255.255.254/' "$dir/world" >"$dir/refuses"
dns good || skip_all "dnsliar does not start (no python3?)"

config lists <<CONF
dns = { servers = [ "127.0.0.1:$port" ]; timeout = "1s"; tries = 2; cache_entries = 0; };
spf = { enable = false; };
lists = { sites = "s3cret.zen.example=127.0.0.[2..11]"; cache_size = 0; timeout = "800ms";
  reply_map = "inline:s3cret.zen.example=zen.example"; };
dns_lists = ( { sites = "dbl.example"; type = "domain"; keys = [ "helo", "sender_domain" ]; } );
health = { interval = "10s"; retry = "1s"; failures = 2; trouble = 3; };
CONF

message() { # LABEL CLIENT HELO SENDER EXPECT...
  cat <<MT
test $1
connect $3 $2
helo $3
mail <$4>
rcpt <b@example.org>
expect ${*:5}
MT
}
message "a listed client is refused" 192.0.2.66 mx.example.net a@example.net \
  "replycode 550 5.7.1 192.0.2.66 is listed by zen.example: https://zen.example/66" \
  >"$dir/listed.mt"
message "a listed sender is refused" 192.0.2.1 mx.example.net a@Spam.Example \
  "replycode 550 5.7.1 Spam.Example is listed by dbl.example" >"$dir/sender.mt"
message "a listed HELO is refused" 192.0.2.1 spam.example a@example.net \
  "replycode 550 5.7.1 spam.example is listed by dbl.example" >>"$dir/sender.mt"
message "a client that no list has" 192.0.2.1 mx.example.net a@example.net \
  continue >"$dir/clean.mt"
message "a listed client, while the list is broken" 192.0.2.66 mx.example.net \
  a@example.net continue >"$dir/spared.mt"
is() { # LIST STATE: the daemon says so
  control lists lists | grep -q "^$1 .*: $2"
}
# Mail is what brings trouble to light; what is done with it does not matter.
mail_until() { # LOG REGEX
  local until=$((SECONDS + patience))
  until logged lists "$1"; do
    [ $SECONDS -lt $until ] || return 1
    (cd "$dir" && "$build/t/milter/miltertalk" -s "$SOCK" -t $((patience * 1000)) \
      clean.mt >/dev/null 2>&1)
    sleep 0.1
  done
}

start_daemon lists
ok "mfx-spf answers" await ready lists "$SOCK"
ok "lists are in use" await is zen.example "in use"
ok "lists of domains too" await is dbl.example "in use"
talk lists "$dir/listed.mt" "$dir/sender.mt" "$dir/clean.mt"

turn=0
for how in world refuses; do
  turn=$((turn + 1))
  down="dns_list_down list=zen.example .*must not be"
  [ $how = world ] || down="dns_list_down list=zen.example .*public resolver"
  dns $how
  ok "$how: found out" mail_until "$down"
  ok "$how: out of use" await is zen.example "out of use"
  talk lists "$dir/clean.mt" "$dir/spared.mt"
  ok "HUP" kill -HUP "${pids[lists]}"
  ok "reloads" await logged lists "reloaded why=HUP"
  ok "$how: still out of use" is zen.example "out of use"
  dns good
  ok "$how: back in use" await is zen.example "in use"
  ok "$how: said once" [ "$(grep -c 'dns_list_down list=zen' "$dir/lists.log")" = $turn ]
  ok "$how: and that it is back" [ "$(grep -c 'dns_list_up list=zen' "$dir/lists.log")" = $turn ]
  talk lists "$dir/listed.mt"
done

stop liar
talk lists "$dir/clean.mt"
ok "no DNS: found out" mail_until "dns_list_down list=dbl.example"
ok "no DNS: out of use" await is zen.example "out of use"
began=$(date +%s%N)
talk lists "$dir/clean.mt"
ok "no DNS: mail does not wait" [ $((($(date +%s%N) - began) / 1000000)) -lt 20000 ]
dns good
ok "DNS is back: in use" await is dbl.example "in use"
ok "DNS is back: the other, too" await is zen.example "in use"
talk lists "$dir/listed.mt" "$dir/sender.mt" "$dir/clean.mt"

control lists metrics >"$dir/metrics"
ok "metrics: hits" grep -q \
  '^mfx_spf_list_hits_total{list="zen.example",type="address"} [1-9]' "$dir/metrics"
ok "metrics: in use" grep -q \
  '^mfx_spf_list_in_use{list="dbl.example",type="domain"} 1' "$dir/metrics"
control lists --json lists >"$dir/lists.json"
ok "the key is nowhere" bash -c \
  "! grep -i s3cret '$dir/lists.log' '$dir/metrics' '$dir/lists.json'"
stop_clean lists
finish
