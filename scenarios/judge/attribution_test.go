package judge_test

import (
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestIncidents_Otherwise: an incident that begins with a fault is given to it only if nothing else may have done it.
func TestIncidents_Otherwise(t *testing.T) {
	held := []requests.Span{{From: 10 * sec, To: 15 * sec}}
	timeout := func(o *scenarios.Outcome) {
		o.First, o.End = o.Sent+2*sec, o.Sent+2*sec
		o.Kind, o.Cause, o.Status, o.Answered = scenarios.Error, scenarios.Timeout, 0, false
	}
	refused := func(o *scenarios.Outcome) { o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503 }
	for _, c := range []struct {
		name  string
		wrong func(o *scenarios.Outcome)
		c     judge.Case
		by    string
	}{
		{"timeouts", timeout, judge.Case{}, "f"},
		{"timeouts, and the machine was held", timeout, judge.Case{Held: held}, ""},
		{"timeouts, and an earlier time was held", timeout, judge.Case{Held: []requests.Span{{To: 5 * sec}}}, "f"},
		{"503, and the machine was held", refused, judge.Case{Held: held}, "f"},
		{"503, and the fault was not verified", refused, judge.Case{Unverified: map[int]bool{0: true}}, ""},
		{
			"503, and a step was not injected", refused,
			judge.Case{Unverified: map[int]bool{0: true}, Partial: map[int]bool{0: true}},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := many(1000, 5*ms, okay)
			for i := 500; i < 750; i++ {
				c.wrong(&list[i])
			}
			for i := 500; i < 750; i += 50 {
				lateBy(300*ms, list[i:i+1])
			}
			s := oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
			r := newFixtureWith(t, measure.Config{Series: s})
			r.play(list, action{10 * sec, func() { r.Inject("f", "f") }}, action{15 * sec, func() { r.Clear(0) }})
			c.c.Hold = 2 * sec
			got := r.finish(c.c, 20*sec).Incidents
			if len(got) != 1 || got[0].By != c.by || (got[0].Evidence == result.ByInjection) != (c.by != "") ||
				!slices.Equal(got[0].Faults, []string{"f"}) {
				t.Errorf("%+v; want one incident, by %q", got, c.by)
			}
		})
	}
}
