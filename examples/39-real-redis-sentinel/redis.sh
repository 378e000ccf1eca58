#!/bin/sh
# A Redis for an example: a server, which follows the first one unless it is that, or a sentinel of it.
set -eu
role=$1 data=$2 port=$3 first=$4
rm -rf "$data"
mkdir -p "$data"
host=${first%:*} at=${first##*:}

case $role in
node)
  # A primary that a second failover has left has no replica: it refuses writes, which would be lost.
  set -- --port "$port" --bind 127.0.0.1 --save '' --dir "$data" --repl-diskless-sync-delay 0 \
    --min-replicas-to-write "$5" --min-replicas-max-lag 10
  if [ "$port" != "$at" ]; then set -- "$@" --replicaof "$host" "$at"; fi
  exec redis-server "$@"
  ;;
sentinel)
  down=$5
  # a sentinel asks the primary for its replicas every 10 s: it starts when they are there
  until [ "$(redis-cli -h "$host" -p "$at" info replication | grep -c state=online)" = 2 ]; do sleep 0.1; done
  cat >"$data/sentinel.conf" <<END
port $port
bind 127.0.0.1
dir $data
sentinel monitor shop $host $at 2
sentinel down-after-milliseconds shop $down
sentinel failover-timeout shop 5000
END
  exec redis-sentinel "$data/sentinel.conf"
  ;;
esac
