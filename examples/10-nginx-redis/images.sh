#!/usr/bin/env bash
# Makes the three images of this example, without a registry: nginx and Redis from Debian's
# packages, which are unpacked into a root and not installed, and the web service FROM
# scratch. Their names begin with the first argument, brunt-example by default; the second
# is a label that they get. The packages are those of Debian 12. It needs Go and the docker
# command.
set -euo pipefail
cd "$(dirname "$0")"
name=${1:-brunt-example} label=${2:-brunt.example=10}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

chmod 755 "$root" # apt downloads as a user of its own
mkdir "$root/debs" "$root/debian" "$root/app"
packages='libc6 libgcc-s1 libstdc++6 libcrypt1 zlib1g
  nginx nginx-common libpcre2-8-0 libssl3
  redis-server redis-tools libatomic1 libjemalloc2 liblua5.1-0 lua-bitop lua-cjson liblzf1 libhiredis0.14
  libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1'
# shellcheck disable=SC2086 # it is a list
(cd "$root/debs" && apt-get -qq download $packages)
for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root/debian"; done
mkdir -p "$root/debian/tmp" "$root/debian/var/lib/nginx" "$root/debian/var/log/nginx" "$root/debian/etc"
printf 'root:x:0:0:root:/:/bin/sh\n' >"$root/debian/etc/passwd"
printf 'root:x:0:\n' >"$root/debian/etc/group"

CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -o "$root/app/app" .

image() { tar -C "$1" -c . | docker import --change "LABEL $label" --change "$3" - "$name-$2" >/dev/null; }
image "$root/debian" nginx 'ENTRYPOINT ["/usr/sbin/nginx"]'
image "$root/debian" redis 'ENTRYPOINT ["/usr/bin/redis-server"]'
image "$root/app" app 'ENTRYPOINT ["/app"]'
