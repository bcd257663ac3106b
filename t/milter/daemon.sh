# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and one of the daemons: . daemon.sh mfx-quota. Sourced by bash.
daemon_name=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

daemon=$build/$daemon_name
[ -x "$daemon" ] || skip_all "$daemon_name is not built"

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

start_daemon() { # NAME [OPTION...]
  local name=$1
  shift
  start "$name" "$daemon" -c "$dir/$name.conf" "$@"
}
