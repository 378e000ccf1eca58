package judge_test

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
)

// TestCorrect_Timeouts: ten users who wait for timeouts send little meanwhile, however short the timeout. A percentile
// that holds by count is then inconclusive. Users whose requests are refused at once don't wait.
func TestCorrect_Timeouts(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		took    time.Duration // of the requests that fail
		want    scenarios.Verdict
	}{
		{"of a second", sec, sec - 20*time.Microsecond, scenarios.Inconclusive},
		{"of 400 ms", 400 * ms, 400 * ms, scenarios.Inconclusive},
		{"of five seconds, and the answers of a second are late", 5 * sec, 1200 * ms, scenarios.Inconclusive},
		{"none: they are refused", sec, ms, scenarios.Pass},
	} {
		objectives := parseObjectives(t, "p99 < 200ms")
		closed := measure.Series{Loads: []measure.SeriesLoad{ // the timeout of another load, which the recorder waits for, has no part in it
			{Name: "browse", Closed: true, Users: 10, Timeout: c.timeout}, {Name: "other", Closed: true, Users: 1, Timeout: time.Minute},
		}, Steps: oneStep.Steps}
		g := newFixtureWith(t, measure.Config{Series: closed, Timeout: time.Minute}, objectives...)
		all := perSecond(300, 0, 8*sec, 3*ms, okay)
		for range 10 {
			all = append(all, request(8*sec, c.took, failure), request(8*sec+c.took, c.took, failure))
		}
		slices.SortStableFunc(all, func(a, b scenarios.Outcome) int { return int(a.Intended - b.Intended) })
		g.play(slices.Concat(all, perSecond(300, 8*sec+2*c.took, 16*sec, 3*ms, okay)))
		o := g.finish(judge.Case{SLO: objectives}, 16*sec).Objectives[0]
		if o.Verdict != c.want || (o.Corrected != nil) != (c.want == scenarios.Inconclusive) {
			t.Errorf("timeout %s: %s with %v (%s), want %s", c.name, o.Verdict, o.Measured, o.Note, c.want)
		}
	}
}
