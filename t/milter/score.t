#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-score: what becomes of mail by the answers of engines: results, actions,
# header fields, recipients, mail of ours, engines in the shadow, greylisting.
. "$(dirname "$0")/score.sh"

start_liar liar
cat >"$dir/common" <<CONF
thresholds = { tag = 5; subject = 8; reject = 15; };
outgoing = { thresholds = { tag = 5; hold = 10; }; };
profiles = ( { name = "strict"; tag = 1; reject = 3; } );
recipient_profiles = "file:$dir/profiles";
login_profiles = "file:$dir/logins";
skip = { clients = [ "192.0.2.99" ]; senders = [ "friend@example.com" ]; };
scan_timeout = "3s";
CONF
cat >"$dir/profiles" <<'TABLE'
off@example.net off
strict@example.net strict
four@example.net tag=4
TABLE
echo "shared strict" >"$dir/logins"

config all <<CONF
engines = ( $(engine rspamd liar), $(engine spamd liar),
  $(engine clamd liar 'class_scores = [ "macro=3" ];') );
$(cat "$dir/common")
CONF
start_daemon all
ok "mfx-score answers" await ready all "$SOCK"
talk all "$scenarios/score.mt"
ok "it still runs" alive all
ok "metrics" bash -c "'$mfxctl' --socket '$dir/all.ctl' metrics | grep -q '^mfx_score_'"
stop_clean all

# --- engines in the shadow, other scales, recipients who are removed ---

config shadow <<CONF
engines = (
  $(engine rspamd liar 'mode = "shadow";'),
  $(engine spamd liar 'scale = 2; offset = 1;'),
  $(engine clamd liar 'on_pua = "hold"; on_failure = "score"; failure_score = 4;') );
recipients = { differ = "remove"; quarantine = "spam@example.net"; };
redirect = { to = "junk@example.net"; };
$(sed 's/subject = 8;/redirect = 11;/' "$dir/common")
CONF
{
  echo 'Liar-Rspamd: {"action":"reject","score":20}' | mail "a shadow does nothing"
  echo "expect continue"
  echo "count X-Spam-Flag 0"
  echo 'Liar-Rspamd: !silent' | mail "a silent shadow is not waited for"
  echo "expect continue"
  echo "within 1500"
  echo 'Liar-Spamd: False ; 1.75 / 5.0' | mail "a score is scaled: not yet"
  echo "expect continue"
  echo "count X-Spam-Flag 0"
  echo 'Liar-Spamd: False ; 2.0 / 5.0' | mail "a score is scaled: spam"
  echo "expect continue"
  echo "has X-Spam-Flag *YES*"
  echo 'Liar-Clamd: PUA.Win.Tool FOUND' | mail "a class of finds is held"
  echo "expect continue"
  echo "edit-count quarantine * 1"
  echo 'Liar-Clamd: !none' | mail "an engine that fails counts 4"
  echo "expect continue"
  echo "has X-Spam-Flag *YES*"
  echo "has X-Virus-Status *Unscanned*clamd*"
  echo 'Liar-Spamd: True ; 5.5 / 5.0' | mail "spam is redirected"
  echo "expect continue"
  echo "edit-count add-rcpt *junk@example.net* 1"
  echo "edit-count delete-rcpt *b@example.net* 1"
  echo "has X-Spam-Orig-To *b@example.net*"
  echo 'Liar-Spamd: False ; 1.5 / 5.0' | mail "who wants it refused does not get it" |
    sed 's/^envelope .*/envelope <a@example.org> <strict@example.net> <b@example.net>/'
  echo "expect continue"
  echo "edit-count delete-rcpt *strict@example.net* 1"
  echo "edit-count delete-rcpt *b@example.net* 0"
  echo "edit-count add-rcpt *spam@example.net* 1"
} >"$dir/shadow.mt"
start_daemon shadow
ok "mfx-score answers" await ready shadow "$SOCK"
talk shadow "$dir/shadow.mt"
stop_clean shadow

# --- greylisting ---

config grey <<CONF
engines = ( $(engine rspamd liar) );
thresholds = { greylist = 4; tag = 6; };
greylist = { delay = "2s"; skip_clients = [ "192.0.2.50" ]; };
store = { path = "$dir/grey.db"; };
CONF
grey() { echo 'Liar-Rspamd: {"action":"no action","score":4.5}' | mail "$1"; }
{
  mail "harmless mail is not greylisted" </dev/null
  echo "expect continue"
  grey "first sight"
  echo "expect replycode 451 4.7.1 *"
  echo "log 4T*: deferred *"
  grey "too early"
  echo "expect replycode 451 4.7.1 *"
  echo "sleep 2100"
  grey "late enough"
  echo "expect continue"
  grey "known by now"
  echo "expect continue"
  grey "another recipient" | sed 's/b@example.net/c@example.net/'
  echo "expect replycode 451 4.7.1 *"
  grey "an excepted client" | sed 's/^start/connect x.example 192.0.2.50\nhelo x.example/'
  echo "expect continue"
} >"$dir/grey.mt"
start_daemon grey
ok "mfx-score answers" await ready grey "$SOCK"
talk grey "$dir/grey.mt"
stop_clean grey
finish
