#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-quota, stage by stage: what is offered, counted and given back, whatever
# the MTA does; bad configurations; a store in trouble.
. "$(dirname "$0")/daemon.sh" mfx-quota

all_rules='rules = (
  { name = "daily"; limits = "3/message 5/1d"; },
  { name = "size"; count = "bytes"; limits = "2000/message 3000/1d"; action = "reject"; },
  { name = "bad"; key = "client"; count = "refused_recipients"; limits = "2/1d"; },
  { name = "rate"; key = "client"; count = "connections"; limits = "100/1d"; },
  { name = "open"; key = "client"; count = "open_connections"; limits = "50"; },
  { name = "held"; key = "certificate"; limits = "2/1d"; action = "hold"; },
  { name = "from"; key = "from_domain + login"; count = "messages"; limits = "4/1d"; }
);
exempt_recipients = "csl:postmaster@example.net";'

for type in memory sqlite; do
  config $type <<CONF
$all_rules
store = { type = "$type"; path = "$dir/$type.db"; };
CONF
  start_daemon $type
  ok "mfx-quota answers ($type)" await ready $type "$SOCK"
  talk $type "$scenarios/quota.mt"
  ok "it still runs" alive $type
  ok "HUP with messages in flight" kill -HUP "${pids[$type]}"
  ok "reloads" await logged $type "reloaded why=HUP"
  "$load" --socket "$SOCK" --messages 400 --warm 0 --size 500 \
    --macro '{auth_authen}=crowd' --client 192.0.2.77 >"$dir/crowd" 2>&1
  ok "400 messages of 1 KB from 16 sessions at once: two fit in 3000 bytes" \
    grep -q '"continue": 2,' "$dir/crowd"
  ok "metrics" bash -c "'$mfxctl' --socket '$dir/$type.ctl' metrics |
    grep -q '^mfx_quota_store_up 1'"
  stop_clean $type
done

# A login of ten thousand letters; limits that are near are told.
cat >"$dir/teller" <<'SH'
#!/bin/sh
echo "$MFX_EVENT $MFX_RULE $MFX_USED of $MFX_LIMIT in $MFX_WINDOW" >>"${0%/*}/told"
SH
chmod +x "$dir/teller"
config told <<CONF
rules = ( { name = "daily"; limits = "4/1d"; warn_at = 75; } );
notify = { command = [ "$dir/teller" ]; };
store = { path = "$dir/told.db"; };
CONF
cat >"$dir/told.mt" <<MT
test a login of ten thousand letters
macro {auth_authen}=$(printf 'x%.0s' $(seq 10000))
start
envelope <x@example.org> <a@example.net> <b@example.net> <c@example.net>
message
From: x@example.org

x
.
expect continue
log *: soft_limit rule=daily key="login=sha256:* used=3 limit=4 window=1d *
abort
mail <x@example.org>
rcpt <d@example.net>
rcpt <e@example.net>
expect replycode 451*
log *: limit_reached rule=daily *
MT
start_daemon told
ok "mfx-quota answers" await ready told "$SOCK"
talk told "$dir/told.mt"
ok "a program is told that a limit is near" await grep -qx "soft_limit daily 3 of 4 in 1d" "$dir/told"
ok "and that it is reached" await grep -q "limit_reached daily . of 4 in 1d" "$dir/told"
stop_clean told

# What was counted is there after kill -9.
config killed <<CONF
rules = ( { name = "daily"; limits = "5/1d"; } );
store = { path = "$dir/killed.db"; };
CONF
start_daemon killed
ok "mfx-quota answers" await ready killed "$SOCK"
talk killed "$scenarios/quota-before.mt"
stop killed KILL
start_daemon killed
ok "it answers after kill -9" await ready killed "$SOCK"
talk killed "$scenarios/quota-after.mt"
stop_clean killed

# --- bad configurations, each refused with file and line ---
refused() { # LABEL REGEX, configuration on standard input
  config bad
  local said
  said=$("$daemon" -t -c "$dir/bad.conf" 2>&1)
  result $(($? == 78 ? 0 : 1)) "$1: status 78"
  grep -qE -- "$2" <<<"$said"
  result $? "$1: says why" || sed 's/^/# /' <<<"$said"
}
printf 'anna 500/1d\nben 500/1y\n' >"$dir/limits"
refused "a bad limit" 'bad.conf:[0-9]+: limits: "500/1y"' \
  <<<'rules = ( { name = "a"; limits = "500/1y"; } );'
refused "a bad row of a table" "limits:2: ben: \"500/1y\"" \
  <<<"rules = ( { name = \"a\"; limits = \"1/1d\"; limits_table = \"file:$dir/limits\"; } );"
refused "a bad key" 'bad.conf:[0-9]+: key: there is no key "user"' \
  <<<'rules = ( { name = "a"; key = "user"; limits = "1/1d"; } );'
refused "no limits" 'bad.conf:[0-9]+: limits: neither' \
  <<<'rules = ( { name = "a"; } );'
refused "a name twice" 'two rules have the same name' \
  <<<'rules = ( { name = "a"; limits = "1/1d"; }, { name = "a"; limits = "1/1d"; } );'
refused "a bad name" 'bad.conf:[0-9]+: name: "A b"' \
  <<<'rules = ( { name = "A b"; limits = "1/1d"; } );'
refused "a bad code" 'bad.conf:[0-9]+: code: "250 2.0.0"' \
  <<<'rules = ( { name = "a"; limits = "1/1d"; code = "250 2.0.0"; } );'
refused "a bad time zone" 'bad.conf:[0-9]+: time_zone: ' \
  <<<'rules = ( { name = "a"; limits = "1/day"; time_zone = "Mars/Olympus"; } );'
refused "connections that are held" 'bad.conf:[0-9]+: action: ' \
  <<<'rules = ( { name = "a"; count = "connections"; key = "client"; limits = "1/1d"; action = "hold"; } );'
refused "an unknown setting of a rule" 'did you mean' \
  <<<'rules = ( { name = "a"; limit = "1/1d"; } );'
refused "a URL that is none" 'bad.conf:[0-9]+: notify.url: ' \
  <<<'notify = { url = "ftp://x/"; };'

# --- a store in trouble ---
weather() { # LABEL STORE-SETTINGS REGEX-OF-THE-LOG
  for how in local accept tempfail; do
    config weather <<CONF
rules = ( { name = "daily"; limits = "10/1d"; } );
store_error = "$how";
local_share = 10;
store = { $2 };
CONF
    : >"$dir/weather.log"
    start_daemon weather
    ok "$1, $how: it answers" await ready weather "$SOCK"
    talk weather "$scenarios/quota-$how.mt"
    ok "$1, $how: the log says why" await logged weather "$3"
    stop_clean weather
  done
}
weather "no folder" "path = \"$dir/nowhere/quota.db\";" 'store_down .*nowhere'
printf 'not a database, but long enough to be looked at as one %01000d' 0 >"$dir/text.db"
weather "no database" "path = \"$dir/text.db\";" 'store_down .*text.db'
weather "no Redis" 'type = "redis"; }; redis = { servers = [ "127.0.0.1:1" ];' \
  'store_down .*127.0.0.1:1'
ok "a file that is not ours is left alone" grep -q '^not a database' "$dir/text.db"
finish
