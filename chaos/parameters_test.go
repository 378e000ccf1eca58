//go:build unix

package chaos_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/proxy"
	"brunt/scenarios/suite"
)

// A fixture is two links to echo servers: web[0]->store[0] and web[1]->store[0], both for TCP and HTTP.
type fixture struct {
	t     *testing.T
	links []*chaos.Link
	came  atomic.Int64 // when the server received its last data, Unix nanoseconds
}

func newFixture(t *testing.T, parsed bool) *fixture {
	t.Helper()
	r := &fixture{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c, parsed)
		}
	}()
	for i := range 2 {
		p, err := proxy.Start(proxy.Config{Upstream: func() string { return l.Addr().String() }, Seed: 1, HTTP: parsed})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		r.links = append(r.links, &chaos.Link{From: fmt.Sprintf("web[%d]", i), To: "store[0]", Proxy: p})
	}
	return r
}

func (r *fixture) serve(c net.Conn, parsed bool) {
	defer c.Close()
	if !parsed {
		b := make([]byte, 32<<10)
		for {
			n, err := c.Read(b)
			r.came.Store(time.Now().UnixNano())
			if err != nil {
				return
			}
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
		}
	}
	for br := bufio.NewReader(c); ; {
		q, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, q.Body)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

// inject injects and verifies the fault in yaml, and returns its revert.
func (r *fixture) inject(yaml string) (out func()) {
	r.t.Helper()
	return injectIn(r.t, yaml, chaostest.World{
		Scope: chaos.Scope{
			Services: map[string]int{"web": 2, "store": 1},
			Edges:    []chaos.EdgeName{{From: "web", To: "store"}},
		},
		Env: chaos.Env{Targets: chaos.Targets{Links: r.links}, Occurrence: chaos.Occurrence{Now: clock()}},
	})
}

func injectIn(t *testing.T, yaml string, w chaostest.World) (out func()) {
	t.Helper()
	var held []chaos.Held
	for _, s := range chaostest.Plan(t, yaml, w) {
		h, err := s.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, h)
		if _, err := h.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		for _, h := range held {
			if _, err := h.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Gone(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (r *fixture) dial(link int) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.links[link].Proxy.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// roundTrip returns the time of data to the server and back to the client.
func (r *fixture) roundTrip(c net.Conn) (there, back time.Duration) {
	r.t.Helper()
	began := time.Now()
	if _, err := c.Write([]byte("\x00")); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		r.t.Fatal(err)
	}
	came := time.Unix(0, r.came.Load())
	return came.Sub(began), time.Since(came)
}

// best returns the shortest of some trips: a busy machine makes them longer, never shorter.
func (r *fixture) best(c net.Conn) (there, back time.Duration) {
	there, back = time.Hour, time.Hour
	for range 5 {
		a, b := r.roundTrip(c)
		there, back = min(there, a), min(back, b)
	}
	return there, back
}

// outcomeOf returns the outcome of a connection that sends data: the answer, or why there is none.
func outcomeOf(c net.Conn) string {
	_ = c.SetDeadline(time.Now().Add(250 * time.Millisecond))
	defer func() { _ = c.SetDeadline(time.Now().Add(20 * time.Second)) }()
	_, err := c.Write([]byte("\x00"))
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	switch {
	case err == nil:
		return "answered"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "silent"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	}
	return err.Error()
}

// fresh returns the outcome of a new connection.
func (r *fixture) fresh(link int) string {
	c, err := net.Dial("tcp", r.links[link].Proxy.Addr())
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET): // before connecting returned
		return "reset"
	case err != nil:
		return err.Error()
	}
	defer c.Close()
	return outcomeOf(c)
}

// TestParametersOfLinks measures the effect of every setting on users of the link.
func TestParametersOfLinks(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	t.Run("delay, direction, from, to", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			yaml        string
			there, back time.Duration
			spared      bool // the other link is not affected
		}{
			{"network.latency: {from: \"web[0]\", to: store, delay: 60ms}", 60 * ms, 0, true},
			{"network.latency: {from: web, to: store, delay: 60ms, direction: request}", 60 * ms, 0, false},
			{"network.latency: {to: \"store[0]\", delay: 60ms, direction: response}", 0, 60 * ms, false},
			{"network.latency: {unit: \"web[0]\", delay: 40ms, direction: both}", 40 * ms, 40 * ms, true},
		} {
			r := newFixture(t, false)
			c0, c1 := r.dial(0), r.dial(1)
			out := r.inject(c.yaml)
			for _, direction := range []struct {
				name      string
				got, want time.Duration
			}{{"there", first(r.best(c0)), c.there}, {"back", second(r.best(c0)), c.back}} {
				if direction.got < direction.want || direction.got > direction.want+45*ms {
					t.Errorf("%s: %s takes %s, want %s and at most 45 ms more", c.yaml, direction.name, direction.got, direction.want)
				}
			}
			there, back := r.best(c1)
			if slow := there+back >= 60*ms; slow == c.spared {
				t.Errorf("%s: the other link takes %s and %s", c.yaml, there, back)
			}
			out()
			if there, back := r.best(c0); there+back > 45*ms {
				t.Errorf("%s: afterwards it takes %s and %s", c.yaml, there, back)
			}
		}
	})
	t.Run("jitter", func(t *testing.T) {
		t.Parallel()
		r := newFixture(t, false)
		c := r.dial(0)
		r.inject("network.latency: {from: web, to: store, delay: 40ms, jitter: 30ms}")
		var all []time.Duration
		for range 25 {
			there, _ := r.roundTrip(c)
			all = append(all, there)
		}
		// Uniform from 10 to 70 ms: the chance that none of 25 is below 30, or above 50, is 0.00004
		// each.
		if low, high := slices.Min(all), slices.Max(all); low < 10*ms || low > 30*ms || high < 50*ms {
			t.Errorf("delays from %s to %s", low, high)
		}
	})
	t.Run("correlation", func(t *testing.T) {
		t.Parallel()
		for _, correlation := range []string{"0%", "99%"} {
			r := newFixture(t, false)
			c := r.dial(0)
			r.inject("network.latency: {from: web, to: store, delay: 60ms, jitter: 60ms, correlation: " + correlation + "}")
			var steps []time.Duration
			last := time.Duration(-1)
			for range 20 {
				there, _ := r.roundTrip(c)
				if last >= 0 {
					steps = append(steps, (there - last).Abs())
				}
				last = there
			}
			slices.Sort(steps)
			if median := steps[len(steps)/2]; (median < 18*ms) != (correlation == "99%") { // 36 ms without correlation
				t.Errorf("correlation %s: a delay differs from the one before by %s in the median", correlation, median)
			}
		}
	})
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			rate, direction string
			least, most     time.Duration
		}{
			{"8Mbit/s", "request", 240 * ms, 2000 * ms}, // 256 KiB at 1 MB/s take 262 ms
			{"8Mbit/s", "response", 240 * ms, 2000 * ms},
			{"800Mbit/s", "both", 2 * ms, 1000 * ms},
		} {
			r := newFixture(t, false)
			conn := r.dial(0)
			r.inject(fmt.Sprintf("network.bandwidth: {from: web, to: store, rate: %s, direction: %s}", c.rate, c.direction))
			began := time.Now()
			go func() { _, _ = conn.Write(make([]byte, 256<<10)) }()
			if _, err := io.ReadFull(conn, make([]byte, 256<<10)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < c.least || took > c.most {
				t.Errorf("%s, %s: 256 KiB take %s, want %s to %s", c.rate, c.direction, took, c.least, c.most)
			}
		}
	})
	t.Run("bytes and percent of a limit", func(t *testing.T) {
		t.Parallel()
		r := newFixture(t, false)
		out := r.inject("tcp.limit: {from: \"web[0]\", to: store, bytes: 1KiB, percent: 40%}")
		for link, want := range map[int][2]int{0: {20, 60}, 1: {0, 0}} {
			hit := 0
			for range 100 {
				conn := r.dial(link)
				_, _ = conn.Write(make([]byte, 3000))
				n, _ := io.ReadFull(conn, make([]byte, 3000))
				switch n {
				case 1024:
					hit++
				case 3000:
				default:
					t.Fatalf("%d bytes came", n)
				}
				_ = conn.Close()
			}
			// Of 100 at 40 %, the chance of fewer than 20 or more than 60 is one in 20 000; the seed
			// is fixed.
			if hit < want[0] || hit > want[1] {
				t.Errorf("link %d: %d of 100 connections are hit, want %v", link, hit, want)
			}
		}
		out()
	})
	t.Run("mode, existing", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct{ yaml, fresh, old, after string }{
			{"network.partition: {from: web, to: store}", "silent", "silent", "answered"},
			{"network.partition: {from: web, to: store, existing: keep}", "silent", "answered", "answered"},
			{"network.partition: {from: web, to: store, mode: reject}", "refused", "reset", "reset"},
			{"network.partition: {from: web, to: store, mode: reject, existing: keep}", "refused", "answered", "answered"},
			{"network.partition: {from: web, to: store, mode: reset}", "reset", "reset", "reset"},
			{"network.partition: {from: web, to: store, mode: reset, existing: keep}", "reset", "answered", "answered"},
			{"network.partition: {from: web, to: store, direction: one-way}", "silent", "silent", "answered"},
			{"network.stall: {from: web, to: store}", "silent", "silent", "answered"},
			{"network.blackhole: {from: web, to: store}", "silent", "silent", "reset"},
			{"network.reset: {from: web, to: store}", "answered", "reset", "reset"},
		} {
			r := newFixture(t, false)
			old := r.dial(0)
			if got := outcomeOf(old); got != "answered" {
				t.Fatal(got)
			}
			out := r.inject(c.yaml)
			if got := r.fresh(1); got != c.fresh {
				t.Errorf("%s: a new connection is %s, want %s", c.yaml, got, c.fresh)
			}
			if got := outcomeOf(old); got != c.old {
				t.Errorf("%s: an old connection is %s, want %s", c.yaml, got, c.old)
			}
			out()
			if got := r.fresh(1); got != "answered" {
				t.Errorf("%s: afterwards a new connection is %s", c.yaml, got)
			}
			if got := outcomeOf(old); got != c.after {
				t.Errorf("%s: afterwards an old connection is %s, want %s", c.yaml, got, c.after)
			}
		}
	})
	t.Run("percent, path, method, status, body, headers", func(t *testing.T) {
		t.Parallel()
		r := newFixture(t, true)
		out := r.inject(`http.error: {from: "web[0]", to: store, status: 429, percent: 30%, path: "/posts/*", method: POST, body: "not now", ` +
			`headers: {Retry-After: 7}}`)
		ask := func(link, n int, method, path string) (hit int) {
			conn := r.dial(link)
			for br := bufio.NewReader(conn); n > 0; n-- {
				fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", method, path)
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(resp.Body)
				if resp.StatusCode == 429 {
					hit++
					if string(b) != "not now" || resp.Header.Get("Retry-After") != "7" {
						t.Fatalf("answered %q, %v", b, resp.Header)
					}
				}
			}
			return hit
		}
		// Of 1000 at 30 %, the chance of fewer than 230 or more than 370 is one in a million.
		if hit := ask(0, 1000, "POST", "/posts/7"); hit < 230 || hit > 370 {
			t.Errorf("%d of 1000 are hit, want 30 %%", hit)
		}
		for _, other := range []struct {
			link         int
			method, path string
		}{{0, "GET", "/posts/7"}, {0, "POST", "/users/7"}, {1, "POST", "/posts/7"}} {
			if hit := ask(other.link, 100, other.method, other.path); hit > 0 {
				t.Errorf("%+v: %d are hit, though they don't fit", other, hit)
			}
		}
		out()
		if hit := ask(0, 100, "POST", "/posts/7"); hit > 0 {
			t.Errorf("afterwards %d are hit", hit)
		}
	})
	t.Run("delay and jitter of requests", func(t *testing.T) {
		t.Parallel()
		r := newFixture(t, true)
		r.inject(`http.delay: {from: web, to: store, delay: 30ms, jitter: 25ms, path: "/late"}`)
		conn := r.dial(0)
		br := bufio.NewReader(conn)
		ask := func(path string) time.Duration {
			began := time.Now()
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
			if _, err := http.ReadResponse(br, nil); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		var late, others []time.Duration
		for range 25 {
			late, others = append(late, ask("/late")), append(others, ask("/"))
		}
		if low, high := slices.Min(late), slices.Max(late); low < 5*ms || low > 25*ms || high < 35*ms {
			t.Errorf("delays from %s to %s, want 5 to 55 ms", low, high)
		}
		if least := slices.Min(others); least > 4*ms {
			t.Errorf("what does not fit takes %s and more", least)
		}
	})
}

func first(a, _ time.Duration) time.Duration  { return a }
func second(_, b time.Duration) time.Duration { return b }

// TestParametersOfProcesses measures the effect of the settings of faults on processes.
func TestParametersOfProcesses(t *testing.T) {
	t.Parallel()
	t.Run("grace", func(t *testing.T) {
		t.Parallel()
		u := newUnit(t, "web", "stubborn")
		u.polite = true
		began := time.Now()
		out := injectIn(t, "process.stop: {service: web, grace: 300ms}", processWorld(u))
		if took := time.Since(began); took < 300*time.Millisecond || took > 5*time.Second {
			t.Errorf("it ended after %s, want the grace of 300 ms", took)
		}
		out()
	})
	t.Run("signal", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]syscall.Signal{
			"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
		} {
			u := newUnit(t, "web", "plain")
			injectIn(t, "process.crash: {service: web, signal: "+name+"}", processWorld(u))
			suite.Until(t, "the end of the unit", func() bool { return len(u.signals()) > 0 })
			if got := u.signals(); got[0] != want {
				t.Errorf("%s: it ended by %v", name, got)
			}
		}
	})
}

func processWorld(u *unit) chaostest.World {
	return chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1}},
		Env:   chaos.Env{Targets: chaos.Targets{Units: []chaos.Unit{u}}, Occurrence: chaos.Occurrence{Now: clock()}},
	}
}

// TestTraits_Part: settings that leave a part of what a kind denies say so.
func TestTraits_Part(t *testing.T) {
	for yaml, want := range map[string]bool{
		"process.crash: {service: pg}":                            false,
		"process.crash: {service: pg, processes: main}":           true,
		"process.freeze: {service: pg, processes: tree}":          false,
		"process.freeze: {service: pg, processes: main}":          true,
		"disk.fill: {service: pg, path: /data, percent: 100%}":    false,
		"disk.fill: {service: pg, path: /data, keep_free: 0}":     false,
		"disk.fill: {service: pg, path: /data, percent: 95%}":     true,
		"disk.fill: {service: pg, path: /data, bytes: 16MiB}":     true,
		"disk.fill: {service: pg, path: /data, keep_free: 64MiB}": true,
		"fd.exhaust: {service: pg}":                               false,
		"fd.exhaust: {service: pg, leave: 1000}":                  true,
		"pids.limit: {service: pg}":                               false,
		"pids.limit: {service: pg, leave: 10}":                    true,
	} {
		f, _ := chaostest.Parse(t, yaml)
		if got := f.Traits(chaos.Scope{}).Part; got != want {
			t.Errorf("%s: part %t, want %t", yaml, got, want)
		}
	}
}

// TestStrangers injects faults into processes that brunt did not start.
func TestStrangers(t *testing.T) {
	for _, c := range []struct {
		yaml     string
		stubborn bool
		ends     bool
	}{
		{"process.freeze: {pid: PID}", false, false},
		{"process.crash: {pid: PID, irreversible: true}", true, true},
		{"process.stop: {pid: PID, irreversible: true, grace: 5s}", false, true},
		{"process.stop: {pid: PID, irreversible: true, grace: 200ms}", true, true},
	} {
		t.Run(fmt.Sprintf("%s, stubborn=%v", c.yaml, c.stubborn), func(t *testing.T) {
			how := "plain"
			if c.stubborn {
				how = "stubborn"
			}
			cmd := exec.Command(os.Args[0], "serve", "127.0.0.1:0", how)
			ready, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			go func() {
				defer close(ended)
				_ = cmd.Wait()
			}()
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				<-ended
			})
			yaml := strings.ReplaceAll(c.yaml, "PID", strconv.Itoa(cmd.Process.Pid))
			chaostest.Effect(t, yaml, chaostest.World{
				Scope: chaos.Scope{}, Env: chaos.Env{Occurrence: chaos.Occurrence{Now: clock()}},
			})
			if c.ends {
				<-ended // the proof does not wait until the kernel has ended it
				return
			}
			select {
			case <-ended:
				t.Error("it has ended")
			case <-time.After(50 * time.Millisecond):
			}
		})
	}
}
