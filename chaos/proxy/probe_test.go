package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// briefly bounds a probe that is expected to meet silence.
func briefly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func probe(t *testing.T, p *Proxy, ctx context.Context, q ProbeRequest) ProbeResult {
	t.Helper()
	r, err := p.Probe(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// effects are what a probe sees of each toxic. They bite: seen is false without it.
var effects = []struct {
	name  string
	toxic Toxic
	http  bool
	mute  bool // it is silence that is seen
	seen  func(t *testing.T, p *Proxy, ctx context.Context) bool
}{
	{"latency", Latency{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: RTT, N: 5})
		return len(r.Times) == 5 && slices.Min(r.Times) >= 15*time.Millisecond
	}},
	{"latency of an HTTP link", Latency{Delay: 20 * time.Millisecond}, true, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: RTT, N: 5})
		return len(r.Times) == 5 && slices.Min(r.Times) >= 20*time.Millisecond
	}},
	{"bandwidth", Bandwidth{Rate: 2 << 20}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: Bulk, Bytes: 256 << 10})
		return r.Received == 256<<10 && r.Rate < 2.3*(1<<20)
	}},
	{"stall", Stall{}, false, true, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: RTT})
		return r.Connected && r.Outcome == Silent
	}},
	{"blackhole", Blackhole{}, false, true, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		return probe(t, p, ctx, ProbeRequest{Kind: Bulk, Bytes: 4 << 20}).Outcome == Silent
	}},
	{"drop", Partition{Existing: Keep}, false, true, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		return probe(t, p, ctx, ProbeRequest{Kind: RTT}).Outcome == Silent
	}},
	{"reject", Partition{Mode: Reject}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: Connect})
		return !r.Connected && r.Outcome == Refused
	}},
	{"reset", Partition{Mode: ResetNew}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		return probe(t, p, ctx, ProbeRequest{Kind: RTT}).Outcome == WasReset
	}},
	{"slow close", SlowClose{Delay: 20 * time.Millisecond}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: Close})
		return len(r.Times) == 1 && r.Times[0] >= 40*time.Millisecond
	}},
	{"limit", Limit{Bytes: 100}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: Bulk, Bytes: 1000})
		return r.Received == 100 && r.Outcome == WasClosed
	}},
	{"slicer", Slicer{Size: 10, Delay: 2 * time.Millisecond}, false, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: Bulk, Bytes: 400})
		return r.Received == 400 && r.Parts >= 20 && r.Spread >= 70*time.Millisecond
	}},
	{"http error", HTTPError{Status: 502, Path: "/a/*"}, true, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: HTTP, N: 3, Method: "POST", Path: "/a/b"})
		return slices.Equal(r.Statuses, []int{502, 502, 502}) && len(r.Times) == 3
	}},
	{"http rewrite", HTTPRewrite{Request: Draft{Path: PathDraft{To: "/b"}}, Answer: Draft{Body: new("new")}, Path: "/a"}, true, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: HTTP, N: 2, Path: "/a", Status: 200, Keep: true})
		return len(r.Kept) == 2 && r.Kept[1].Request.Target == "/b" && r.Kept[1].Answer.Body == "new"
	}},
	{"http delay", HTTPDelay{Delay: 20 * time.Millisecond}, true, false, func(t *testing.T, p *Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, ProbeRequest{Kind: HTTP, N: 3})
		return slices.Equal(r.Statuses, []int{204, 204, 204}) && slices.Min(r.Times) >= 20*time.Millisecond
	}},
}

// TestProbeSeesEachToxic wants a probe to tell a toxic that is in from one that is
// not, from one that was removed, and from one that is in and does nothing; and
// none of it to count as traffic.
func TestProbeSeesEachToxic(t *testing.T) {
	for _, tc := range effects {
		t.Run(tc.name, func(t *testing.T) {
			for _, idle := range []bool{false, true} {
				asked := false
				u := serve(t, func(*net.TCPConn) { asked = true })
				p := start(t, u, Config{HTTP: tc.http, Ineffective: idle})
				seen := func(expected bool) bool {
					if tc.mute && expected {
						return tc.seen(t, p, briefly(t))
					}
					return tc.seen(t, p, patiently(t))
				}
				if seen(false) {
					t.Fatal("it is seen before it is in")
				}
				x := add(t, p, tc.toxic)
				if len(p.Toxics()) != 1 {
					t.Error("it is not listed")
				}
				if got := seen(!idle); got == idle {
					t.Errorf("ineffective %v, seen %v", idle, got)
				}
				remove(t, x)
				if seen(false) {
					t.Error("it is seen after it was removed")
				}
				if s, met := p.Stats(), x.Seen(); s.Any() || met.Any() || p.Open() != 0 || p.requests.Load() != 0 || p.connections.Load() != 0 {
					t.Errorf("probes count: %+v, %+v", s, met)
				}
				_ = p.Close()
				if asked {
					t.Error("a probe reached the upstream")
				}
			}
		})
	}
}

func TestEstablishedSees(t *testing.T) {
	for _, tc := range []struct {
		name        string
		toxic       Toxic
		during      Outcome
		after       Outcome
		ineffective bool
	}{
		{"latency", Latency{Delay: time.Millisecond}, Answered, Answered, false},
		{"stall", Stall{}, Silent, Answered, false},
		{"blackhole", Blackhole{}, Silent, WasReset, false},
		{"drop", Partition{}, Silent, Answered, false},
		{"drop, keep", Partition{Existing: Keep}, Answered, Answered, false},
		{"reject", Partition{Mode: Reject}, WasReset, WasReset, false},
		{"reject, keep", Partition{Mode: Reject, Existing: Keep}, Answered, Answered, false},
		{"reset new", Partition{Mode: ResetNew}, WasReset, WasReset, false},
		{"reset", Reset{}, WasReset, WasReset, false},
		{"reset, ineffective", Reset{}, Answered, Answered, true},
		{"reject, ineffective", Partition{Mode: Reject}, Answered, Answered, true},
		{"drop, ineffective", Partition{}, Answered, Answered, true},
	} {
		for _, http := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, http=%v", tc.name, http), func(t *testing.T) {
				p := start(t, serve(t, echo), Config{HTTP: http, Ineffective: tc.ineffective})
				l, err := p.Established(patiently(t))
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				x := add(t, p, tc.toxic)
				ctx := patiently(t)
				if tc.during == Silent {
					ctx = briefly(t)
				}
				if r := l.RoundTrip(ctx); r.Outcome != tc.during {
					t.Errorf("while it is in: %v, want %v: %v", r.Outcome, tc.during, r.Err)
				}
				remove(t, x)
				r := l.RoundTrip(patiently(t))
				// A reset is told once; then writing finds a broken pipe.
				if r.Outcome != tc.after {
					t.Errorf("after it: %v, want %v: %v", r.Outcome, tc.after, r.Err)
				}
				if s := x.Seen(); s.Any() {
					t.Errorf("it met %+v", s)
				}
			})
		}
	}
	t.Run("refuses while the link is cut", func(t *testing.T) {
		p := start(t, serve(t, echo), Config{})
		add(t, p, Stall{})
		if l, err := p.Established(briefly(t)); err == nil {
			l.Close()
			t.Error("a line through a stall was established")
		}
	})
}

// TestProbesAmongTraffic wants probes to be told from connections that come at the
// same time, and to take nothing from them.
func TestProbesAmongTraffic(t *testing.T) {
	p := start(t, serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "upstream")
	}), Config{})
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				c, err := net.Dial("tcp", p.Addr())
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(patience))
				if b, err := io.ReadAll(c); string(b) != "upstream" || err != nil {
					t.Errorf("a connection got %q, %v", b, err)
				}
				_ = c.Close()
			}
		})
		wg.Go(func() {
			for range 50 {
				r, err := p.Probe(t.Context(), ProbeRequest{Kind: RTT, N: 2})
				if err != nil || r.Outcome != Answered || len(r.Times) != 2 {
					t.Errorf("a probe got %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	counts(t, "it was 200 connections", p, func(s Traffic) bool { return s == Traffic{Connections: 200, Back: 1600} })
	if n := len(p.meets); n != 0 {
		t.Errorf("%d probes are still expected", n)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestProbeBulk(t *testing.T) {
	p := start(t, serve(t, echo), Config{})
	r := probe(t, p, patiently(t), ProbeRequest{Kind: Bulk, Bytes: 16 << 20})
	if r.Outcome != Answered || r.Received != 16<<20 || r.Rate <= 0 {
		t.Errorf("got %+v", r)
	}
}
