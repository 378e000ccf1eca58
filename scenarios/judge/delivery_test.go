package judge_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestDeliveries_Again: messages that only brunt may have been given twice leave a doubt on duplicates alone.
func TestDeliveries_Again(t *testing.T) {
	for _, c := range []struct {
		objective string
		again     int64
		twice     int64
		want      scenarios.Verdict
	}{
		{"duplicated = 0 of order", 0, 0, scenarios.Pass},
		{"duplicated = 0 of order", 3, 0, scenarios.Inconclusive},
		{"duplicated < 4 of order", 3, 0, scenarios.Pass},
		{"duplicated = 0 of order", 3, 1, scenarios.Fail},
		{"lost = 0 of order", 3, 1, scenarios.Pass},
	} {
		o, err := slo.ParseObjective(c.objective)
		if err != nil {
			t.Fatal(err)
		}
		d := &result.DeliveryRecord{Name: "order", Settled: true, Acknowledged: 9, Again: c.again, Duplicated: c.twice}
		if r := judge.JudgeDeliveries(o, []*result.DeliveryRecord{d}); r.Verdict != c.want {
			t.Errorf("%s, %d again, %d twice: %s", c.objective, c.again, c.twice, r.Verdict)
		}
	}
}
