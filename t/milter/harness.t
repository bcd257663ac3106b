#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The harness, stage by stage: what is negotiated, when a verdict is given,
# how edits reach the MTA.
. "$(dirname "$0")/harness.sh"

# every hook; what a message gets depends on its envelope and its X-Do fields
config all <<'CONF'
at = {
  connect = ["if bad.example reject 550 5.7.1 no such client",
             "if dull.example accept"];
  helo = ["if bad.helo reject 550 5.7.1 no such greeting",
          "if broken.helo fail"];
  mail = ["if reject@mail reject 550 5.7.2 not from you",
          "if later@mail tempfail 451 4.7.2 come again",
          "if accept@mail accept", "if discard@mail discard",
          "if fail@mail fail", "if wait@mail wait 60000",
          "if wait@mail tempfail 451 4.4.3 waited long enough"];
  rcpt = ["if reject@rcpt reject 550 5.7.3 nobody%here",
          "if later@rcpt tempfail 451 4.7.3 later",
          "if discard@rcpt discard", "if fail@rcpt fail"];
  data = ["if reject@data reject 554 5.7.4 no content from you"];
};
command_wait = "1s";
header_count = 1000;
CONF
start_filter all
ok "test_filter is ready" await ready all "$SOCK"
talk all "$scenarios/harness.mt"
ok "a HUP reloads" kill -HUP "${pids[all]}"
ok "and says so" await logged all "reloaded why=HUP snapshot=2"
ok "explain has the rules" bash -c \
  "'$mfxctl' --socket '$dir/all.ctl' explain EXPLAIN1 | grep -q 'command: colour red'"
ok "explain has a message that was given up after a refusal" bash -c \
  "'$mfxctl' --socket '$dir/all.ctl' explain gave-up@example.org |
    grep -qz 'verdict: reject.*recipient_refused: reject@rcpt: nobody%here'"
ok "explain in JSON" bash -c \
  "'$mfxctl' --socket '$dir/all.ctl' --json explain EXPLAIN1 |
    python3 -c 'import json,sys; j=json.load(sys.stdin); assert j[\"facts\"][\"colour\"]==\"red\" and j[\"verdict\"]==\"continue\" and j[\"edits\"], j'"
ok "metrics count verdicts" bash -c \
  "'$mfxctl' --socket '$dir/all.ctl' metrics | grep -q '^mfx_messages_total{verdict=\"reject\"} [1-9]'"
stop_clean all

# bare: only the end of message
config bare <<'CONF'
want = { headers = false; body = "none"; };
at = { eom = ["insert top X-Bare yes"]; };
CONF
TEST_FILTER_HOOKS=eom start_filter bare
ok "a filter with one hook is ready" await ready bare "$SOCK"
talk bare "$scenarios/harness-bare.mt"
stop_clean bare

config dry <<'CONF'
mode = "dry-run";
at = { eom = ["insert top X-Dry yes", "if reject@mail reject 550 5.7.1 would"];
       rcpt = ["if reject@rcpt reject 550 5.7.3 would"]; };
CONF
start_filter dry
ok "a filter in dry-run is ready" await ready dry "$SOCK"
talk dry "$scenarios/harness-dry.mt"
stop_clean dry

# What becomes of mail that the daemon fails on, or that is too large.
for trouble in accept hold discard reject; do
  config $trouble <<CONF
on_internal_error = "$trouble";
on_limit = "$trouble";
header_bytes = "4K";
message_memory = "1M";
CONF
  start_filter $trouble
  ok "answers with $trouble" await ready $trouble "$SOCK"
  talk $trouble "$scenarios/harness-$trouble.mt"
  stop $trouble
  result $status "ends with status 0"
done

# over TCP no stage goes without a reply
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
unix=$SOCK SOCK=inet:$port@127.0.0.1
config tcp "inet:127.0.0.1:$port" <<'CONF'
at = { connect = ["if bad.example reject 550 5.7.1 no such client"]; };
CONF
start_filter tcp
ok "a filter on TCP is ready" await ready tcp "$SOCK"
talk tcp "$scenarios/harness-tcp.mt"
stop_clean tcp
SOCK=$unix

config stored <<'CONF'
want = { body = "stored"; };
at = { eom = ["echo body", "echo body_bytes"]; };
CONF
start_filter stored
ok "a filter that stores the body is ready" await ready stored "$SOCK"
talk stored "$scenarios/harness-stored.mt"
stop_clean stored
finish
