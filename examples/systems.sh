#!/bin/sh
# Starts one server of a system for an example, and is replaced by it:
#
#   systems.sh SYSTEM DATA ADDRESS [SETTING...]
#
# DATA is the folder of the server, and ADDRESS where it listens. What another run left in DATA is removed; a server that
# is started again in the same run finds what it had. A server that refuses root runs as its own user.
#
#   systems.sh image NAME LABEL PROGRAM...
#
# makes an image of programs of this machine and of the libraries that they need, unless there is one of that name. It
# starts the first one.
set -eu
system=$1 data=$2 addr=$3
shift 3
host=${addr%:*} port=${addr##*:}

own() { # USER: the folder belongs to it, and the server runs as it
  as=
  if [ "$(id -u)" = 0 ]; then
    chown "$1" "$data"
    as="setpriv --reuid=$1 --regid=$1 --clear-groups"
  fi
}

if [ "$system" = image ]; then
  name=$data label=$addr start=$(command -v "$1") files=
  if docker image inspect "$name" >/dev/null 2>&1; then exit; fi
  for p in "$@"; do
    program=$(command -v "$p")
    files="$files $program $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true)" # it prints nothing of a static program
  done
  # shellcheck disable=SC2086 # it is a list
  printf '%s\n' $files | sort -u | tar -chP --hard-dereference -T - | docker import --change "LABEL $label" --change "ENTRYPOINT [\"$start\"]" --change "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin" - "$name" >/dev/null
  exit
fi

if [ "$(cat "$data/run" 2>/dev/null)" != "$PPID" ]; then rm -rf "$data"; fi
mkdir -p "$data"
echo "$PPID" >"$data/run"

case $system in
etcd) # ELECTION NAME MEMBER...: after how many milliseconds without a leader it elects; all members as NAME=HOST:PORT
  election=$1 name=$2
  shift 2
  all= peer=
  for m in "$@"; do
    all=$all,${m%%=*}=http://${m#*=}
    if [ "${m%%=*}" = "$name" ]; then peer=http://${m#*=}; fi
  done
  exec etcd --name "$name" --data-dir "$data/etcd" --logger zap --log-level error --election-timeout "$election" \
    --listen-client-urls "http://$addr" --advertise-client-urls "http://$addr" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "${all#,}"
  ;;
haproxy) # CONFIG SERVER...: the configuration with bind and servers added to its last section
  config=$1
  shift
  { cat "$config"; echo "  bind $addr"; } >"$data/haproxy.cfg"
  n=0
  for s in "$@"; do
    echo "  server s$n $s check" >>"$data/haproxy.cfg"
    n=$((n + 1))
  done
  exec haproxy -db -f "$data/haproxy.cfg"
  ;;
nginx) # CONFIG: the body of its http section
  cat >"$data/nginx.conf" <<END
daemon off; master_process off; pid $data/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path $data/b; proxy_temp_path $data/p; fastcgi_temp_path $data/f; uwsgi_temp_path $data/u; scgi_temp_path $data/s;
  server { listen $addr; $(cat "$1") }
}
END
  exec nginx -p "$data" -c "$data/nginx.conf" -e stderr
  ;;
epmd) # the name server of Erlang, without which RabbitMQ leaves one of its own behind
  exec epmd -address "$host" -port "$port"
  ;;
rabbitmq) # EPMD DIST: the ports of the name server, and of its own for other nodes. Clients speak STOMP.
  own rabbitmq
  echo '[rabbitmq_stomp].' >"$data/plugins"
  cat >"$data/rabbitmq.conf" <<END
listeners.tcp = none
stomp.listeners.tcp.1 = $addr
log.console = true
log.console.level = error
log.file = false
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 10MB
END
  exec $as env HOME="$data" RUNNING_UNDER_SYSTEMD=1 RABBITMQ_NODENAME="example$port@localhost" RABBITMQ_MNESIA_BASE="$data/mnesia" \
    RABBITMQ_LOG_BASE="$data/log" RABBITMQ_CONFIG_FILE="$data/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins" \
    RABBITMQ_CONF_ENV_FILE=/dev/null ERL_EPMD_PORT="$1" ERL_EPMD_ADDRESS="$host" RABBITMQ_DIST_PORT="$2" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  ;;
galera) # INDEX PORT SUSPECT: the nodes talk to each other on PORT and the eight ports after it; they go on without one that is
  # silent for SUSPECT. The first node makes the cluster, and each of the others joins after the one before.
  own mysql
  index=$1 first=$2 suspect=$3
  at() { echo "127.0.0.1:$((first + $1))"; }
  starts=
  if [ ! -d "$data/db" ]; then
    mariadb-install-db --no-defaults ${as:+--user=mysql} --datadir="$data/db" --tmpdir="$data" --auth-root-authentication-method=normal \
      --skip-test-db --skip-name-resolve --innodb-log-file-size=8M >/dev/null
    if [ "$index" = 0 ]; then
      starts=--wsrep-new-cluster
    else
      until mariadb --no-defaults -h "$host" -P $((port - 1)) -u root -e "show status like 'wsrep_local_state_comment'" 2>/dev/null | grep -q Synced; do
        sleep 0.2
      done
    fi
  fi
  exec $as mariadbd --no-defaults --datadir="$data/db" --tmpdir="$data" --bind-address="$host" --port="$port" --socket="$data/s" \
    --pid-file="$data/pid" --log-error="$data/log.err" --skip-name-resolve --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
    --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M --innodb-log-file-size=8M --max-connections=500 \
    --wsrep-on=ON --wsrep-provider=/usr/lib/galera/libgalera_smm.so --wsrep-cluster-name=example --wsrep-node-name="n$index" \
    --wsrep-cluster-address="gcomm://$(at 0),$(at 1),$(at 2)" --wsrep-node-address="$(at "$index")" --wsrep-sst-method=rsync \
    --wsrep-sst-receive-address="$(at $((6 + index)))" \
    --wsrep-provider-options="gmcast.listen_addr=tcp://$(at "$index");ist.recv_addr=$(at $((3 + index)));gcache.size=8M;gcache.page_size=8M;evs.suspect_timeout=$suspect;evs.inactive_timeout=PT30S" $starts
  ;;
pgbouncer) # SERVER WAIT: where PostgreSQL is, and for how many seconds a query waits for one of ten connections
  own postgres
  cat >"$data/pgbouncer.ini" <<END
[databases]
shop = host=${1%:*} port=${1##*:} dbname=postgres user=postgres
[pgbouncer]
listen_addr = $host
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
max_client_conn = 1000
query_wait_timeout = $2
server_connect_timeout = 2
server_login_retry = 1
log_connections = 0
log_disconnections = 0
END
  exec $as pgbouncer -q "$data/pgbouncer.ini"
  ;;
esac
echo "there is no system $system" >&2
exit 2
