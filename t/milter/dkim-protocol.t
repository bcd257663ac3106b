#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every way in which an MTA may lead the conversation, towards mfx-dkim.
. "$(dirname "$0")/dkim.sh"

make_keys
zone example.org
config dkim <<CONF
dns = { test_data = "$dir/zone"; };
$(sign_settings example.org)
CONF
start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"
talk dkim "$scenarios/dkim-protocol.mt"
ok "it still runs" alive dkim
stop_clean dkim

# Over TCP no stage may go without a reply (delayed ACKs cost 40 ms).
config tcp <<CONF
dns = { test_data = "$dir/zone"; };
$(sign_settings example.org)
CONF
for try in 1 2 3 4 5; do
  SOCK=inet:127.0.0.1:$((20000 + RANDOM % 12000))
  start_dkim tcp -s "$SOCK"
  await ready tcp "$SOCK" && break
  stop tcp
done
ok "mfx-dkim answers over TCP" ready tcp "$SOCK"
talk tcp "$scenarios/dkim-tcp.mt"
ok "load over TCP" "$load" --socket "$SOCK" --messages 200 --warm 0 \
  --domain example.org --expect DKIM-Signature --times 2
stop_clean tcp
finish
