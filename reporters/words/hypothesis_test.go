package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestHypothesis(t *testing.T) {
	for _, tt := range []struct {
		verdict scenarios.Verdict
		control bool
		want    string
	}{
		{scenarios.Pass, false, "Hypothesis: held. It works."},
		{scenarios.Pass, true, "Hypothesis: not tested, as no fault was injected. It works."},
		{scenarios.Fail, false, "Hypothesis: refuted. It works."},
		{scenarios.Invalid, false, "Hypothesis: not decided. It works."},
		{scenarios.Inconclusive, false, "Hypothesis: not decided. It works."},
		{scenarios.Running, false, "Hypothesis: under test. It works."},
	} {
		if got := words.Hypothesis(&result.Result{
			Hypothesis: "It works", Verdict: tt.verdict, Control: tt.control,
		}); got != tt.want {
			t.Errorf("%s: %s", tt.verdict, got)
		}
	}
	unmade := []result.FaultRecord{{Name: "cut", Injected: result.NaN}}
	for _, tt := range []struct {
		name string
		r    result.Result
		want string
	}{
		{
			"the steady state did not hold",
			result.Result{Reasons: []result.Reason{{Kind: result.SteadyLost}}},
			"not tested, as no fault was injected",
		},
		{"the baseline failed an objective", result.Result{Faults: unmade}, "not tested, as no fault was injected"},
		{"a condition held", result.Result{
			Faults: unmade, Conditions: []result.Condition{{Name: "slow-net", Evidence: "its round trips take 80ms"}},
		}, "refuted"},
		{"a fault was in", result.Result{Faults: append(unmade, result.FaultRecord{Name: "kill", Injected: 8})}, "refuted"},
		{"only a load was planned", result.Result{}, "refuted"},
	} {
		tt.r.Hypothesis, tt.r.Verdict = "It works", scenarios.Fail
		if got := words.Hypothesis(&tt.r); got != "Hypothesis: "+tt.want+". It works." {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	fault := func(name string, impact result.Impact) result.FaultRecord {
		return result.FaultRecord{Name: name, Injected: 8, Impact: impact}
	}
	passed := result.Result{
		Hypothesis: "It works", Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{{Verdict: scenarios.Pass}},
		Conditions: []result.Condition{{
			Name: "throttle", Evidence: "used 0% of a processor", NotShown: "that it waits",
		}},
	}
	const inPart = "he effect of throttle on the target was shown only in part"
	if got := words.Hypothesis(&passed); got != "Hypothesis: not refuted; t"+inPart+". It works." {
		t.Error(got)
	}
	if got := words.AnswerOf(&passed).Sentence.String(); !strings.Contains(got, "; t"+inPart) {
		t.Error(got)
	}
	half := fault("fill", result.Impacted)
	half.NotShown = "that pg[2] uses /data"
	for _, tt := range []struct {
		name   string
		faults []result.FaultRecord
		want   string
	}{
		{"all are told", []result.FaultRecord{
			fault("cut", result.Impacted), fault("kill", result.NotImpacted), fault("fill", result.NotRecovered),
		}, "held"},
		{
			"one is not",
			[]result.FaultRecord{fault("cut", result.UnknownYet), fault("kill", result.NotImpacted)},
			"not refuted; what cut did is not known",
		},
		{
			"two came together",
			[]result.FaultRecord{fault("cut", result.Confounded), fault("kill", result.Confounded)},
			"not refuted; what cut and kill did is not known",
		},
		{
			"one was skipped, and one is shown in part", append(unmade, half), "not refuted; cut was not " +
				"injected; the effect of fill on the target was shown only in part",
		},
	} {
		r := &result.Result{Hypothesis: "It works", Verdict: scenarios.Pass, Faults: tt.faults}
		if got := words.Hypothesis(r); got != "Hypothesis: "+tt.want+". It works." {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	why := func(kind result.ReasonKind, fault string) result.Reason {
		return result.Reason{Kind: kind, Verdict: scenarios.Fail, Fault: fault}
	}
	failed := func(phase slo.PhaseKind, because ...result.Note) result.ObjectiveResult {
		return result.ObjectiveResult{Verdict: scenarios.Fail, Phase: slo.Phase{Kind: phase}, Because: because}
	}
	cut, kill := fault("cut", result.NotImpacted), fault("kill", result.Impacted)
	for _, tt := range []struct {
		name       string
		faults     []result.FaultRecord
		reasons    []result.Reason
		objectives []result.ObjectiveResult
		want       string
	}{
		{
			"a fault that must harm did not",
			[]result.FaultRecord{cut},
			[]result.Reason{why(result.NoImpact, "cut")},
			nil,
			"not tested, as no impact of cut was seen",
		},
		{
			"an objective on it fails for that",
			[]result.FaultRecord{cut},
			[]result.Reason{why(result.NotHeld, ""), why(result.NoImpact, "cut")},
			[]result.ObjectiveResult{failed(slo.FaultPhase, result.Note{Kind: result.ImpactMissing, Of: "cut"})},
			"not tested, as no impact of cut was seen",
		},
		{
			"another fault harmed, and nothing was missed",
			[]result.FaultRecord{cut, kill},
			[]result.Reason{why(result.NoImpact, "cut")},
			nil,
			"not refuted; no impact of cut was seen",
		},
		{
			"the target was not well before the fault",
			[]result.FaultRecord{kill, cut},
			[]result.Reason{why(result.UnsteadyBefore, "kill"), why(result.NoImpact, "cut")},
			nil,
			"not tested, as no impact of cut was seen and the target was not well before kill",
		},
		{
			"only the baseline failed",
			[]result.FaultRecord{kill},
			[]result.Reason{why(result.NotHeld, "")},
			[]result.ObjectiveResult{failed(slo.BaselinePhase)},
			"not tested, as the target was not well before the first fault",
		},
		{
			"an objective was missed",
			[]result.FaultRecord{cut},
			[]result.Reason{why(result.NotHeld, ""), why(result.NoImpact, "cut")},
			[]result.ObjectiveResult{failed(slo.BaselinePhase), failed(slo.RunPhase)},
			"refuted",
		},
		{
			"there was no fault", nil,
			[]result.Reason{why(result.NotHeld, "")},
			[]result.ObjectiveResult{failed(slo.BaselinePhase)},
			"refuted",
		},
		{
			"its unit did not come back",
			[]result.FaultRecord{kill, cut},
			[]result.Reason{why(result.StillDown, "kill"), why(result.NoImpact, "cut")},
			nil, "refuted",
		},
	} {
		r := &result.Result{
			Hypothesis: "It works", Verdict: scenarios.Fail, Faults: tt.faults, Reasons: tt.reasons, Objectives: tt.objectives,
		}
		if got := words.Hypothesis(r); got != "Hypothesis: "+tt.want+". It works." {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	if got := words.Hypothesis(&result.Result{Verdict: scenarios.Pass}); got != "" {
		t.Errorf("no hypothesis is %q", got)
	}
}
