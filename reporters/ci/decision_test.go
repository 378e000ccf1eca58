package ci_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestDecisionJUnit: the cases agree with the exit code: a job that is red has a failure, and one that is green has
// none.
func TestDecisionJUnit(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		verdict                  scenarios.Verdict
		code                     int
		metrics                  []scenarios.Verdict
		tests, failures, skipped int
	}{
		{"pass", scenarios.Pass, 0, []scenarios.Verdict{scenarios.Pass, scenarios.None}, 3, 0, 1},
		{"regression", scenarios.Regression, 4, []scenarios.Verdict{scenarios.Pass, scenarios.Fail}, 3, 2, 0},
		{"undecided and green", scenarios.Inconclusive, 0, []scenarios.Verdict{scenarios.Inconclusive}, 2, 0, 2},
		{"undecided and red", scenarios.Inconclusive, 8, []scenarios.Verdict{scenarios.Inconclusive}, 2, 1, 1},
		{"learning", scenarios.None, 0, nil, 1, 0, 1},
		{"a run failed", scenarios.Fail, 3, nil, 1, 1, 0},
		{"passed, and then a run failed", scenarios.Pass, 3, []scenarios.Verdict{scenarios.Pass}, 2, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &result.Decision{
				Kind: "gate", Name: "a <b>\x1b", Word: "W", Verdict: tt.verdict, ExitCode: tt.code, Reason: "why",
			}
			for _, v := range tt.metrics {
				d.Metrics = append(d.Metrics, result.Judged{Name: "p95", Verdict: v, Sentence: "p95 is so"})
			}
			var out strings.Builder
			if err := ci.DecisionJUnit(&out, d); err != nil {
				t.Fatal(err)
			}
			var got struct {
				Tests    int `xml:"tests,attr"`
				Failures int `xml:"failures,attr"`
				Suite    struct {
					Skipped int `xml:"skipped,attr"`
					Cases   []struct {
						Name    string    `xml:"name,attr"`
						Failure *struct{} `xml:"failure"`
					} `xml:"testcase"`
				} `xml:"testsuite"`
			}
			if err := xml.Unmarshal([]byte(out.String()), &got); err != nil {
				t.Fatalf("%v:\n%s", err, out.String())
			}
			if got.Tests != tt.tests || got.Failures != tt.failures || got.Suite.Skipped != tt.skipped ||
				(got.Suite.Cases[0].Failure != nil) != (tt.code != 0) {
				t.Errorf("%+v, want %d tests, %d failures, %d skipped", got, tt.tests, tt.failures, tt.skipped)
			}
		})
	}
}

// TestDecisionSummary opens with the verdict of the gate.
func TestDecisionSummary(t *testing.T) {
	d := &result.Decision{
		Name: "shop", Word: "REGRESSION", Verdict: scenarios.Regression, Reason: "p95 is worse", Basis: "8 records",
		Says: []string{"p99 can't be decided"},
		Metrics: []result.Judged{
			{Name: "p95", Verdict: scenarios.Fail, Base: "10ms"},
			{Name: "p99", Verdict: scenarios.None},
		},
	}
	var out strings.Builder
	if err := ci.DecisionSummary(&out, d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "### ❌ REGRESSION shop\n") {
		t.Errorf("it begins with %q", out.String())
	}
	for _, want := range []string{"| ❌ | p95 | 10ms |", "| left out | p99 |", "- p99 can't be decided."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// TestDecisionSummary_Learning: without a comparison the figures of the runs are in the summary.
func TestDecisionSummary_Learning(t *testing.T) {
	d := &result.Decision{
		Name: "shop", Word: "LEARNING 1/8", Verdict: scenarios.None, Reason: "the history has 1 record",
		Runs: []result.JudgedRun{{Name: "run 1", Figures: "p50 1.7ms, p95 12ms", State: "yes"}},
	}
	var out strings.Builder
	if err := ci.DecisionSummary(&out, d); err != nil {
		t.Fatal(err)
	}
	if want := "| run 1 | p50 1.7ms, p95 12ms | yes |"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in\n%s", want, out.String())
	}
}
