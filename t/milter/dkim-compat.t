#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What OpenDKIM's settings turn into, as the MTA sees it.
. "$(dirname "$0")/dkim.sh"

make_keys
zone example.org list.example other.example

# Keys by OpenDKIM's tables: "%" as key name, domain and in the path, a fourth
# field, a path from the key directory, and a row whose file is missing.
mkdir "$dir/keys"
cp "$dir/rsa.pem" "$dir/keys/example.org.pem"
cat >"$dir/key.table" <<CONF
org    example.org:rsa:$dir/keys/%.pem:rsa-sha256
ed     %:ed:./ed.pem:ed25519-sha256
lost   %:lost:$dir/keys/%.lost
CONF
cat >"$dir/signing.table" <<'CONF'
*@lost.example     lost
a@sub.example.org  org:agent@sub.example.org
*@example.org      org
*@list.example     ed:%
CONF
tables="signing_table = \"refile:$dir/signing.table\";
key_table = \"file:$dir/key.table\"; key_directory = \"$dir\";"

config dkim <<CONF
dns = { test_data = "$dir/zone"; };
authserv_id_job_id = true;
software_header = true;
log = { target = "stderr"; level = "info"; name = "another-name"; };
sign = { $tables
  sender_headers = [ "Sender", "From" ];
  on_error = "hold";
  except_recipients = "csl:archive@example.net";
};
verify = {
  remove_results_from = [ "old.example", ".below.example", "*.star.example" ];
  trusted_signers = "csl:list.example";
  on_none = "reject";
  on_no_key = "discard";
  required_headers = "subject, x-flag";
};
CONF
# one "log" group only
sed -i '/^log = .*level = "info"; };$/d' "$dir/dkim.conf"
start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"
talk dkim "$scenarios/dkim-compat.mt"
ok "log.name stands before every line" grep -q '^another-name: ' "$dir/dkim.log"
ok "no line without it" test "$(grep -vc '^another-name: ' "$dir/dkim.log")" = 0
stop_clean dkim

# The signing address from a macro, headers that break the rules, limits.
config strict <<CONF
dns = { test_data = "$dir/zone"; };
header_bytes = "4K";
on_limit = "hold";
sign = { $tables sender_macro = "auth_author"; on_error = "discard"; };
verify = { invalid_headers = "reject"; };
CONF
start_dkim strict
ok "mfx-dkim answers" await ready strict "$SOCK"
talk strict "$scenarios/dkim-compat-strict.mt"
stop_clean strict

# Tables in SQL, in OpenDKIM's words; asked at each message.
sql() { # STATEMENT...
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for s in sys.argv[2:]: db.execute(s)
db.commit()' "$dir/keys.db" "$@"
}
sql "CREATE TABLE dkim (id INTEGER, domain TEXT, selector TEXT, key TEXT)" \
  "INSERT INTO dkim VALUES (7, 'example.org', 'rsa', '$dir/rsa.pem')"
dsn="dsn:sqlite3://$dir/keys.db/table=dkim"
config sql <<CONF
dns = { test_data = "$dir/zone"; };
sign = { signing_table = "$dsn?keycol=domain?datacol=id";
  key_table = "$dsn?keycol=id?datacol=domain,selector,key"; };
CONF
start_dkim sql
ok "mfx-dkim answers" await ready sql "$SOCK"
signed_by() { # SELECTOR
  cat >"$dir/sql.mt" <<MT
test sign: by tables in SQL, with $1
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

body
.
expect continue|accept
edit insert 0 DKIM-Signature *d=example.org*s=$1;*
edits
save sql.eml
run \$MT_CHECK sql.eml
MT
  talk sql "$dir/sql.mt"
}
signed_by rsa
sql "UPDATE dkim SET selector='ed', key='$dir/ed.pem'"
signed_by ed
# OpenDKIM's Domain as such a table: a set, whatever its column holds.
config sql <<CONF
dns = { test_data = "$dir/zone"; };
sign = { domains = "$dsn?keycol=domain?datacol=id,key";
  key_path = "$dir/%s.pem"; selectors = [ "ed" ]; };
CONF
ok "reload" control sql reload
signed_by ed
stop_clean sql

# One key for every domain; DNSSEC by the word of a resolver.
liar_txt() { # TXT data of one record in strings of 200
  fold -w 200 <<<"$1" | sed 's/.*/"&"/' | paste -sd' '
}
echo "rsa._domainkey.signed.example TXT ad txt $(liar_txt "$rsa_record")
rsa._domainkey.plain.example TXT txt $(liar_txt "$rsa_record")" \
  >"$dir/liar.script"
mkfifo "$dir/liar.in"
exec 9<>"$dir/liar.in"
"$src/t/lib/dnsliar" "$dir/liar.script" <"$dir/liar.in" >"$dir/liar.out" \
  2>"$dir/liar.log" &
pids[liar]=$!
await grep -q '^port' "$dir/liar.out"
port=$(sed -n 's/^port //p' "$dir/liar.out")
config secure <<CONF
dns = { servers = [ "127.0.0.1:$port" ]; trust_ad = true; };
header_bytes = "4K";
on_limit = "discard";
sign = { domains = "*"; key_path = "$dir/rsa.pem"; selectors = [ "rsa" ]; };
verify = { unprotected_key = "fail"; on_policy = "reject";
  invalid_headers = "permerror"; };
CONF
start_dkim secure
ok "mfx-dkim answers" await ready secure "$SOCK"
talk secure "$scenarios/dkim-compat-secure.mt"
stop_clean secure

sed -i 's/trust_ad = true/trust_ad = false/' "$dir/secure.conf"
"$daemon" -t -c "$dir/secure.conf" >"$dir/check.out" 2>&1
result $((1 - ($? == 78))) "without dns.trust_ad such a configuration is refused"
ok "and the setting is named" grep -q 'verify.unprotected_key: needs dns.trust_ad' \
  "$dir/check.out"
finish
