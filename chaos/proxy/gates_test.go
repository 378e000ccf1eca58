package proxy_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/toxics"
)

// place returns a gate's injection point in a test.
func place(seed uint64, d proxy.Direction) proxy.Point { return proxy.Point{Seed: seed, Direction: d} }

// delays returns the delays that a latency draws for n chunks.
func delays(t toxics.Latency, seed uint64, n int) []time.Duration {
	g := t.Begin().Gate(place(seed, proxy.Forward))
	in := time.Unix(1000, 0)
	ds := make([]time.Duration, n)
	for i := range ds {
		due, _ := g.Next(&proxy.Item{Arrived: in}, time.Time{}, in)
		ds[i] = due.Sub(in)
	}
	return ds
}

func TestLatencyDraws(t *testing.T) {
	const n = 50_000
	for _, tc := range []struct {
		name string
		l    toxics.Latency
		sd   float64 // of the delays, in ms
	}{
		{"constant", toxics.Latency{Delay: 100 * time.Millisecond}, 0},
		{"uniform", toxics.Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond}, 20 / math.Sqrt(3)},
		{"uniform, correlated", toxics.Latency{
			Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond,
			Correlation: 0.8,
		}, 20 / math.Sqrt(3)},
		{
			"normal",
			toxics.Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Distribution: toxics.Normal},
			20,
		},
		{"normal, correlated", toxics.Latency{
			Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond,
			Distribution: toxics.Normal, Correlation: 0.5,
		}, 20},
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
				if tc.l.Distribution == toxics.Uniform && math.Abs(x) > 20 {
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
		set           proxy.Direction
		forward, back bool
	}{
		{0, true, false}, {proxy.Forward, true, false}, {proxy.Back, false, true}, {proxy.Both, true, true},
	} {
		e := toxics.Latency{Delay: 1, Direction: tc.set}.Begin()
		if f, b := e.Gate(place(1, proxy.Forward)) != nil,
			e.Gate(place(1, proxy.Back)) != nil; f != tc.forward || b != tc.back {
			t.Errorf("direction %d delays forward %v, back %v", tc.set, f, b)
		}
	}
}

// pour sends n pieces through a shaper whose driver wakes at the given times, and returns when the
// last left.
func pour(g proxy.Gate, size, n int, wake func(due time.Time) time.Time) time.Duration {
	t0 := time.Unix(1000, 0)
	now, left := t0, time.Time{}
	it := &proxy.Item{Bytes: make([]byte, size), Arrived: t0}
	for range n {
		due, _ := g.Next(it, left, now)
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
			e := toxics.Bandwidth{Rate: rate}.Begin()
			g := e.Gate(place(1, proxy.Forward))
			size := g.(proxy.Piecer).Piece()
			n := int(3 * rate / int64(size)) // 3 s
			want := float64(n*size) / float64(rate)
			exact := pour(g, size, n, func(due time.Time) time.Time { return due })
			if math.Abs(exact.Seconds()-want) > 1e-3 {
				t.Errorf("%d pieces took %v, want %.3f s", n, exact, want)
			}
			// Timers that are up to 1 ms late do not reduce the rate.
			late := 0
			g = toxics.Bandwidth{Rate: rate}.Begin().Gate(place(1, proxy.Forward))
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
		g := toxics.Bandwidth{Rate: 1000}.Begin().Gate(place(1, proxy.Forward))
		t0 := time.Unix(1000, 0)
		_, _ = g.Next(&proxy.Item{Bytes: make([]byte, 100), Arrived: t0}, time.Time{}, t0)
		later := t0.Add(time.Minute)
		if due, _ := g.Next(&proxy.Item{Bytes: make([]byte, 100), Arrived: later}, time.Time{},
			later); due.Sub(later) < 80*time.Millisecond {
			t.Errorf("100 bytes at 1000/s took %v", due.Sub(later))
		}
	})
	t.Run("is shared by connections, not by directions and probes", func(t *testing.T) {
		e := toxics.Bandwidth{Rate: 1000}.Begin()
		t0 := time.Unix(1000, 0)
		leaves := func(s proxy.Point) time.Duration {
			due, _ := e.Gate(s).Next(&proxy.Item{Bytes: make([]byte, 100), Arrived: t0}, time.Time{}, t0)
			return due.Sub(t0)
		}
		for i, s := range []proxy.Point{
			place(1, proxy.Forward), place(2, proxy.Forward), place(3, proxy.Back), {Direction: proxy.Forward, Probe: true},
		} {
			want := []time.Duration{100, 200, 100, 100}[i] * time.Millisecond
			if got := leaves(s); got != want {
				t.Errorf("piece %d leaves after %v, want %v", i, got, want)
			}
		}
	})
}

func TestChecks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
		http  bool
		ok    bool
	}{
		{"latency", toxics.Latency{Delay: 1}, false, true},
		{"jitter alone", toxics.Latency{Jitter: 1}, false, true},
		{"no delay", toxics.Latency{}, false, false},
		{"negative delay", toxics.Latency{Delay: -1}, false, false},
		{"negative jitter", toxics.Latency{Delay: 1, Jitter: -1}, false, false},
		{"correlation over 1", toxics.Latency{Delay: 1, Correlation: 1.1}, false, false},
		{"correlation not a number", toxics.Latency{Delay: 1, Correlation: math.NaN()}, false, false},
		{"no distribution", toxics.Latency{Delay: 1, Distribution: 7}, false, false},
		{"no direction", toxics.Latency{Delay: 1, Direction: 7}, false, false},
		{"bandwidth", toxics.Bandwidth{Rate: 1}, false, true},
		{"no rate", toxics.Bandwidth{}, false, false},
		{"stall", toxics.Stall{}, false, true},
		{"no mode", toxics.Partition{Mode: 7}, false, false},
		{"no existing", toxics.Partition{Existing: 7}, false, false},
		{"slow close", toxics.SlowClose{Delay: 1}, false, true},
		{"no slow close", toxics.SlowClose{}, false, false},
		{"limit", toxics.Limit{Bytes: 1}, false, true},
		{"no limit", toxics.Limit{}, false, false},
		{"share of limits over 1", toxics.Limit{Bytes: 1, Share: 2}, false, false},
		{"slicer", toxics.Slicer{Size: 2, Variation: 1}, false, true},
		{"no pieces", toxics.Slicer{}, false, false},
		{"empty pieces", toxics.Slicer{Size: 2, Variation: 2}, false, false},
		{"error", toxics.HTTPError{}, true, true},
		{"error without HTTP", toxics.HTTPError{}, false, false},
		{"status", toxics.HTTPError{Status: 101}, true, false},
		{"share over 1", toxics.HTTPError{Share: 20}, true, false},
		{"header with a line", toxics.HTTPError{Headers: map[string]string{"X": "a\r\nb"}}, true, false},
		{"header with a bad name", toxics.HTTPError{Headers: map[string]string{"X:": "a"}}, true, false},
		{"header for the length", toxics.HTTPError{Headers: map[string]string{"content-length": "1"}}, true, false},
		{"rewrite", toxics.HTTPRewrite{Answer: http1.Draft{Status: 500}}, true, true},
		{"no rewrite", toxics.HTTPRewrite{}, true, false},
		{"rewrite without HTTP", toxics.HTTPRewrite{Answer: http1.Draft{Status: 500}}, false, false},
		{"status of a request", toxics.HTTPRewrite{Request: http1.Draft{Status: 500}}, true, false},
		{"path of an answer", toxics.HTTPRewrite{Answer: http1.Draft{Path: http1.PathDraft{To: "/"}}}, true, false},
		{"path without /", toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{To: "a"}}}, true, false},
		{"path with a query", toxics.HTTPRewrite{Request: http1.Draft{Path: http1.PathDraft{To: "/a?b"}}}, true, false},
		{
			"rewritten length",
			toxics.HTTPRewrite{Request: http1.Draft{Headers: map[string]*string{"content-length": nil}}},
			true, false,
		},
		{"http delay", toxics.HTTPDelay{Delay: 1}, true, true},
		{"no http delay", toxics.HTTPDelay{}, true, false},
		{"http delay without HTTP", toxics.HTTPDelay{Delay: 1}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{HTTP: tc.http})
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
