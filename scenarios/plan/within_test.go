package plan_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan/plantest"
)

// TestCompile_Within: how long a unit may take to be healthy again after a one-shot. An objective on the
// recovery of the load makes it longer and never shorter.
func TestCompile_Within(t *testing.T) {
	for _, c := range []struct {
		name, fault, slo string
		want             time.Duration
	}{
		{"no objective on recovery", "", "errors < 20%", scenarios.DefaultWithin},
		{"a tight objective", "", "recover < 1s after f", scenarios.DefaultWithin},
		{"a wide objective", "", "recover < 40s after f", 40 * time.Second},
		{"its own", ", within: 3s", "recover < 1s after f", 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload:\n" +
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 90s, flow: [{get: /posts}]}\n" +
				"chaos: {f: {at: 10s" + c.fault + ", process.crash: {service: users}}}\nslo: [" + c.slo + "]\n")
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			if got := p.Faults[0].WithinOr(); got != c.want {
				t.Errorf("within %s, want %s", got, c.want)
			}
		})
	}
}
