#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A daemon's life: options, reload by every way, broken configurations, stop
# signals with messages in flight, junk on the control socket.
. "$(dirname "$0")/harness.sh"

# --- the command line ---
exits() { # STATUS COMMAND...
  local want=$1 got=0
  shift
  "$@" || got=$?
  [ "$got" -eq "$want" ] || { echo "exit status $got, not $want"; false; }
}
config check <<<'word = "one";'
ok "-t accepts" exits 0 "$filter" -t -c "$dir/check.conf"
config broken <<<'word = "broken";'
ok "-t refuses what the policy refuses" exits 78 "$filter" -t -c "$dir/broken.conf"
ok "with file and line" bash -c "'$filter' -t -c '$dir/broken.conf' 2>&1 | grep -q 'broken.conf:6: word: is broken'"
config unknown <<<'wrod = "one";'
ok "an unknown name gets a hint" bash -c "'$filter' -t -c '$dir/unknown.conf' 2>&1 | grep -q 'unknown.conf:6:.*word'"
ok "a broken socket is refused" exits 78 "$filter" -t -c "$dir/check.conf" -s inet:x
ok "no configuration is an error" exits 78 "$filter" -c "$dir/none.conf"
ok "an unknown option is a usage error" exits 64 "$filter" --nonsense
ok "so is an argument" exits 64 "$filter" nonsense
ok "-V" exits 0 "$filter" -V
ok "-h" exits 0 "$filter" -h
ok "--man" exits 0 "$filter" --man
dump_twice() {
  "$filter" -T -c "$dir/check.conf" >"$dir/dump1" &&
    "$filter" -T -c "$dir/dump1" >"$dir/dump2" && cmp "$dir/dump1" "$dir/dump2"
}
ok "a dump loads and dumps the same" dump_twice
example() { "$filter" --example >"$dir/example.conf" && "$filter" -T -c "$dir/example.conf" >/dev/null; }
ok "the example loads" example

# --- start ---
config life <<CONF
word = "one";
pid_file = "$dir/life.pid";
drain_timeout = "20s";
at = { eom = ["echo word"]; };
CONF
touch "$dir/milter.sock"
start_filter life
fails_on_file() { await gone life && logged life "is there, and is no socket"; }
ok "it does not start over a file" fails_on_file
rm -f "$dir/milter.sock"
python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/milter.sock"
start_filter life
ok "it starts over a stale socket" await ready life "$SOCK"
ok "the socket has its mode" test "$(stat -c %a "$dir/milter.sock")" = 660
ok "the control socket has its mode" test "$(stat -c %a "$dir/life.ctl")" = 600
ok "the PID file names it" test "$(cat "$dir/life.pid")" = "${pids[life]}"
config second <<<''
start_filter second
second_fails() { await gone second && logged second "another process listens there"; }
ok "a second one on the same socket does not start" second_fails
ok "and the first one still answers" ready life "$SOCK"

# --- reload ---
echo_word() { # WORD: what a new message gets
  "$load" --socket "$SOCK" --messages 1 --warm 0 --expect X-Echo --value "word=<$1>"
}
ok "messages get the first word" echo_word one
sed -i 's/word = "one"/word = "two"/' "$dir/life.conf"
ok "a changed file is noticed" await logged life 'reloaded why="files changed" snapshot=2'
ok "messages get the second word" echo_word two
ok "mfxctl reload" control life reload
ok "HUP" kill -HUP "${pids[life]}"
ok "is seen" await logged life "reloaded why=HUP snapshot=4"
sed -i 's/word = "two"/word = "broken"/' "$dir/life.conf"
ok "a broken file is not taken" await logged life "reload_failed"
ok "the log says why, with file and line" logged life "life.conf:6: word: is broken"
ok "mfxctl reload fails, too" bash -c "! '$mfxctl' --socket '$dir/life.ctl' reload"
ok "and the old word stays" echo_word two
ok "status says that the last reload failed" bash -c "'$mfxctl' --socket '$dir/life.ctl' status | grep -q 'last_reload: failed'"
sed -i 's/word = "broken"/word = "three"/; s/life.pid/other.pid/' "$dir/life.conf"
ok "mended" await logged life 'reloaded why="files changed" snapshot=5'
ok "a setting that needs a restart is named" logged life "pid_file: a change takes effect at the next restart"
ok "a verb of the filter" bash -c "test \"\$('$mfxctl' --socket '$dir/life.ctl' word)\" = three"
ok "log level" bash -c "'$mfxctl' --socket '$dir/life.ctl' log debug && '$mfxctl' --socket '$dir/life.ctl' status | grep -q 'log_level: debug'"
control life log info >/dev/null
talk life "$scenarios/harness-reload.mt"

# --- junk on the control socket ---
junk() {
  python3 - "$dir/life.ctl" <<'PY'
import os, socket, sys, time
def dial():
    s = socket.socket(socket.AF_UNIX); s.settimeout(20)
    for _ in range(2000): # EAGAIN: the queue is full
        try: s.connect(sys.argv[1]); break
        except BlockingIOError: time.sleep(0.01)
    return s
idle = [dial() for _ in range(20)]
for junk in (b"\n", b"\0\0\0\n", b"x" * 5000, b"json \n", b"status extra words\n", b"json\n",
             os.urandom(3000) + b"\n", b"status", b" status\n", b"explain \xff\xfe\n", b"log loud\n"):
    s = dial()
    try:
        s.sendall(junk); s.shutdown(socket.SHUT_WR)
        while s.recv(65536): pass
    except OSError: pass
for i in range(300):
    s = dial(); s.send(os.urandom(i)); s.close()
for i in range(50):
    s = dial(); s.send(b"metrics\n"); s.close()
for s in idle: s.close()
s = dial(); s.sendall(b"help\n"); out = b""
while True:
    d = s.recv(65536)
    if not d: break
    out += d
assert out.startswith(b"ok\n") and b"explain" in out, out
PY
}
ok "the control socket outlives junk" junk
ok "and the daemon runs" ready life "$SOCK"

# --- under load ---
hups=${MFX_TEST_HUPS:-1000}
has_tsan "$filter" && hups=50
under_load() { # MESSAGES: load in the background while HUPs rain
  "$load" --socket "$SOCK" --messages "$1" --warm 0 --connections 8 \
    --expect X-Echo >"$dir/load.out" 2>&1 &
  local loader=$! i
  for ((i = 0; i < hups; i++)); do
    kill -HUP "${pids[life]}" || return 1
    ((i % 20)) || sleep 0.05
  done
  wait $loader
}
ok "reloads under load" under_load 20000
ok "it still answers" ready life "$SOCK"
descriptors() { find "/proc/${pids[life]}/fd" -mindepth 1 | wc -l; }
few_descriptors() { [ "$(descriptors)" -lt 60 ]; }
ok "descriptors are not lost" await few_descriptors

# --- the end ---
python3 - "$dir/milter.sock" >"$dir/held" 2>&1 <<'PY' &
import socket, struct, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
def put(c, d=b""): s.sendall(struct.pack(">I", len(d) + 1) + c + d)
def get():
    n = struct.unpack(">I", s.recv(4, socket.MSG_WAITALL))[0]
    return s.recv(n, socket.MSG_WAITALL)
put(b"O", struct.pack(">III", 6, 0x1ff, 0x1fffff))
while get()[:1] != b"O": pass
put(b"C", b"host\0" + b"4" + struct.pack(">H", 25) + b"192.0.2.1\0"); put(b"H", b"me\0")
put(b"M", b"<a@example.org>\0"); get()
put(b"R", b"<b@example.org>\0"); get()
put(b"T"); get()
print("held", flush=True)
time.sleep(1.5)
put(b"N"); put(b"E")
while True:
    r = get()
    if r[:1] in b"cart": break
print("answer", r[:1].decode(), flush=True)
PY
holder=$!
ok "a message is in flight" await grep -q held "$dir/held"
kill -TERM "${pids[life]}"
no_socket() { [ ! -e "$dir/milter.sock" ]; }
ok "TERM removes the socket" await no_socket
ok "while the daemon waits" alive life
wait $holder
ok "the message in flight is answered" grep -q "answer c" "$dir/held"
ok "then it ends" await gone life
status=0
wait "${pids[life]}" || status=$?
ok "with status 0" test "$status" = 0
unset "pids[life]"
ok "control socket and PID file are gone" test ! -e "$dir/life.ctl" -a ! -e "$dir/life.pid"

sed -i 's/drain_timeout = "20s"/drain_timeout = "1s"/' "$dir/life.conf"
start_filter life
ok "it starts again" await ready life "$SOCK"
term_under_load() {
  "$load" --socket "$SOCK" --messages 30000 --warm 0 --connections 8 >"$dir/load2.out" 2>&1 &
  local loader=$!
  sleep 1
  kill -TERM "${pids[life]}"
  await gone life || return 1
  wait $loader
  wait "${pids[life]}"
}
ok "TERM under load ends it with status 0" term_under_load

# The kernel gives a signal that comes while another waits to any thread that
# wants it; libmilter's would stop without regard for messages in flight.
unset "pids[life]"
start_filter life
ok "and once more" await ready life "$SOCK"
before=$(grep -ac 'reason="libmilter has ended"' "$dir/life.log")
term_behind_hups() {
  kill -HUP "${pids[life]}"; kill -HUP "${pids[life]}"; kill -TERM "${pids[life]}"
  await gone life && wait "${pids[life]}"
}
for _ in 1 2 3 4 5; do
  term_behind_hups || break
  start_filter life
  await ready life "$SOCK" || break
done
ok "TERM right behind HUP ends it with status 0" term_behind_hups
ours() { [ "$(grep -ac 'reason="libmilter has ended"' "$dir/life.log")" = "$before" ]; }
ok "each time by our own thread" ours
unset "pids[life]"

# --- detached, notifying, over HTTP ---
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
config away <<CONF
pid_file = "$dir/away.pid";
metrics = { listen = "127.0.0.1:$port"; };
CONF
python3 - "$dir/notify" >"$dir/notified" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
while True:
    d = s.recv(1000).decode(); print(d, flush=True)
    if "STOPPING" in d: break
PY
listener=$!
await test -S "$dir/notify"
ok "-D returns when it is ready" env NOTIFY_SOCKET="$dir/notify" "$filter" -D -c "$dir/away.conf"
pids[away]=$(cat "$dir/away.pid")
ok "it answers" ready away "$SOCK"
ok "the service manager was told" await grep -q READY=1 "$dir/notified"
ok "metrics over HTTP" python3 -c "
import urllib.request as u
t = u.urlopen('http://127.0.0.1:$port/metrics', timeout=10).read().decode()
assert 'mfx_build_info{daemon=\"test_filter\"' in t and t.count('# TYPE mfx_messages_total') == 1"
kill -TERM "${pids[away]}"
ok "it stops" await gone away
unset "pids[away]"
wait $listener
ok "and said so" grep -q STOPPING=1 "$dir/notified"
config away <<<'word = "broken";'
ok "-D gives the status of a failed start" exits 78 "$filter" -D -c "$dir/away.conf"
finish
