package run_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/targets/targetstest"
)

// A site is a server at one of several addresses that records the times of its requests and its
// connections.
type site struct {
	mu       sync.Mutex
	requests []time.Time
	conns    map[string]int // requests by the client's host:port
	from     map[string]int // connections by the client's address
	open     int
	most     int
}

func (p *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, time.Now())
	p.conns[r.RemoteAddr]++
}

// state follows connections through net/http's callbacks.
func (p *site) state(c net.Conn, to http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch to {
	case http.StateNew:
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		p.from[host]++
		p.open++
		p.most = max(p.most, p.open)
	case http.StateClosed, http.StateHijacked:
		p.open--
	}
}

// count returns how many requests came before and after a time, and when the last one did.
func (p *site) count(at time.Time) (before, after int, first, last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.requests {
		if t.Before(at) {
			before++
			continue
		}
		if after++; after == 1 {
			first = t
		}
		last = t
	}
	return before, after, first, last
}

// sites starts servers on one port of several addresses of loopback.
func sites(t *testing.T, hosts ...string) (port string, all []*site) {
	t.Helper()
	port = "0"
	for _, h := range hosts {
		l, err := net.Listen("tcp4", net.JoinHostPort(h, port))
		if err != nil {
			t.Skipf("this system can't listen on %s: %v", h, err)
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		p := &site{conns: map[string]int{}, from: map[string]int{}}
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: p, ConnState: p.state}}
		s.Start()
		t.Cleanup(s.Close)
		all = append(all, p)
	}
	return port, all
}

// TestNameMoves moves a name during a run. New connections follow within dns_ttl, or within the
// record's TTL; a connection that is kept alive follows only when max_age ends it: a run over
// long-lived connections measures the old address.
func TestNameMoves(t *testing.T) {
	t.Parallel()
	const never = time.Duration(-1)
	for _, c := range []struct {
		name        string
		connections string
		record      uint32        // seconds
		within      time.Duration // until the new address is used; never means not at all
		least       time.Duration // how long the old address is still used; includes the test's tolerance
	}{
		{"pinned", "dns_ttl: 200ms", 0, never, 0},
		{"pinned for a while", "dns_ttl: 200ms, max_age: 300ms", 0, 500 * time.Millisecond, 0},
		{"pinned by requests", "dns_ttl: 200ms, reuse: 5..10", 0, 300 * time.Millisecond, 0},
		{"new connections", "dns_ttl: 500ms, keep_alive: off", 3600, 500 * time.Millisecond, 100 * time.Millisecond},
		{"as the record says", "keep_alive: off", 1, time.Second, 400 * time.Millisecond},
		{"each connection", "dns_ttl: 0s, keep_alive: off", 3600, 0, 0},
		{"not yet", "dns_ttl: 1h, keep_alive: off", 0, never, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			try(t, func(wrong *complaints) {
				port, at := sites(t, "127.0.0.2", "127.0.0.3")
				names := targetstest.NewNames(t)
				names.Set("shop.test", c.record, "127.0.0.2")
				var moved time.Time
				done := make(chan struct{})
				go func() {
					defer close(done)
					suite.Within(time.Minute, func() bool {
						before, _, _, _ := at[0].count(time.Now())
						return before >= 120 || t.Context().Err() != nil
					})
					if t.Context().Err() != nil {
						return
					}
					names.Set("shop.test", c.record, "127.0.0.3")
					moved = time.Now()
				}()
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: a name that moves
target: {url: "http://shop.test:%s"}
guard: {allow: {load: [shop.test]}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [{get: /}], connections: {max: 1, dns: "%s", %s}}
slo: [errors < 1%%]
`, port, names.Addr, c.connections), run.Options{})
				<-done
				wrong.passed(res)
				_, oldAfter, _, oldLast := at[0].count(moved)
				newBefore, newAfter, newFirst, _ := at[1].count(moved)
				t.Logf("after the move: %d requests to the old address, the last %v after; %d to the new, the first %v after; "+
					"asked %d times, %d connections",
					oldAfter, oldLast.Sub(moved), newAfter, newFirst.Sub(moved), names.Asked(), res.Generator.Connections)
				const slack = 400 * time.Millisecond // tolerance for a busy machine
				switch {
				case newBefore > 0:
					wrong.addf("%d requests went to the new address before the name led there", newBefore)
				case c.within == never && (newAfter > 0 || oldAfter < 80):
					wrong.addf("%d requests went to the new address, %d to the old one", newAfter, oldAfter)
				case c.within == never:
				case oldAfter > 0 && oldLast.Sub(moved) < c.least || oldAfter == 0 && c.least > 0:
					wrong.addf("the old address was used for %v only", oldLast.Sub(moved))
				case newAfter == 0 || newFirst.Sub(moved) > c.within+slack || oldLast.Sub(moved) > c.within+slack:
					wrong.addf("the name was followed after %v, and the old address used for %v; want %v", newFirst.Sub(moved),
						oldLast.Sub(moved), c.within)
				}
			})
		})
	}
}

// TestConnections compares the connection counts of a load with what the server saw.
func TestConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, connections string
		wrong             func(p *site, conns int) bool
	}{
		{"max", "max: 2", func(p *site, conns int) bool { return p.most > 2 || conns > 2 }},
		{"keep_alive", "keep_alive: on", func(_ *site, conns int) bool { return conns > 20 }},
		{"keep_alive off", "keep_alive: off", func(_ *site, conns int) bool { return conns != 200 }},
		{"reuse", "reuse: 10", func(p *site, conns int) bool {
			return conns < 20 || conns > 20+p.most ||
				mostOf(p.conns) != 10
		}},
		{"reuse of a range", "reuse: 1..19, max: 1", func(p *site, conns int) bool {
			return conns < 12 || conns > 40 || mostOf(p.conns) > 19 || mostOf(p.conns) < 10
		}},
		{"max_age", "max_age: 200ms, max: 1", func(_ *site, conns int) bool { return conns < 3 || conns > 10 }},
		{"source_addresses", "keep_alive: off, source_addresses: [127.0.0.4, 127.0.0.5]", func(p *site, _ int) bool {
			return len(p.from) != 2 || p.from["127.0.0.4"] != 100 || p.from["127.0.0.5"] != 100
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			try(t, func(wrong *complaints) {
				port, at := sites(t, "127.0.0.1")
				p := at[0]
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: connections
target: {url: "http://127.0.0.1:%s", ready: {get: /}}
load:
  main: {executor: constant-arrival-rate, rate: 200/s, duration: 1s, flow: [{get: /}], connections: {%s}}
slo: [errors < 5%%]
`, port, c.connections), run.Options{})
				wrong.passed(res)
				p.mu.Lock()
				defer p.mu.Unlock()
				total := 0
				for _, n := range p.from {
					total += n
				}
				conns := int(res.Generator.Connections)
				t.Logf("%d connections opened, %d seen, %d at once, at most %d requests on one, from %v", conns, total, p.most,
					mostOf(p.conns), p.from)
				ready := total - conns // the check of readiness
				if ready != 1 {
					wrong.addf("%d connections seen, %d opened", total, conns)
				}
				for host := range p.from {
					if p.from[host]%2 == 1 { // a connection from that address
						p.from[host] -= ready
						break
					}
				}
				if c.wrong(p, conns) {
					wrong.addf("%d connections opened, %d at once, at most %d requests on one, from %v", conns, p.most,
						mostOf(p.conns), p.from)
				}
			})
		})
	}
}

func mostOf(counts map[string]int) (most int) {
	for _, n := range counts {
		most = max(most, n)
	}
	return most
}

// TestEntries: with `entries: all` every replica of the entry accepts connections of a load, and otherwise the first
// alone does. The result lists the addresses that accepted them.
func TestEntries(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts SocialConnect twice")
	}
	for entries, want := range map[string]int{"first": 1, "all": 2} {
		t.Run(entries, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, `
version: 1
name: entries
target: {stack: demo, with: {gateway: {replicas: 2}, limiter: off}}
load:
  main:
    executor: constant-arrival-rate
    rate: 20/s
    duration: 2s
    flow: [{get: /healthz}]
    connections: {entries: `+entries+`, keep_alive: off}
`, run.Options{})
			if got := len(res.Generator.Peers); got != want {
				t.Fatalf("%d addresses accepted connections, want %d: %+v", got, want, res.Generator.Peers)
			}
			for _, p := range res.Generator.Peers {
				if p.Opened < 40/int64(want)-1 {
					t.Errorf("%s accepted %d of 40 connections", p.Address, p.Opened)
				}
			}
		})
	}
}

// TestSourceAddressOfAnother: a load from an address that this machine does not have does not start.
func TestSourceAddressOfAnother(t *testing.T) {
	t.Parallel()
	res := runOnce(t, `
version: 1
name: from elsewhere
target: {stack: demo}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}], connections: {source_addresses: [192.0.2.1]}}
`, run.Options{})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason,
		"source address 192.0.2.1 is not this machine's") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
}

// TestPortsRunOut loads from a machine with ten ports: a request without a port is an error of
// brunt, named as such, and does not count against the target.
func TestPortsRunOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, connections string
		flow              string
		short             bool // ports run out
	}{
		{"closed after each request", "reuse: 1", "", true},
		{"kept", "keep_alive: on", "", false},
		// Each destination has all ports of a source address.
		{
			"from more addresses",
			"reuse: 1, source_addresses: [127.0.0.1, 127.0.0.2, 127.0.0.3, 127.0.0.4, 127.0.0.5, 127.0.0.6]",
			`, {get: "http://127.0.0.2:7777/"}`, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := scenario(t, fmt.Sprintf(`
version: 1
name: few ports
target: {url: "http://127.0.0.1:7777"}
load:
  main: {executor: constant-arrival-rate, rate: 25/s, duration: 2s, flow: [{get: /}%s], connections: {%s}}
slo: [errors < 10%%]
`, c.flow, c.connections))
			said := ""
			for try := range lateTries {
				if said = fewPortsRun(t, file); !strings.Contains(said, "brunt itself was late") ||
					strings.Contains(said, "found no port") {
					break
				} else if try == lateTries-1 {
					t.Fatalf("this machine is too busy: %s", said)
				}
			}
			t.Log(said)
			want := []string{"verdict pass"}
			if c.short {
				want = []string{
					"verdict invalid",
					"requests found no port: a source address of this machine has 10 for each address of " +
						"the target", "connections.source_addresses", "kinds no port: ", "assign requested address",
				}
			}
			if noted := strings.Contains(said, "they may be used up"); noted != c.short {
				t.Errorf("foreseen: %v", noted)
			}
			for _, w := range want {
				if !strings.Contains(said, w) {
					t.Errorf("%q is missing", w)
				}
			}
		})
	}
}

// fewPortsRun runs a scenario in a network with few ports and returns its output.
func fewPortsRun(t *testing.T, file string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "role", "few-ports", file, t.TempDir())
	if !ownNetwork(cmd) {
		t.Skip("this system has no network namespaces")
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if os.Getenv("CI") != "true" && strings.Contains(err.Error(), "operation not permitted") {
			t.Skipf("this user may make no network namespace: %v", err)
		}
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}
