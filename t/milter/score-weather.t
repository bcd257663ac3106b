#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mfx-score and engines in every state: each message is answered in time, as
# the setting for an engine that fails says; one log line for each; nothing that
# an engine made up reaches a header or a reply; no connection, file or memory
# stays.
. "$(dirname "$0")/score.sh"

deadline=1500
start_liar liar

# Which engine, what it does to the mail, what that is (fail: no answer; pass:
# an answer that lets the mail through; any).
cases=$(cat <<'CASES'
rspamd|silent|!silent|fail
rspamd|a byte each 300 ms|!slow 300|fail
rspamd|closes without a word|!none|fail
rspamd|closes within its answer|!cut|fail
rspamd|resets within its answer|!reset|fail
rspamd|an answer of 100 MB|!huge 104857600|fail
rspamd|a header of 100 MB|!head 104857600|fail
rspamd|500|!status 500 oops|fail
rspamd|404|!status 404 {"error":"not found"}|fail
rspamd|403|!status 403 {"error":"no"}|fail
rspamd|no status line|!raw hello\r\n\r\n|fail
rspamd|a status line without end|!raw HTTP/1.1 200 OK\(9000*x)|fail
rspamd|a length that is no number|!raw HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}|fail
rspamd|a length that is negative|!raw HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}|fail
rspamd|a chunk without end|!raw HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{"a|fail
rspamd|a chunk of no size|!raw HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n|fail
rspamd|a length too large|!length 50|fail
rspamd|a length too small|!length -5|fail
rspamd|JSON cut off|!body {"action":"no action","score":|fail
rspamd|JSON with a NUL|!body {"action":"no action\0","score":1}|any
rspamd|no JSON|!body hello|fail
rspamd|an array|!body []|fail
rspamd|no content|!body |fail
rspamd|10000 brackets|!body \(10000*[)|fail
rspamd|a score NaN|{"action":"no action","score":NaN}|fail
rspamd|a score that is infinite|{"action":"no action","score":Infinity}|fail
rspamd|a score of 1e999|{"action":"no action","score":1e999}|fail
rspamd|a score of -1e999|{"action":"no action","score":-1e999}|fail
rspamd|a score as text|{"action":"no action","score":"inf"}|any
rspamd|a score of 1e300|{"action":"no action","score":1e300,"required_score":15}|any
rspamd|a score of -1e300|{"action":"no action","score":-1e300,"required_score":15}|any
rspamd|a negative score|{"action":"no action","score":-7.5,"required_score":15}|pass
rspamd|no score|{"action":"no action"}|any
rspamd|no action|{"score":1}|any
rspamd|an unknown action|{"action":"dance","score":1}|any
rspamd|line ends in names of fields|{"action":"no action","score":1,"milter":{"add_headers":{"X-Evil\r\nX-Evil2":"1","X-Evil: 1\nX-Evil2":{"value":"1","order":0},"":"1","X Evil":"1"}}}|pass
rspamd|line ends in values of fields|{"action":"no action","score":1,"milter":{"add_headers":{"X-Good":"a\r\nX-Evil: 1","X-Good2":{"value":"b\n\nX-Evil: 1","order":1},"X-Good3":"c\u0000\u001b[2J"}}}|pass
rspamd|line ends in a DKIM signature|{"action":"no action","score":1,"dkim-signature":"v=1; a=\r\nX-Evil: 1\r\n\r\nbody"}|pass
rspamd|line ends in symbols|{"action":"no action","score":1,"symbols":{"A\r\nX-Evil: 1":{"name":"A\r\nX-Evil: 1","score":1,"options":["b\r\nX-Evil: 1"]}}}|pass
rspamd|line ends in addresses|{"action":"no action","score":1,"milter":{"add_rcpt":["x@example.org>\r\nX-Evil: 1"],"del_rcpt":["\r\n"],"change_from":"<\r\n>"}}|pass
rspamd|line ends in a subject|{"action":"rewrite subject","score":8,"subject":"x\r\nX-Evil: 1"}|any
rspamd|edits of the wrong type|{"action":"no action","score":1,"milter":{"add_headers":[1,2],"remove_headers":"x","add_rcpt":{"a":1}},"symbols":[],"dkim-signature":5}|any
rspamd|20000 symbols|!body {"action":"no action","score":1,"symbols":{\(20000*"S":{"score":1},)"T":{"score":1}}}|any
rspamd|two answers|!twice|pass
rspamd|an answer before the mail is there|!early|any
spamd|silent|!silent|fail
spamd|a byte each 300 ms|!slow 300|fail
spamd|closes without a word|!none|fail
spamd|closes within its answer|!cut|fail
spamd|resets within its answer|!reset|fail
spamd|an answer of 100 MB|!huge 104857600|fail
spamd|a header of 100 MB|!head 104857600|fail
spamd|EX_TEMPFAIL|!status 75 EX_TEMPFAIL|fail
spamd|no status line|!raw hello\r\n\r\n|fail
spamd|HTTP|!raw HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n|fail
spamd|no score line|!raw SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n|fail
spamd|a length too large|!length 50|fail
spamd|a length too small|!length -2|fail
spamd|a length that is negative|!length -50|fail
spamd|a score nan|True ; nan / 5.0|fail
spamd|a score inf|True ; inf / 5.0|fail
spamd|a score -inf|True ; -inf / 5.0|fail
spamd|a score of 1e999|True ; 1e999 / 5.0|fail
spamd|a score that is a word|True ; many / 5.0|fail
spamd|a score of 300 digits|False ; -999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999 / 5.0|any
spamd|a negative score|False ; -7.5 / 5.0|pass
spamd|line ends in symbols|False ; 1.0 / 5.0 \| A\r\nX-Evil: 1,B\0C,\x1b[2J|any
spamd|50000 symbols|False ; 1.0 / 5.0 \| \(50000*SYMBOL,)X|any
spamd|two answers|!twice|any
clamd|silent|!silent|fail
clamd|a byte each 300 ms|!slow 300|fail
clamd|closes without a word|!none|fail
clamd|closes within its answer|!cut|fail
clamd|resets within its answer|!reset|fail
clamd|an answer of 100 MB|!huge 104857600|fail
clamd|nonsense|!raw hello\0|fail
clamd|an error|!raw 1: stream: Can't allocate memory ERROR\0|fail
clamd|a line that never ends|!raw 1: stream: \(100000*x)|fail
clamd|the answer to another request|!raw 77: stream: OK\0|fail
clamd|an empty line|!raw \0|fail
clamd|a find without name|!raw 1: stream:  FOUND\0|any
clamd|two answers|!twice|any
CASES
)

weather() { # NAME POLICY
  config "$1" <<CONF
engines = ( $(for type in rspamd spamd clamd; do
    [ $type = rspamd ] || echo ', '
    engine $type liar "on_failure = \"$2\"; max_failures = 1000;
      idle_timeout = \"1s\"; check_interval = \"0\"; sessions = true;"
  done) );
scan_timeout = "${deadline}ms";
thresholds = { tag = 100; };
CONF
}

liar_field() { # TYPE
  case $1 in rspamd) echo Liar-Rspamd ;; spamd) echo Liar-Spamd ;; *) echo Liar-Clamd ;; esac
}

write_cases() { # POLICY
  while IFS= read -r line; do
    type=${line%%|*} line=${line#*|}
    label=${line%%|*} line=${line#*|}
    want=${line##*|} lie=${line%|*}
    echo "$(liar_field "$type"): ${lie//\\|/|}" |
      mail "$1: $type: $label"
    case $1,$want in
    tempfail,fail) echo "expect replycode 451 4.*" ;;
    accept,fail)
      echo "expect continue|accept"
      if [ "$type" = clamd ]; then
        echo "has X-Virus-Status *Unscanned*clamd*"
      else
        echo "has X-Spam-Status *nscanned*$type*"
      fi
      ;;
    *,pass) echo "expect continue|accept" ;;
    *) echo "expect answered" ;;
    esac
    echo "within $((deadline + 2500))"
    echo "log 4T*: *"
    echo "log-count 1 4T*: *"
    echo "count X-Evil 0"
    echo "count X-Evil2 0"
    echo "save case.out"
    echo "run ./is-clean case.out"
    # connections with rests on them are not used again
    mail "$1: $type: $label: the next mail passes" </dev/null
    echo "expect continue|accept"
    echo "within $((deadline + 2500))"
    echo "count X-Spam-Status 0 *nscanned*"
    echo "count X-Virus-Status 1 *Clean*"
  done <<<"$cases"
}

for policy in tempfail accept; do
  weather $policy $policy
  start_daemon $policy
  ok "mfx-score answers ($policy)" await ready $policy "$SOCK"
  mail "$policy: a first message" </dev/null >"$dir/first.mt"
  echo "expect continue|accept" >>"$dir/first.mt"
  talk $policy "$dir/first.mt"
  sleep 1.5
  before=$(descriptors $policy) began=$(peak_kb $policy)
  write_cases $policy >"$dir/cases.mt"
  talk $policy "$dir/cases.mt"
  ok "$policy: no descriptor is left of $(descriptors $policy), $before before" \
    await few_descriptors $policy "$before"
  echo "# peak memory: $began KB before, $(peak_kb $policy) KB after"
  grown() { [ $(($(peak_kb $policy) - began)) -lt 20000 ]; }
  if is_plain; then ok "$policy: answers of 100 MB are not kept" grown; fi
  stop_clean $policy
done
finish
