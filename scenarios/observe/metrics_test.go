package observe

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos/probe"
	"brunt/scenarios/quantity"
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

// slowCounter is a source whose counter grows by 100 a second, and whose readings can be made slow.
type slowCounter struct {
	t0    time.Time
	hangs func(at time.Duration) time.Duration
}

func (s *slowCounter) Read(ctx context.Context) ([]probe.Value, error) {
	select {
	case <-time.After(s.hangs(time.Since(s.t0))):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return []probe.Value{{V: 100 * time.Since(s.t0).Seconds()}}, nil
}

// A metric whose last reading is late is read once more when the run ends, for one second at most.
func TestGauge_ReadLast(t *testing.T) {
	for _, c := range []struct {
		name  string
		hangs func(at time.Duration) time.Duration
		last  float64 // seconds at which the last value was read
		took  time.Duration
	}{
		{"in time", func(time.Duration) time.Duration { return 0 }, 3.9, 0},
		{"a late reading", func(at time.Duration) time.Duration {
			if at > 2*time.Second && at < 4*time.Second {
				return time.Hour
			}
			return 0
		}, 4.05, 0},
		{"a source that hangs", func(at time.Duration) time.Duration {
			if at > 2*time.Second {
				return time.Hour
			}
			return 0
		}, 2, lastReading},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t0 := time.Now()
				now := func() time.Duration { return time.Since(t0) }
				o := New(Run{Now: now, Mask: func(s string) string { return s }}, nil, nil, nil, nil)
				every := quantity.Duration(100 * time.Millisecond)
				g := newGauge(Metric{Gauge: &probe.Gauge{Every: every}, Name: "calls"})
				g.reading = &slowCounter{t0, c.hangs}
				o.gauges = append(o.gauges, g)
				o.Watch()
				time.Sleep(4050 * time.Millisecond)
				ended := time.Now()
				o.Stop()
				if took := time.Since(ended); took != c.took {
					t.Errorf("stopping took %v, want %v", took, c.took)
				}
				points := o.Finished()[0].Points
				last := points[len(points)-1]
				if got := last.T.D().Seconds(); math.Abs(got-c.last) > 0.11 || math.Abs(float64(last.V)-100*got) > 1 {
					t.Errorf("the last reading is %v at %v s, want it at %v s", last.V, got, c.last)
				}
			})
		})
	}
}
