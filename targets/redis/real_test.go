package redis_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
	"brunt/targets"
)

// program is a program of Redis. It skips the test where there is none.
func program(t *testing.T, name string) string {
	t.Helper()
	return suite.Program(t, name, "redis")
}

// freePort returns a port of loopback that is free.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// node is a redis-server or a sentinel that ends with the test.
type node struct {
	t    *testing.T
	addr string
	port string
	*exec.Cmd
}

// run starts a program of Redis, which listens on port.
func run(t *testing.T, port string, args ...string) *node {
	t.Helper()
	n := &node{t: t, addr: "127.0.0.1:" + port, port: port, Cmd: exec.Command(program(t, args[0]), args[1:]...)}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.kill)
	suite.Until(t, args[0]+" to listen", func() bool {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return n
}

// kill ends the program as a crash does.
func (n *node) kill() {
	if n.ProcessState == nil {
		_ = n.Process.Kill()
		_ = n.Wait()
	}
}

// serve starts a redis-server.
func serve(t *testing.T, args ...string) *node {
	t.Helper()
	port := freePort(t)
	own := []string{
		"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--loglevel", "warning",
	}
	return run(t, port, append(own, args...)...)
}

// cli runs redis-cli against the server and returns what it prints.
func (n *node) cli(args ...string) string {
	n.t.Helper()
	b, err := exec.Command(program(n.t, "redis-cli"), append([]string{"-p", n.port}, args...)...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("redis-cli %s: %v\n%s", strings.Join(args, " "), err, b)
	}
	return strings.TrimSpace(string(b))
}

// TestReal sends commands to Debian's redis-server: each kind of answer, a user with a password, a database, errors.
func TestReal(t *testing.T) {
	s := serve(t, strings.Fields("--user default off --user ann on >sesame ~* +@all --user guest on nopass +ping")...)
	for _, base := range []string{
		"redis://ann:sesame@" + s.addr + "/3", "redis://ann:sesame@" + s.addr + "/3?protocol=2",
	} {
		f := newFixture(t, targets.Options{Base: base},
			"redis: [FLUSHDB]",
			`{redis: [SET, "k:${int(1,1)}", '{"total": 5}'], check: {$: OK}}`,
			"{redis: [GET, 'k:1'], check: {$.total: 5}, extract: {v: $.total}}",
			"{redis: [GET, none], check: {$: exists}}",
			"{redis: [LPUSH, 'k:1', a]}",
			"{redis: {pipeline: [[RPUSH, l, a, b, '${var.v}'], [LRANGE, l, 0, -1], [ZADD, z, 1.5, m], [ZSCORE, z, m]]}, "+
				"check: {'$[1][2]': 5, '$[3]': 1.5}}",
			"{redis: {multi: [[INCR, n], [INCR, n], [EXPIRE, n, 60]]}, check: {'$[1]': 2, '$[2]': 1}}",
			"{redis: {multi: [[INCR, n], [NOTACOMMAND]]}}",
			"{redis: {multi: [[INCR, n], [LPUSH, n, a]]}}",
			"{redis: [HSET, h, a, 1, b, 2], check: {$: 2}}",
			"{redis: [EVAL, \"return redis.error_reply('MINE own')\", 0]}",
			"{redis: [EVALSHA, e0e1f9fabfc9d4800c877a703b823ac0578ff8db, 0]}",
			"{redis: [BLPOP, nothing, 0.05], check: {$: exists}}",
		)
		u := f.User(t, 0)
		for i, want := range []string{
			"ok", "ok", "ok", "error, check $", "error, error WRONGTYPE", "ok", "ok", "error, error ERR",
			"error, error WRONGTYPE", "ok", "error, error other",
			"error, error NOSCRIPT", "error, check $",
		} {
			if got := f.Got(u.Do(i, long)); got != want {
				t.Errorf("%s: call %d, %s: %s, want %s", base, i, f.Calls[i].Name(), got, want)
			}
		}
	}
	for _, c := range []struct{ base, call, want string }{
		{"redis://ann:no@", "redis: [PING]", "error, error WRONGPASS"},
		{"redis://", "redis: [PING]", "error, error NOAUTH"},
		{"redis://guest:x@", "redis: [GET, a]", "error, error NOPERM"},
		{"redis://ann:sesame@", "{redis: [HGETALL, none], check: {$: '= {}'}}", "ok"},
	} {
		f := newFixture(t, targets.Options{Base: c.base + s.addr}, c.call)
		if got := f.Got(f.User(t, 0).Do(0, long)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.base, c.call, got, c.want)
		}
	}
	f := newFixture(t, targets.Options{Base: "redis://ann:sesame@" + s.addr + "/99"}, "redis: [PING]")
	if got := f.Got(f.User(t, 0).Do(0, long)); got != "error, error ERR" {
		t.Errorf("a database that there is not: %s", got)
	}
}

// TestReal_Cluster: a load follows the slots of a cluster, one that is moved meanwhile too.
func TestReal_Cluster(t *testing.T) {
	suite.Long(t) // it starts three servers, and waits for them
	var nodes []*node
	for range 3 {
		nodes = append(nodes, serve(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", "1000"))
	}
	nodes[0].cli("--cluster", "create", nodes[0].addr, nodes[1].addr, nodes[2].addr, "--cluster-yes")
	for _, n := range nodes {
		suite.Until(t, "the cluster", func() bool { return strings.Contains(n.cli("cluster", "info"), "cluster_state:ok") })
	}
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + nodes[1].addr}, "redis: [INCR, 'k:${int(1,1000)}']",
		"redis: {multi: [[INCR, '{user1}a'], [INCR, '{user1}b']]}", "redis: [DBSIZE]", "redis: [INCR, 'foo']")
	u := f.User(t, 0)
	if err := bind(t, f); err != nil {
		t.Fatal(err)
	}
	for range 300 {
		for i := range 3 {
			if out := u.Do(i, long); f.Got(out) != "ok" || out.Attempts != 1 {
				t.Fatalf("call %d: %s, %d attempts", i, f.Got(out), out.Attempts)
			}
		}
	}
	owner, other := "", nodes[0]
	for _, n := range nodes { // foo is in slot 12182
		if strings.Contains(n.cli("cluster", "countkeysinslot", "12182"), "1") ||
			owner == "" && !strings.Contains(n.cli("get", "foo"), "MOVED") {
			owner = n.addr
		} else {
			other = n
		}
	}
	id := func(n *node) string { return n.cli("cluster", "myid") }
	for _, n := range nodes {
		if n.addr == owner {
			other.cli("cluster", "setslot", "12182", "importing", id(n))
			n.cli("cluster", "setslot", "12182", "migrating", id(other))
			if out := u.Do(3, long); f.Got(out) != "ok" || out.Attempts != 2 { // ASK: the key is not there yet
				t.Errorf("while it moves: %s, %d attempts", f.Got(out), out.Attempts)
			}
			other.cli("cluster", "setslot", "12182", "node", id(other))
			n.cli("cluster", "setslot", "12182", "node", id(other))
		}
	}
	if out := u.Do(3, long); f.Got(out) != "ok" || out.Attempts != 2 { // MOVED
		t.Errorf("after it has moved: %s, %d attempts", f.Got(out), out.Attempts)
	}
	suite.Until(t, "the slots as they are now",
		func() bool { out := u.Do(3, long); return f.Got(out) == "ok" && out.Attempts == 1 })
}

// TestReal_Sentinel: a load survives the crash of a primary, which sentinels replace.
func TestReal_Sentinel(t *testing.T) {
	suite.Long(t) // a failover takes seconds
	primary := serve(t)
	replica := serve(t, "--replicaof", "127.0.0.1", primary.port, "--repl-diskless-sync-delay", "0")
	suite.Until(t, "the replica", func() bool {
		return strings.Contains(primary.cli("info", "replication"),
			"state=online")
	})
	var sentinels []*node
	for range 3 {
		port, dir := freePort(t), t.TempDir()
		file := filepath.Join(dir, "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor shop 127.0.0.1 %s 2\nsentinel "+
			"down-after-milliseconds shop 500\n"+
			"sentinel failover-timeout shop 3000\n", port, dir, primary.port)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sentinels = append(sentinels, run(t, port, "redis-sentinel", file))
	}
	suite.Until(t, "the sentinels to know each other and the replica", func() bool {
		said := sentinels[0].cli("sentinel", "master", "shop")
		return strings.Contains(said, "num-other-sentinels\n2") && strings.Contains(said, "num-slaves\n1")
	})
	f := newFixture(t, targets.Options{Base: "redis+sentinel://" + sentinels[0].addr + "/shop?addr=" + sentinels[1].addr},
		"redis: [INCR, n]")
	u := f.User(t, 0)
	if err := bind(t, f); err != nil {
		t.Fatal(err)
	}
	if got := f.Got(u.Do(0, long)); got != "ok" {
		t.Fatal(got)
	}
	primary.kill()
	sentinels[0].kill()
	if got := f.Got(u.Do(0, long)); got == "ok" {
		t.Error("the primary is lost, and a write was taken")
	}
	suite.Until(t, "the new primary", func() bool { return f.Got(u.Do(0, long)) == "ok" })
	if n := replica.cli("get", "n"); n != "2" {
		t.Errorf("the new primary has n = %s", n)
	}
}
