package generator

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// TestStarved: the share of requests without a port from which a run is invalid.
func TestStarved(t *testing.T) {
	pass, fail := []result.ObjectiveResult{{Verdict: scenarios.Pass}}, []result.ObjectiveResult{{Verdict: scenarios.Pass}, {Verdict: scenarios.Fail}}
	for _, c := range []struct {
		name       string
		shares     map[string]float64
		causes     map[scenarios.Cause]int64
		objectives []result.ObjectiveResult
		want       string
	}{
		{"nothing", nil, map[scenarios.Cause]int64{scenarios.Timeout: 50}, fail, ""},
		{"few, and all held", map[string]float64{"run": .005}, map[scenarios.Cause]int64{scenarios.NoPort: 5}, pass, ""},
		{
			"few, and one failed",
			map[string]float64{"run": .005},
			map[scenarios.Cause]int64{scenarios.NoPort: 5, scenarios.Timeout: 45},
			fail, "5 requests found no port",
		},
		{"few among many errors", map[string]float64{"run": .005}, map[scenarios.Cause]int64{scenarios.NoPort: 5, scenarios.Timeout: 46}, fail, ""},
		{"many, and all held", map[string]float64{"run": .011}, map[scenarios.Cause]int64{scenarios.NoSocket: 11}, pass, "11 requests found no socket"},
		{
			"many in a phase",
			map[string]float64{"run": .001, "x": .5},
			map[scenarios.Cause]int64{scenarios.NoSocket: 11, scenarios.Timeout: 1000},
			fail, "11 requests found no socket",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := starved(&judge.Findings{Starved: c.shares, Causes: c.causes, Objectives: c.objectives}, new(result.Generator))
			if said := strings.Join(got, "\n"); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
				t.Errorf("got %q, want %q", said, c.want)
			}
		})
	}
}
