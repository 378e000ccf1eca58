package measure

import (
	"testing"
	"time"
)

// TestRecorder_Cut: a window is a second of intended time, split at the instants of
// injection and clearing.
func TestRecorder_Cut(t *testing.T) {
	marks := []time.Duration{2300 * ms, 2700 * ms, 5 * sec}
	for _, c := range []struct{ at, start, end time.Duration }{
		{0, 0, sec},
		{999 * ms, 0, sec},
		{-1, -sec, 0},
		{-sec, -sec, 0},
		{2 * sec, 2 * sec, 2300 * ms},
		{2300*ms - 1, 2 * sec, 2300 * ms},
		{2300 * ms, 2300 * ms, 2700 * ms},
		{2500 * ms, 2300 * ms, 2700 * ms},
		{2700 * ms, 2700 * ms, 3 * sec},
		{4900 * ms, 4 * sec, 5 * sec},
		{5 * sec, 5 * sec, 6 * sec},
		{5500 * ms, 5 * sec, 6 * sec},
		{90 * sec, 90 * sec, 91 * sec},
	} {
		if start, end := bounds(c.at, marks); start != c.start || end != c.end {
			t.Errorf("%s lies in [%s, %s), want [%s, %s)", c.at, start, end, c.start, c.end)
		}
	}
}

// TestRecorder_Ring: windows stay open for the timeout, and are closed then.
func TestRecorder_Ring(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep}) // timeout 10 s
	for ; g.now < 60*sec; g.now += 500 * ms {
		o := request(g.now, ms, okay)
		g.Shard(0).Record(&o)
		if err := g.Fold(); err != nil {
			t.Fatal(err)
		}
		if n := len(g.windows.open); g.now > 15*sec && (n < 11 || n > 14) {
			t.Fatalf("%d windows are open at %s", n, g.now)
		}
	}
}
