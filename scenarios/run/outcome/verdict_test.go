package outcome

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestDoubtCut: an objective on a fault that another fault cut short has a note. It does not pass if the fault was in
// for under half of its time, and fails as it did.
func TestDoubtCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		brief bool
		phase string
		had   scenarios.Verdict
		want  scenarios.Verdict
		noted bool
		text  string
	}{
		{"under half", true, "f#2", scenarios.Pass, scenarios.Inconclusive, true, ""},
		{"after it", true, "recovery/f#2", scenarios.Pass, scenarios.Inconclusive, true, ""},
		{"of all occurrences", true, "f", scenarios.Pass, scenarios.Inconclusive, true, ""},
		{"failed", true, "f#2", scenarios.Fail, scenarios.Fail, true, ""},
		{"for most of its time", false, "f#2", scenarios.Pass, scenarios.Pass, true, ""},
		{"another occurrence", true, "f#1", scenarios.Pass, scenarios.Pass, false, ""},
		{"the other fault", true, "g", scenarios.Pass, scenarios.Pass, false, ""},
		{"the run", true, "run", scenarios.Pass, scenarios.Pass, false, ""},
		{
			"of all, and another occurrence is the worst", true, "f#1", scenarios.Pass, scenarios.Inconclusive, true,
			"recover < 5s after f",
		},
		{
			"of all, and another occurrence failed", true, "f#1", scenarios.Fail, scenarios.Fail, false,
			"recover < 5s after f",
		},
	} {
		res := &result.Result{Objectives: []result.ObjectiveResult{{
			Text: c.text, Phase: slo.ParsePhase(c.phase), Verdict: c.had, Drills: []result.Drill{{Fault: "f#2", Verdict: c.had}},
		}}}
		cut := result.Notes{{Kind: result.FaultCut, Of: "f#2", For: 5, Within: 30, Text: "web[0]", Faults: []string{"g"}}}
		verdict{res}.doubtCut([]Fault{{FaultRecord: result.FaultRecord{Name: "f#2"}, Cuts: cut, Brief: c.brief}})
		if o := res.Objectives[0]; o.Verdict != c.want || o.Because.Has(result.FaultCut) != c.noted ||
			(o.Note != "") != c.noted || c.noted && o.Drills[0].Verdict != c.want {
			t.Errorf("%s: %s (%s), drills %v", c.name, o.Verdict, o.Note, o.Drills)
		}
	}
}

// TestInvalidateVoid checks which objectives a fault invalidates that was over before its time: all that are about it,
// but no failure that another occurrence decided.
func TestInvalidateVoid(t *testing.T) {
	const fail, pass, open, invalid = scenarios.Fail, scenarios.Pass, scenarios.Inconclusive, scenarios.Invalid
	for _, c := range []struct {
		name, slo string
		decided   string // the phase of the occurrence that decided
		was, want scenarios.Verdict
		harmed    string // the fault that an incident belongs to
	}{
		{"another fault did it", "recover < 5s after incident", "incident", fail, fail, "kill"},
		{"it may have done it", "recover < 5s after incident", "incident", fail, invalid, "slow#2"},
		{"no incident was too long", "recover < 5s after incident", "incident", pass, invalid, "kill"},
		{"an incident is open", "recover < 5s after incident", "incident", open, invalid, "kill"},
		{"another occurrence failed", "recover < 5s after slow", "slow#1", fail, fail, "slow#1"},
		{"another occurrence is worse, and passed", "recover < 5s after slow", "slow#1", pass, invalid, "slow#1"},
		{"it failed", "recover < 5s after slow", "slow#2", fail, invalid, "slow#2"},
		{"its requests failed", "errors < 1% in slow", "slow#2", fail, invalid, "slow#2"},
		{"another occurrence alone", "recover < 5s after slow#1", "slow#1", pass, pass, "slow#1"},
		{"of its rest", "errors < 1% in rest/slow", "rest/slow#1", pass, invalid, "slow#1"},
		{"of another fault", "recover < 5s after kill", "kill", pass, pass, "kill"},
		{"of the run", "errors < 1%", "run", pass, pass, "kill"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := slo.ParseObjective(c.slo)
			if err != nil {
				t.Fatal(err)
			}
			r := result.NewObjective(o, c.was)
			r.Phase = slo.ParsePhase(c.decided)
			res := &result.Result{
				Objectives: []result.ObjectiveResult{r}, Incidents: []result.Incident{{Faults: []string{c.harmed}}},
			}
			void := result.Notes{{Kind: result.FaultVoid, Text: "the watchdog took it back"}}
			verdict{res}.invalidateVoid([]Fault{
				{FaultRecord: result.FaultRecord{Name: "slow#2"}, Void: void}, {FaultRecord: result.FaultRecord{Name: "slow#1"}},
			})
			if got := res.Objectives[0]; got.Verdict != c.want || (got.Note != "") != (c.want != c.was) {
				t.Errorf("%s, with the note %q; want %s", got.Verdict, got.Note, c.want)
			}
		})
	}
}
