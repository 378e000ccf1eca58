package run_test

import (
	"testing"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// TestFaultStep_RevertedBy checks that a step of a group says what took it back, where brunt did not.
func TestFaultStep_RevertedBy(t *testing.T) {
	for _, c := range []struct {
		name  string
		taken error
		want  string
	}{
		{"brunt", nil, ""},
		{"the watchdog", chaos.TakenBackError{}, "watchdog"},
		{"the process that held it", chaos.TakenBackError{By: "the process of the proxies"}, "the process of the proxies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			step := run.FaultStep(&chaos.Record{Void: c.taken}, func(s string) string { return s })
			if step.RevertedBy != c.want || (step.Note != "") != (c.taken != nil) {
				t.Errorf("%q, with the note %q", step.RevertedBy, step.Note)
			}
		})
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
			run.InvalidateVoid(res, &chaos.Record{Name: "slow#2", Void: chaos.TakenBackError{}}, &chaos.Record{Name: "slow#1"})
			if got := res.Objectives[0]; got.Verdict != c.want || (got.Note != "") != (c.want != c.was) {
				t.Errorf("%s, with the note %q; want %s", got.Verdict, got.Note, c.want)
			}
		})
	}
}
