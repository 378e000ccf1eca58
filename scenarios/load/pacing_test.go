package load

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestPacing_AroundMostPrecise: the median of response times does not jump where auto changes from precise to efficient
// pacing, although the target is the same (row G10 of the audit): efficient pacing rounds the arrivals, and not their
// times.
func TestPacing_AroundMostPrecise(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector takes more of a processor than these rates leave")
	}
	if runtime.GOMAXPROCS(0) > 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // the rates grow with the processors
	}
	most := mostPrecise()
	names := map[float64]string{.98 * most: "auto: precise", 1.02 * most: "auto: " + efficient}
	best := map[float64]time.Duration{}
	for range 4 { // in turns, so that what else the machine does falls on both
		for rate, name := range names {
			p50, pacing := medianAt(t, rate)
			if pacing != name {
				t.Errorf("at %.0f/s: %s, want %s", rate, pacing, name)
			}
			if was, ok := best[rate]; !ok || p50 < was {
				best[rate] = p50
			}
		}
	}
	precise, rounded := best[.98*most], best[1.02*most]
	t.Logf("p50 %s at %.0f/s, %s at %.0f/s", precise, .98*most, rounded, 1.02*most)
	if rounded > 3*precise+tick/4 { // half a tick, were the rounding part of a response time
		t.Errorf("p50 is %s at %.0f/s, and %s at %.0f/s", precise, .98*most, rounded, 1.02*most)
	}
}

// medianAt is the median response time of half a second of load against a target that answers at once, and the pacing.
func medianAt(t *testing.T, rate float64) (p50 time.Duration, pacing string) {
	t.Helper()
	r := newFakeTarget()
	profile := NewProfile(0)
	profile.Add(time.Second/2, rate, rate)
	run := r.run(t, "{executor: constant-arrival-rate, rate: 1/s, duration: 1s}", step(0, "a"))
	r.t0 = time.Now().Add(50 * time.Millisecond)
	run.Plan.Rate, run.Pacing = profile, "auto"
	stats := r.do(t, run)
	var times []time.Duration
	for _, o := range r.outcomes(0) {
		times = append(times, o.Response())
	}
	slices.Sort(times)
	return times[len(times)/2], stats.Pacing
}
