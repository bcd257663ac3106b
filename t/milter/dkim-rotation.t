#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A key is replaced while two name servers of its zone are real, lag behind,
# lose its record and die: at each step the key that signs is one that can be
# verified.
. "$(dirname "$0")/dkim.sh"
nsd=$(PATH=$PATH:/usr/sbin command -v nsd) || skip_all "nsd is not installed"

ttl=4
port=$(python3 - <<'PY'
import socket
for _ in range(50):
    with socket.socket() as t, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        t.bind(('127.0.0.2', 0))
        port = t.getsockname()[1]
        try:
            u.bind(('127.0.0.2', port))
            with socket.socket() as v, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as w:
                v.bind(('127.0.0.3', port))
                w.bind(('127.0.0.3', port))
        except OSError:
            continue
        print(port)
        break
PY
)
[ -n "$port" ] || skip_all "no free port on 127.0.0.2 and 127.0.0.3"

record() { # KEY: as a zone file wants it
  local text
  text="v=DKIM1; k=rsa; p=$(public_rsa "$dir/$1.pem")"
  echo "\"${text:0:200}\" \"${text:200}\""
}

zone_of() { # SERVER SELECTOR...: what this server holds
  local server=$1 s
  shift
  {
    echo "\$ORIGIN example.org."
    echo "\$TTL $ttl"
    echo "@ SOA ns1 root $((++serial)) 3600 3600 3600 $ttl"
    echo "@ NS ns1"
    echo "@ NS ns2"
    echo "ns1 A 127.0.0.2"
    echo "ns2 A 127.0.0.3"
    for s in "$@"; do echo "$s._domainkey TXT ( $(record "$s") )"; done
  } >"$dir/ns$server.zone"
}
serial=0

start_nsd() { # SERVER
  cat >"$dir/ns$1.conf" <<CONF
server:
  ip-address: 127.0.0.$(($1 + 1))@$port
  username: ""
  chroot: ""
  zonesdir: "$dir"
  database: ""
  pidfile: ""
  xfrdfile: "$dir/xfrd$1"
  zonelistfile: "$dir/list$1"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: ns$1.zone
CONF
  start "ns$1" "$nsd" -d -c "$dir/ns$1.conf"
}

publish() { # SERVER SELECTOR...: and wait until it does
  zone_of "$@"
  kill -HUP "${pids[ns$1]}"
  await holds "$1" "$serial"
}

holds() { # SERVER SERIAL
  python3 - "127.0.0.$(($1 + 1))" "$port" "$2" <<'PY'
import socket, struct, sys
q = struct.pack('>6H', 7, 0, 1, 0, 0, 0) + b'\7example\3org\0' + struct.pack('>2H', 6, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.sendto(q, (sys.argv[1], int(sys.argv[2])))
a = s.recv(4096)
sys.exit(struct.pack('>I', int(sys.argv[3])) not in a)
PY
}

for k in a b c; do
  openssl genrsa -out "$dir/$k.tmp" 2048 2>/dev/null
  chmod 600 "$dir/$k.tmp"
done
mkdir "$dir/keys"
give_key() { cp -p "$dir/$1.tmp" "$dir/keys/$1.pem"; }
for k in a b c; do cp -p "$dir/$k.tmp" "$dir/$k.pem"; done
give_key a

settings() { # STATE_DIR [MORE]
  config dkim <<CONF
dns = { servers = [ "127.0.0.2:$port" ]; timeout = "2s"; };
state_dir = "$1";
sign = { domains = "csl:example.org"; selectors = [ "a" ];
  key_path = "$dir/keys/%s.pem"; ${2:-} };
rotation = { servers = [ "127.0.0.2:$port", "127.0.0.3:$port" ];
  check_interval = "1s"; wait_interval = "1s"; timeout = "1s"; };
CONF
}

# The selector that signs now.
cat >"$dir/one.mt" <<'MT'
test one message
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

x
.
MT
signs() {
  local before
  before=$(grep -c ' sig=' "$dir/dkim.log")
  (cd "$dir" && "$build/t/milter/miltertalk" -s "$SOCK" -p "${pids[dkim]}" \
    -l "$dir/dkim.log" -t 20000 one.mt) >"$dir/one.out" 2>&1
  [ "$(grep -c ' sig=' "$dir/dkim.log")" -gt "$before" ] || return 0
  sed -n 's/.* sig=example.org\/\([a-z]*\)\/.*/\1/p' "$dir/dkim.log" | tail -n 1
}
signs_with() { [ "$(signs)" = "$1" ]; }
state() { # SELECTOR: what the ledger says
  python3 - "$dir/state/keys.sqlite" "$1" <<'PY'
import sqlite3, sys
for r in sqlite3.connect(sys.argv[1]).execute('SELECT state FROM keys WHERE selector = ?', (sys.argv[2],)):
    print(r[0])
PY
}
state_is() { [ "$(state "$1")" = "$2" ]; }
looks() { control dkim metrics | sed -n 's/^mfx_dkim_key_looks_total //p'; }
# Two rounds of looks: what was to be seen has been seen.
look_on() {
  local from
  from=$(looks)
  await looked_since "$from"
}
looked_since() { [ "$(looks)" -ge $(($1 + ${2:-6})) ]; }
card() { # SELECTOR REPLACES [MORE]
  echo "domain = \"example.org\"; selector = \"$1\"; replaces = \"$2\"; ${3:-}" >"$dir/card.new"
  mv "$dir/card.new" "$dir/keys/$1.pem.card"
}

zone_of 1 a
zone_of 2 a
start_nsd 1
start_nsd 2
ok "two name servers answer" eval 'await holds 1 1 && await holds 2 2'
settings "$dir/state"
start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"
ok "the key without a card signs at once" signs_with a

# --- the new key waits ---
give_key b
card b a
ok "the new key is found by its card" await logged dkim 'key_state domain=example.org selector=b'
look_on
ok "it is not in DNS: the older signs" signs_with a
ok "and the message says why" logged dkim \
  'rotation="key b waits: 127.0.0.2: no such name, and 1 more".*sig=example.org/a/'
publish 1 a b
look_on
ok "one server has it: the older signs" signs_with a
ok "and the message names the server that lags" \
  logged dkim 'rotation="key b waits: 127.0.0.3: no such name"'
ok "-t says so as well" eval \
  '"$daemon" -t -c "$dir/dkim.conf" 2>&1 | grep -q "example.org: key b waits: 127.0.0.3: no such name"'
began=$(date +%s%N)
publish 2 a b
ok "all servers have it: published" await state_is b published
ok "the older signs while its absence may be remembered" signs_with a
ok "then the new one signs" await signs_with b
waited=$((($(date +%s%N) - began) / 1000000))
ok "not before the TTL was over ($waited ms)" [ "$waited" -ge $((ttl * 1000)) ]
ok "the older is retired" await state_is a retired

# --- a restart, in an outage ---
stop dkim
stop ns1
stop ns2
start_dkim dkim
await ready dkim "$SOCK"
ok "after a restart without DNS the new key signs on" signs_with b
sleep 4
ok "and an outage is no loss" signs_with b
ok "nor is it told as one" eval '! logged dkim key_lost'
start_nsd 1
start_nsd 2
await holds 1 "$((serial - 1))"
await holds 2 "$serial"

# --- the record is lost ---
publish 1 a
ok "a server lost the record: the older signs again" await signs_with a
ok "loudly" logged dkim 'key_lost domain=example.org selector=b'
ok "metrics count it" eval 'control dkim metrics | grep -q "^mfx_dkim_keys_lost 1"'
publish 1 a b
ok "it is back: after the TTL it signs" await signs_with b
ok "nothing is lost any more" eval 'control dkim metrics | grep -q "^mfx_dkim_keys_lost 0"'
publish 1 b
publish 2 b
ok "the older is withdrawn" await state_is a withdrawn
publish 1
publish 2
ok "both lost: the newest signs on" eval 'await logged dkim "key_lost .*selector=b.*signs=yes" && signs_with b'
publish 1 a b
publish 2 a b
look_on

# --- not_before ---
give_key c
publish 1 a b c
publish 2 a b c
card c b "not_before = \"2999-01-01\";"
ok "a key is found that shall wait" await logged dkim 'selector=c replaces=b'
sleep $((ttl + 2))
ok "published everywhere, it waits for its not_before" signs_with b
card c b
ok "without it, it signs" await signs_with c
rm "$dir/keys/a.pem"
ok "the first key's file may go: cards stand for it" eval '
  control dkim reload && sleep 0.5 && signs_with c'
rm "$dir/keys/b.pem" "$dir/keys/b.pem.card"
ok "a key that nothing names is a mistake that changes nothing" eval '
  ! control dkim reload && signs_with c'
stop_clean dkim

# --- a table that is edited, and other settings ---
rm -rf "$dir/keys" "$dir/state"
mkdir "$dir/keys"
give_key a
publish 1 a
publish 2 a
settings "$dir/state"
start_dkim dkim
await ready dkim "$SOCK"
await state_is a active
await eval '[ "$(python3 -c "import sqlite3; print(sqlite3.connect(\"$dir/state/keys.sqlite\").execute(\"select in_dns from keys\").fetchone()[0])")" = all ]'
give_key b
sed 's/"a" \]/"b" ]/' "$dir/dkim.conf" >"$dir/new.conf"
mv "$dir/new.conf" "$dir/dkim.conf"
await logged dkim 'selector=b.*state=new'
ok "an edited selector: the key that was in DNS signs on" signs_with a
publish 1 a b
publish 2 a b
ok "until the new one is ready" await signs_with b
stop_clean dkim

settings "$dir/state" 'require_published = "never";'
give_key c
card c a
start_dkim dkim
await ready dkim "$SOCK"
ok "never: the new key signs unseen" signs_with c
stop_clean dkim

rm -rf "$dir/state"
settings "$dir/state" 'require_published = "always";'
echo 'domain = "example.org"; selector = "a";' >"$dir/keys/a.pem.card"
rm "$dir/keys/c.pem" "$dir/keys/c.pem.card"
publish 1
publish 2
start_dkim dkim
await ready dkim "$SOCK"
signs >/dev/null
ok "always: a first key that is not published leaves mail unsigned" \
  logged dkim 'unsigned.*no key of example.org may sign yet'
publish 1 a
publish 2 a
ok "until it is" await signs_with a
stop_clean dkim

settings "/proc/none" ''
start_dkim dkim
await ready dkim "$SOCK"
ok "without a place for what is seen: it says so" logged dkim 'ledger_missing why='
ok "and goes on" signs_with a
stop_clean dkim
finish
