package html_test

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestDecision writes the page of a gate: names are text and no markup, and what has no bound is drawn to the edge.
func TestDecision(t *testing.T) {
	d := &result.Decision{
		Kind: "gate", Name: "<script>alert(1)</script>", Word: "REGRESSION", Verdict: scenarios.Regression, ExitCode: 4,
		Reason: "p95 is worse", Basis: "8 records",
		Says: []string{"p99 can't be decided"}, Statistics: []string{"compared by the prediction bound"},
		Metrics: []result.Judged{
			{
				Name: "p95", Verdict: scenarios.Fail, Base: "10ms", Now: "12ms", Change: "20% worse", Worse: .2, AtLeast: .15,
				AtMost: result.Num(math.Inf(1)), Limit: .1,
			},
			{Name: "p90", Verdict: scenarios.Fail, Change: "50% worse", Worse: .5, AtLeast: .4, AtMost: .6, Limit: .1},
			{Name: "p50", Verdict: scenarios.Pass, Change: "50% better", Worse: -.5, AtLeast: -.6, AtMost: -.4, Limit: .1},
			{Name: "p99", Verdict: scenarios.None, Worse: result.NaN, Limit: .25},
		},
		Runs: []result.JudgedRun{{Name: "run 1", Folder: "20261122-a", Figures: "p95 12ms", State: "yes"}},
	}
	var out strings.Builder
	if err := html.Decision(&out, d); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{
		"&lt;script&gt;", "<title>REGRESSION: ", `href="20261122-a/report.html"`, "<li>p99 can&#39;t be decided.",
		"The statistics behind it", "left out",
		`x1="140.0" x2="160.0" y1="11" y2="11"`, `cx="160.0" cy="11"`,
		`d="M150 5l10 6l-10 6z"`, `d="M10 5l-10 6l10 6z"`, // beyond the axis
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "MISSING") || strings.Contains(page, "BADINDEX") {
		t.Error(page)
	}
}
