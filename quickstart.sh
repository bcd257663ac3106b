#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# quickstart.sh - see mfx-dkim sign and verify real mail, in a few minutes
#
#   ./quickstart.sh           run the demonstration, then stop all it started
#   ./quickstart.sh --keep    leave Postfix, NSD and mfx-dkim running
#   ./quickstart.sh --stop    stop what --keep left
#
# For a fresh Debian 12, as root. It installs packages (without starting their
# services), builds into build-quickstart/, and keeps everything else in one
# folder, /var/lib/mfx-quickstart. All servers are private ones on free ports
# of 127.0.0.1; a mail system that runs here already is not touched.
set -eu
source=$(cd "$(dirname "$0")" && pwd)
. "$source/t/lib/setup.sh"
top=$source/build-quickstart
state=/var/lib/mfx-quickstart
demo=(/usr/bin/python3 -B "$source/t/lib/quickstart.py" --build "$top" --state "$state")

[ "$(id -u)" = 0 ] || die "must be run as root (it installs packages and starts a Postfix)"
case ${1-} in
"" | --keep) ;;
--stop) exec "${demo[@]}" --stop ;;
*) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 64 ;;
esac

mkdir -p "$top"
INSTALL_LOG=$top/apt.log
say "1. packages"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $MTA_PACKAGES
say "2. build (in build-quickstart/)"
build "$source" "$top"
exec "${demo[@]}" "$@"
