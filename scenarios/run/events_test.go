package run

import (
	"testing"
	"time"

	"brunt/scenarios/result"
)

// TestRunner_OnClock: an event that was reported late keeps its time, however often the events are
// read.
func TestRunner_OnClock(t *testing.T) {
	t0 := time.Unix(1000, 0)
	r := &runner{t0: t0}
	for _, e := range []struct {
		name string
		at   time.Duration
	}{{"b", 2 * time.Second}, {"late", time.Second}, {"c", 3 * time.Second}} {
		r.events, r.times = append(r.events, result.Event{Event: e.name}), append(r.times, t0.Add(e.at))
	}
	for range 3 {
		got := r.onClock()
		for i, want := range []string{"late", "b", "c"} {
			if got[i].Event != want || got[i].T != result.Num(i+1) {
				t.Errorf("%d: %s at %v", i, got[i].Event, got[i].T)
			}
		}
	}
}
