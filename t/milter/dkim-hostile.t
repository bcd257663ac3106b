#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad input at the milter socket: mfx-dkim answers, lives and stays small.
. "$(dirname "$0")/dkim.sh"

make_keys
zone example.org
config dkim <<CONF
dns = { test_data = "$dir/zone"; };
$(sign_settings example.org)
CONF

# A message with N more fields "X-n: v".
fields() {
  echo "From: a@example.org"
  seq -f "X-%.0f: v" "$1"
  printf '\nbody\n'
}
fields 100000 >"$dir/fields.eml"
fields 9000 >"$dir/fields9000.eml"
{
  echo "From: a@example.org"
  for i in $(seq 20); do
    printf 'X-%s: ' "$i"
    head -c 59000 /dev/zero | tr '\0' x
    echo
  done
  printf '\nbody\n'
} >"$dir/headerbytes.eml"
{
  printf 'From: a@example.org\n\n'
  head -c 52428800 /dev/zero | tr '\0' x
  echo
} >"$dir/oneline.eml"
{
  for i in $(seq 1000); do
    echo "DKIM-Signature: v=1; a=rsa-sha256; d=s$i.example.com; s=x; h=from;"
    echo " b=AAAA; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  done
  printf 'From: a@example.net\n\nbody\n'
} >"$dir/signatures.eml"
{
  printf 'DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=rsa; h=from'
  for i in $(seq 8000); do printf ':x-%s' "$i"; done
  echo "; b=AAAA; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  printf 'From: a@example.net\n\nbody\n'
} >"$dir/enormous.eml"

start_dkim dkim
ok "mfx-dkim answers" await ready dkim "$SOCK"

# One that the daemon signs itself, below 999 that it cannot check.
cat >"$dir/sign-one.mt" <<'MT'
test a message to be signed
macro {daemon_name}=ORIGINATING
start
envelope <a@example.org> <b@example.net>
message
From: a@example.org

body
.
save aligned-one.eml
MT
talk dkim "$dir/sign-one.mt"
{ head -n 1998 "$dir/signatures.eml"; cat "$dir/aligned-one.eml"; } \
  >"$dir/aligned.eml"

talk dkim "$scenarios/dkim-hostile.mt"
first=$(rss_kb dkim)
(talk dkim "$scenarios/dkim-hostile.mt") >"$dir/second.tap"
grep -v '^ok' "$dir/second.tap" | sed 's/^/# /'
second=$(rss_kb dkim)
(talk dkim "$scenarios/dkim-hostile.mt") >"$dir/again.tap"
third=$(rss_kb dkim)
echo "# resident: $first KiB after one run, $second after two, $third KiB after three"
bounded() { [ "$third" -lt 150000 ] && [ "$third" -lt $((second + 20000)) ]; }
if is_plain; then
  ok "memory is bounded and does not grow" bounded
fi
ok "the same tests pass again" sh -c "! grep -q '^not ok' '$dir/second.tap' '$dir/again.tap'"
few() { [ "$(descriptors dkim)" -lt 60 ]; }
ok "no descriptors are left behind" await few
ok "it still runs" alive dkim
stop_clean dkim
finish
