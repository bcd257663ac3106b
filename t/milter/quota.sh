# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and mfx-quota. Sourced by bash.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

daemon=$build/mfx-quota
[ -x "$daemon" ] || skip_all "mfx-quota is not built"

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
