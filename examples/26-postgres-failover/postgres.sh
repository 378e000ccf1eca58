#!/bin/sh
# A PostgreSQL for an example: primary, standby, or the promotion of a standby. PostgreSQL refuses root, so that root
# runs it as the user postgres.
set -eu
role=$1 data=$2
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
PATH="$bin:$PATH"
as=
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=postgres --regid=postgres --clear-groups"; fi

new() { # an empty folder for the data
  rm -rf "$data"
  mkdir -p "$data"
  chmod 755 "$(dirname "$data")"
  chmod 700 "$data"
  if [ -n "$as" ]; then chown postgres "$data"; fi
}

serve() { # SETTING...
  for s in listen_addresses=127.0.0.1 unix_socket_directories= shared_buffers=16MB max_connections=60 fsync=off dynamic_shared_memory_type=mmap; do set -- "$@" -c "$s"; done
  exec $as postgres -D "$data" -p "$port" "$@"
}

case $role in
primary)
  port=$3 sync=$4
  new
  $as initdb -D "$data" -A trust -U postgres --no-sync >/dev/null
  echo 'host replication all all trust' | $as tee -a "$data/pg_hba.conf" >/dev/null
  if [ "$sync" = local ]; then serve; fi
  # writes wait for the standby once it follows
  serve -c synchronous_standby_names=standby -c "synchronous_commit=$sync"
  ;;
standby)
  port=$3 primary=$4
  new
  host=${primary%:*} at=${primary##*:}
  until pg_isready -q -h "$host" -p "$at"; do sleep 0.1; done
  $as pg_basebackup -h "$host" -p "$at" -U postgres -D "$data" -R -X stream --no-sync -c fast
  serve -c "primary_conninfo=host=$host port=$at user=postgres application_name=standby"
  ;;
ready)
  pg_isready -q -h 127.0.0.1 -p "$3"
  ;;
writes)
  [ "$(psql -XAtq -h 127.0.0.1 -p "$3" -U postgres -c 'select pg_is_in_recovery()')" = f ]
  ;;
promote)
  $as pg_ctl promote -D "$data" -W >/dev/null
  ;;
esac
