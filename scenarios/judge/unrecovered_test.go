package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestUnrecovered_Load: 2 requests a second, of which none is good from a fault on, and another rate in the last hold.
// Too few requests tell neither that the load was higher nor that it was that of the baseline.
func TestUnrecovered_Load(t *testing.T) {
	for _, c := range []struct {
		every time.Duration // of requests in the last hold
		want  result.Unrecovered
	}{
		{500 * ms, result.GoneStillHarm},
		{1000 * ms, result.GoneStillHarm},
		{400 * ms, result.LoadUntold},
		{100 * ms, result.LoadRaised},
	} {
		r := newFixtureWith(t, measure.Config{Series: oneStep})
		var list []scenarios.Outcome
		for at := time.Duration(0); at < 200*sec; {
			o := request(at, 5*ms, okay)
			if at >= 100*sec {
				o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503
			}
			if list = append(list, o); at < 190*sec {
				at += 500 * ms
			} else {
				at += c.every
			}
		}
		r.play(list, action{100 * sec, func() { r.Inject("f", "f") }}, action{103 * sec, func() { r.Clear(0) }})
		f := r.finish(judge.Case{Occurrences: []judge.Occurrence{{Gone: true}}, Limit: .2, Hold: 10 * sec}, 200*sec).Faults[0]
		if f.Unrecovered != c.want || f.Impact != result.NotRecovered {
			t.Errorf("a request each %v: %s, %q, want %q", c.every, f.Impact, f.Unrecovered, c.want)
		}
	}
}
