package chart

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestLimits(t *testing.T) {
	r := &result.Result{
		Duration: 60,
		Phases: []result.Phase{
			{Name: slo.ParsePhase("run"), Start: 0, End: 60},
			{Name: slo.ParsePhase("baseline"), Start: 0, End: 10},
			{Name: slo.ParsePhase("slow"), Start: 20, End: 30},
		},
	}
	for _, o := range []struct {
		text, phase string
		verdict     scenarios.Verdict
	}{
		{"p99 < 1s in slow", "slow", scenarios.Fail},
		{"p95 < 200ms in baseline", "baseline", scenarios.Pass},
		{"p50 < 20ms", "run", scenarios.Inconclusive},
		{`p95 < 300ms of "read post"`, "run", scenarios.Pass},
		{"p95 < 400ms of load browse", "run", scenarios.Pass},
		{"service.p95 < 100ms", "run", scenarios.Pass},
		{"p95 > 1ms", "run", scenarios.Pass},
		{"errors < 1%", "run", scenarios.Pass},
		{"p95 < 1s in gone", "gone", scenarios.Pass},
	} {
		def, err := slo.ParseObjective(o.text)
		if err != nil {
			t.Fatal(err)
		}
		r.Objectives = append(r.Objectives, result.ObjectiveResult{
			Text: o.text, Phase: slo.ParsePhase(o.phase), Verdict: o.verdict, Target: result.Num(def.Value),
		})
	}
	r.Objectives = append(r.Objectives, result.ObjectiveResult{
		Text: "p95 < 110% of baseline of load canary in slow", Phase: slo.ParsePhase("slow"), Target: .25,
	})
	for _, tt := range []struct{ load, step, want string }{
		{"canary", "*", "0.95 0.25 20..30"},
		{"*", "*", "0.5 0.02 0..60; 0.95 0.2 0..10; 0.95 1 NaN..NaN; 0.99 1 20..30 fails"},
		{"browse", "read post", "0.95 0.3 0..60"},
		{"browse", "*", "0.95 0.4 0..60"},
		{"other", "*", ""},
	} {
		var got []string
		for _, l := range Limits(r, tt.load, tt.step) {
			s := fmt.Sprintf("%v %v %v..%v", l.Quantile, l.Value, l.From, l.To)
			if l.verdict == scenarios.Fail {
				s += " fails"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.load, tt.step, s, tt.want)
		}
	}
}
