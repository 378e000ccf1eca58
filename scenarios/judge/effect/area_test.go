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

// TestArea_Usual: a fault that does nothing loses no service, although 5 requests of 1000 fail all along. One that
// makes all of them fail for 5 s loses that without the usual errors.
func TestArea_Usual(t *testing.T) {
	for _, c := range []struct {
		name       string
		shed       bool  // the usual ones are shed
		bad        int64 // in each of the first five seconds of the fault
		low, until float64
	}{
		{"errors, and nothing else", false, 0, 0, .01},
		{"shed requests, and nothing else", true, 0, 0, .01},
		{"errors, and an outage of 5 s", false, 995, 4.97, 4.98},
	} {
		q := effect.Question{
			Injected: 30 * time.Second, Cleared: 330 * time.Second, Horizon: 6 * time.Minute, Limit: .01, Hold: 10 * time.Second,
		}
		for i := range 360 {
			s := effect.Slice{
				Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, InFlight: 5,
				N: 1000, Bad: 5, Offered: 1000, Good: 995, Ended: 1000,
			}
			if c.shed {
				s.N, s.Bad = 995, 0
			}
			if i >= 30 && i < 35 {
				s.Bad += c.bad
				s.Good -= c.bad
			}
			q.Slices = append(q.Slices, s)
			if i < 30 {
				q.Baseline, q.Before = append(q.Baseline, s), append(q.Before, s)
			}
		}
		if a := effect.Ask(q); a.Area < c.low || a.Area > c.until {
			t.Errorf("%s: %v s of full outage, want %v to %v", c.name, a.Area, c.low, c.until)
		}
	}
}
