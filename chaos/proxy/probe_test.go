package proxy_test

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

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/toxics"
)

// briefly limits a probe that is expected to get no answer.
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

func probe(t *testing.T, p *proxy.Proxy, ctx context.Context, q proxy.ProbeRequest) proxy.ProbeResult {
	t.Helper()
	r, err := p.Probe(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// effects are the observations of a probe for each toxic. Without the toxic, seen is false.
var effects = []struct {
	name  string
	toxic proxy.Toxic
	http  bool
	mute  bool // the observation is that no answer arrives
	seen  func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool
}{
	{
		"latency",
		toxics.Latency{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.RTT, N: 5})
			return len(r.Times) == 5 && slices.Min(r.Times) >= 15*time.Millisecond
		},
	},
	{
		"latency of an HTTP link",
		toxics.Latency{Delay: 20 * time.Millisecond},
		true, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.RTT, N: 5})
			return len(r.Times) == 5 && slices.Min(r.Times) >= 20*time.Millisecond
		},
	},
	{
		"bandwidth",
		toxics.Bandwidth{Rate: 2 << 20},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 256 << 10})
			return r.Received == 256<<10 && r.Rate < 2.3*(1<<20)
		},
	},
	{"stall", toxics.Stall{}, false, true, func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.RTT})
		return r.Connected && r.Outcome == proxy.Silent
	}},
	{"blackhole", toxics.Blackhole{}, false, true, func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
		return probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 4 << 20}).Outcome == proxy.Silent
	}},
	{
		"drop",
		toxics.Partition{Existing: toxics.Keep},
		false, true,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			return probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.RTT}).Outcome == proxy.Silent
		},
	},
	{
		"reject",
		toxics.Partition{Mode: toxics.Reject},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Connect})
			return !r.Connected && r.Outcome == proxy.Refused
		},
	},
	{
		"reset",
		toxics.Partition{Mode: toxics.ResetNew},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			return probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.RTT}).Outcome == proxy.WasReset
		},
	},
	{
		"slow close",
		toxics.SlowClose{Delay: 20 * time.Millisecond},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Close})
			return len(r.Times) == 1 && r.Times[0] >= 40*time.Millisecond
		},
	},
	{"limit", toxics.Limit{Bytes: 100}, false, false, func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
		r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 1000})
		return r.Received == 100 && r.Outcome == proxy.WasClosed
	}},
	{
		"slicer",
		toxics.Slicer{Size: 10, Delay: 2 * time.Millisecond},
		false, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 400})
			return r.Received == 400 && r.Parts >= 20 && r.Spread >= 70*time.Millisecond
		},
	},
	{
		"http error",
		toxics.HTTPError{Status: 502, Path: "/a/*"},
		true, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.HTTP, N: 3, Method: "POST", Path: "/a/b"})
			return slices.Equal(r.Statuses, []int{502, 502, 502}) && len(r.Times) == 3
		},
	},
	{
		"http rewrite",
		toxics.HTTPRewrite{
			Request: http1.Draft{Path: http1.PathDraft{To: "/b"}}, Answer: http1.Draft{Body: new("new")},
			Path: "/a",
		},
		true,
		false, func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.HTTP, N: 2, Path: "/a", Status: 200, Keep: true})
			return len(r.Kept) == 2 && r.Kept[1].Request.Target == "/b" && r.Kept[1].Answer.Body == "new"
		},
	},
	{
		"http delay",
		toxics.HTTPDelay{Delay: 20 * time.Millisecond},
		true, false,
		func(t *testing.T, p *proxy.Proxy, ctx context.Context) bool {
			r := probe(t, p, ctx, proxy.ProbeRequest{Kind: proxy.HTTP, N: 3})
			return slices.Equal(r.Statuses, []int{204, 204, 204}) && slices.Min(r.Times) >= 20*time.Millisecond
		},
	},
}

// TestProbeSeesEachToxic checks that a probe distinguishes an active toxic from a missing one, a
// removed one, and an ineffective one, and that probes do not count as traffic.
func TestProbeSeesEachToxic(t *testing.T) {
	for _, tc := range effects {
		t.Run(tc.name, func(t *testing.T) {
			for _, idle := range []bool{false, true} {
				asked := false
				u := serve(t, func(*net.TCPConn) { asked = true })
				p := start(t, u, proxy.Config{HTTP: tc.http, Ineffective: idle})
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
				if s, traffic := p.Stats(), x.Seen(); s.Any() || traffic.Any() || p.Open() != 0 || p.Numbered() != 0 {
					t.Errorf("probes count: %+v, %+v", s, traffic)
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
		toxic       proxy.Toxic
		during      proxy.Outcome
		after       proxy.Outcome
		ineffective bool
	}{
		{"latency", toxics.Latency{Delay: time.Millisecond}, proxy.Answered, proxy.Answered, false},
		{"stall", toxics.Stall{}, proxy.Silent, proxy.Answered, false},
		{"blackhole", toxics.Blackhole{}, proxy.Silent, proxy.WasReset, false},
		{"drop", toxics.Partition{}, proxy.Silent, proxy.Answered, false},
		{"drop, keep", toxics.Partition{Existing: toxics.Keep}, proxy.Answered, proxy.Answered, false},
		{"reject", toxics.Partition{Mode: toxics.Reject}, proxy.WasReset, proxy.WasReset, false},
		{"reject, keep", toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep}, proxy.Answered, proxy.Answered, false},
		{"reset new", toxics.Partition{Mode: toxics.ResetNew}, proxy.WasReset, proxy.WasReset, false},
		{"reset", toxics.Reset{}, proxy.WasReset, proxy.WasReset, false},
		{"reset, ineffective", toxics.Reset{}, proxy.Answered, proxy.Answered, true},
		{"reject, ineffective", toxics.Partition{Mode: toxics.Reject}, proxy.Answered, proxy.Answered, true},
		{"drop, ineffective", toxics.Partition{}, proxy.Answered, proxy.Answered, true},
	} {
		for _, http := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, http=%v", tc.name, http), func(t *testing.T) {
				p := start(t, serve(t, echo), proxy.Config{HTTP: http, Ineffective: tc.ineffective})
				l, err := p.Established(patiently(t))
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				x := add(t, p, tc.toxic)
				ctx := patiently(t)
				if tc.during == proxy.Silent {
					ctx = briefly(t)
				}
				if r := l.RoundTrip(ctx); r.Outcome != tc.during {
					t.Errorf("while it is in: %v, want %v: %v", r.Outcome, tc.during, r.Err)
				}
				remove(t, x)
				r := l.RoundTrip(patiently(t))
				// A reset is reported once; later writes return a broken pipe.
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
		p := start(t, serve(t, echo), proxy.Config{})
		add(t, p, toxics.Stall{})
		if l, err := p.Established(briefly(t)); err == nil {
			l.Close()
			t.Error("a line through a stall was established")
		}
	})
}

// TestProbesAmongTraffic checks that probes are distinguished from concurrent connections and do
// not affect them.
func TestProbesAmongTraffic(t *testing.T) {
	p := start(t, serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "upstream")
	}), proxy.Config{})
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
				r, err := p.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.RTT, N: 2})
				if err != nil || r.Outcome != proxy.Answered || len(r.Times) != 2 {
					t.Errorf("a probe got %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	counts(t, "it was 200 connections", p, func(s proxy.Traffic) bool {
		return s == proxy.Traffic{
			Connections: 200, Back: 1600,
		}
	})
	if n := p.ExpectedProbes(); n != 0 {
		t.Errorf("%d probes are still expected", n)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestProbeBulk(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	r := probe(t, p, patiently(t), proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 16 << 20})
	if r.Outcome != proxy.Answered || r.Received != 16<<20 || r.Rate <= 0 {
		t.Errorf("got %+v", r)
	}
}

// TestProbeBulk_Largest checks that a probe tells how much the proxy wrote at once in each direction: a piece where a
// slicer cuts, and more where none does.
func TestProbeBulk_Largest(t *testing.T) {
	for _, c := range []struct {
		name          string
		cut           proxy.Direction // zero: none
		parsed        bool
		forward, back bool // cut
	}{
		{name: "clean"},
		{name: "clean HTTP", parsed: true},
		{name: "requests", cut: proxy.Forward, forward: true},
		{name: "answers", cut: proxy.Back, back: true},
		{name: "both", cut: proxy.Both, forward: true, back: true},
		{name: "both of HTTP", cut: proxy.Both, parsed: true, forward: true, back: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{HTTP: c.parsed})
			if c.cut != 0 {
				add(t, p, toxics.Slicer{Size: 100, Variation: 50, Delay: 10 * time.Microsecond, Direction: c.cut})
			}
			r := probe(t, p, patiently(t), proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: 9000})
			if r.Outcome != proxy.Answered || r.Largest[0] == 0 || r.Largest[1] == 0 {
				t.Fatalf("got %+v", r)
			}
			there, back := r.Largest[0] <= 150, r.Largest[1] <= 150
			if c.cut == proxy.Forward {
				back = false // the peer sends the pieces back as it reads them
			}
			if there != c.forward || back != c.back {
				t.Errorf("the largest writes are %d, in pieces forward %v and back %v", r.Largest, c.forward, c.back)
			}
		})
	}
}
