package result_test

import (
	"math"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestPoints_Figures checks that each figure of a unit that an objective may have is read.
func TestPoints_Figures(t *testing.T) {
	u := result.UnitUsage{
		Seconds: []result.UsageTick{{T: 1, Running: true, CPU: 1, Memory: 1, Files: 1, Threads: 1, Starts: 2, OOMs: 1}},
	}
	for _, r := range slo.Resources() {
		if r.Whole { // of a service, not of a unit
			continue
		}
		if v := float64(u.Points(r.Name)[0].V); math.IsNaN(v) {
			t.Errorf("%s has no value", r.Name)
		}
	}
}
