# SPDX-License-Identifier: BSD-2-Clause
# What the t/milter/*.t scripts share: a private directory, daemons that are
# stopped at the end, TAP lines with running numbers. Sourced by bash.
#
#   . "$(dirname "$0")/lib.sh"
#   start floor "$MFX_BUILDDIR/t/bench/floor" -s "$SOCK"
#   talk scenarios/client.mt
#   ok "it still runs" alive floor
#   finish
set -u
src=${MFX_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${MFX_BUILDDIR:-$src}
scenarios=$src/t/milter/scenarios
dir=$(mktemp -d "${TMPDIR:-/tmp}/mfx-milter.XXXXXX")
SOCK=unix:$dir/milter.sock
mfxctl=$build/mfxctl
load=$build/t/bench/load
tests=0 failures=0
# Sanitizers make everything slower; nothing here waits longer than it must.
patience=${MFX_TEST_PATIENCE:-60}
# What a sanitizer finds must be seen: a report ends the daemon with 99.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=99:detect_leaks=1"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:halt_on_error=1:exitcode=99"
# Threads that live as long as the daemon are no leak.
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}exitcode=99:halt_on_error=0:report_thread_leaks=0:suppressions=$src/t/milter/tsan.supp"
declare -A pids

# A dead daemon that nobody has reaped yet is gone, too.
alive() { # NAME
  local state
  state=$(cut -d' ' -f3 "/proc/${pids[$1]}/stat" 2>/dev/null) || return 1
  [ "$state" != Z ]
}

start() { # NAME COMMAND...: its output goes to $dir/NAME.log
  local name=$1
  shift
  "$@" >>"$dir/$name.log" 2>&1 &
  pids[$name]=$!
}

# Waits until the command succeeds; false when patience runs out.
await() { # COMMAND...
  local until=$((SECONDS + patience))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.05
  done
}

ready() { # NAME SOCKET: it answers the first packet
  alive "$1" && "$build/t/bench/load" --socket "$2" --probe --timeout 5000
}

gone() { ! alive "$1"; }

stop() { # NAME [SIGNAL]: its exit status in $status
  status=0
  [ -n "${pids[$1]:-}" ] || return 0
  kill -"${2:-TERM}" "${pids[$1]}" 2>/dev/null
  if ! await gone "$1"; then
    kill -KILL "${pids[$1]}" 2>/dev/null
  fi
  wait "${pids[$1]}" 2>/dev/null || status=$?
  unset "pids[$1]"
}

cleanup() {
  local name
  for name in "${!pids[@]}"; do stop "$name"; done
  if [ $failures -ne 0 ] && [ -n "${MFX_TEST_KEEP:-}" ]; then
    echo "# kept: $dir"
  else
    rm -rf "$dir"
  fi
}
trap cleanup EXIT

result() { # STATUS LABEL
  tests=$((tests + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $tests - $2"
  else
    failures=$((failures + 1))
    echo "not ok $tests - $2"
  fi
}

ok() { # LABEL COMMAND...
  local label=$1
  shift
  "$@" >"$dir/ok.out" 2>&1
  local rc=$?
  [ $rc -eq 0 ] || sed 's/^/# /' "$dir/ok.out" | tail -n 20
  result $rc "$label"
}

# Runs scripts with miltertalk against daemon NAME and counts their tests.
talk() { # NAME SCRIPT...
  local name=$1 line
  shift
  while IFS= read -r line; do
    case $line in
    "ok "*) result 0 "${line#ok * - }" ;;
    "not ok "*) result 1 "${line#not ok * - }" ;;
    1..*) ;;
    *) echo "$line" ;;
    esac
  done < <(cd "$dir" && "$build/t/milter/miltertalk" -s "$SOCK" \
    -p "${pids[$name]}" -l "$dir/$name.log" -t $((patience * 1000)) "$@" ||
    [ $? -eq 1 ] || echo "not ok 0 - miltertalk failed: $*")
}

rss_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pids[$1]}/status"; }

# Not a sanitizer build: memory can be measured.
is_plain() { ! grep -q '^CFLAGS = .*-fsanitize' "$build/Makefile"; }

skip_all() {
  echo "1..0 # SKIP $1"
  exit 0
}

finish() {
  echo "1..$tests"
  [ $failures -eq 0 ]
  exit
}

# --- daemons on the harness: NAME.conf, NAME.ctl, NAME.log ---

control() { # NAME VERB...
  local name=$1
  shift
  "$mfxctl" --socket "$dir/$name.ctl" "$@"
}

logged() { grep -qE -- "$2" "$dir/$1.log"; } # NAME REGEX

# Ends the daemon; what a sanitizer found shows in its exit status.
stop_clean() { # NAME
  stop "$1"
  [ "$status" -eq 0 ] || {
    echo "# exit status $status"
    tail -n 60 "$dir/$1.log" | sed 's/^/# /'
  }
  result "$status" "$1 ends with status 0"
}
