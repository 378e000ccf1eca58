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

// TestCompile_WithinOfSlowUnits: a unit that may take long to be ready at its start may take as long after a one-shot,
// also in a group.
func TestCompile_WithinOfSlowUnits(t *testing.T) {
	const (
		crash = "process.crash: {service: broker}"
		slow  = "ready: {tcp: true, within: 90s}, restart_delay: 500ms"
		head  = "version: 1\ntarget: {entry: broker, processes: {broker: {command: [serve], "
		load  = "}}}\nload: {l: {executor: constant-arrival-rate, rate: 100/s, duration: 90s, flow: [{get: /posts}]}}\n"
	)
	for _, c := range []struct {
		name, unit, fault string
		want              time.Duration
	}{
		{"usual", "ready: {tcp: true}", "at: 8s, " + crash, scenarios.DefaultWithin},
		{"slow to be ready", slow, "at: 8s, " + crash, 90500 * time.Millisecond},
		{"its own", slow, "at: 8s, within: 40s, " + crash, 40 * time.Second},
		{"in a group", slow, "at: 8s, for: 12s, steps: [{" + crash + "}]", 90500 * time.Millisecond},
		{
			"late in a group", "ready: {tcp: true}, restart_delay: 40s",
			"at: 8s, for: 12s, steps: [{" + crash + "}]", 70 * time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := head + c.unit + load + "chaos: {f: {" + c.fault + "}}\nslo: [errors < 20%]\n"
			p, err := plantest.CompileText(text)
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			if got := p.Faults[0].Parts()[0].WithinOr(); got != c.want {
				t.Errorf("within %s, want %s", got, c.want)
			}
		})
	}
}
