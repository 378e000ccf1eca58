package ci_test

import (
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestAnnotate: what failed is a line of a workflow command, whatever its text holds. A pass has none.
func TestAnnotate(t *testing.T) {
	r := &result.Result{
		Name: "check, out: 5%", Verdict: scenarios.Fail, ExitCode: scenarios.ExitFail, Reason: "p95\n::error::x",
		Objectives: []result.ObjectiveResult{
			{Text: "p95 < 5ms", Verdict: scenarios.Fail, Measured: .0071}, {Text: "errors < 1%", Verdict: scenarios.Pass},
		},
	}
	var b strings.Builder
	if err := ci.Annotate(&b, r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "::error title=brunt%3A check%2C out%3A 5%25::Don't ship") ||
		!strings.Contains(lines[1], "::p95 < 5ms: ") || strings.Contains(b.String(), "\n::error::x") {
		t.Errorf("%q", lines)
	}
	b.Reset()
	r.ExitCode = scenarios.ExitPass
	if err := ci.Annotate(&b, r); err != nil || b.Len() > 0 {
		t.Errorf("a pass: %q, %v", b.String(), err)
	}
}

func TestAnnotateDecision(t *testing.T) {
	for _, c := range []struct {
		verdict scenarios.Verdict
		code    int
		want    string
	}{
		{scenarios.Regression, scenarios.ExitRegression, "::error title=brunt%3A s::WORD: Slower 5%25.\n"},
		{scenarios.Inconclusive, scenarios.ExitPass, "::warning title=brunt%3A s::WORD: Slower 5%25.\n"},
		{scenarios.Pass, scenarios.ExitPass, ""},
		{scenarios.None, scenarios.ExitPass, ""},
	} {
		var b strings.Builder
		d := &result.Decision{
			Kind: "gate", Name: "s", Word: "WORD", Verdict: c.verdict, ExitCode: c.code, Reason: "slower 5%",
		}
		if err := ci.AnnotateDecision(&b, d); err != nil || b.String() != c.want {
			t.Errorf("%s: %q, %v", c.verdict, b.String(), err)
		}
	}
}
