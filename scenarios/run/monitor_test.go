package run

import (
	"testing"
	"time"
)

// TestMonitor_ClockSteps: each jump of the wall clock counts once, forward and back, and a slew does not.
func TestMonitor_ClockSteps(t *testing.T) {
	t0 := time.Now()
	m := newGeneratorMonitor(func() time.Duration { return time.Since(t0) }, t0, nil)
	defer m.Finish()
	for i, c := range []struct {
		jump time.Duration
		want int
	}{{0, 0}, {time.Hour, 1}, {0, 1}, {-2 * time.Hour, 2}, {clockStep / 10, 2}} {
		m.t0 = m.t0.Add(-c.jump) // as if the wall clock had jumped
		m.Tick(0, 0)
		if got := m.SoFar().ClockSteps; got != c.want {
			t.Errorf("%d: %d jumps after one of %v, want %d", i, got, c.jump, c.want)
		}
	}
}
