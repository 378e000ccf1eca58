package measure

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestInterval_Counts: an interval counts the requests that ended in it, and the next one starts
// from zero.
func TestInterval_Counts(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep})
	g.inFlight = func() int64 { return 7 }
	g.now = -sec
	warm := request(-900*ms, ms, okay)
	g.Shard(0).Record(&warm)
	g.now = 0
	if iv, _ := g.Interval(); iv.Ended != 1 || iv.Total != 0 || iv.At != 0 {
		t.Errorf("in warm-up: %+v", iv)
	}
	for _, c := range []struct {
		n    int
		d    time.Duration
		kind scenarios.Kind
	}{{90, 10 * ms, okay}, {10, 100 * ms, okay}, {5, ms, shed}, {3, ms, failure}, {2, 0, skipped}} {
		for range c.n {
			o := request(500*ms, c.d, c.kind)
			o.Ready += 2 * ms
			o.Slot = o.Ready
			o.WasSent = c.kind != failure
			g.Shard(0).Record(&o)
		}
	}
	it := iteration(request(500*ms, ms, okay))
	g.Shard(1).Record(&it)
	g.now = sec
	n, _ := g.Inject("f", "f#1")
	v, _ := g.Inject("g", "g")
	g.Void(v)
	iv, _ := g.Interval()
	if iv.Offered != 110 || iv.Ended != 110 || iv.OK != 100 || iv.Shed != 5 || iv.Errors != 5 || iv.Sent != 105 ||
		iv.Total != 110 ||
		iv.Bad != 5 || iv.InFlight != 7 {
		t.Errorf("%+v", iv)
	}
	for name, c := range map[string]struct{ got, want time.Duration }{
		"p50": {iv.P50, 10 * ms}, "p95": {iv.P95, 100 * ms}, "p99": {iv.P99, 100 * ms}, "lag": {iv.Lag, 2 * ms},
	} {
		if c.got < c.want || c.got > c.want+c.want/500 {
			t.Errorf("%s is %s, want %s", name, c.got, c.want)
		}
	}
	if !slices.Equal(iv.Faults, []string{"f#1"}) {
		t.Errorf("faults: %v", iv.Faults)
	}
	g.Clear(n)
	g.now = 2 * sec
	if iv, _ = g.Interval(); iv.Ended != 0 || iv.P99 != 0 || iv.Lag != 0 || iv.Total != 110 || len(iv.Faults) != 0 {
		t.Errorf("the next one: %+v", iv)
	}
}

// TestInterval_WarmUp: the first interval of a warm-up begins with the load, also of a load that workers make. Its
// length once was 1 ms there, and a terminal showed a thousand times the rate.
func TestInterval_WarmUp(t *testing.T) {
	c := Config{Series: oneStep, Begin: -3 * sec}
	one, x := newClocked(t, c), newCrew(t, 2, c)
	for _, step := range []struct{ at, span time.Duration }{
		{-3500 * ms, ms}, {-2500 * ms, 500 * ms}, {-sec, 1500 * ms}, {0, sec}, {2 * sec, 2 * sec},
	} {
		one.now = step.at
		x.at(step.at)
		for _, w := range x.workers {
			o := request(step.at-10*ms, ms, okay)
			w.Shard(0).Record(&o)
		}
		x.turns(t, func() bool { return false })
		if iv, _ := one.Interval(); iv.Span != step.span {
			t.Errorf("until %s: it took %s, want %s", step.at, iv.Span, step.span)
		}
		iv, _ := x.run.Interval()
		if off := iv.Span - step.span; off < -100*ms || off > 100*ms {
			t.Errorf("until %s, by workers: it took %s, want %s", step.at, iv.Span, step.span)
		}
	}
}

// TestInterval_Offered: offered requests show also while the target answers nothing: those that
// ended, plus the change in flight. In the end each is counted once.
func TestInterval_Offered(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep})
	var flight int64
	g.inFlight = func() int64 { return flight }
	end := func(n int) {
		for range n {
			o := request(g.now, ms, okay)
			g.Shard(0).Record(&o)
		}
	}
	for i, c := range []struct {
		ended   int
		flight  int64
		offered int64
	}{
		{100, 5, 105},
		{100, 5, 100},
		{0, 105, 100}, // the target freezes
		{0, 205, 100}, // still frozen
		{300, 5, 100}, // it resumes
		{98, 0, 93},   // the load ends; five ended, and two of them are not sorted yet
		{2, 0, 2},     // the two are sorted
		{0, 0, 0},     // idle
		{0, 3, 3},     // three begin
		{0, 0, 0},     // and end, but are not sorted yet
		{3, 0, 0},     // they are sorted
		{10, 10, 20},  // running
		{0, 10, 0},    // a blocked closed load offers nothing
		{1000, 10, 1000},
	} {
		g.now += sec
		end(c.ended)
		flight = c.flight
		if iv, _ := g.Interval(); iv.Offered != c.offered || iv.Ended != int64(c.ended) || iv.InFlight != c.flight {
			t.Errorf("%d: %d offered, %d ended, %d in flight; want %d, %d, %d", i, iv.Offered, iv.Ended, iv.InFlight, c.offered,
				c.ended, c.flight)
		}
	}
}
