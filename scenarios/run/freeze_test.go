package run

import (
	"strings"
	"testing"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

const crowdedOut = "It had little to do, so something else used the processors: give brunt one of its own."

// TestJudge_Freeze checks that a lag is put down to a freeze that explains it.
func TestJudge_Freeze(t *testing.T) {
	const stood = "Brunt itself stood still for 12s: it was stopped, or the machine was."
	freeze := []result.Freeze{{T: 1, D: .06}, {T: 20, D: 12.02}}
	for _, c := range []struct {
		name string
		g    result.Generator
		lag  float64
		want string
	}{
		{"a freeze", result.Generator{Freezes: freeze, CPU: .1}, 9, stood},
		{"a short freeze", result.Generator{Freezes: freeze[:1], CPU: .1}, .05, crowdedOut},
		{"more than the freeze", result.Generator{Freezes: freeze, CPU: .1}, 14, crowdedOut},
		{
			"a freeze for want of processors",
			result.Generator{Freezes: []result.Freeze{{T: 20, D: 3}}, CPU: .1, Pressure: .5},
			2, crowdedOut,
		},
		{"a freeze too long for that", result.Generator{Freezes: freeze, CPU: .1, Pressure: .9}, 9, stood},
		{"no freeze, and all cores", result.Generator{CPU: 1e3}, 9, "It used 1000.0 cores"},
	} {
		f := &judge.Findings{LagByPhase: map[slo.Phase]judge.PhaseLag{{Kind: slo.RunPhase}: {P99: c.lag, Low: c.lag}}}
		if judgeGenerator(&c.g, f, 10*time.Millisecond); len(c.g.Limits) != 1 || !strings.Contains(c.g.Limits[0], c.want) {
			t.Errorf("%s: %q, want %q", c.name, c.g.Limits, c.want)
		}
	}
}
