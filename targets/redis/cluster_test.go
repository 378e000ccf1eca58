package redis_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/targetstest"
)

// shard is a node of a cluster of two: the first has the slots to 8191, which the key b is in (3300), and the second
// the others, which a is in (15495).
type shard struct {
	*server
	move atomic.Pointer[string] // what it answers to GET; nil: its own number
}

// slots is the answer to CLUSTER SLOTS.
func slots(a, b string) string {
	one := func(from, to int, address string) string {
		host, port, _ := strings.Cut(address, ":")
		return fmt.Sprintf("*3\r\n:%d\r\n:%d\r\n*3\r\n$%d\r\n%s\r\n:%s\r\n+id\r\n", from, to, len(host), host, port)
	}
	return "*2\r\n" + one(0, 8191, a) + one(8192, 16383, b)
}

// startShards starts a cluster of two nodes.
func startShards(t *testing.T) (nodes [2]*shard) {
	for i := range nodes {
		n := new(shard)
		nodes[i] = n
		n.server = start(t, options{say: func(words []string) string {
			switch words[0] {
			case "CLUSTER":
				return slots(nodes[0].Addr().String(), nodes[1].Addr().String())
			case "ASKING":
				return "+OK\r\n"
			case "MULTI", "INCR":
				if m := n.move.Load(); m != nil && words[0] != "MULTI" {
					return *m
				}
				return "+OK\r\n"
			case "EXEC":
				if n.move.Load() != nil {
					return "-EXECABORT no\r\n"
				}
			}
			if m := n.move.Load(); m != nil {
				return *m
			}
			return fmt.Sprintf(":%d\r\n", i)
		}})
	}
	return nodes
}

// TestCluster: a command goes to the node that has the slot of its key; MOVED and ASK are followed, up to a bound.
func TestCluster(t *testing.T) {
	nodes := startShards(t)
	first, second := nodes[0].Addr().String(), nodes[1].Addr().String()
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + first}, "{redis: [GET, b], extract: {v: $}}",
		"{redis: [GET, a], extract: {v: $}}",
		`{redis: [GET, "x{${var.k}}y"], extract: {v: $}}`, "{redis: {multi: [[INCR, b]]}}")
	u := f.User(t, 0)
	want := func(call int, node string, attempts uint16) {
		t.Helper()
		out := u.Do(call, long)
		if got := f.Got(out); got != "ok" || node != "" && u.Var("v") != ":"+node || out.Attempts != attempts {
			t.Errorf("call %d: %s by node %s, %d attempts", call, got, u.Var("v"), out.Attempts)
		}
	}
	want(0, "0", 1)
	want(1, "1", 1)
	for i, key := range []string{"b", "a"} {
		u.It.Vars[slices.Index(f.Vars, "k")].SetText(key)
		want(2, fmt.Sprint(i), 1)
	}
	moved := "-MOVED 3300 " + second + "\r\n"
	nodes[0].move.Store(&moved)
	want(0, "1", 2)
	want(3, "", 1) // the slot is known to have moved
	ask := "-ASK 15495 " + first + "\r\n"
	nodes[1].move.Store(&ask)
	nodes[0].move.Store(nil)
	want(1, "0", 2)
	both := "-MOVED 15495 " + second + "\r\n"
	nodes[1].move.Store(&both)
	if out := u.Do(1, long); f.Got(out) != "error, error MOVED" || out.Attempts != 4 {
		t.Errorf("moved again and again: %s, %d attempts", f.Got(out), out.Attempts)
	}
	nodes[1].move.Store(nil)
	suite.Until(t, "the slots as the nodes have them", func() bool { u.Do(0, long); return u.Var("v") == ":0" })
}

// TestCluster_Multi: a transaction that a node has not executed goes to the other node as a whole.
func TestCluster_Multi(t *testing.T) {
	nodes := startShards(t)
	moved := "-MOVED 3300 " + nodes[1].Addr().String() + "\r\n"
	nodes[0].move.Store(&moved)
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + nodes[0].Addr().String()}, "redis: {multi: [[INCR, b]]}",
		"redis: {pipeline: [[INCR, b], [INCR, '{b}2']]}")
	u := f.User(t, 0)
	for i := range 2 {
		if out := u.Do(i, long); f.Got(out) != "ok" {
			t.Errorf("call %d: %s", i, f.Got(out))
		}
	}
}

// TestCluster_Allowlist: an address that a node announces is dialled by the load's own network, which refuses it.
func TestCluster_Allowlist(t *testing.T) {
	nodes := startShards(t)
	o := targets.Options{Base: "redis+cluster://" + nodes[0].Addr().String(), Timeout: long}
	o.Allow = targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
		if hostport == nodes[1].Addr().String() {
			return errors.New("not in this test")
		}
		return nil
	})
	var err error
	if o.Network, err = dial.NewNetwork(&o); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, o, "redis: [GET, b]", "redis: [GET, a]")
	u := f.User(t, 0)
	if got := f.Got(u.Do(0, long)); got != "ok" {
		t.Error(got)
	}
	if got := f.Got(u.Do(1, long)); got != "error, not allowed" || nodes[1].Connections() != 0 {
		t.Errorf("%s, %d connections", got, nodes[1].Connections())
	}
	moved := "-MOVED 3300 " + nodes[1].Addr().String() + "\r\n"
	nodes[0].move.Store(&moved)
	if out := u.Do(0, long); f.Got(out) != "error, not allowed" || nodes[1].Connections() != 0 {
		t.Errorf("%s, %d connections", f.Got(out), nodes[1].Connections())
	}
}

// TestSentinel: each new connection goes to the primary that the sentinels name, and a server that is no primary any
// more is left.
func TestSentinel(t *testing.T) {
	var readOnly atomic.Bool
	primaries := [2]*server{}
	for i := range primaries {
		primaries[i] = start(t, options{user: "ann pass", say: func([]string) string {
			if i == 0 && readOnly.Load() {
				return "-READONLY You can't write against a read only replica.\r\n"
			}
			return fmt.Sprintf(":%d\r\n", i)
		}})
	}
	sentinel := start(t, options{say: func(words []string) string {
		at := primaries[0]
		if readOnly.Load() {
			at = primaries[1]
		}
		if strings.Join(words, " ") != "SENTINEL get-master-addr-by-name shop" {
			return "-ERR what\r\n"
		}
		host, port, _ := strings.Cut(at.Addr().String(), ":")
		return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
	}})
	f := newFixture(t, targets.Options{
		Base: "redis+sentinel://ann:pass@127.0.0.1:1/shop?addr=" + sentinel.Addr().String(),
	}, "{redis: [INCR, a], extract: {v: $}}")
	u := f.User(t, 0)
	for range 3 {
		if got := f.Got(u.Do(0, long)); got != "ok" || u.Var("v") != ":0" {
			t.Errorf("%s by %s", got, u.Var("v"))
		}
	}
	readOnly.Store(true)
	if got := f.Got(u.Do(0, long)); got != "error, error READONLY" {
		t.Error(got)
	}
	if got := f.Got(u.Do(0, long)); got != "ok" || u.Var("v") != ":1" {
		t.Errorf("%s by %s", got, u.Var("v"))
	}
	if sentinel.Connections() != 2 {
		t.Errorf("the sentinel was asked %d times", sentinel.Connections())
	}
	other := newFixture(t, targets.Options{Base: "redis+sentinel://127.0.0.1:1/shop"}, "redis: [PING]")
	if got := other.Got(other.User(t, 0).Do(0, long)); got != "error, refused" {
		t.Error(got)
	}
}

// TestSentinel_Stale: a sentinel that has not heard of a failover names a server that is lost. Another one is asked in
// the same attempt, and asked first from then on.
func TestSentinel_Stale(t *testing.T) {
	alive := start(t, options{say: func([]string) string { return "+OK\r\n" }})
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	names := func(addr string) *server {
		host, port, _ := strings.Cut(addr, ":")
		return start(t, options{say: func([]string) string {
			return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
		}})
	}
	stale, also, fresh := names(gone.Addr().String()), names(gone.Addr().String()), names(alive.Addr().String())
	url := fmt.Sprintf("redis+sentinel://%s/shop?addr=%s&addr=%s", stale.Addr(), also.Addr(), fresh.Addr())
	f := newFixture(t, targets.Options{Base: url}, "redis: [PING]")
	for i := range 2 {
		if got := f.Got(f.User(t, i).Do(0, long)); got != "ok" {
			t.Errorf("user %d: %s", i, got)
		}
	}
	if stale.Connections() != 1 || also.Connections() != 1 || fresh.Connections() < 1 {
		t.Errorf("the sentinels were asked %d, %d and %d times", stale.Connections(), also.Connections(), fresh.Connections())
	}
	lost := newFixture(t, targets.Options{
		Base: fmt.Sprintf("redis+sentinel://%s/shop?addr=%s", stale.Addr(), also.Addr()),
	}, "redis: [PING]")
	if got := lost.Got(lost.User(t, 0).Do(0, long)); got != "error, refused" {
		t.Errorf("all sentinels name a lost server: %s", got)
	}
}

// TestCluster_Down: a node that the others have lost says that the cluster is down, and goes on to name itself. The
// command goes to the node that the others name once they say that the cluster is up.
func TestCluster_Down(t *testing.T) {
	const lost, up, down = "-CLUSTERDOWN The cluster is down\r\n", "$16\r\ncluster_state:ok\r\n", "$18\r\ncluster_state:fail\r\n"
	var moved atomic.Bool
	nodes := [2]*server{}
	for i := range nodes {
		nodes[i] = start(t, options{say: func(words []string) string {
			mine, other := nodes[0].Addr().String(), nodes[1].Addr().String()
			switch command := strings.Join(words, " "); {
			case command == "CLUSTER INFO" && i == 1 && moved.Load():
				return up
			case command == "CLUSTER INFO":
				return down
			case command == "CLUSTER SLOTS" && i == 1 && moved.Load():
				return slots(other, other)
			case command == "CLUSTER SLOTS":
				return slots(mine, other)
			case i == 0 || !moved.Load():
				return lost
			}
			return fmt.Sprintf(":%d\r\n", i)
		}})
	}
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + nodes[0].Addr().String()}, "{redis: [INCR, b], extract: {v: $}}",
		"{redis: {pipeline: [[INCR, b], [GET, b]]}}")
	u := f.User(t, 0)
	if out := u.Do(0, long); f.Got(out) != "error, error CLUSTERDOWN" || out.Attempts != 1 {
		t.Errorf("before another node took over: %s, %d attempts", f.Got(out), out.Attempts)
	}
	moved.Store(true)
	began := time.Now()
	suite.Until(t, "another node serves", func() bool { return f.Got(u.Do(0, long)) == "ok" })
	if took := time.Since(began); u.Var("v") != ":1" || f.Client.Spoken().Elsewhere != 1 {
		t.Errorf("after %v by %s, %+v", took, u.Var("v"), f.Client.Spoken())
	}
	if out := u.Do(1, long); f.Got(out) != "ok" || out.Attempts != 1 {
		t.Errorf("the slots are known: %s, %d attempts", f.Got(out), out.Attempts)
	}
}

// TestCluster_Gone: a node that accepts no connection has executed nothing, so that the command goes to the node that
// the others name.
func TestCluster_Gone(t *testing.T) {
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := gone.Addr().String()
	_ = gone.Close()
	var asked, stale atomic.Int64 // answers with slots, and how many of them name the node that is gone
	var node *server
	node = start(t, options{say: func(words []string) string {
		switch mine := node.Addr().String(); {
		case words[0] != "CLUSTER":
			return ":1\r\n"
		case words[1] == "INFO":
			return "$16\r\ncluster_state:ok\r\n"
		case asked.Add(1) > stale.Load():
			return slots(mine, mine)
		}
		return slots(address, node.Addr().String())
	}})
	for first, want := range map[int64]string{1: "ok", 1000: "error, refused"} {
		asked.Store(0)
		stale.Store(first)
		f := newFixture(t, targets.Options{Base: "redis+cluster://" + node.Addr().String()}, "{redis: [INCR, b]}")
		out := f.User(t, 0).Do(0, long)
		ok := want == "ok"
		if f.Got(out) != want || out.WasSent != ok || (out.Attempts == 1) != ok || (f.Client.Spoken().Elsewhere == 1) != ok {
			t.Errorf("%s, want %s: %+v", f.Got(out), want, out)
		}
	}
}
