package http_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/quantity"
	"brunt/targets"
	"brunt/targets/http"
)

// lives counts the requests on each connection of a server.
type lives struct {
	mu   sync.Mutex
	asks []int
}

func (l *lives) serve(p *peer) {
	l.mu.Lock()
	l.asks = append(l.asks, 0)
	i := len(l.asks) - 1
	l.mu.Unlock()
	for p.request() != "" {
		l.mu.Lock()
		l.asks[i]++
		l.mu.Unlock()
		p.say(hello)
	}
}

// TestHTTP_Reuse closes each connection after the number of requests drawn for it: the same
// numbers for the same seed, others for another seed, and every number of the range.
func TestHTTP_Reuse(t *testing.T) {
	run := func(reuse quantity.Counts, seed uint64, requests int) []int {
		l := &lives{}
		o := targets.Options{Base: script(t, l.serve), Seed: seed}
		o.Connections.Reuse = reuse
		r := newFixture(t, o, "get: /")
		u := r.user(0)
		for range requests {
			r.want(u.Do(0, long), "ok 200")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if int64(len(l.asks)) != r.Opened() {
			t.Errorf("%d connections, and %d counted", len(l.asks), r.Opened())
		}
		return l.asks
	}
	if got := run(quantity.Counts{Min: 1, Max: 1}, 1, 5); !slices.Equal(got, []int{1, 1, 1, 1, 1}) {
		t.Errorf("1: %v", got)
	}
	if got := run(quantity.Counts{Min: 3, Max: 3}, 1, 8); !slices.Equal(got, []int{3, 3, 2}) {
		t.Errorf("3: %v", got)
	}
	if got := run(quantity.Counts{}, 1, 50); !slices.Equal(got, []int{50}) {
		t.Errorf("no bound: %v", got)
	}
	few := quantity.Counts{Min: 2, Max: 6}
	first := run(few, 7, 400)
	if again := run(few, 7, 400); !slices.Equal(first, again) {
		t.Errorf("another draw from the same seed:\n%v\n%v", first, again)
	}
	if other := run(few, 8, 400); slices.Equal(first, other) {
		t.Errorf("the same draw from another seed: %v", other)
	}
	seen := map[int]int{}
	for _, n := range first[:len(first)-1] { // the last may not be finished
		seen[n]++
	}
	for n := range seen {
		if n < 2 || n > 6 || len(seen) != 5 {
			t.Fatalf("requests a connection: %v", seen)
		}
	}
}

// TestHTTP_ReuseAndWaiting gives the place of a used-up connection to a waiting request.
func TestHTTP_ReuseAndWaiting(t *testing.T) {
	l := &lives{}
	o := targets.Options{Base: script(t, l.serve)}
	o.Connections.Reuse, o.Connections.Max = quantity.Counts{Min: 2, Max: 2}, 3
	r := newFixture(t, o, "get: /")
	var all sync.WaitGroup
	for i := range 12 {
		u := r.user(i)
		all.Go(func() {
			for range 10 {
				r.want(u.Do(0, long), "ok 200")
			}
		})
	}
	all.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.asks {
		if n > 2 {
			t.Fatalf("requests a connection: %v", l.asks)
		}
	}
	if r.Opened() < 60 || r.Opened() > 62 || // up to three have one request left
		len(l.asks) != int(r.Opened()) || http.Waiting(r.Client) != 0 {
		t.Errorf("%d connections for 120 requests, %d wait", r.Opened(), http.Waiting(r.Client))
	}
}

// TestHTTP_AnswersHold follows a changed name when its TTL ends, unless the scenario says
// otherwise, and after half a minute at the latest.
func TestHTTP_AnswersHold(t *testing.T) {
	port := loopbacks(t, "127.0.0.2")
	for _, c := range []struct {
		name   string
		record time.Duration
		ttl    quantity.Duration
		want   time.Duration
	}{
		{"the record's own", 5 * time.Second, 0, 5 * time.Second},
		{"the record's is long", time.Hour, 0, 30 * time.Second},
		{"the record's is none", 0, 0, 0},
		{"nothing is known", -1, 0, 30 * time.Second},
		{"the scenario's", 5 * time.Second, quantity.Duration(40 * time.Second), 40 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			dns := &fakeDNS{ttl: c.record}
			dns.set("api.test", "127.0.0.1")
			off := false
			o := targets.Options{Base: "http://api.test:" + port}
			o.Connections.KeepAlive, o.Connections.DNSTTL = &off, c.ttl
			r := newFixture(t, o, `{get: /, extract: {at: header X-Here}}`)
			dns.use(r.Client)
			u := r.user(0)
			at := func(want string) {
				t.Helper()
				if r.want(u.Do(0, long), "ok 200"); u.Var("at") != want {
					t.Errorf("reached %s, want %s", u.Var("at"), want)
				}
			}
			at("127.0.0.1")
			dns.set("api.test", "127.0.0.2")
			if c.want > 0 {
				dns.pass(c.want - 1)
				at("127.0.0.1")
				dns.pass(1)
			}
			at("127.0.0.2")
		})
	}
}
