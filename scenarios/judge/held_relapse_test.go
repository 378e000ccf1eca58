package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// TestJudge_HeldRelapse: 500 requests a second for 60 s, a fault at 10 s for 1 s, from which the target recovers
// within 18 s, and bad requests again 3 s later, which is less than a hold. If other programs hold the processors then,
// and waits explain each of these requests, the recovery is open; else the last one counts.
func TestJudge_HeldRelapse(t *testing.T) {
	relapse := requests.Span{From: 31 * sec, To: 33 * sec}
	blip := requests.Span{From: 31*sec + 200*ms, To: 31*sec + 360*ms}
	held := []requests.Span{{From: 30 * sec, To: 36 * sec}}
	for _, c := range []struct {
		name   string
		bad    requests.Span
		cause  scenarios.Cause
		held   []requests.Span
		lag    time.Duration
		unwell []requests.Span
		waits  time.Duration // of the unit
		want   scenarios.Verdict
	}{
		{"no relapse", requests.Span{}, scenarios.Timeout, held, 300 * ms, nil, 0, scenarios.Pass},
		{"timeouts, and the machine was held", relapse, scenarios.Timeout, held, 300 * ms, nil, 0, scenarios.Inconclusive},
		{"timeouts, and nothing held it", relapse, scenarios.Timeout, nil, 300 * ms, nil, 0, scenarios.Fail},
		{"timeouts, and brunt hardly waited", relapse, scenarios.Timeout, held, 30 * ms, nil, 0, scenarios.Fail},
		{
			"the machine was held at the recovery only", relapse, scenarios.Timeout,
			[]requests.Span{{From: 9 * sec, To: 29 * sec}},
			300 * ms, nil, 0, scenarios.Fail,
		},
		{"503 on a held machine", relapse, scenarios.Status(503), held, 300 * ms, nil, 0, scenarios.Fail},
		{
			"refused while the unit was away, as waits explain", relapse, scenarios.Refused, held, 300 * ms,
			[]requests.Span{relapse},
			2 * sec, scenarios.Inconclusive,
		},
		{
			"refused while the unit was away, on a quiet machine", relapse, scenarios.Refused, nil, 300 * ms,
			[]requests.Span{relapse},
			2 * sec, scenarios.Fail,
		},
		{
			"refused for an instant while the unit was away, as its waits explain", blip, scenarios.Refused, held, ms,
			[]requests.Span{blip},
			160 * ms, scenarios.Inconclusive,
		},
		{
			"refused for an instant while the unit was away, and it waited for half", blip, scenarios.Refused, held, ms,
			[]requests.Span{blip},
			80 * ms, scenarios.Fail,
		},
		{
			"refused for an instant, and no unit was away", blip, scenarios.Refused, held, ms, nil, 160 * ms, scenarios.Fail,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := perSecond(500, 0, 60*sec, 5*ms, okay)
			for i := range list {
				o := &list[i]
				fault := o.Intended >= 10*sec && o.Intended < 28*sec
				if fault || o.Intended >= c.bad.From && o.Intended < c.bad.To {
					o.Kind, o.Cause, o.Status = scenarios.Error, c.cause, 0
					if c.cause == scenarios.Timeout {
						o.First, o.End, o.Answered = o.Sent+2*sec, o.Sent+2*sec, false
					}
				}
				if fault {
					o.Cause = scenarios.Status(500)
				}
			}
			for i := 15500; i < 18500; i += 500 {
				lateBy(c.lag, list[i:i+1])
			}
			o, s := parseObjectives(t, "recover < 20s after f"), oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
			r := newFixtureWith(t, measure.Config{Series: s}, o...)
			r.play(list, action{10 * sec, func() { r.Inject("f", "f") }}, action{11 * sec, func() { r.Clear(0) }})
			got := r.finish(judge.Case{
				SLO: o, Held: c.held, Hold: 5 * sec,
				Occurrences: []judge.Occurrence{{Hit: []string{"web[0]"}, Unwell: c.unwell}},
				UnitWaits:   func(_ string, in requests.Span) time.Duration { return min(c.waits, in.Length()) },
			}, 60*sec).Objectives[0]
			if got.Verdict != c.want {
				t.Errorf("%s, measured %v (%s), want %s", got.Verdict, got.Measured, got.Note, c.want)
			}
		})
	}
}
