#!/usr/bin/env bash
# A container engine for the tests that need real machines.
#
#   eval "$(infra/ci/engine.sh start)"   finds one, or installs and starts one, and says where it is
#   infra/ci/engine.sh stop              ends the one that `start` started; one that was there before is left alone
#
# An engine that already answers is used as it is. Else, as root on Debian, the engine comes from Debian's own
# package and runs with a data root, a socket and a pid file of its own, so that it meets no other engine of the
# machine. Standard output has lines for `eval` and nothing else; what happens is told on standard error.
#
# Exit codes: 0 it answers (or has stopped), 3 no engine can be had here, 2 wrong usage, 1 anything else.
set -euo pipefail

readonly noEngine=3
readonly startDeadlineSeconds=90
# Longer than the engine gives its containers to end.
readonly stopDeadlineSeconds=60
readonly pollSeconds=0.2

cache=${ONSALE_CI_CACHE:-$HOME/.cache/onsale}
readonly state=$cache/engine
readonly socket=$state/docker.sock
readonly pidFile=$state/dockerd.pid
readonly log=$state/dockerd.log

say() { echo "engine: $*" >&2; }

give_up() {
  say "NO CONTAINER ENGINE: $*"
  exit "$noEngine"
}

# Without the marks of a CI run, which would take the engine for a process that a test left behind.
clean_env() { env -u ONSALE_CI_RUN TMPDIR=/tmp "$@"; }

answers() { timeout 10 docker --host "$1" version >/dev/null 2>&1; }

# Where the client looks by itself: DOCKER_HOST, else its context, else the default socket.
usual_host() { timeout 10 docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null; }

# The process of the pid file, if it is an engine of ours: after a restart of the machine another may have its number.
own_pid() {
  local pid
  pid=$(cat "$pidFile" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "$pidFile" || return 1
  echo "$pid"
}

install_packages() {
  local policy=/usr/sbin/policy-rc.d made=0 result=0
  # The packages start daemons of their own unless this says no.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made=1
  fi
  local install=(apt-get install -y --no-install-recommends docker.io debootstrap)
  say "installing docker.io and debootstrap"
  {
    clean_env DEBIAN_FRONTEND=noninteractive timeout 300 "${install[@]}" ||
      { clean_env timeout 180 apt-get update &&
        clean_env DEBIAN_FRONTEND=noninteractive timeout 300 "${install[@]}"; }
  } >"$state/apt.log" 2>&1 </dev/null || result=1
  [ "$made" = 0 ] || rm -f "$policy"
  [ "$result" = 0 ] || give_up "docker.io could not be installed: $(tail -n 1 "$state/apt.log")"
}

launch() {
  # A socket's path has at most 107 bytes, and the engine's containerd adds about 35 to the folder.
  [ "${#state}" -le 70 ] || give_up "$state is too long a path for a socket, set ONSALE_CI_CACHE to a shorter one"
  rm -f "$pidFile" "$socket"
  # An empty file, so that the settings of the machine's own engine are not read.
  echo '{}' >"$state/daemon.json"
  clean_env setsid dockerd \
    --config-file "$state/daemon.json" \
    --data-root "$state/data" \
    --exec-root "$state/exec" \
    --pidfile "$pidFile" \
    --host "unix://$socket" \
    --group root \
    --shutdown-timeout 10 \
    --log-opt max-size=20m \
    >"$log" 2>&1 </dev/null 9>&- &
  local pid=$! deadline=$((SECONDS + startDeadlineSeconds))
  until answers "unix://$socket"; do
    kill -0 "$pid" 2>/dev/null || give_up "dockerd ended: $(tail -n 5 "$log")"
    if [ "$SECONDS" -ge "$deadline" ]; then
      kill "$pid" 2>/dev/null || true
      give_up "dockerd did not answer in $startDeadlineSeconds s: $(tail -n 5 "$log")"
    fi
    sleep "$pollSeconds"
  done
}

# What another process needs to reach the engine. Names of public images mean nothing without a registry, and the
# reaper of testcontainers is one: the engine's stop removes what tests leave behind.
tell() {
  echo "export DOCKER_HOST=$1"
  [ "$1" != "unix://$socket" ] || echo "export TESTCONTAINERS_RYUK_DISABLED=true"
}

start() {
  local host
  if command -v docker >/dev/null; then
    host=$(usual_host) || host=""
    if [ -n "$host" ] && answers "$host"; then
      say "using the engine at $host"
      tell "$host"
      return
    fi
  fi
  mkdir -p "$state"
  # One at a time: two that start together share what the first has started.
  exec 9>"$state/lock"
  flock 9
  if own_pid >/dev/null && answers "unix://$socket"; then
    say "using the engine at unix://$socket, started before"
    tell "unix://$socket"
    return
  fi
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null || ! command -v debootstrap >/dev/null; then
    [ "$(id -u)" = 0 ] || give_up "none answers, and only root can install one"
    command -v apt-get >/dev/null || give_up "none answers, and this is no Debian to install one on"
    install_packages
  fi
  [ "$(id -u)" = 0 ] || give_up "none answers, and only root can start one"
  launch
  say "started dockerd, pid $(cat "$pidFile"), at unix://$socket in $SECONDS s"
  tell "unix://$socket"
}

stop() {
  local pid deadline left
  if ! pid=$(own_pid); then
    say "none of ours is running"
    return
  fi
  # A frozen container would outwait the engine, and a stopped one would stay on the disk for ever.
  left=$(timeout 10 docker --host "unix://$socket" ps --all --quiet 2>/dev/null) || left=""
  # shellcheck disable=SC2086 # one word a container
  [ -z "$left" ] || timeout 60 docker --host "unix://$socket" rm --force --volumes $left >/dev/null 2>&1 || true
  timeout 10 docker --host "unix://$socket" network prune --force >/dev/null 2>&1 || true
  kill -TERM "$pid"
  deadline=$((SECONDS + stopDeadlineSeconds))
  while [ -e "/proc/$pid" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "dockerd, pid $pid, did not end in $stopDeadlineSeconds s"
      exit 1
    fi
    sleep "$pollSeconds"
  done
  rm -f "$pidFile" "$socket"
  say "stopped dockerd, pid $pid"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *)
    say "usage: engine.sh start|stop"
    exit 2
    ;;
esac
