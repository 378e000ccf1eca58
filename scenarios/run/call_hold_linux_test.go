package run_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// locks is a server whose connections hold locks: each from the line `lock` to its end.
type locks struct {
	net.Listener
	held   atomic.Int64
	status *httptest.Server // says 200 while any lock is held, else 404
}

func newLocks(t *testing.T) *locks {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &locks{Listener: l}
	s.status = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.held.Load() == 0 {
			http.Error(w, "free", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.status.Close)
	suite.Serve(t, l, s.serve) // until brunt has ended its connections
	return s
}

// serve holds the locks of a connection.
func (s *locks) serve(c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if strings.TrimSpace(line) == "lock" {
			s.held.Add(1)
			defer s.held.Add(-1)
		}
		_, _ = c.Write([]byte("ok\n"))
	}
}

// scenario is one whose fault holds three locks for some time of its load.
func (s *locks) scenario(held, load string) string {
	return fmt.Sprintf(`
version: 1
name: held
seed: 1
target: {url: %q, endpoints: {lock: "tcp://%s"}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: %s, timeout: 300ms, grace: 300ms, flow: [{get: /, check: {status: [200, 404]}}]}}
chaos:
  it: {at: 300ms, for: %s, call: {hold: [{tcp: lines, as: line}, {send: lock, expect: ok}], count: 3, verify: {ask: {get: /}}}}
`, s.status.URL, s.Addr(), load, held)
}

// free waits until no lock is held.
func (s *locks) free(t *testing.T) {
	t.Helper()
	if !suite.Within(20*time.Second, func() bool { return s.held.Load() == 0 }) {
		t.Errorf("%d locks are held", s.held.Load())
	}
}

// TestCall_HoldKilled: what a fault holds ends with brunt, whenever that is killed, and with its watchdog killed too.
func TestCall_HoldKilled(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	s := newLocks(t)
	m := newKilledRun(t)
	file := scenario(t, s.scenario("300ms", "900ms"))
	out := m.dies(t, 0, "brunt", file, m.state, "guard", "0")
	found := regexp.MustCompile(`injected (\d+) points (\d+)`).FindStringSubmatch(out)
	if found == nil || !strings.Contains(out, "verified true") {
		t.Fatalf("the run that is not killed failed: %s", out)
	}
	injected, _ := strconv.Atoi(found[1])
	all, _ := strconv.Atoi(found[2])
	if s.free(t); injected == 0 {
		t.Fatalf("no point after the injection: %s", out)
	}
	first := 1
	if testing.Short() {
		first, all = injected, injected
	}
	for _, guard := range []string{"guard", "both"} {
		for p := first; p <= all; p++ {
			out := m.dies(t, 0, "brunt", file, m.state, guard, strconv.Itoa(p))
			s.free(t)
			if guard == "both" { // the journal is that of a dead run
				continue
			}
			if left := m.clean(t); len(left) > 0 {
				t.Errorf("killed at point %d of %d: left %v: %s", p, all, left, out)
			}
		}
	}
}

// TestCall_HoldStopped: the watchdog of a brunt that stands still with what it holds ends it.
func TestCall_HoldStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs as long as the watchdog is patient")
	}
	t.Parallel()
	s := newLocks(t)
	m := newKilledRun(t)
	cmd := m.brunt("brunt", scenario(t, s.scenario("40s", "60s")), m.state, "guard", "0")
	out, ended := m.resumed(t, cmd)
	if !ended {
		t.Errorf("brunt was not ended: %s", out)
	}
	s.free(t)
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("left %v: %s", left, out)
	}
}

// TestCall_Revert: what statements did, statements take back, while the load goes on.
func TestCall_Revert(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL")
	}
	t.Parallel()
	url := newPostgres(t)
	res := runOnce(t, strings.ReplaceAll(`
version: 1
name: gone for a second
seed: 7
target: {endpoints: {db: "URL"}}
setup: [{sql: "create table if not exists orders (id int)"}]
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, timeout: 5s, flow: [{sql: "select id from orders", name: read}]}
chaos:
  gone:
    at: 1s
    for: 1s
    call:
      inject: {sql: "alter table orders rename to lost"}
      revert: {sql: "alter table if exists lost rename to orders"}
      verify: {ask: {sql: "select to_regclass('orders') is null as lost", check: {"$[0].lost": true}}}
`, "URL", url), run.Options{})
	if len(res.Faults) != 1 {
		t.Fatalf("%s: %s", res.Verdict, res.Reason)
	}
	f, bad := res.Faults[0], cellOf(res, "run", "error")
	if f.Evidence == "" || !f.Gone || bad.Count < 30 || bad.Count > 100 || len(res.Errors) != 1 ||
		res.Errors[0].Kind != "error 42P01" {
		t.Errorf("%d errors: %+v: %+v", bad.Count, res.Errors, f)
	}
}
