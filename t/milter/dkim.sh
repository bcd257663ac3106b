# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and mfx-dkim: keys, zone, configuration. Sourced by bash.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

daemon=$build/mfx-dkim
[ -x "$daemon" ] || daemon=$build/milters/dkim/mfx-dkim
[ -x "$daemon" ] || skip_all "mfx-dkim is not built"
export MT_CHECK="$src/t/milter/check-signatures $dir/zone"

public_rsa() { openssl pkey -in "$1" -pubout -outform DER | base64 -w0; }
public_ed() { openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | base64 -w0; }

# One RSA and one Ed25519 key for each domain, from templates that %s names.
make_keys() {
  openssl genrsa -out "$dir/rsa.pem" 2048 2>/dev/null
  openssl genpkey -algorithm ed25519 -out "$dir/ed.pem" 2>/dev/null
  chmod 600 "$dir/rsa.pem" "$dir/ed.pem"
  rsa_record="v=DKIM1; k=rsa; p=$(public_rsa "$dir/rsa.pem")"
  ed_record="v=DKIM1; k=ed25519; p=$(public_ed "$dir/ed.pem")"
}

zone() { # DOMAIN...: both selectors of each
  local d
  for d in "$@"; do
    echo "rsa._domainkey.$d TXT $rsa_record"
    echo "ed._domainkey.$d TXT $ed_record"
  done >>"$dir/zone"
}

# The configuration goes to NAME.conf; more settings on standard input win.
config() { # NAME
  cat >"$dir/$1.conf.new" <<CONF
socket = "$SOCK";
socket_mode = "0600";
user = "$(id -un)";
control = { socket = "$dir/$1.ctl"; };
log = { target = "stderr"; level = "info"; };
authserv_id = "mx.example.net";
drain_timeout = "20s";
$(cat)
CONF
  mv "$dir/$1.conf.new" "$dir/$1.conf"
}

sign_settings() { # DOMAINS [SELECTORS]
  echo "sign = { domains = \"csl:$1\"; key_path = \"$dir/%s.pem\";"
  echo "selectors = [ ${2:-\"rsa\", \"ed\"} ]; };"
}

start_dkim() { # NAME [OPTION...]
  local name=$1
  shift
  start "$name" "$daemon" -c "$dir/$name.conf" "$@"
}

descriptors() { find "/proc/${pids[$1]}/fd" -mindepth 1 2>/dev/null | wc -l; }
threads() { find "/proc/${pids[$1]}/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }
