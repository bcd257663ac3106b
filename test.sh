#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test.sh - installs what the tests need and runs all of them
#
#   ./test.sh [STAGE...]
#
# Stages, in order: check (unit tests, fuzz corpora, milter tests), mta (real
# Postfix and Sendmail, other implementations), asan (the first stage under
# AddressSanitizer and UBSan), tsan (the same under ThreadSanitizer), dist
# (make distcheck). Without arguments all but dist.
#
# Environment: BUILD_DIR (default build-test) for builds and logs;
# MFX_CACHE_DIR (default /var/cache/mfx-test) for unpacked packages;
# MFX_LAB_DIR (default /var/lib) for the state of private servers.
# The last line says how many passed and failed; the status is 0 if all passed.
set -u
source=$(cd "$(dirname "$0")" && pwd)
. "$source/t/lib/setup.sh"
top=${BUILD_DIR:-$source/build-test}
mkdir -p "$top" && top=$(cd "$top" && pwd) || exit 1
INSTALL_LOG=$top/apt.log
export MFX_SRCDIR=$source PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
passed=0 failed=0

# Reads prove's own counts out of its output; a run that failed without
# naming a test (a crash, a bad plan, a build error) counts as one.
count() { # LOG STATUS
  local all bad
  read -r all bad < <(awk '
    match($0, /^Files=[0-9]+, Tests=[0-9]+/) {
      split(substr($0, RSTART, RLENGTH), part, "="); all += part[3] }
    /^ *Failed [0-9]+\/[0-9]+ subtests/ { bad += $2 }
    END { print all + 0, bad + 0 }' "$1")
  [ "$2" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  failed=$((failed + bad))
  [ "$all" -lt "$bad" ] || passed=$((passed + all - bad))
}

run() { # LABEL COMMAND...
  local log=$top/$1.log status
  say "$1"
  shift
  "$@" </dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  count "$log" "$status"
  return "$status"
}

with_build() { # BUILD-FOLDER COMMAND...
  local folder=$1; shift
  cd "$folder" && MFX_BUILDDIR=$folder MFX_LIBEXECDIR=$folder "$@"
}

stage_check() {
  run build build "$source" "$top/gcc" --enable-werror || return
  run check make -s -C "$top/gcc" check
}

stage_mta() {
  [ -e "$top/gcc/Makefile" ] ||
    run build build "$source" "$top/gcc" --enable-werror || return
  run build make -s -C "$top/gcc" -j"$(nproc)" check-tools || return
  local tests
  tests=$(find "$source/t/mta" "$source/t/interop" -name '*.t' 2>/dev/null | sort)
  # shellcheck disable=SC2086
  run mta with_build "$top/gcc" prove --failures -j2 --timer $tests
}

sanitized() { # NAME FLAGS: with clang, so that the suite sees both compilers
  run "$1-build" build "$source" "$top/$1" --enable-werror CC=clang \
    CFLAGS="-g -O1 -fno-omit-frame-pointer $2"
}

stage_asan() {
  sanitized asan "-fsanitize=address,undefined -fno-sanitize-recover=all" || return
  export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:quarantine_size_mb=4
  export UBSAN_OPTIONS=print_stacktrace=1
  run asan make -s -C "$top/asan" check style_tests=
}

stage_tsan() {
  sanitized tsan "-fsanitize=thread" || return
  # libmilter's own races are listed there, ours are not; its threads, and the
  # parser of the last keys, are left to the end of the process
  export TSAN_OPTIONS=allocator_may_return_null=1:report_thread_leaks=0:suppressions=$source/t/milter/tsan.supp
  # commands have no threads to speak of; ASan has seen them
  run tsan make -s -C "$top/tsan" check style_tests= tools_tests=
}

stage_dist() {
  run dist make -s -C "$top/gcc" distcheck
}

cd "$source" || exit 1
say "packages"
# shellcheck disable=SC2086
(install_packages $BUILD_PACKAGES $MTA_PACKAGES $TEST_PACKAGES) || exit 1
[ $# -gt 0 ] || set -- check mta asan tsan
for stage in "$@"; do
  case $stage in
  check | mta | asan | tsan | dist) "stage_$stage" ;;
  *) die "no such stage: $stage" ;;
  esac
done
say "all stages: $*"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
