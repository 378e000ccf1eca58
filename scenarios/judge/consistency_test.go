package judge_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestRegisters(t *testing.T) {
	with := func(anomalies int64, staleness float64) *result.ConsistencyRecord {
		return &result.ConsistencyRecord{
			Name: "users", Reads: 1000, Writes: 500, Anomalies: anomalies, Staleness: result.Num(staleness),
		}
	}
	left := func(c *result.ConsistencyRecord) *result.ConsistencyRecord { c.LeftOut = 1; return c }
	tests := []struct {
		name string
		text string
		c    *result.ConsistencyRecord
		want scenarios.Verdict
	}{
		{"none", "anomalies = 0", with(0, 0), scenarios.Pass},
		{"named", "anomalies(users) = 0", with(0, 0), scenarios.Pass},
		{"one", "anomalies = 0", with(1, .2), scenarios.Fail},
		{"as many as allowed", "anomalies < 2", with(1, .2), scenarios.Pass},
		{"stale, within the bound", "staleness < 1s", with(1, .2), scenarios.Pass},
		{"stale, beyond the bound", "staleness < 1s", with(1, 1.2), scenarios.Fail},
		{"not stale", "staleness <= 0s", with(0, 0), scenarios.Pass},
		{"none, and a part left out", "anomalies = 0", left(with(0, 0)), scenarios.Inconclusive},
		{"one, and a part left out", "anomalies < 1", left(with(1, 0)), scenarios.Fail},
		{"beyond the bound, and a part left out", "staleness < 1s", left(with(1, 1.2)), scenarios.Fail},
		{"an exact number, and a part left out", "anomalies = 0", left(with(1, 0)), scenarios.Fail},
		{"an exact number that the rest could make", "anomalies = 2", left(with(1, 0)), scenarios.Inconclusive},
		{"no read", "anomalies = 0", &result.ConsistencyRecord{Name: "users", Writes: 500}, scenarios.Inconclusive},
		{"no write", "anomalies = 0", &result.ConsistencyRecord{Name: "users", Reads: 500}, scenarios.Inconclusive},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			o, err := slo.ParseObjective(c.text)
			if err != nil {
				t.Fatal(err)
			}
			got := judge.JudgeRegisters(o, []*result.ConsistencyRecord{c.c})
			if got.Verdict != c.want {
				t.Errorf("%s, want %s: %+v", got.Verdict, c.want, got)
			}
			if (got.Verdict == scenarios.Inconclusive) != (len(got.Because) > 0) {
				t.Errorf("because %q", got.Because.Phrase(nil))
			}
		})
	}
}
