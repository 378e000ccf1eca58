package html

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestGauge checks that a gauge is drawn if the share of the limit is known, and never at an
// infinite or unknown place.
func TestGauge(t *testing.T) {
	inf := result.Num(math.Inf(1))
	for _, o := range []result.ObjectiveResult{
		{Metric: "p95", Op: "<", Target: .2, Measured: .1},
		{Metric: "availability", Op: ">", Target: .99, Measured: .97},
		{Metric: "rate", Op: ">=", Target: 100, Measured: 200},
		{Metric: "p99", Op: "<", Target: .2, Measured: inf, Infinite: true},
		{Metric: "p99", Op: "<", Target: .2, Measured: reporterstest.Nan},
		{Metric: "errors", Op: "<=", Target: 0, Measured: .1},
		{Metric: "timeouts", Op: "=", Target: 0, Measured: 1},
	} {
		_, ok := words.LimitUsed(&o, o.Measured)
		if g := gauge(&o); (g != "") != ok || strings.Contains(string(g), "NaN") || strings.Contains(string(g), "Inf") {
			t.Errorf("%s %s: gauge %s", o.Metric, o.Op, g)
		}
	}
}
