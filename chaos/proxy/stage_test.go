package proxy

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// place is a gate's place in a test.
func place(seed uint64, d Direction) spot { return spot{seed: seed, dir: d} }

// delays are what a latency draws for n chunks.
func delays(t Latency, seed uint64, n int) []time.Duration {
	g := t.begin().gate(place(seed, Forward))
	in := time.Unix(1000, 0)
	ds := make([]time.Duration, n)
	for i := range ds {
		due, _ := g.next(&item{in: in}, time.Time{}, in)
		ds[i] = due.Sub(in)
	}
	return ds
}

func TestLatencyDraws(t *testing.T) {
	const n = 50_000
	for _, tc := range []struct {
		name string
		l    Latency
		sd   float64 // of the delays, in ms
	}{
		{"constant", Latency{Delay: 100 * time.Millisecond}, 0},
		{"uniform", Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond}, 20 / math.Sqrt(3)},
		{"uniform, correlated", Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Correlation: 0.8}, 20 / math.Sqrt(3)},
		{"normal", Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Distribution: Normal}, 20},
		{"normal, correlated", Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Distribution: Normal, Correlation: 0.5}, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ds := delays(tc.l, 1, n)
			if again := delays(tc.l, 1, n); !slices.Equal(ds, again) {
				t.Error("the same seed gives another series")
			}
			if other := delays(tc.l, 2, n); tc.l.Jitter > 0 && slices.Equal(ds, other) {
				t.Error("another seed gives the same series")
			}
			var sum, square, product float64
			for i, d := range ds {
				x := d.Seconds()*1000 - 100
				sum += x
				square += x * x
				if i > 0 {
					product += x * (ds[i-1].Seconds()*1000 - 100)
				}
				if tc.l.Distribution == Uniform && math.Abs(x) > 20 {
					t.Fatalf("a delay of %v is outside of the jitter", d)
				}
			}
			if mean := sum / n; math.Abs(mean) > 0.5 {
				t.Errorf("the mean is %.2f ms off", mean)
			}
			if sd := math.Sqrt(square / n); math.Abs(sd-tc.sd) > 0.3 {
				t.Errorf("the standard deviation is %.2f ms, want %.2f", sd, tc.sd)
			}
			if tc.sd > 0 {
				if c := product / square; math.Abs(c-tc.l.Correlation) > 0.02 {
					t.Errorf("the correlation is %.3f, want %.2f", c, tc.l.Correlation)
				}
			}
		})
	}
}

func TestLatencyDirection(t *testing.T) {
	for _, tc := range []struct {
		set           Direction
		forward, back bool
	}{
		{0, true, false}, {Forward, true, false}, {Back, false, true}, {Both, true, true},
	} {
		e := Latency{Delay: 1, Direction: tc.set}.begin()
		if f, b := e.gate(place(1, Forward)) != nil, e.gate(place(1, Back)) != nil; f != tc.forward || b != tc.back {
			t.Errorf("direction %d delays forward %v, back %v", tc.set, f, b)
		}
	}
}

// pour lets n pieces through a shaper whose driver looks at its times of waking,
// and gives when the last left.
func pour(g gate, size, n int, wake func(due time.Time) time.Time) time.Duration {
	t0 := time.Unix(1000, 0)
	now, left := t0, time.Time{}
	it := &item{b: make([]byte, size), in: t0}
	for range n {
		due, _ := g.next(it, left, now)
		if due.After(now) {
			now = wake(due)
		}
		left = due
	}
	return left.Sub(t0)
}

func TestBandwidthShapes(t *testing.T) {
	for _, rate := range []int64{1000, 125_000, 1_250_000, 125_000_000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			e := Bandwidth{Rate: rate}.begin()
			g := e.gate(place(1, Forward))
			size := g.(slicer).piece()
			n := int(3 * rate / int64(size)) // 3 s
			want := float64(n*size) / float64(rate)
			exact := pour(g, size, n, func(due time.Time) time.Time { return due })
			if math.Abs(exact.Seconds()-want) > 1e-3 {
				t.Errorf("%d pieces took %v, want %.3f s", n, exact, want)
			}
			// Timers that are late by up to 1 ms cost no rate.
			late := 0
			g = Bandwidth{Rate: rate}.begin().gate(place(1, Forward))
			lagging := pour(g, size, n, func(due time.Time) time.Time {
				late++
				return due.Add(time.Duration(late%10) * 100 * time.Microsecond)
			})
			if math.Abs(lagging.Seconds()-want) > 1e-3 {
				t.Errorf("with late timers it took %v, want %.3f s", lagging, want)
			}
		})
	}
	t.Run("an idle wire saves nothing up", func(t *testing.T) {
		g := Bandwidth{Rate: 1000}.begin().gate(place(1, Forward))
		t0 := time.Unix(1000, 0)
		_, _ = g.next(&item{b: make([]byte, 100), in: t0}, time.Time{}, t0)
		later := t0.Add(time.Minute)
		if due, _ := g.next(&item{b: make([]byte, 100), in: later}, time.Time{}, later); due.Sub(later) < 80*time.Millisecond {
			t.Errorf("100 bytes at 1000/s took %v", due.Sub(later))
		}
	})
	t.Run("is shared by connections, not by directions and probes", func(t *testing.T) {
		e := Bandwidth{Rate: 1000}.begin()
		t0 := time.Unix(1000, 0)
		leaves := func(s spot) time.Duration {
			due, _ := e.gate(s).next(&item{b: make([]byte, 100), in: t0}, time.Time{}, t0)
			return due.Sub(t0)
		}
		for i, s := range []spot{place(1, Forward), place(2, Forward), place(3, Back), {dir: Forward, probe: true}} {
			want := []time.Duration{100, 200, 100, 100}[i] * time.Millisecond
			if got := leaves(s); got != want {
				t.Errorf("piece %d leaves after %v, want %v", i, got, want)
			}
		}
	})
}

func TestFifo(t *testing.T) {
	var q fifo
	in, out := 0, 0
	for i := range 10_000 {
		if i%7 < 4 || q.len() == 0 {
			q.push(item{last: in%2 == 0, in: time.Unix(int64(in), 0)})
			in++
		} else {
			if it := q.pop(); it.in.Unix() != int64(out) {
				t.Fatalf("item %d came as number %d", it.in.Unix(), out)
			}
			out++
		}
		if q.len() != in-out {
			t.Fatalf("%d items, want %d", q.len(), in-out)
		}
	}
}

func TestChecks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic Toxic
		http  bool
		ok    bool
	}{
		{"latency", Latency{Delay: 1}, false, true},
		{"jitter alone", Latency{Jitter: 1}, false, true},
		{"no delay", Latency{}, false, false},
		{"negative delay", Latency{Delay: -1}, false, false},
		{"negative jitter", Latency{Delay: 1, Jitter: -1}, false, false},
		{"correlation over 1", Latency{Delay: 1, Correlation: 1.1}, false, false},
		{"correlation not a number", Latency{Delay: 1, Correlation: math.NaN()}, false, false},
		{"no distribution", Latency{Delay: 1, Distribution: 7}, false, false},
		{"no direction", Latency{Delay: 1, Direction: 7}, false, false},
		{"bandwidth", Bandwidth{Rate: 1}, false, true},
		{"no rate", Bandwidth{}, false, false},
		{"stall", Stall{}, false, true},
		{"no mode", Partition{Mode: 7}, false, false},
		{"no existing", Partition{Existing: 7}, false, false},
		{"slow close", SlowClose{Delay: 1}, false, true},
		{"no slow close", SlowClose{}, false, false},
		{"limit", Limit{Bytes: 1}, false, true},
		{"no limit", Limit{}, false, false},
		{"share of limits over 1", Limit{Bytes: 1, Share: 2}, false, false},
		{"slicer", Slicer{Size: 2, Variation: 1}, false, true},
		{"no pieces", Slicer{}, false, false},
		{"empty pieces", Slicer{Size: 2, Variation: 2}, false, false},
		{"error", HTTPError{}, true, true},
		{"error without HTTP", HTTPError{}, false, false},
		{"status", HTTPError{Status: 101}, true, false},
		{"share over 1", HTTPError{Share: 20}, true, false},
		{"header with a line", HTTPError{Headers: map[string]string{"X": "a\r\nb"}}, true, false},
		{"header with a bad name", HTTPError{Headers: map[string]string{"X:": "a"}}, true, false},
		{"header for the length", HTTPError{Headers: map[string]string{"content-length": "1"}}, true, false},
		{"rewrite", HTTPRewrite{Answer: Draft{Status: 500}}, true, true},
		{"no rewrite", HTTPRewrite{}, true, false},
		{"rewrite without HTTP", HTTPRewrite{Answer: Draft{Status: 500}}, false, false},
		{"status of a request", HTTPRewrite{Request: Draft{Status: 500}}, true, false},
		{"path of an answer", HTTPRewrite{Answer: Draft{Path: PathDraft{To: "/"}}}, true, false},
		{"path without /", HTTPRewrite{Request: Draft{Path: PathDraft{To: "a"}}}, true, false},
		{"path with a query", HTTPRewrite{Request: Draft{Path: PathDraft{To: "/a?b"}}}, true, false},
		{"rewritten length", HTTPRewrite{Request: Draft{Headers: map[string]*string{"content-length": nil}}}, true, false},
		{"http delay", HTTPDelay{Delay: 1}, true, true},
		{"no http delay", HTTPDelay{}, true, false},
		{"http delay without HTTP", HTTPDelay{Delay: 1}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, serve(t, echo), Config{HTTP: tc.http})
			x, err := p.Add(tc.toxic)
			if (err == nil) != tc.ok {
				t.Errorf("adding %+v: %v", tc.toxic, err)
			}
			if want := map[bool]int{true: 1}[tc.ok]; len(p.Toxics()) != want {
				t.Errorf("%d toxics are listed, want %d", len(p.Toxics()), want)
			}
			if x != nil {
				remove(t, x)
				remove(t, x)
			}
			if len(p.Toxics()) != 0 {
				t.Error("it is listed after its removal")
			}
		})
	}
}
