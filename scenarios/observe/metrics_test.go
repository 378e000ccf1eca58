package observe

import (
	"testing"
	"time"

	"brunt/chaos/probe"
)

// TestGauge_Grow computes rates of counters from the time between readings, also over a reset.
func TestGauge_Grow(t *testing.T) {
	g := &gauge{plan: Metric{Gauge: &probe.Gauge{Rate: true}}, before: map[string]counterAt{}}
	for i, c := range []struct {
		v    float64
		at   time.Duration
		want float64 // negative: unknown
	}{
		{100, -time.Second, -1}, {110, time.Second, 5}, {130, 1500 * time.Millisecond, 40}, {6, 3500 * time.Millisecond, 3},
	} {
		got, known := g.grow([]probe.Value{{V: c.v}}, c.at)["map[]"]
		if known != (c.want >= 0) || known && got.V != c.want {
			t.Errorf("reading %d: %v, want %v", i, got.V, c.want)
		}
	}
}
