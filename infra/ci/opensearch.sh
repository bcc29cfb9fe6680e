#!/usr/bin/env bash
# An OpenSearch of one node for the tests of search, without a container.
#
#   eval "$(infra/ci/opensearch.sh start)"   starts one on a free port of loopback, and says where it is
#   infra/ci/opensearch.sh stop              ends it and removes its data
#
# Its jars (45 MB) come by Maven, once, from `opensearch/pom.xml`; `opensearch/OpenSearchNode.java` is its main, which Java
# runs as it is. Standard output has a line for `eval` and nothing else; what happens is told on standard error.
#
# Exit codes: 0 it answers (or has stopped), 3 none can be had here (no Java 17, no Maven, no jars), 2 wrong usage,
# 1 anything else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/opensearch"

readonly noSearch=3
readonly fetchDeadlineSeconds=90
readonly startDeadlineSeconds=90
readonly stopDeadlineSeconds=20
readonly pollSeconds=0.2
# A million events need 1g.
heap=${ONSALE_OPENSEARCH_HEAP:-512m}

cache=${ONSALE_CI_CACHE:-$HOME/.cache/onsale}
readonly state=$cache/opensearch
readonly pidFile=$state/pid
readonly portFile=$state/port
readonly log=$state/log
readonly home=$state/home

say() { echo "opensearch: $*" >&2; }

give_up() {
  say "NO OPENSEARCH: $*"
  exit "$noSearch"
}

# Without the marks of a CI run, which would take it for a process that a test left behind.
clean_env() { env -u ONSALE_CI_RUN TMPDIR=/tmp "$@"; }

# The process of the pid file, if it is ours: after a restart of the machine another may have its number.
own_pid() {
  local pid
  pid=$(cat "$pidFile" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "$home" || return 1
  echo "$pid"
}

answers() { curl --silent --fail --max-time 2 "http://127.0.0.1:$1/_cluster/health?wait_for_status=yellow&timeout=1s" >/dev/null; }

tell() { echo "export ONSALE_TEST_OPENSEARCH_URL=http://127.0.0.1:$1"; }

# The jars of this pom; half of them is never taken for all.
fetch() {
  jars=$state/jars-$(sha256sum pom.xml | cut -c1-12)
  [ -d "$jars" ] && return
  say "fetching its jars"
  rm -rf "$jars.partial"
  clean_env timeout "$fetchDeadlineSeconds" mvn -B -q -f pom.xml dependency:copy-dependencies \
    -DoutputDirectory="$jars.partial" >"$log" 2>&1 </dev/null ||
    give_up "its jars could not be fetched: $(tail -n 1 "$log")"
  mv "$jars.partial" "$jars"
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

start() {
  local port pid deadline
  command -v java >/dev/null || give_up "no Java"
  command -v mvn >/dev/null || give_up "no Maven"
  command -v curl >/dev/null || give_up "no curl"
  mkdir -p "$state"
  # One at a time: two that start together share what the first has started.
  exec 9>"$state/lock"
  flock 9
  if own_pid >/dev/null && port=$(cat "$portFile") && answers "$port"; then
    say "using the one at port $port, started before"
    tell "$port"
    return
  fi
  fetch
  rm -rf "$home"
  mkdir -p "$home"
  port=$(free_port)
  env -u ONSALE_CI_RUN TMPDIR=/tmp setsid java -Xms"$heap" -Xmx"$heap" -XX:+UseSerialGC \
    -cp "$jars/*" OpenSearchNode.java "$home" "$port" >"$log" 2>&1 </dev/null 9>&- &
  # `env` and `setsid` become what they start: it is the pid of Java.
  pid=$!
  echo "$pid" >"$pidFile"
  echo "$port" >"$portFile"
  deadline=$((SECONDS + startDeadlineSeconds))
  until answers "$port"; do
    kill -0 "$pid" 2>/dev/null || give_up "it ended: $(tail -n 5 "$log")"
    if [ "$SECONDS" -ge "$deadline" ]; then
      kill "$pid" 2>/dev/null || true
      give_up "it did not answer in $startDeadlineSeconds s: $(tail -n 5 "$log")"
    fi
    sleep "$pollSeconds"
  done
  say "started, pid $pid, at port $port in $SECONDS s"
  tell "$port"
}

stop() {
  local pid deadline
  if ! pid=$(own_pid); then
    say "none of ours is running"
    return
  fi
  kill -TERM "$pid"
  deadline=$((SECONDS + stopDeadlineSeconds))
  while [ -e "/proc/$pid" ]; do
    # It has nothing to lose.
    [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || true
    sleep "$pollSeconds"
  done
  rm -rf "$pidFile" "$portFile" "$home"
  say "stopped, pid $pid"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *)
    say "usage: opensearch.sh start|stop"
    exit 2
    ;;
esac
