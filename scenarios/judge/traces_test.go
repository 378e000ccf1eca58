package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestTraces judges the share of whole traces.
func TestTraces(t *testing.T) {
	for _, c := range []struct {
		name, text string
		whole, n   int64
		silent     bool
		want       scenarios.Verdict
		why        result.NoteKind
	}{
		{"all whole", "traces > 99%", 1000, 1000, false, scenarios.Pass, ""},
		{"one in a thousand is not", "traces > 99%", 999, 1000, false, scenarios.Pass, ""},
		{"nine in a thousand", "traces > 99%", 991, 1000, false, scenarios.Inconclusive, result.TracesNotShown},
		{"too many", "traces > 99%", 980, 1000, false, scenarios.Fail, ""},
		{"few, and one is not", "traces > 99%", 19, 20, false, scenarios.Fail, ""},
		{"few, all whole", "traces > 99%", 20, 20, false, scenarios.Inconclusive, result.FewTraces},
		{"all of them", "traces = 100%", 20, 20, false, scenarios.Pass, ""},
		{"all but one", "traces = 100%", 19, 20, false, scenarios.Fail, ""},
		{"none answered", "traces > 99%", 0, 0, false, scenarios.Inconclusive, result.TracesNone},
		{"no span at all", "traces > 99%", 0, 1000, true, scenarios.Inconclusive, result.SpansNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := slo.ParseObjective(c.text)
			if err != nil {
				t.Fatal(err)
			}
			got := judge.TracesJudged(o, func(time.Duration, time.Duration) (whole, n int64, came bool) {
				return c.whole, c.n, !c.silent
			})
			why := result.NoteKind("")
			if len(got.Because) > 0 {
				why = got.Because[0].Kind
			}
			if got.Verdict != c.want || why != c.why {
				t.Errorf("%s (%s), want %s (%s)", got.Verdict, why, c.want, c.why)
			}
		})
	}
}
