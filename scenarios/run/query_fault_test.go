package run_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// installed finds a program, and skips the test where there is none.
func installed(t *testing.T, name, pattern string) string {
	t.Helper()
	return suite.Program(t, name, "redis-server postgresql-15", pattern)
}

// started is how long a server may take to start. RabbitMQ took over 30 s on two processors that ran all tests.
const started = 2 * time.Minute

// daemon runs a program that listens on a port of loopback until the test ends. Ready asks it.
func daemon(t *testing.T, command func(port string) *exec.Cmd, ready func(port string) bool) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	c := command(port)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server that a shell started in the background ignores the interrupt.
		_ = c.Process.Signal(os.Interrupt)
		late := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		late.Stop()
	})
	if !suite.Within(started, func() bool { return ready(port) }) {
		t.Fatalf("waited %s in vain: %s", started, c.Path)
	}
	return addr
}

// newRedis starts a redis-server. It returns the URL of its endpoint.
func newRedis(t *testing.T) string {
	t.Helper()
	server, dir := installed(t, "redis-server", ""), t.TempDir()
	return "redis://" + daemon(t, func(port string) *exec.Cmd {
		return exec.Command(server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--loglevel",
			"warning")
	}, func(port string) bool {
		return exec.Command(installed(t, "redis-cli", ""), "-p", port, "ping").Run() == nil
	})
}

// newMemcached starts a memcached. It returns the URL of its endpoint.
func newMemcached(t *testing.T) string {
	t.Helper()
	server := suite.Program(t, "memcached", "memcached")
	return "memcached://" + daemon(t, func(port string) *exec.Cmd {
		return exec.Command(server, "-u", "root", "-l", "127.0.0.1", "-p", port)
	}, accepts)
}

// newMosquitto starts a broker of MQTT. It returns the URL of its endpoint.
func newMosquitto(t *testing.T) string {
	t.Helper()
	server := suite.Program(t, "mosquitto", "mosquitto")
	return "mqtt://" + daemon(t, func(port string) *exec.Cmd {
		return exec.Command(server, "-p", port) // without a file of settings it listens on loopback alone
	}, accepts)
}

// newNATS starts a nats-server with JetStream. It returns the URL of its endpoint.
func newNATS(t *testing.T) string {
	t.Helper()
	server, dir := installed(t, "nats-server", ""), t.TempDir()
	return "nats://" + daemon(t, func(port string) *exec.Cmd {
		return exec.Command(server, "-a", "127.0.0.1", "-p", port, "-js", "-sd", dir)
	}, accepts)
}

// accepts reports whether a server listens on a port of loopback.
func accepts(port string) bool {
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// newFerret starts a FerretDB over SQLite, which speaks MongoDB's protocol. It returns the URL of its endpoint.
func newFerret(t *testing.T) string {
	t.Helper()
	server, dir := suite.Program(t, "ferretdb", "ferretdb, which .ci/prepare builds", ""), t.TempDir()
	return "mongodb://" + daemon(t, func(port string) *exec.Cmd {
		return exec.Command(server, "127.0.0.1:"+port, dir)
	}, accepts) + "/shop"
}

// newRabbit starts a RabbitMQ, with a name server of its own. It returns the URL of its endpoint.
func newRabbit(t *testing.T) string {
	t.Helper()
	names := installed(t, "epmd", "")
	server := installed(t, "rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server")
	// It does not start in a folder with a % in its name, which the folder of a subtest may have.
	dir, err := os.MkdirTemp("", "brunt-rabbit-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	at := daemon(t, func(port string) *exec.Cmd { return exec.Command(names, "-port", port) }, accepts)
	_, epmd, _ := net.SplitHostPort(at)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, dist, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	var broker *exec.Cmd
	at = daemon(t, func(port string) *exec.Cmd {
		for name, text := range map[string]string{
			"rabbitmq.conf": "listeners.tcp.1 = 127.0.0.1:" + port + "\nlog.console = true\nlog.file = false\n", "plugins": "[].\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		broker = exec.Command(server)
		broker.Env = append(
			os.Environ(), "HOME="+dir, "RUNNING_UNDER_SYSTEMD=1", "RABBITMQ_NODENAME=test"+port+"@localhost",
			"RABBITMQ_MNESIA_BASE="+dir, "RABBITMQ_LOG_BASE="+dir, "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "rabbitmq.conf"),
			"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(dir, "plugins"), "RABBITMQ_CONF_ENV_FILE=/dev/null",
			"ERL_EPMD_PORT="+epmd, "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_DIST_PORT="+dist,
		)
		return broker
	}, accepts)
	t.Cleanup(func() { _ = broker.Process.Kill() }) // it ignores an interrupt
	return "amqp://" + at
}

// newPostgres starts a PostgreSQL. It returns the URL of its endpoint.
func newPostgres(t *testing.T) string {
	t.Helper()
	const bin = "/usr/lib/postgresql/*/bin/"
	installed(t, "initdb", bin+"initdb")
	dir, err := os.MkdirTemp("", "brunt-fault-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := func(name string, args ...string) *exec.Cmd {
		argv := append([]string{installed(t, name, bin+name)}, args...)
		if os.Getuid() == 0 { // which PostgreSQL refuses
			argv = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, argv...)
		}
		return exec.Command(argv[0], argv[1:]...)
	}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres:postgres", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := as("initdb", "-D", dir, "-A", "trust", "-U", "postgres", "--no-sync", "--no-locale", "-E",
		"UTF8").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return "postgres://postgres@" + daemon(t, func(port string) *exec.Cmd {
		return as("postgres", "-D", dir, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
			"-c", "fsync=off",
			"-c", "dynamic_shared_memory_type=mmap")
	}, func(port string) bool {
		return as("pg_isready", "-h", "127.0.0.1", "-p", port, "-U", "postgres").Run() == nil
	}) + "/postgres"
}

// newMariaDB starts a MariaDB. It returns the URL of its endpoint.
func newMariaDB(t *testing.T) string {
	t.Helper()
	const packages = "mariadb-server-core mariadb-client-core"
	dir := t.TempDir()
	install := exec.Command(suite.Program(t, "mariadb-install-db", packages), "--no-defaults", "--user=root",
		"--datadir="+dir,
		"--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var server *exec.Cmd
	addr := daemon(t, func(port string) *exec.Cmd {
		server = exec.Command(suite.Program(t, "mariadbd", packages), "--no-defaults", "--user=root", "--datadir="+dir,
			"--port="+port,
			"--bind-address=127.0.0.1", "--socket="+dir+"/s", "--innodb-buffer-pool-size=16M", "--skip-log-bin")
		return server
	}, func(port string) bool {
		return exec.Command(suite.Program(t, "mariadb", packages), "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P",
			port, "-u", "root",
			"-e", "select 1").Run() == nil
	})
	t.Cleanup(func() { _ = server.Process.Kill() }) // it does not end by an interrupt
	return "mysql://root@" + addr + "/mysql"
}

// TestQueries_Faults: faults on commands of Redis and MongoDB and statements of PostgreSQL and MySQL act on a load, are
// proved, and leave nothing behind.
func TestQueries_Faults(t *testing.T) {
	t.Parallel()
	const mysql = `{sql: "select ?", args: [7], name: call}`
	const mongo = `{mongo.find: orders, filter: {n: "${int(1,9)}"}, name: call}`
	const redis, sql = `{redis: [SET, "user:${int(1,9)}", a], name: call}`,
		`{sql: "select $1::int", args: [7], name: call}`
	for _, c := range []struct {
		fault, step string
		load        func(*seen) string
		short       bool
	}{
		{`redis.error: {from: load, to: target, command: SET, key: "user:*"}`, redis, failed(.5, 1, "error LOADING"), true},
		{
			`redis.error: {from: load, to: target, percent: 30%, reply: READONLY no}`, redis, failed(.05, .6, "error READONLY"),
			false,
		},
		{`redis.delay: {from: load, to: target, delay: 100ms}`, redis, slowed(.1), false},
		{
			`sql.error: {from: load, to: target, sqlstate: "40001", statement: select *}`, sql, failed(.5, 1, "error 40001"),
			true,
		},
		{`sql.error: {from: load, to: target, percent: 30%}`, sql, failed(.05, .6, "error 57P03"), false},
		{`sql.delay: {from: load, to: target, delay: 100ms, statement: select *}`, sql, slowed(.1), false},
		{
			`sql.error: {from: load, to: target, sqlstate: "40001", statement: select *}`, mysql, failed(.5, 1, "error 1213"),
			true,
		},
		{`sql.error: {from: load, to: target, percent: 30%}`, mysql, failed(.05, .6, "error 1053"), false},
		{`sql.delay: {from: load, to: target, delay: 100ms, statement: select *}`, mysql, slowed(.1), false},
		{
			`mongo.error: {from: load, to: target, code: WriteConflict, command: find, collection: "ord*"}`, mongo,
			failed(.5, 1, "error WriteConflict"), true,
		},
		{`mongo.error: {from: load, to: target, percent: 30%}`, mongo, failed(.05, .6, "error NotWritablePrimary"), false},
		{`mongo.delay: {from: load, to: target, delay: 100ms, command: find}`, mongo, slowed(.1), false},
	} {
		t.Run(map[string]string{redis: "redis", sql: "postgres", mysql: "mysql", mongo: "mongo"}[c.step]+" "+
			c.fault, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("the same but for the proxy's part, which has tests of its own")
			}
			t.Parallel()
			try(t, func(wrong *complaints) {
				url := newRedis
				switch c.step {
				case sql:
					url = newPostgres
				case mysql:
					url = newMariaDB
				case mongo:
					url = newFerret
				}
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: queries
seed: 7
target: {endpoints: {db: "%s"}}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, timeout: 5s, flow: [%s]}
chaos:
  fault: {at: 1s, for: 1s, %s}
`, url(t), c.step, c.fault), run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->target", res.Duration+1, c.load)
			})
		})
	}
}
