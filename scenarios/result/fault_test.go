package result_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestResult_NameFailed: a fault names the objectives on it that failed, and no others.
func TestResult_NameFailed(t *testing.T) {
	r := result.Result{
		Faults: []result.FaultRecord{
			{Name: "f#1", Injected: 20},
			{Name: "f#2", Injected: 30},
			{Name: "g", Injected: result.NaN},
			{Name: "h", Injected: 40, Until: 45},
			{Name: "i", Injected: 60, Until: 65},
		},
		Incidents: []result.Incident{
			{By: "h", Begin: 40, End: 44}, {Faults: []string{"h"}, Begin: 50, End: 52}, {By: "i", Begin: 62, End: 66},
		},
		Objectives: []result.ObjectiveResult{
			{Text: "p95 < 1ms in f", Phase: slo.ParsePhase("f#2"), Verdict: scenarios.Fail},
			{Text: "errors < 1% in recovery/f", Phase: slo.ParsePhase("recovery/f#2"), Verdict: scenarios.Fail},
			{Text: "errors < 1% in f", Phase: slo.ParsePhase("f#1"), Verdict: scenarios.Pass},
			{Text: "errors < 1%", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail},
			{Text: "errors < 1% in g", Phase: slo.ParsePhase("g"), Verdict: scenarios.Fail},
			{Text: "errors < 1% in rest/h", Phase: slo.ParsePhase("rest/h"), Verdict: scenarios.Fail}, // not by h
			{Text: "errors < 1% in rest/i", Phase: slo.ParsePhase("rest/i"), Verdict: scenarios.Fail},
		},
	}
	r.NameFailed()
	for i, want := range []string{"", "p95 < 1ms in f; errors < 1% in recovery/f", "", "", "errors < 1% in rest/i"} {
		if got := strings.Join(r.Faults[i].FailedObjectives, "; "); got != want {
			t.Errorf("%s: %q, want %q", r.Faults[i].Name, got, want)
		}
	}
}

// TestResult_UnaskedOutageOfShedRequests: an objective on errors does not ask about a step that sheds all, and one on
// shed requests does.
func TestResult_UnaskedOutageOfShedRequests(t *testing.T) {
	for _, c := range []struct {
		name, objective string
		outage          result.StepOutage
		phrase          string
		asked           bool
	}{
		{"errors asked", "errors < 1% of pay", result.StepOutage{Shed: 16}, "16 of 16 requests of pay were shed", false},
		{"shed asked", "shed < 5% of pay", result.StepOutage{Shed: 16}, "16 of 16 requests of pay were shed", true},
		{
			"some fail, and errors asked", "errors < 1% of pay",
			result.StepOutage{Shed: 9, Errors: 7},
			"16 of 16 requests of pay failed or were shed", true,
		},
		{
			"some fail or are slow", "errors < 1%",
			result.StepOutage{Shed: 9, Errors: 6, Slow: 1},
			"16 of 16 requests of pay failed, were too slow, or were shed", false,
		},
		{"all fail", "errors < 1% of pay", result.StepOutage{Errors: 16}, "16 of 16 requests of pay failed", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.outage.Step, c.outage.Requests = "pay", 16
			f := result.FaultRecord{Name: "f", Parts: &result.ImpactParts{StepOutage: &c.outage}}
			r := &result.Result{
				Faults:     []result.FaultRecord{f},
				Objectives: []result.ObjectiveResult{{Text: c.objective, Phase: slo.ParsePhase("run")}},
			}
			if got := r.UnaskedOutage(&f); (got == nil) != c.asked || c.outage.Phrase() != c.phrase {
				t.Errorf("%s: unasked %+v", c.outage.Phrase(), got)
			}
		})
	}
}
