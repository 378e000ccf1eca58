//go:build linux

package drills

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"brunt/scenarios/suite"
)

// DRILL_DIR is the folder of a run, in the environment of its units:
//
//	pid.UNIT   the process of a unit; a restart replaces it
//	UNIT/      the data of a unit
//	acked      the writes that the front acknowledged
//	failed     the other writes, with times and reasons
const drillDir = "DRILL_DIR"

// ownFront is in the environment of a front that the test started, and not brunt.
const ownFront = "DRILL_OWN_FRONT"

// systems start one unit each, and replace this process by it where it is a program of its own.
var systems = map[string]func(u unitDir, args []string) error{
	"app": func(u unitDir, _ []string) error {
		return http.ListenAndServe(u.addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	},
	"front":       front,
	"nginx":       nginx,
	"nginx-blind": nginxBlind,
	"etcd":        etcd,
	"redis":       redis,
	"redis-node":  redisNode,
	"sentinel":    sentinel,
	"pg-primary":  pgPrimaryUnit,
	"pg-standby":  pgStandbyUnit,
	"pg-monitor":  pgMonitor,
	"rabbitmq":    rabbitmq,
	"nats":        nats,
	"lone-etcd":   loneEtcd,
	"galera":      galera,
	"patroni":     patroni,
	"haproxy":     haproxy,
	"epmd":        func(u unitDir, _ []string) error { return become("", nil, "epmd", "-port", u.port) },
}

// commands are what faults run to find units and to change them.
var commands = map[string]func(u unitDir, args []string) error{
	"etcd-leads":  etcdLeader,
	"redis-leads": redisLeader,
}

// A unitDir says where a unit listens and where its data is.
type unitDir struct{ addr, port, run, data string }

// unit is what this program does as a unit of a target.
func unit(kind string, args []string) error {
	u := unitDir{addr: os.Getenv("BRUNT_ADDR"), run: os.Getenv(drillDir)}
	if addr, err := os.ReadFile(filepath.Join(u.run,
		"addr."+strings.TrimPrefix(os.Getenv("BRUNT_UNIT"), "container/"))); u.addr == "" && err == nil {
		u.addr = string(addr) // of a container that brunt did not start
	}
	if f, known := commands[kind]; known {
		return f(u, args)
	}
	start, known := systems[kind]
	if !known {
		return fmt.Errorf("there is no unit %q", kind)
	}
	_, u.port, _ = net.SplitHostPort(u.addr)
	name := os.Getenv("BRUNT_UNIT")
	// Redis takes brackets for a pattern
	u.data = filepath.Join(u.run, strings.NewReplacer("[", "-", "]", "").Replace(name))
	for file, text := range map[string]string{"pid." + name: strconv.Itoa(os.Getpid()), "addr." + name: u.addr} {
		if err := writeWhole(filepath.Join(u.run, file), text); err != nil {
			return err
		}
	}
	_ = goFirst("self", systemAhead) // only root may
	return start(u, args)
}

// writeWhole writes a file so that no reader sees a part of it.
func writeWhole(file, text string) error {
	if err := os.WriteFile(file+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// become replaces this process by a program, run as a user where this process is root.
func become(as string, env []string, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	argv := append([]string{name}, args...)
	if as != "" && os.Getuid() == 0 {
		if path, err = exec.LookPath("setpriv"); err != nil {
			return err
		}
		argv = append([]string{"setpriv", "--reuid=" + as, "--regid=" + as, "--clear-groups", name}, args...)
	}
	return syscall.Exec(path, argv, append(os.Environ(), env...))
}

// give makes a folder that belongs to a user where this process is root.
func give(dir, as string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil || os.Getuid() != 0 {
		return err
	}
	u, err := user.Lookup(as)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return os.Chown(dir, uid, gid)
}

// front SYSTEM ADDR...
func front(u unitDir, args []string) error {
	var s store
	switch addrs := args[1:]; args[0] {
	case "etcd":
		s = newEtcdStore(addrs)
	case "etcd-serializable":
		of := newEtcdStore(addrs)
		of.serializable, of.inTurn = true, true
		s = of
	case islandReads, islandReads + "-serializable":
		of := newEtcdStore(addrs)
		of.serializable, of.inTurn = args[0] != islandReads, true
		var err error
		if of.told, err = net.Dial("unix", filepath.Join("/socket", askedSocket)); err != nil {
			return err
		}
		s = of
	case acksEarly, readsClock:
		s = etcdMutant{newEtcdStore(addrs), args[0]}
	case asksAll:
		s = newEachStore(newEtcdStore(addrs), addrs, func(one []string) store { return newEtcdStore(one) })
	case "redis", redisWaits:
		of := newRedisStore(addrs)
		of.waits = args[0] == redisWaits
		s = of
	case "postgres":
		s = newPGStore(addrs)
	case "galera":
		var err error
		if s, err = openGalera(addrs); err != nil {
			return err
		}
	case "patroni":
		var err error
		if s, err = newPatroniStore(addrs[0]); err != nil {
			return err
		}
	case "nats", viaAll:
		members := clientsOf(u.run)
		n, replicas := newNATSStore(members), "3"
		if len(addrs) > 0 {
			replicas = addrs[0]
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		// the members elect a leader first
		if !suite.Within(20*time.Second, func() bool { return n.create(ctx, replicas) == nil }) {
			return fmt.Errorf("there is no stream: %w", n.create(ctx, replicas))
		}
		s = n
		if args[0] == viaAll {
			s = newEachStore(n, members, func(one []string) store { return newNATSStore(one) })
		}
	case "rabbitmq":
		mode, _ := strconv.Atoi(addrs[1])
		s = newRabbitStore(addrs[0], byte(mode), u.run)
	default:
		return fmt.Errorf("there is no store %q", args[0])
	}
	return serveFront(s, u.addr, u.run)
}

// nginx ADDR... passes requests on to ADDR, and to the next one where one fails or does not answer.
func nginx(u unitDir, args []string) error {
	return serveNginx(u, args, "max_fails=1 fail_timeout=1s",
		"proxy_connect_timeout 200ms; proxy_read_timeout 300ms; proxy_next_upstream error timeout;")
}

// nginxBlind ADDR... asks one of them for each request, whether it answers or not.
func nginxBlind(u unitDir, args []string) error {
	return serveNginx(u, args, "max_fails=0", "proxy_connect_timeout 5s; proxy_read_timeout 60s; proxy_next_upstream off;")
}

func serveNginx(u unitDir, args []string, each, proxy string) error {
	if err := os.MkdirAll(u.data, 0o755); err != nil {
		return err
	}
	var servers strings.Builder
	for _, a := range args {
		fmt.Fprintf(&servers, "server %s %s; ", a, each)
	}
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  upstream apps { %[2]s keepalive 64; }
  server {
    listen %[3]s;
    location / {
      proxy_pass http://apps; proxy_http_version 1.1; proxy_set_header Connection "";
      %[4]s
    }
  }
}`, u.data, servers.String(), u.addr, proxy)
	file := filepath.Join(u.data, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return become("", nil, "nginx", "-p", u.data, "-c", file, "-e", filepath.Join(u.data, "error.log"))
}

// etcd INDEX PORT PEERS: a member of three whose peers listen on PEERS and the two ports after it.
func etcd(u unitDir, args []string) error {
	first, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	index, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var members []string
	for i := range 3 {
		members = append(members, fmt.Sprintf("n%d=http://127.0.0.1:%d", i, first+i))
	}
	peer := fmt.Sprintf("http://127.0.0.1:%d", first+index)
	return become("", nil, "etcd", "--name", "n"+args[0], "--data-dir", u.data, "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", "http://"+u.addr, "--advertise-client-urls", "http://"+u.addr,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", strings.Join(members, ","))
}

// etcdLeader ends with 0 if the member at BRUNT_ADDR leads.
func etcdLeader(u unitDir, _ []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	leads, err := etcdLeads(ctx, u.addr)
	if err == nil && !leads {
		err = errors.New("it follows")
	}
	return err
}

// redis [PRIMARY]
func redis(u unitDir, args []string) error {
	if err := os.MkdirAll(u.data, 0o755); err != nil {
		return err
	}
	argv := []string{
		"--port", u.port, "--bind", "127.0.0.1", "--save", "", "--dir", u.data, "--maxmemory", "64mb",
		"--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0",
	}
	if len(args) > 0 {
		host, port, _ := net.SplitHostPort(args[0])
		argv = append(argv, "--replicaof", host, port)
	}
	return become("", nil, "redis-server", argv...)
}

// redis-node INDEX FIRST: a server that follows the one at FIRST, unless it is that one.
func redisNode(u unitDir, args []string) error {
	if args[0] == "0" {
		return redis(u, nil)
	}
	return redis(u, args[1:])
}

// redisLeader ends with 0 if the server at BRUNT_ADDR is a primary.
func redisLeader(u unitDir, _ []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	is, err := redisKind(ctx, u.addr)
	if err == nil && is != redisLeading {
		err = errors.New(is)
	}
	return err
}

// sentinel PRIMARY starts once the primary has its replicas: it asks for them every 10 s alone.
func sentinel(u unitDir, args []string) error {
	if err := os.MkdirAll(u.data, 0o755); err != nil {
		return err
	}
	if err := redisReplicas(args[0], 2); err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(args[0])
	conf := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor m %s %s 2\nsentinel down-after-milliseconds "+
		"m 1000\nsentinel failover-timeout m 5000\n",
		u.port, u.data, host, port)
	file := filepath.Join(u.data, "sentinel.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return become("", nil, "redis-sentinel", file)
}

// pgBin is the folder of PostgreSQL's programs.
func pgBin(name string) string {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

// asPostgres runs one of PostgreSQL's programs to its end, with input as its standard input.
func asPostgres(input, name string, args ...string) error {
	argv := append([]string{pgBin(name)}, args...)
	if os.Getuid() == 0 {
		argv = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, argv...)
	}
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdin = strings.NewReader(input)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func pgServe(u unitDir, more ...string) error {
	argv := []string{"-D", u.data, "-p", u.port}
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=32MB", "max_connections=600", "fsync=off",
		"dynamic_shared_memory_type=mmap", // in its data: a server that is killed leaves what is in /dev/shm
	}
	for _, c := range append(settings, more...) {
		argv = append(argv, "-c", c)
	}
	return become("postgres", nil, pgBin("postgres"), argv...)
}

// pg-primary COMMIT: the synchronous_commit of its writes, off for a standby that nothing waits for.
func pgPrimaryUnit(u unitDir, args []string) error {
	if err := give(u.data, "postgres"); err != nil {
		return err
	}
	if err := asPostgres("", "initdb", "-D", u.data, "-A", "trust", "-U", "postgres", "--no-sync"); err != nil {
		return err
	}
	if err := asPostgres("CREATE TABLE posts (id text)\n", "postgres", "--single", "-D", u.data, "postgres"); err != nil {
		return err
	}
	more := []string{"wal_level=replica"}
	if args[0] != "local" {
		more = append(more, "synchronous_standby_names=standby", "synchronous_commit="+args[0])
	}
	return pgServe(u, more...)
}

// pg-standby DIRECT LINK: copies the primary at DIRECT, and follows it by LINK.
func pgStandbyUnit(u unitDir, args []string) error {
	host, port, _ := net.SplitHostPort(args[0])
	if err := give(u.data, "postgres"); err != nil {
		return err
	}
	up := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		leads, err := pgLeads(ctx, args[0])
		return err == nil && leads
	}
	if !suite.Within(20*time.Second, up) { // its port is open before it takes connections
		return errors.New("the primary is not up")
	}
	err := asPostgres("", "pg_basebackup", "-h", host, "-p", port, "-U", "postgres", "-D", u.data, "-R", "-X", "stream",
		"--no-sync", "-c", "fast")
	if err != nil {
		return err
	}
	host, port, _ = net.SplitHostPort(args[1])
	return pgServe(u, "hot_standby=on",
		fmt.Sprintf("primary_conninfo=host=%s port=%s user=postgres application_name=standby", host, port))
}

// pg-monitor PRIMARY STANDBY makes the standby the primary once the primary has not answered for a second.
func pgMonitor(u unitDir, args []string) error {
	l, err := net.Listen("tcp", u.addr) // its unit is ready then
	if err != nil {
		return err
	}
	defer l.Close()
	leads := func(addr string) bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		is, err := pgLeads(ctx, addr)
		return err == nil && is
	}
	last := time.Now()
	for range time.Tick(100 * time.Millisecond) {
		switch {
		case leads(args[0]):
			last = time.Now()
		case time.Since(last) >= time.Second && !leads(args[1]):
			if err := promote(args[1]); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
	return nil
}

// promote makes the standby at an address the primary.
func promote(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := dialPG(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.query(ctx, "SELECT pg_promote(true)")
	return err
}

// rabbitmq EPMD DIST: the ports of its name server, and of its own for other nodes.
func rabbitmq(u unitDir, args []string) error {
	// its start takes 7 s of a processor: on a busy machine the load would end before it
	_ = goFirst("self", proberAhead-1)
	if err := give(u.data, "rabbitmq"); err != nil {
		return err
	}
	files := map[string]string{
		"enabled_plugins": "[].\n",
		"definitions.json": `{"users": [{"name": "guest", "password": "guest", "tags": "administrator"}], "vhosts": [{"name": "/"}],
  "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
  "queues": [{"name": "q", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}]}`,
		"rabbitmq.conf": fmt.Sprintf(`listeners.tcp.1 = 127.0.0.1:%s
load_definitions = %s/definitions.json
log.console = true
log.file = false
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 10MB
`, u.port, u.data),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(u.data, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return become("rabbitmq", []string{
		"HOME=" + u.data, "RUNNING_UNDER_SYSTEMD=1", "RABBITMQ_NODENAME=drill" + u.port + "@localhost",
		"RABBITMQ_MNESIA_BASE=" + u.data + "/mnesia",
		"RABBITMQ_LOG_BASE=" + u.data + "/log", "RABBITMQ_CONFIG_FILE=" + u.data + "/rabbitmq.conf",
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + u.data + "/enabled_plugins",
		"ERL_EPMD_PORT=" + args[0], "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_DIST_PORT=" + args[1],
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
	}, "/usr/lib/rabbitmq/bin/rabbitmq-server")
}
