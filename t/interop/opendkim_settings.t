#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same conversation with opendkim and with mfx-dkim, under the same
# settings in each one's words: the same outcome.
. "$(dirname "$0")/../milter/dkim.sh"

opendkim=$(PATH=$PATH:/usr/sbin command -v opendkim) ||
  skip_all "opendkim is not installed"
make_keys
zone example.org list.example
# opendkim's TestPublicKeys has no type word
sed 's/ TXT / /' "$dir/zone" >"$dir/pubkeys"

# OpenDKIM's half of both configurations on standard input, up to a line "--".
both() { # NAME
  local half=$dir/opendkim.conf
  cat >"$half" <<CONF
Syslog no
Background no
Socket ${SOCK/unix:/local:}
RequireSafeKeys no
TestPublicKeys $dir/pubkeys
InternalHosts 192.0.2.0/24
AuthservID mx.example.net
AlwaysAddARHeader yes
Canonicalization relaxed/relaxed
CONF
  local line
  while IFS= read -r line && [ "$line" != -- ]; do
    echo "$line" >>"$half"
  done
  [ "$(id -u)" != 0 ] || echo "UserID root" >>"$half"
  {
    echo "dns = { test_data = \"$dir/zone\"; };"
    echo 'origin = { internal_hosts = "csl:192.0.2.0/24"; };'
    cat
  } | config mfx
}

compare() { # NAME: of the scenario
  start opendkim "$opendkim" -f -x "$dir/opendkim.conf"
  ok "$1: opendkim answers" await ready opendkim "$SOCK"
  talk opendkim "$dir/$1.mt"
  stop opendkim
  start_dkim mfx
  ok "$1: mfx-dkim answers" await ready mfx "$SOCK"
  talk mfx "$dir/$1.mt"
  stop mfx
}

# One message; what follows are further commands and expectations.
say() { # LABEL CLIENT RECIPIENT HEADER...
  local label=$1 client=$2 recipient=$3
  shift 3
  printf 'test %s\n%sconnect h.example %s\nhelo h\n' "$label" "${macro:-}" "$client"
  printf 'envelope <a@example.org> <%s>\nmessage\n' "$recipient"
  printf '%s\n' "$@"
  printf '\nbody\n.\n'
  cat
}

from='From: a@example.org'
date='Date: Fri, 21 Nov 2025 10:00:00 +0000'
ours=192.0.2.1 foreign=203.0.113.9

both <<CONF
Domain *
Selector rsa
KeyFile $dir/rsa.pem
SenderHeaders Sender,From
DontSignMailTo archive@example.net
--
sign = { domains = "*"; selectors = [ "rsa" ]; key_path = "$dir/rsa.pem";
  sender_headers = [ "Sender", "From" ];
  except_recipients = "csl:archive@example.net"; };
CONF
{
  say 'the Sender field says who' $ours b@example.net "$from" "$date" \
    'Sender: s@list.example' <<'MT'
expect continue|accept
count DKIM-Signature 1
has DKIM-Signature *d=list.example*s=rsa*
save signed.eml
run $MT_CHECK signed.eml
MT
  say 'no Sender field: From' $ours b@example.net "$from" "$date" <<'MT'
expect continue|accept
has DKIM-Signature *d=example.org*s=rsa*
MT
  say 'an excepted recipient: unsigned and unverified' $ours \
    archive@example.net "$from" "$date" <<'MT'
expect continue|accept
edits
MT
  say 'foreign mail to such a recipient is verified' $foreign \
    archive@example.net "$from" "$date" <<'MT'
expect continue|accept
count DKIM-Signature 0
has Authentication-Results *mx.example.net*dkim=none*
MT
} >"$dir/domain.mt"
compare domain

mkdir "$dir/keys"
cp "$dir/rsa.pem" "$dir/keys/example.org.pem"
cp "$dir/rsa.pem" "$dir/keys/list.example.pem"
cat >"$dir/kt" <<CONF
row    example.org:rsa:$dir/keys/%.pem
other  list.example:rsa:$dir/keys/%.pem
any    %:rsa:$dir/rsa.pem
CONF
cat >"$dir/st" <<'CONF'
*@sub.example.org   row:agent@sub.example.org
*@out.example.org   row:agent@example.com
*@sub.list.example  other
*@*                 any:agent@%
CONF
both <<CONF
SigningTable refile:$dir/st
KeyTable file:$dir/kt
SenderMacro {auth_author}
RequiredHeaders yes
--
sign = { signing_table = "refile:$dir/st"; key_table = "file:$dir/kt";
  sender_macro = "{auth_author}"; multiple = false; };
verify = { invalid_headers = "reject"; };
CONF
{
  say '"%" in a path is the domain of the row' $ours b@example.net \
    'From: a@sub.example.org' "$date" <<'MT'
expect continue|accept
has DKIM-Signature *d=example.org*i=agent@sub.example.org*
MT
  say 'and not the From domain, for which there is no file' $ours \
    b@example.net 'From: a@sub.list.example' "$date" <<'MT'
expect continue|accept
has DKIM-Signature *d=list.example*
save percent.eml
run $MT_CHECK percent.eml
MT
  say 'i= outside d= is left out' $ours b@example.net \
    'From: a@out.example.org' "$date" <<'MT'
expect continue|accept
count DKIM-Signature 1
count DKIM-Signature 0 *example.com*
MT
  say '"%" as domain and in i=' $ours b@example.net \
    'From: a@list.example' "$date" <<'MT'
expect continue|accept
has DKIM-Signature *d=list.example*i=agent@list.example*
MT
  macro='macro {auth_author}=s@list.example
' say 'the macro says who' $ours b@example.net "$from" "$date" <<'MT'
expect continue|accept
has DKIM-Signature *d=list.example*
MT
  say 'no Date: refused, ours' $ours b@example.net "$from" <<'MT'
expect reject|replycode 550*
MT
  say 'no Date: refused, foreign' $foreign b@example.net "$from" <<'MT'
expect reject|replycode 550*
MT
  say 'two Subject fields: refused' $foreign b@example.net "$from" "$date" \
    'Subject: a' 'Subject: b' <<'MT'
expect reject|replycode 550*
MT
} >"$dir/tables.mt"
compare tables

sed -e 's/s=rsa;/s=gone;/' "$dir/signed.eml" >"$dir/gone.eml"
sed -e 's/^Date:/X-Flag: 1\nDate:/' "$dir/signed.eml" >"$dir/flag.eml"
sed -e 's/^body/Body/' "$dir/signed.eml" >"$dir/changed.eml"
verify() { # LABEL FILE
  printf 'test %s\nconnect h.example %s\nhelo h\n' "$1" "$foreign"
  printf 'envelope <a@example.org> <b@example.net>\nmessage-file %s\n' "$2"
  cat
}
both <<CONF
Mode v
MustBeSigned X-Flag,X-None
On-KeyNotFound discard
On-BadSignature reject
--
sign = { enable = false; };
verify = { required_headers = "X-Flag,X-None"; on_no_key = "discard";
  on_fail = "reject"; on_policy = "reject"; on_permerror = "reject"; };
CONF
{
  verify 'passes without the fields that must be signed' signed.eml <<'MT'
expect continue|accept
has Authentication-Results *dkim=pass*list.example*
MT
  verify 'does not pass with one of them unsigned' flag.eml <<'MT'
expect answered
count Authentication-Results 0 *dkim=pass*
MT
  verify 'no such key: discarded' gone.eml <<'MT'
expect discard
MT
  verify 'a wrong signature: refused' changed.eml <<'MT'
expect reject|replycode 550*
MT
} >"$dir/verify.mt"
compare verify
finish
