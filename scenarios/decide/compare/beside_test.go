package compare

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// One old run shows a change without its chance; a few show how much runs differ; a history gives
// verdicts.
func TestBeside(t *testing.T) {
	for _, tt := range []struct {
		name    string
		base    int
		worse   float64
		bounds  bool
		verdict scenarios.Verdict
		reason  string
		caution string
	}{
		{
			"one", 1, .5, false, scenarios.Inconclusive, "worse than the baseline by more than the margin, most of all p",
			"not a control",
		},
		{"one, alike", 1, 0, false, scenarios.Inconclusive, "None of 6 figures is worse", "not a control"},
		{
			"few", 4, .5, true, scenarios.Inconclusive, "worse than the baseline by more than the margin",
			"a verdict needs at least 8",
		},
		{"a history", 10, .5, true, scenarios.Regression, "worse: ", ""},
		{"a history, alike", 10, 0, true, scenarios.Pass, "None of 6 metrics is worse", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(5, 5)), spread: .01}
			var base []Run
			for range tt.base {
				base = append(base, w.run(0, 0))
			}
			c, err := Beside(base, w.run(tt.worse, 0), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if c.Verdict != tt.verdict || !strings.Contains(c.Reason, tt.reason) || len(c.Base) != tt.base || len(c.Rows) != 6 {
				t.Errorf("%s: %s (%d rows)", c.Verdict, c.Reason, len(c.Rows))
			}
			if !strings.Contains(c.Caution, tt.caution) || tt.caution == "" && c.Caution != "" {
				t.Errorf("caution %q", c.Caution)
			}
			p95 := c.Rows[2]
			if p95.Metric != "p95" || p95.Low.Known() != tt.bounds || float64(p95.Worse) < tt.worse-.1 ||
				float64(p95.Worse) > tt.worse+.1 {
				t.Errorf("%+v", p95)
			}
			if tt.base < LeastHistory && p95.Verdict != scenarios.Inconclusive {
				t.Errorf("a verdict by %d runs: %+v", tt.base, p95)
			}
		})
	}
}

func TestBeside_OfOtherRuns(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(5, 5)), spread: .01}
	a, b := w.run(0, 0), w.run(0, 0)
	a.Scenario = "version: 1\nname: another\n"
	c, err := Beside([]Run{a}, b, Options{})
	if err != nil || len(c.Mismatches) == 0 {
		t.Errorf("%v, %+v", err, c)
	}
	if _, err := Beside([]Run{{Name: "empty", Result: &result.Result{}}}, b, Options{}); !errors.Is(err, errUnfit) {
		t.Errorf("%v", err)
	}
}
