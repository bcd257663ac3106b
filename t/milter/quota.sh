# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and mfx-quota. Sourced by bash.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

daemon=$build/mfx-quota
[ -x "$daemon" ] || skip_all "mfx-quota is not built"
mfxctl=$build/mfxctl
load=$build/t/bench/load

# The configuration goes to NAME.conf; more settings on standard input.
config() { # NAME
  cat >"$dir/$1.conf.new" <<CONF
socket = "$SOCK";
socket_mode = "0600";
user = "$(id -un)";
control = { socket = "$dir/$1.ctl"; };
log = { target = "stderr"; level = "info"; };
drain_timeout = "20s";
$(cat)
CONF
  mv "$dir/$1.conf.new" "$dir/$1.conf"
}

start_quota() { # NAME [OPTION...]
  local name=$1
  shift
  start "$name" "$daemon" -c "$dir/$name.conf" "$@"
}

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
    tail -n 40 "$dir/$1.log" | sed 's/^/# /'
  }
  result "$status" "$1 ends with status 0"
}
