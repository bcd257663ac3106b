#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-spf, stage by stage: what is refused when and with which words, what is
# written into the header, whom it is not for; mail of ours; wrong settings.
. "$(dirname "$0")/daemon.sh" mfx-spf

cat >"$dir/zone" <<'ZONE'
pass.example TXT "v=spf1 ip4:192.0.2.1 -all"
fail.example TXT "v=spf1 ip4:198.51.100.1 -all exp=why.fail.example"
why.fail.example TXT "%{i} is not ours; see http://fail.example/"
soft.example TXT "v=spf1 ~all"
neutral.example TXT "v=spf1 ?all"
broken.example TXT "v=spf1 ipv4:192.0.2.1 -all"
slow.example TXT !timeout
strict.example TXT "v=spf1 ip4:192.0.2.1 -all"
careless.example TXT "v=spf1 ~all"
mx.example.net TXT "v=spf1 ip4:192.0.2.1 -all"
forged.example TXT "v=spf1 -all"
silent.example TXT "v=spf1 -all exp=none.silent.example"
forwarder.example TXT "v=spf1 ip4:192.0.2.77 -all"
2.0.0.127.zen.example A 127.0.0.2
2.0.0.127.other.example A 127.0.0.2
2.0.0.127.allow.example A 127.0.0.2
66.2.0.192.zen.example A 127.0.0.4
66.2.0.192.zen.example TXT "Listed, see zen.example"
67.2.0.192.other.example A 127.0.0.2
68.2.0.192.zen.example A 127.255.255.254
69.2.0.192.other.example A 127.0.0.2
69.2.0.192.allow.example A 127.0.4.3
ZONE
common=$(
  cat <<CONF
authserv_id = "mta.example.org";
dns = { test_data = "$dir/zone"; };
skip = { clients = [ "192.0.2.99" ]; };
forwarders = { hosts = [ ".lists.example" ]; domains = [ "forwarder.example" ];
  helo_names = [ "trusted.example.com" ]; };
relays = { hosts = [ "192.0.2.200" ]; };
lists = { sites = "zen.example=127.0.0.[2..11]*3, other.example, allow.example*-5";
  tag_at = 1; reject_at = 3; };
rules = (
  { name = "strict"; domains = [ "strict.example" ]; results = [ "pass" ];
    identities = [ "mail_from" ]; action = "tempfail"; code = "451 4.7.1";
    text = "no mail from \$domain today"; },
  { name = "maybe"; mode = "dry-run"; domains = [ "careless.example" ];
    results = [ "softfail" ]; },
  { name = "silent"; no_mail = true; code = "556 5.7.27"; text = "\$domain sends no mail"; }
);
CONF
)
config default <<<"$common"
start_daemon default
ok "mfx-spf answers" await ready default "$SOCK"
lists_in_use() { # NAME COUNT
  [ "$("$mfxctl" --socket "$dir/$1.ctl" lists | grep -c "in use")" = "$2" ]
}
ok "the lists are known to work" await lists_in_use default 3
talk default "$scenarios/spf.mt"
ok "it still runs" alive default
ok "metrics" bash -c "'$mfxctl' --socket '$dir/default.ctl' metrics |
  grep -q '^mfx_spf_results_total{identity=\"mailfrom\",result=\"fail\"} [1-9]'"
stop_clean default

# Lists of names: From and hashes, in the shadow, allow lists.
sum=$(printf %s joe@hashed.example | sha1sum | cut -d' ' -f1)
cat >>"$dir/zone" <<ZONE
spam.example.from.example A 127.0.1.2
spam.example.from.example TXT "From is spam.example"
$sum.hash.example A 127.0.0.2
10.2.0.192.shadow.example A 127.0.0.2
11.2.0.192.dnswl.example A 127.0.5.1
11.2.0.192.dnswl.example TXT "good.example.net https://dnswl.example/?d=good"
12.2.0.192.dnswl.example A 127.0.5.3
13.2.0.192.dnswl.example A 127.0.0.255
ZONE
config names <<CONF
authserv_id = "mta.example.org";
dns = { test_data = "$dir/zone"; };
mail_from = { on_softfail = "tag"; };
lists = { reject_at = 3; tag_at = 1; allow_at = -5; };
dns_lists = (
  { sites = "from.example=127.0.1.[2..99]*3"; type = "domain"; keys = [ "from_domain" ]; health = "none"; },
  { sites = "hash.example*3"; type = "hash"; keys = [ "sender" ]; health = "none"; },
  { sites = "shadow.example*9"; mode = "shadow"; health = "none"; },
  { sites = [ "dnswl.example=127.0.[0..255].1*-1", "dnswl.example=127.0.[0..255].[2..3]*-5" ];
    dnswl = true; error_codes = [ "127.0.0.255" ]; health = "none"; }
);
CONF
start_daemon names
ok "mfx-spf with lists of names answers" await ready names "$SOCK"
talk names "$scenarios/spf-names.mt"
stop_clean names

# A client that takes its time between commands: what was begun before still
# counts, though its time is over.
cat >"$dir/liar.script" <<'ZONE'
slow.example TXT late=40 txt "v=spf1 include:a.slow.example -all"
a.slow.example TXT late=40 txt "v=spf1 include:b.slow.example -all"
b.slow.example TXT late=40 txt "v=spf1 ip4:192.0.2.1 -all"
ZONE
mkfifo "$dir/liar.in"
exec 9<>"$dir/liar.in"
"$src/t/lib/dnsliar" "$dir/liar.script" <"$dir/liar.in" >"$dir/liar.out" \
  2>"$dir/liar.log" &
pids[liar]=$!
await grep -q '^port' "$dir/liar.out"
config patient <<CONF
dns = { servers = [ "127.0.0.1:$(sed -n 's/^port //p' "$dir/liar.out")" ]; };
spf = { time_limit = "1s"; };
mail_from = { on_temperror = "reject"; };
helo = { on_temperror = "reject"; };
CONF
cat >"$dir/patient.mt" <<'MT'
test HELO, MAIL and RCPT far apart
connect mx.example.net 192.0.2.1
helo slow.example
sleep 1200
mail <joe@slow.example>
sleep 1200
rcpt <a@example.org>
data
message
From: joe@slow.example

x
.
expect continue
log *: passed * helo_spf=pass spf=pass *
MT
start_daemon patient
ok "mfx-spf answers (slow clients)" await ready patient "$SOCK"
talk patient "$dir/patient.mt"
stop_clean patient
kill "${pids[liar]}" 2>/dev/null
wait "${pids[liar]}" 2>/dev/null
unset "pids[liar]"

# What is decided late, and what DNS trouble must not decide.
cat >"$dir/zone-late" <<'ZONE'
fail.example TXT "v=spf1 -all"
slow.example TXT !timeout
INVALID.names.example A !nxdomain
TEST.names.example A 127.0.0.2
bad.example.names.example A 127.0.0.2
2.0.0.127.twice.example A 127.0.0.2
ZONE
config late <<CONF
dns = { test_data = "$dir/zone-late"; };
relays = { hosts = [ "192.0.2.200" ]; enforce = true; };
forwarders = { domains = [ "slow.example" ]; helo_names = [ "slow.example" ]; };
lists = { reject_at = 3; };
dns_lists = (
  { type = "domain"; sites = [ "names.example*3" ]; keys = [ "from_domain" ]; },
  { sites = [ "twice.example" ]; health = "none"; mode = "shadow"; },
  { sites = [ "twice.example" ]; mode = "shadow"; } );
CONF
start_daemon late
ok "mfx-spf answers (late decisions)" await ready late "$SOCK"
ok "its lists are known to work" await lists_in_use late 3
ticks() { # of processor time
  cut -d' ' -f14,15 "/proc/${pids[late]}/stat" | tr ' ' +
}
before=$(($(ticks)))
talk late "$scenarios/spf-late.mt"
sleep 1
ok "a zone that two groups test otherwise keeps nobody busy" \
  [ $(($(ticks) - before)) -lt 60 ]
stop_clean late

config bad <<CONF
results = [ "everything" ];
spf = { reject_code = "451 4.7.1"; };
rules = ( { results = [ "maybe" ]; }, { identities = [ "from" ]; },
  { action = "tempfail"; code = "550 5.7.1"; } );
lists = { sites = "zen.example=127.0.0.[2..*3"; };
outgoing = { check = "log"; };
tag_header = "received-spf";
CONF
"$daemon" -t -c "$dir/bad.conf" >"$dir/bad.out" 2>&1
ok "bad settings: exit status 78" [ $? -eq 78 ]
for want in results spf.reject_code 'rules\[0\].results' \
  'rules\[1\].identities' 'rules\[2\].code' lists.sites outgoing.check \
  tag_header; do
  ok "bad settings: $want is named" grep -q "bad.conf:[0-9]*: $want" "$dir/bad.out"
done
finish
