package capacity

import (
	"errors"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
)

// TestDoseProber_Operator: no person waits beside a search, so that its probes inject without one.
func TestDoseProber_Operator(t *testing.T) {
	const text = `version: 1
name: waits
target: {stack: demo}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 40s, flow: [{get: "/posts?page=1"}]}}
chaos:
  slow-store: {at: 5s, wait: {for: operator, at_most: 10s}, for: 5s, network.latency: {from: posts, to: store, delay: 30ms}}
slo: [p95 < 100ms in slow-store]
`
	r := &DoseProber{
		Parse: func() (*scenarios.Scenario, error) {
			return scenarios.Parse("waits.yaml", scenarios.Options{
				Read: func(string) ([]byte, error) { return []byte(text), nil },
			})
		},
		Setting: search.Dose{Fault: "slow-store", Key: "delay", Kind: "network.latency", Unit: search.DoseSeconds},
	}
	p, err := r.plan(.1)
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Faults[0]; e.Wait.ForOperator() {
		t.Errorf("%s waits for an operator in a probe", e.Name)
	}
}

// TestDoseAnswer: harm while a fault is not proved has no cause, and a target that was not whole before the fault says
// nothing of it. Both are invalid probes, which a search repeats.
func TestDoseAnswer(t *testing.T) {
	failed := result.ObjectiveResult{Text: "p95 < 1s", Metric: "p95", Measured: 2, Verdict: scenarios.Fail}
	for _, tt := range []struct {
		name    string
		reason  result.Reason
		failed  bool
		want    search.Answer
		verdict scenarios.Verdict // of the error
	}{
		{"harm", result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1}, true, search.Breaks, ""},
		{"whole", result.Reason{Kind: result.Held, Verdict: scenarios.Pass}, false, search.Holds, ""},
		{"not ready again", result.Reason{Kind: result.NotReadyAgain, Verdict: scenarios.Fail}, false, search.Breaks, ""},
		{
			"harm without proof",
			result.Reason{Kind: result.NoEffect, Verdict: scenarios.Invalid, Text: "x"},
			true, "",
			scenarios.Invalid,
		},
		{
			"no proof",
			result.Reason{Kind: result.NoEffect, Verdict: scenarios.Invalid, Text: "x"},
			false, "",
			scenarios.Invalid,
		},
		{
			"bad before",
			result.Reason{Kind: result.SteadyLost, Verdict: scenarios.Fail, Text: "x"},
			false, "",
			scenarios.Invalid,
		},
		{
			"bad before, on a busy machine",
			result.Reason{Kind: result.SteadyLost, Verdict: scenarios.Inconclusive, Text: "x"},
			false, search.Disturbed,
			"",
		},
		{
			"bad before, as an objective says",
			result.Reason{Kind: result.BaselineFailed, Verdict: scenarios.Invalid, Text: "x"},
			true, "",
			scenarios.Invalid,
		},
		{
			"left",
			result.Reason{Kind: result.NotUndone, Verdict: scenarios.NotReverted, Text: "x"},
			true, "",
			scenarios.NotReverted,
		},
	} {
		res := &result.Result{Generator: result.Generator{Healthy: true}}
		if tt.failed {
			res.Objectives = []result.ObjectiveResult{failed}
		}
		res.Because(tt.reason)
		if tt.name == "bad before, as an objective says" {
			res.Because(result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1})
		}
		got, _, err := doseAnswer(res)
		void := ProbeError{}
		if errors.As(err, &void); got != tt.want || void.Verdict != tt.verdict {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

// TestDoseAnswer_Open: what is unknown of a dose is not taken for harm, and not for none: a fault that met no traffic,
// and an objective without a value. An objective with a value is not certain to fail.
func TestDoseAnswer_Open(t *testing.T) {
	met := result.FaultRecord{Name: "f", Verified: 1, Traffic: 9}
	for _, tt := range []struct {
		name     string
		measured result.Num
		traffic  int64
		want     search.Answer
	}{
		{"no traffic", .1, 0, ""},
		{"no value", result.NaN, 9, ""},
		{"a value", .2, 9, search.Holds},
	} {
		f := met
		f.Traffic = tt.traffic
		res := &result.Result{
			Generator: result.Generator{Healthy: true}, Faults: []result.FaultRecord{f}, Verdict: scenarios.Inconclusive,
			Objectives: []result.ObjectiveResult{{
				Text: "recover < 1s after f", Metric: "recover", Measured: tt.measured, Verdict: scenarios.Inconclusive,
			}},
		}
		got, _, err := doseAnswer(res)
		void := ProbeError{}
		if open := errors.As(err, &void); got != tt.want || open != (tt.want == "") ||
			open && void.Verdict != scenarios.Inconclusive {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}
