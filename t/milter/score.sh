# SPDX-License-Identifier: BSD-2-Clause
# daemon.sh for mfx-score, with engines that answer as the mail says
# (t/lib/scanliar). Sourced by bash.
. "$(dirname "${BASH_SOURCE[0]}")/daemon.sh" mfx-score

declare -A liar_ports

# Another instance of all three engines; its port in ${liar_ports[NAME]}.
start_liar() { # NAME [OPTION...]
  local name=$1 fd
  shift
  mkfifo "$dir/$name.in"
  exec {fd}<>"$dir/$name.in"
  "$src/t/lib/scanliar" --log "$dir/$name.log" "$@" \
    <"$dir/$name.in" >"$dir/$name.out" 2>"$dir/$name.err" {fd}<&- &
  pids[$name]=$!
  await grep -q '^port' "$dir/$name.out"
  liar_ports[$name]=$(sed -n 's/^port //p' "$dir/$name.out")
}

# How all connections are served from now on.
tell_liar() { # NAME MODE
  local before
  before=$(grep -c '^0 ' "$dir/$1.log")
  echo "$2" >"$dir/$1.in"
  await liar_has_more "$1" '^0 ' "$before"
}

liar_count() { grep -cE -- "$2" "$dir/$1.log"; }          # NAME REGEX
liar_has_more() { [ "$(liar_count "$1" "$2")" -gt "$3" ]; } # NAME REGEX N
liar_has() { [ "$(liar_count "$1" "$2")" -ge "$3" ]; }      # NAME REGEX N

engine() { # TYPE LIAR [SETTING...]: for the list of engines
  local type=$1 liar=$2
  shift 2
  echo "{ type = \"$type\"; servers = [ \"127.0.0.1:${liar_ports[$liar]}\" ]; $* }"
}

descriptors() { find "/proc/${pids[$1]}/fd" -mindepth 1 2>/dev/null | wc -l; }
few_descriptors() { [ "$(descriptors "$1")" -le "$2" ]; } # NAME MAX
peak_kb() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pids[$1]}/status"; }

# Fails when a message holds what no field may hold.
cat >"$dir/is-clean" <<'SH'
#!/bin/sh
! LC_ALL=C grep -anP '[^\x20-\x7e\t\r]|\r.' "$1"
SH
chmod +x "$dir/is-clean"

# A message with fields of its own, one a line on standard input (escapes are
# taken as they are).
mail() { # LABEL
  echo "test $1"
  echo "mark"
  echo "start"
  echo "envelope <a@example.org> <b@example.net>"
  echo "message"
  sed 's/\\/\\\\/g'
  printf '%s\n' "From: a@example.org" "Subject: a message" "" "body" "."
}
