package judge_test

import (
	"slices"
	"testing"
	"time"

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
		{"503, and the fault was not verified", refused, judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}}, ""},
		{
			"503, and a step was not injected", refused,
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true, Partial: true}}},
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

// TestIncidents_Apart: a unit that ended well after the injection is evidence that the fault did the harm, unless the
// unit is known to have ended for another reason.
func TestIncidents_Apart(t *testing.T) {
	for _, c := range []struct {
		name  string
		apart []time.Duration
		by    string
		want  result.Evidence
	}{
		{"its unit ended", nil, "f", result.ByUnit},
		{"another end is apart", []time.Duration{24 * sec}, "f", result.ByUnit},
		{"the end is apart", []time.Duration{23 * sec}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, "recover < 1s after f"), judge.Case{
				Hold: sec, Occurrences: []judge.Occurrence{{
					Unwell: []requests.Span{{From: 23 * sec, To: 24 * sec}}, Apart: c.apart,
				}},
			}, outage(between(23*sec, 24*sec)), injection{"f", "f", 20 * sec, 30 * sec})
			if got := f.Incidents; len(got) != 1 || got[0].By != c.by || got[0].Evidence != c.want ||
				!slices.Equal(got[0].Faults, []string{"f"}) {
				t.Errorf("%+v; want one incident, by %q", got, c.by)
			}
		})
	}
}

// TestIncidents_Recurring: requests fail for a second, 800 ms after a fault was over. It is the fault's, unless the
// unit that ended just then ends so at other times as well.
func TestIncidents_Recurring(t *testing.T) {
	at := 30*sec + 800*ms
	for _, c := range []struct {
		name      string
		recurring []time.Duration
		by        string
		want      scenarios.Verdict
	}{
		{"no unit ended", nil, "f", scenarios.Fail},
		{"a unit ended then", []time.Duration{at, 50 * sec}, "", scenarios.Inconclusive},
		{"a unit ended as the fault did", []time.Duration{30 * sec, 50 * sec}, "f", scenarios.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, "recover < 1s after f"), judge.Case{Hold: sec, Recurring: c.recurring},
				outage(between(at, at+sec)), injection{"f", "f", 20 * sec, 30 * sec})
			if len(f.Incidents) != 1 || f.Incidents[0].By != c.by || f.Objectives[0].Verdict != c.want {
				t.Errorf("%+v, %s; want one incident, by %q", f.Incidents, f.Objectives[0].Verdict, c.by)
			}
		})
	}
}
