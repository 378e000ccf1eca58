package judge_test

import (
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// TestUnsteady_Findings: a steady state that failed before a judged fault is described; requests in
// flight at the injection do not count, nor do the effects of an earlier fault, nor a fault without
// objectives.
func TestUnsteady_Findings(t *testing.T) {
	nothing := func(time.Duration) bool { return false }
	one := injection{"f", "f", 30 * sec, 40 * sec}
	for _, c := range []struct {
		name    string
		text    string
		harm    func(time.Duration) bool
		faults  []injection
		want    []string // of each fault
		verdict scenarios.Verdict
	}{
		{"steady", "recover < 20s after f", between(30*sec, 35*sec), []injection{one}, []string{""}, scenarios.Pass},
		{
			"errors for the last seconds", "recover < 20s after f", between(25*sec, 35*sec),
			[]injection{one},
			[]string{"errors were already over 1% before f"},
			scenarios.Fail,
		},
		{"and it is not judged", "errors < 90%", between(25*sec, 35*sec), []injection{one}, []string{""}, scenarios.Pass},
		{
			"before the second of two", "recover < 20s after f",
			func(at time.Duration) bool { return between(20*sec, 22*sec)(at) || between(52*sec, 60*sec)(at) },
			[]injection{{"f", "f#1", 20 * sec, 22 * sec}, {"f", "f#2", 60 * sec, 65 * sec}},
			[]string{"", "errors were already over 1% before f#2"},
			scenarios.Fail,
		},
		{
			"what the one before did, which is over", "recover < 20s after f",
			func(at time.Duration) bool { return between(20*sec, 24*sec)(at) || between(36*sec, 40*sec)(at) },
			[]injection{{"f", "f#1", 20 * sec, 22 * sec}, {"f", "f#2", 35 * sec, 45 * sec}},
			[]string{"", ""},
			scenarios.Pass,
		},
		{
			"another fault was not recovered from", "recover < 20s after f", between(20*sec, 35*sec),
			[]injection{{"g", "g", 20 * sec, 22 * sec}, one},
			[]string{"", ""},
			scenarios.Inconclusive,
		},
		{
			"another fault comes later", "recover < 20s after f", between(25*sec, 35*sec),
			[]injection{one, {"g", "g", 35 * sec, 50 * sec}},
			[]string{"errors were already over 1% before f", ""},
			scenarios.Fail,
		},
		{"slow is not an error", "recover < 20s after f", nothing, []injection{one}, []string{""}, scenarios.Pass},
		{
			"slow is bad where a time is named", "recover(200ms) < 20s after f", nothing,
			[]injection{one},
			[]string{"errors and answers over 200ms were already over 1% before f"},
			scenarios.Fail,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := outage(c.harm)
			for i := range all { // slow for the last seconds before 30 s
				if between(24*sec, 29*sec)(all[i].Intended) {
					all[i].End += 300 * ms
				}
			}
			f := drill(t, parseObjectives(t, c.text), judge.Case{}, all, c.faults...)
			for i, want := range c.want {
				r := f.Faults[i]
				if got := r.Unsteady.Because.Phrase(nil); got != want {
					t.Errorf("%s: %q, want %q", r.Name, got, want)
				}
				if want != "" && (r.Impact != result.UnknownYet && r.Impact != result.NotImpacted ||
					strings.Contains(r.Note, "was in as well")) {
					t.Errorf("%s: %s, %q", r.Name, r.Impact, r.Note)
				}
			}
			if o := f.Objectives[0]; o.Verdict != c.verdict {
				t.Errorf("%s (%s), want %s", o.Verdict, o.Note, c.verdict)
			}
		})
	}
}
