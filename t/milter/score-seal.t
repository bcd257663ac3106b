#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-score twice: what the first one found out travels on in a signed field,
# and the second one takes it over, or does not.
. "$(dirname "$0")/score.sh"

start_liar liar
printf 'this year\nlast year\n' >"$dir/secrets"
printf 'last year\n' >"$dir/old"
printf 'somebody else\n' >"$dir/other"
chmod 600 "$dir/secrets" "$dir/old" "$dir/other"

sealed() { # LABEL
  printf '%s\n' "Message-ID: <1@example.org>" \
    'Liar-Rspamd: {"action":"no action","score":7.25,"required_score":15}' |
    mail "$1"
}

for secrets in secrets old other; do
  config "$secrets" <<CONF
engines = ( $(engine rspamd liar) );
thresholds = { tag = 5; };
seal = { header = "X-Mfx-Score"; secrets_file = "$dir/$secrets"; };
CONF
  {
    sealed "$secrets: the score is sealed"
    echo "expect continue"
    echo 'has X-Mfx-Score *v=1; k=*; t=*; i=*; s=7.25; a=tag;*e="rspamd=7.25";*m=*b=*'
    echo "save $dir/$secrets.eml"
    sealed "$secrets: a forged seal is replaced" |
      sed 's/^Message-ID/X-Mfx-Score: v=1; s=-9\n&/'
    echo "expect continue"
    echo "count X-Mfx-Score 1"
    echo 'has X-Mfx-Score *s=7.25;*'
  } >"$dir/$secrets.mt"
  start_daemon "$secrets"
  ok "mfx-score answers" await ready "$secrets" "$SOCK"
  talk "$secrets" "$dir/$secrets.mt"
  stop_clean "$secrets"
done

# --- the second stage: its own engine is away ---

second() { # NAME ACCEPT ENGINE-SETTING...
  config "$1" <<CONF
engines = ( { type = "rspamd"; $3 } );
thresholds = { tag = 6; reject = 20; };
seal = { header = "X-Mfx-Score"; accept = "$2"; secrets_file = "$dir/secrets"; };
CONF
}
second_mail() { # LABEL FILE
  echo "test $1"
  echo "mark"
  echo "start"
  echo "envelope <a@example.org> <b@example.net>"
  echo "message-file $2"
}
change() { sed "$2" "$dir/secrets.eml" >"$dir/$1.eml"; } # NAME SED
change forged 's/s=7.25/s=1.25/'
change renamed 's/^Message-ID: <1@/Message-ID: <2@/'
change idless '/^Message-ID/d'
change folded 's/; /;\n\t\t/g'
{
  grep -A9 '^X-Mfx-Score' "$dir/secrets.eml" | sed -n '1p; 2,$ { /^[ \t]/!q; p }'
  cat "$dir/secrets.eml"
} >"$dir/twice.eml"

second instead instead 'servers = [ "127.0.0.1:1" ]; retry = "10ms";'
{
  second_mail "the score is taken over, nobody is asked" "$dir/secrets.eml"
  echo "expect continue"
  echo "has X-Spam-Flag *YES*"
  echo "has X-Spam-Status *Yes, score=7.25 required=6.0*"
  echo "count X-Spam-Status 1"
  echo "count X-Mfx-Score 1"
  echo "log 4T*seal=*"
  second_mail "made with the older secret" "$dir/old.eml"
  echo "expect continue"
  echo "has X-Spam-Score *7.25*"
  second_mail "folded otherwise on the way" "$dir/folded.eml"
  echo "expect continue"
  echo "has X-Spam-Score *7.25*"
  while IFS='|' read -r name why; do
    second_mail "$name: $why" "$dir/$name.eml"
    echo "expect replycode 451 4.7.1 *"
    echo "log 4T*seal=\"$why\"*"
  done <<'LIST'
other|made with a secret that is not known
forged|forged or changed
renamed|made for another message
idless|made for another message
twice|more than one such field
LIST
  echo 'Message-ID: <3@example.org>' | mail "none at all: the engine is asked"
  echo "expect replycode 451 4.7.1 *"
} >"$dir/instead.mt"
start_daemon instead
ok "mfx-score answers" await ready instead "$SOCK"
talk instead "$dir/instead.mt"
stop_clean instead

second add add "servers = [ \"127.0.0.1:${liar_ports[liar]}\" ];"
# the engine of the second stage says less
sed 's/"score":7.25/"score":1.5/' "$dir/secrets.eml" >"$dir/both.eml"
sed 's/s=7.25/s=1.25/' "$dir/both.eml" >"$dir/alone.eml"
{
  second_mail "both scores count" "$dir/both.eml"
  echo "expect continue"
  echo "has X-Spam-Score *8.75*"
  echo 'has X-Mfx-Score *s=8.75;*'
  second_mail "a forged one does not" "$dir/alone.eml"
  echo "expect continue"
  echo "has X-Spam-Score *1.5*"
  echo "count X-Spam-Flag 0"
} >"$dir/add.mt"
start_daemon add
ok "mfx-score answers" await ready add "$SOCK"
talk add "$dir/add.mt"
stop_clean add
finish
