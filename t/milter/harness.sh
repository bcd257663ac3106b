# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and test_filter: a daemon on the harness that does what it is told.
# Sourced by bash.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

filter=$build/t/milter/test_filter
[ -x "$filter" ] || skip_all "test_filter is not built"

# The configuration goes to NAME.conf in one move, as an editor would do it.
config() { # NAME [SOCKET]: settings on standard input
  touch "$dir/zone"
  cat >"$dir/$1.conf.new" <<CONF
socket = "${2:-$SOCK}";
user = "$(id -un)";
control = { socket = "$dir/$1.ctl"; };
log = { target = "stderr"; level = "info"; };
dns = { test_data = "$dir/zone"; };
$(cat)
CONF
  mv "$dir/$1.conf.new" "$dir/$1.conf"
}

start_filter() { # NAME [OPTION...]
  local name=$1
  shift
  start "$name" "$filter" -c "$dir/$name.conf" "$@"
}

log_count() { grep -cE -- "$2" "$dir/$1.log"; } # NAME REGEX

has_tsan() { grep -q __tsan_init "$1"; }
