#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-masq, stage by stage: whose mail is rewritten, in which addresses, what
# the MTA is told; SRS both ways; tables and configurations in trouble.
. "$(dirname "$0")/daemon.sh" mfx-masq

# What Mail::SRS makes: HMAC-SHA1 over stamp, domain and local part.
srs_address() { # SECRET LOCAL DOMAIN DAYS-AGO
  local base32=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567 day stamp hash
  day=$((($(date +%s) / 86400 - $4) % 1024))
  stamp=${base32:$((day / 32)):1}${base32:$((day % 32)):1}
  hash=$(printf '%s' "$stamp$3$2" | tr '[:upper:]' '[:lower:]' |
    openssl dgst -sha1 -hmac "$1" -binary | base64 | tr '+/' '-_')
  echo "SRS0=${hash:0:4}=$stamp=$3=$2"
}

cat >"$dir/canonical" <<'MAP'
anna@example.org anna.smith@example.org
old@example.org @example.com
bob bob@example.com
loop1@example.org loop2@example.org
loop2@example.org loop1@example.org
@gone.example @example.com
toolong@example.org xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example.org
MAP
cat >"$dir/aliases" <<'MAP'
here: joe
away: away@elsewhere.example
MAP
printf 'sesame\nolder\n' >"$dir/secrets"
chmod 600 "$dir/secrets"
config rules <<CONF
local_domains = [ "example.org" ];
our_domains = [ "example.org", ".example.org", "example.com" ];
recipient_delimiter = "+";
rules = (
  { name = "tables"; kind = "canonical"; maps = "texthash:$dir/canonical"; },
  { name = "strip"; kind = "masquerade"; domains = [ "!raw.example.org", "example.org" ];
    exceptions = [ "root" ]; classes = [ "envelope_sender", "header_sender", "message_id" ]; },
  { name = "walled"; kind = "canonical"; maps = "inline:{{guest@example.net=visitor@example.net}}";
    whose = "all"; if_clients = [ "192.0.2.66" ]; classes = [ "header_sender" ]; }
);
srs = { domain = "srs.example.org"; secrets_file = "$dir/secrets";
  forward_maps = [ "alias:$dir/aliases" ]; };
store = { path = "$dir/masq.db"; };
CONF
{
  sed "s/@NOW@/$(srs_address sesame joe sender.example 0)/
    s/@SECOND@/$(srs_address older joe sender.example 20)/
    s/@OLD@/$(srs_address sesame joe sender.example 23)/
    s/@FORGED@/$(srs_address guess joe sender.example 0)/" "$scenarios/masq.mt"
} >"$dir/rules.mt"
start_daemon rules
ok "mfx-masq answers" await ready rules "$SOCK"
talk rules "$dir/rules.mt"
ok "it still runs" alive rules
ok "metrics" bash -c "'$mfxctl' --socket '$dir/rules.ctl' metrics |
  grep -q '^mfx_masq_store_up 1'"
ok "HUP" kill -HUP "${pids[rules]}"
ok "reloads" await logged rules "reloaded why=HUP"
stop_clean rules

config clean <<CONF
headers = (
  { name = "X-Originating-IP"; }, { name = "X-Secret-*"; },
  { name = "User-Agent"; action = "replace"; value = "mail"; },
  { name = "Received"; only_if = "by .*[.]internal"; } );
hide_client = true;
from_guard = { enable = true; addresses = [ "inline:{{anna=anna@example.org *@example.com}}" ];
  action = "rewrite"; };
CONF
start_daemon clean
ok "mfx-masq answers (headers)" await ready clean "$SOCK"
talk clean "$scenarios/masq-headers.mt"
stop_clean clean

# A table that is gone while the daemon runs: nothing is guessed.
sqlite3 "$dir/live.db" "CREATE TABLE c (k TEXT, v TEXT);
  INSERT INTO c VALUES ('anna@example.org', 'anna@example.com');" 2>/dev/null ||
  python3 - "$dir/live.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE c (k TEXT, v TEXT)")
db.execute("INSERT INTO c VALUES ('anna@example.org', 'anna@example.com')")
db.commit()
PY
for how in tempfail accept; do
  config "live_$how" <<CONF
lookup_error = "$how";
rules = ( { kind = "canonical"; whose = "all";
  maps = "sqlite:$dir/live.db?SELECT v FROM c WHERE k = ?"; } );
CONF
  cp "$dir/live.db" "$dir/kept.db"
  start_daemon "live_$how"
  ok "mfx-masq answers (lookup_error $how)" await ready "live_$how" "$SOCK"
  talk "live_$how" "$scenarios/masq-live.mt"
  printf 'no database' >"$dir/live.db"
  talk "live_$how" "$scenarios/masq-live-$how.mt"
  mv "$dir/kept.db" "$dir/live.db"
  stop_clean "live_$how"
done

config bad <<CONF
rules = ( { kind = "canonical"; }, { kind = "masquerade"; maps = "csl:a"; },
  { classes = [ "everything" ]; maps = "csl:a"; } );
srs = { domain = "srs.example.org"; };
headers = ( { name = "From"; } );
CONF
"$daemon" -t -c "$dir/bad.conf" >"$dir/bad.out" 2>&1
ok "bad settings: exit status 78" [ $? -eq 78 ]
for want in 'rules\[0\].maps' 'rules\[1\].maps' 'rules\[2\].classes' \
  headers; do
  ok "bad settings: $want is named" grep -q "bad.conf:[0-9]*: $want" "$dir/bad.out"
done
ok "bad settings: no secrets" grep -q "srs.secrets_file: is needed" "$dir/bad.out"

# Senders longer than RFC 5321 allows are written out as PostSRSd does.
config long <<CONF
our_domains = [ "example.org" ];
srs = { domain = "srs.example.org"; secrets_file = "$dir/secrets";
  forward = "all"; short_forms = false; };
CONF
sender=$(printf 'x%.0s' {1..70})
sed "s/@LONG@/$sender/g; s/@SRS@/$(srs_address sesame "$sender" sender.example 0)/g" \
  "$scenarios/masq-long.mt" >"$dir/long.mt"
start_daemon long
ok "without short forms" await ready long "$SOCK"
talk long "$dir/long.mt"
stop_clean long
finish
