# SPDX-License-Identifier: BSD-2-Clause
# setup.sh - what quickstart.sh and test.sh do alike (sourced by bash):
# install Debian packages and build out of tree.

BUILD_PACKAGES="autoconf automake libtool pkg-config make gcc libc6-dev
  libmilter-dev libssl-dev libc-ares-dev libconfig-dev liblmdb-dev
  libsqlite3-dev libhiredis-dev libcurl4-openssl-dev libmicrohttpd-dev libjansson-dev libidn2-dev libpsl-dev zlib1g-dev libzstd-dev
  publicsuffix libcmocka-dev libspf2-dev"
MTA_PACKAGES="postfix nsd python3 swaks openssl"
TEST_PACKAGES="bind9-dnsutils bind9-utils clamav clamav-daemon clamav-milter clang clang-format dovecot-sieve git groff libclang-rt-dev m4 mandoc opendkim opendkim-tools
  libmail-dkim-perl libmail-srs-perl lmdb-utils perl postfix-lmdb postsrsd
  policyd-rate-limit postfix-policyd-spf-python postfwd procps pyspf-milter python3-dkim python3-nacl python3-spf python3-yaml
  redis-sentinel redis-server rspamd spamass-milter spamassassin spamc spamd sqlite3 tzdata xz-utils"

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# An MTA is never taken away from a machine: Debian has room for one.
refuse_other_mta() {
  local owner
  [ -e /usr/sbin/sendmail ] || return 0
  owner=$(dpkg -S /usr/sbin/sendmail 2>/dev/null | cut -d: -f1)
  [ "$owner" = postfix ] || die "another MTA (${owner:-not a package}) is here, and \
installing Postfix would replace it. Use a fresh Debian 12 or a container."
}

# Installs what is missing, without starting any of it: the private servers
# are started by us, on high ports.
install_packages() {
  local missing=() name guard=/usr/sbin/policy-rc.d rc=0
  for name in "$@"; do is_installed "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "not installed: ${missing[*]}. Run as root."
  refuse_other_mta
  printf 'installing: %s\n' "${missing[*]}"
  if [ -e $guard ]; then guard=; else
    printf '#!/bin/sh\nexit 101\n' >$guard && chmod 755 $guard
  fi
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
    --no-install-recommends "${missing[@]}"; } </dev/null >"$INSTALL_LOG" 2>&1 || rc=$?
  [ -z "$guard" ] || rm -f "$guard"
  [ $rc = 0 ] || { tail -n 30 "$INSTALL_LOG" >&2; die "apt-get failed: $INSTALL_LOG"; }
}

# build SOURCE BUILD-FOLDER CONFIGURE-ARGUMENT...
build() {
  local source=$1 folder=$2; shift 2
  [ ! -e "$source/config.status" ] ||
    die "$source has been configured in place; run 'make distclean' there first"
  mkdir -p "$folder"
  [ "$source/configure" -nt "$source/configure.ac" ] &&
    [ -z "$(find "$source" -name '*.am' -newer "$source/configure" | head -n 1)" ] ||
    (cd "$source" && autoreconf -fi) >"$folder/autoreconf.log" 2>&1 ||
    { cat "$folder/autoreconf.log" >&2; die "autoreconf failed"; }
  (cd "$folder" && "$source/configure" -q "$@") || die "configure failed"
  make -s -C "$folder" -j"$(nproc)" >"$folder/build.log" 2>&1 ||
    { grep -vE '^  [A-Z]+ ' "$folder/build.log" >&2; die "the build failed"; }
}
