#!/bin/sh
# A MariaDB for an example, with the database shop. Where its data is there already, as after a crash, it goes on with that.
set -eu
data=$1 port=$2 flush=$3
as=
if [ "$(id -u)" = 0 ]; then as="--user=root"; fi
if [ ! -d "$data/shop" ]; then
  rm -rf "$data"
  mkdir -p "$data"
  mariadb-install-db --no-defaults $as --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
  mkdir "$data/shop" # an empty database
fi
exec mariadbd --no-defaults $as --datadir="$data" --port="$port" --bind-address=127.0.0.1 --socket="$data/socket" --skip-log-bin \
  --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit="$flush" --max-connections=60
