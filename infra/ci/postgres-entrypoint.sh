#!/bin/bash
# Stands in for the entry point of the public Postgres image where that cannot be had, with the same variables:
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, PGDATA, and the command `postgres …`.
set -euo pipefail

# Any other program of the image runs as it is.
[ "${1:-}" = postgres ] || exec "$@"

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
data=${PGDATA:-/var/lib/postgresql/data}

# Postgres refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data" /var/run/postgresql
  chown -R postgres:postgres "$data" /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$data/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?must be set}"
  version=$(postgres --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
  # The provider `builtin` came with version 17; libc's C.UTF-8 orders by code point too.
  read -ra arguments <<<"${POSTGRES_INITDB_ARGS:-}"
  [ "$version" -ge 17 ] || arguments=(--locale=C.UTF-8)
  initdb --pgdata="$data" --username="$user" --pwfile=<(echo "$POSTGRES_PASSWORD") \
    --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 "${arguments[@]}"
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  # Alone, without a socket of the network, so that nobody finds a server without its database.
  if [ "$database" != postgres ]; then
    echo "CREATE DATABASE \"${database//\"/\"\"}\";" |
      postgres --single -D "$data" postgres >/dev/null
  fi
fi

# On every address of the container, as the public image listens.
shift
exec postgres -D "$data" -c listen_addresses='*' "$@"
