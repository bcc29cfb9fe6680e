#!/usr/bin/env bash
# The images of the cluster's tests, made without an image registry, on the engine that engine.sh found.
#
#   eval "$(infra/ci/engine.sh start)" && eval "$(infra/ci/images.sh)"
#
# From below: the files of Debian with Postgres and Redis (debootstrap), the workspace's own Node 24 with the packages
# that run in production, and the sources. Each is made anew when what it is made of has changed, so that a change of
# a source costs the last layer only. Only the classic builder is used, and no step of a build needs the network.
#
# Standard output has lines for `eval` and nothing else: the names of the images, by ONSALE_TEST_IMAGE_*.
# Exit codes: 0 they are there, 3 no engine answers or Debian's packages cannot be had, 1 anything else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly noImages=3
readonly suite=bookworm
readonly packages=postgresql,redis-server,ca-certificates,iproute2
cache=${ONSALE_CI_CACHE:-$HOME/.cache/onsale}
readonly cache=$cache/images
# The builder of Debian's engine; a newer client would ask for one that is not there.
export DOCKER_BUILDKIT=0

say() { echo "images: $*" >&2; }

give_up() {
  say "NO IMAGES: $*"
  exit "$noImages"
}

started=0
begin() {
  started=$(date +%s%3N)
}
done_with() {
  say "$1 in $(($(date +%s%3N) - started)) ms"
}

# Twelve letters that change when the input does.
key() { sha256sum | cut -c1-12; }

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# The older ones of a name. Another worktree on this engine may be using what it made within the last hours, and what a
# container runs from is refused to us.
readonly keepHours=6
drop_others() {
  local name=$1 keep=$2 tag made
  # It is in use from now on.
  docker tag "$name:$keep" "$name:$keep"
  for tag in $(docker images --format '{{.Tag}}' "$name"); do
    [ "$tag" != "$keep" ] || continue
    made=$(docker image inspect --format '{{.Metadata.LastTagTime.Unix}}' "$name:$tag" 2>/dev/null) || continue
    [ $((made + keepHours * 3600)) -gt "$(date +%s)" ] || docker rmi "$name:$tag" >/dev/null 2>&1 || true
  done
}

# What apt takes the suite from here, so that this file names no host.
mirror() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format '$(RELEASE) $(SITE)' 2>/dev/null |
    awk -v suite="$suite" '$1 == suite && !found++ { print $2 }'
}

# The files of Debian as one archive in the cache.
make_files() {
  local archive=$1 folder site log=$cache/debootstrap.log
  [ "$(id -u)" = 0 ] || give_up "only root can make the files of Debian"
  command -v debootstrap >/dev/null || give_up "debootstrap is not installed: infra/ci/engine.sh start brings it"
  site=$(mirror)
  [ -n "$site" ] || give_up "apt has no source for $suite here"
  folder=$(mktemp -d "$cache/files.XXXXXX")
  # shellcheck disable=SC2064 # this folder, whatever the name means later
  trap "rm -rf '$folder'" EXIT
  chmod 755 "$folder"
  begin
  env -u ONSALE_CI_RUN TMPDIR=/tmp LC_ALL=C timeout 600 \
    debootstrap --variant=minbase --include="$packages" "$suite" "$folder" "$site" >"$log" 2>&1 </dev/null ||
    give_up "debootstrap failed: $(tail -n 1 "$log")"
  done_with "debootstrap"
  begin
  # What nobody reads in a container, and the database that Debian's package made.
  (
    cd "$folder"
    rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/doc/* usr/share/man/* usr/share/locale/* \
      var/lib/postgresql/* usr/lib/postgresql/*/lib/bitcode var/log/*.log dev/* proc/* sys/*
  )
  tar --create --numeric-owner --directory "$folder" --file "$archive.new" .
  mv "$archive.new" "$archive"
  rm -rf "$folder"
  trap - EXIT
  done_with "archive ($(du --apparent-size -BM "$archive" | cut -f1))"
}

make_base() {
  local files=$1 archive=$cache/$1.tar
  [ -s "$archive" ] || {
    rm -f "$cache"/debian-*.tar
    make_files "$archive"
  }
  begin
  docker import \
    --change 'ENV LANG C.UTF-8' \
    --change 'ENV PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin' \
    "$archive" "onsale-base:$files" >/dev/null
  done_with "import"
}

# A build whose context is an archive on standard input: nothing is copied to a folder first.
build() {
  local tag=$1 log=$cache/build.log
  # The newer client's advice to use the other builder is kept out of what people read.
  docker build --tag "$tag" - >"$log" 2>&1 || {
    say "$tag could not be built:"
    tail -n 20 "$log" >&2
    return 1
  }
}

# $1 the text of a Dockerfile, then what to archive from the workspace.
context() {
  local folder
  folder=$(mktemp -d)
  printf '%s\n' "$1" >"$folder/Dockerfile"
  shift
  tar --create --numeric-owner --owner=0 --group=0 --mode=go+rX "$@" --directory "$folder" Dockerfile
  rm -rf "$folder"
}

servers_dockerfile() {
  cat <<DOCKERFILE
FROM onsale-base:$1
COPY infra/ci/postgres-entrypoint.sh /usr/local/bin/postgres-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/data
EXPOSE 5432
# Ends its sessions instead of waiting for them, as the public image does.
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint.sh"]
CMD ["postgres"]
DOCKERFILE
}

redis_dockerfile() {
  # The public image listens on every address without a password too.
  cat <<DOCKERFILE
FROM onsale-base:$1
RUN install --directory --owner=redis --group=redis /data
USER redis
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["redis-server", "--protected-mode", "no", "--bind", "*"]
DOCKERFILE
}

modules_dockerfile() {
  cat <<DOCKERFILE
FROM onsale-base:$1
RUN useradd --uid 1000 --user-group --no-create-home onsale && mkdir /data && chown onsale:onsale /data
COPY node_modules /app/node_modules
RUN ln -s /app/node_modules/node/bin/node /usr/local/bin/node
DOCKERFILE
}

app_dockerfile() {
  cat <<DOCKERFILE
FROM onsale-modules:$1
ENV NODE_ENV=production PORT=3000 ONSALE_DATA_DIR=/data
WORKDIR /app
COPY . .
USER onsale
CMD ["node", "apps/onsale/src/main.ts", "start"]
DOCKERFILE
}

docker version >/dev/null 2>&1 || give_up "no engine answers; eval \"\$(infra/ci/engine.sh start)\" first"
[ -x node_modules/node/bin/node ] || give_up "the workspace is not installed"
mkdir -p "$cache"
# One at a time, or two would make the same.
exec 9>"$cache/lock"
flock 9

files=debian-$({ echo "$suite $packages"; declare -f make_files make_base; } | key)
has_image "onsale-base:$files" || make_base "$files"
drop_others onsale-base "$files"

servers=$({
  echo "$files"
  cat infra/ci/postgres-entrypoint.sh
  declare -f context servers_dockerfile redis_dockerfile
} | key)
if ! has_image "onsale-postgres:$servers" || ! has_image "onsale-redis:$servers"; then
  begin
  context "$(servers_dockerfile "$files")" infra/ci/postgres-entrypoint.sh | build "onsale-postgres:$servers"
  context "$(redis_dockerfile "$files")" | build "onsale-redis:$servers"
  done_with "Postgres and Redis"
fi
drop_others onsale-postgres "$servers"
drop_others onsale-redis "$servers"

modules=$(node_modules/.bin/node infra/ci/production-modules.ts)
stamp=$({
  echo "$files $modules"
  cat package-lock.json
  declare -f context modules_dockerfile
} | key)
if ! has_image "onsale-modules:$stamp"; then
  begin
  # What only a compiler or a debugger reads is half of the files.
  # shellcheck disable=SC2086 # one word a folder
  context "$(modules_dockerfile "$files")" --exclude='*.map' --exclude='*.d.ts' --exclude='*.d.cts' --exclude='*.d.mts' \
    node_modules/node/bin/node $modules |
    build "onsale-modules:$stamp"
  done_with "node and packages"
fi
drop_others onsale-modules "$stamp"

# By what is in it, so that nobody's tests run from what another worktree made meanwhile.
app_files() {
  # Without times and in order, or the same sources would be another archive.
  context "$(app_dockerfile "$stamp")" --sort=name --mtime=@0 --exclude=node_modules --exclude=test --exclude=.onsale \
    package.json infra/scripts/healthy.mjs apps packages migrations
}
sources=$(app_files | key)
if ! has_image "onsale:$sources"; then
  begin
  app_files | build "onsale:$sources"
  done_with "onsale:$sources"
fi
drop_others onsale "$sources"
docker image prune --force >/dev/null

cat <<EXPORTS
export ONSALE_TEST_IMAGE_APP=onsale:$sources
export ONSALE_TEST_IMAGE_POSTGRES=onsale-postgres:$servers
export ONSALE_TEST_IMAGE_REDIS=onsale-redis:$servers
EXPORTS
