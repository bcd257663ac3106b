#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A login that sends spam is held by mfx-score, whose outgoing.command (the
# example in conf/) has mfx-quota block it: logins from outside are never part
# of a command.
. "$(dirname "$0")/score.sh"
[ -x "$build/mfx-quota" ] || skip_all "mfx-quota is not built"

start_liar liar
mkdir "$dir/bin"
cat >"$dir/bin/mfxctl" <<SH
#!/bin/sh
MFX_LIBEXECDIR="$build" MFX_RUNDIR="$dir" exec "$mfxctl" "\$@"
SH
cat >"$dir/blocker" <<SH
#!/bin/sh
echo "\$MFX_QUEUE_ID" >>"$dir/runs"
PATH="$dir/bin:\$PATH" exec "$src/conf/score-block-login"
SH
chmod +x "$dir/bin/mfxctl" "$dir/blocker"

score_socket=$SOCK
SOCK=unix:$dir/quota.sock
config quota <<CONF
rules = ( { name = "daily"; limits = "100/1d"; } );
store = { type = "memory"; };
CONF
start quota "$build/mfx-quota" -c "$dir/quota.conf"
ok "mfx-quota answers" await ready quota "$SOCK"

SOCK=$score_socket
config score <<CONF
engines = ( $(engine spamd liar) );
thresholds = { tag = 5; };
outgoing = { thresholds = { tag = 5; hold = 10; };
  command = "$dir/blocker"; command_interval = "1h"; };
CONF
start_daemon score
ok "mfx-score answers" await ready score "$SOCK"

sends() { # LOGIN SCORE EXPECTATION...
  echo "test $1 sends $2 points"
  echo "macro {auth_authen}=$1"
  echo "start"
  echo "envelope <a@example.org> <b@example.net>"
  echo "message"
  printf '%s\n' "Liar-Spamd: False ; $2 / 5.0" "From: a@example.org" "" "body" "."
  shift 2
  printf '%s\n' "$@"
}

# A flood of one login, one that a shell would run, one that is good enough.
{
  for _ in 1 2 3 4 5; do
    sends alice 12.5 "expect continue" "log *: held *"
  done
  sends '$(touch '"$dir"'/ran); `id` -x' 30 "expect continue" "log *: held *"
  sends bob 6 "expect continue" "log *: tagged *"
} >"$dir/spam.mt"
talk score "$dir/spam.mt"
twice() { [ "$(wc -l <"$dir/runs")" -eq 2 ]; }
ok "the program is run for each of the two logins" await twice
ran() {
  control score metrics |
    grep -q '^mfx_score_outgoing_command_total{result="done"} 2$'
}
ok "and has done its work" await ran
repeated() {
  control score metrics |
    grep -q '^mfx_score_outgoing_command_total{result="repeated"} 4$'
}
ok "four were not told of again" repeated
ok "nothing of a login was run" [ ! -e "$dir/ran" ]
ok "one line for each" [ "$(grep -c outgoing_spam "$dir/score.log")" -eq 2 ]

SOCK=unix:$dir/quota.sock
attempt() { # LOGIN EXPECTATION...
  echo "test $1 sends more"
  echo "macro {auth_authen}=$1"
  echo "start"
  echo "mail <a@example.org>"
  echo "rcpt <b@example.net>"
  shift
  printf '%s\n' "$@"
}
{
  attempt alice "expect replycode 4*spam, 12.5 points*"
  attempt '$(touch '"$dir"'/ran); `id` -x' \
    "expect replycode 4*spam, 30 points*"
  attempt bob "expect continue"
} >"$dir/blocked.mt"
talk quota "$dir/blocked.mt"

stop_clean score
stop_clean quota
finish
