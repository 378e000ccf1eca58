package result_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// TestComparison_Upgrade: changes that an older version wrote have the units of their metrics, and what a
// version wrote stays.
func TestComparison_Upgrade(t *testing.T) {
	r := &result.Result{Version: result.ResultVersion, Comparison: &result.Comparison{}}
	for _, name := range []string{"p50", "p90", "p95", "p99", "errors", "rate", "recover", "cpu", "memory", "unknown"} {
		r.Comparison.Rows = append(r.Comparison.Rows, result.Change{Metric: name})
	}
	r.Comparison.Rows = append(r.Comparison.Rows, result.Change{Metric: "cpu", Unit: result.UnitSeconds})
	r.Upgrade()
	var got strings.Builder
	for _, c := range r.Comparison.Rows {
		got.WriteString(fmt.Sprintf("%s %s %t, ", c.Metric, c.Unit, c.OfUnit))
	}
	const want = "p50 seconds false, p90 seconds false, p95 seconds false, p99 seconds false, errors share false, rate " +
		"per second false, " +
		"recover seconds false, cpu cores true, memory bytes true, unknown  false, cpu seconds false, "
	if got.String() != want {
		t.Errorf("got %s\nwant %s", got.String(), want)
	}
}
