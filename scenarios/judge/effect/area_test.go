package effect_test

import (
	"math"
	"testing"
	"time"

	"brunt/scenarios/judge/effect"
)

// TestArea_Stall: the lost service of users who wait counts a stall, and no time in which one user waits for an answer
// that usually takes so long.
func TestArea_Stall(t *testing.T) {
	for _, c := range []struct {
		name  string
		every int // seconds between two answers
		dark  int // seconds without an answer from the injection on
		want  float64
	}{
		{"one user whose answers take three seconds", 3, 0, 0},
		{"users who have an answer each second", 1, 0, 0},
		{"users who wait for ten seconds", 1, 10, 10},
	} {
		q := effect.Question{
			Injected: 30 * time.Second, Cleared: 45 * time.Second, Horizon: time.Minute, Limit: .01, Hold: 5 * time.Second,
		}
		for i := range 60 {
			s := effect.Slice{Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, InFlight: 1}
			if i%c.every == 0 && (i < 30 || i >= 30+c.dark) {
				s.N, s.Offered, s.Good, s.Ended = 1, 1, 1, 1
			}
			q.Slices = append(q.Slices, s)
			if i < 30 {
				q.Baseline, q.Before = append(q.Baseline, s), append(q.Before, s)
			}
		}
		if a := effect.Ask(q); math.Abs(a.Area-c.want) > .01 {
			t.Errorf("%s: %v s of full outage, want %v", c.name, a.Area, c.want)
		}
	}
}
