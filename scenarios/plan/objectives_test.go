package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestCompile_ObjectiveNotes: a scenario without objectives, and one whose steps may shed load while no
// objective says how much, are told so.
func TestCompile_ObjectiveNotes(t *testing.T) {
	for _, c := range []struct {
		name, slo, check string
		want             string // empty: neither note
	}{
		{"no objective", "", "status: 200", "a run has no verdict"},
		{"an objective", "slo: [errors < 1%]", "status: 200", ""},
		{"shed, and errors alone", "slo: [errors < 1%]", "shed: [503]", "may shed load"},
		{"shed, and an objective on it", "slo: [errors < 1%, shed < 5%]", "shed: [503]", ""},
		{"shed, and availability, which counts it", "slo: [availability > 99%]", "shed: [503]", ""},
		{"shed, and the other availability", "slo: [availability.admitted > 99%]", "shed: [503]", "may shed load"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plantest.CompileText("version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n" +
				"  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /, check: {" + c.check + "}}]}\n" + c.slo + "\n")
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			var found []string
			for _, n := range p.Notes {
				if strings.Contains(n, "has no verdict") || strings.Contains(n, "may shed load") {
					found = append(found, n)
				}
			}
			if got := strings.Join(found, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("notes %q, want %q", got, c.want)
			}
		})
	}
}
