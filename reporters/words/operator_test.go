package words

import (
	"testing"

	"brunt/scenarios/result"
)

// TestFaultSplit: the machine's part is what comes after the mark acted. It is unknown, and no mark is out of order, if
// the target had recovered before.
func TestFaultSplit(t *testing.T) {
	for _, tt := range []struct {
		seen, acted result.Num
		want        string
	}{
		{11, 16, "8s from the injection to recovery, of which 2s were the machine's: detect 1s (ann), decide 1s, act 4s, recover 2s"},
		{11, 30, "8s from the injection to recovery, before the mark acted, so the machine's part is unknown: " +
			"detect 1s (ann), decide 1s, act 18s"},
		{13, 16, "8s from the injection to recovery, of which 2s were the machine's: detect 3s (ann), act 4s, recover 2s, " +
			"decide unknown: the marks are out of order"},
	} {
		f := &result.FaultRecord{
			Injected: 10, OnsetAt: 10, RecoveredAt: 18, Operator: &result.OperatorRecord{
				Asked: result.NaN, Seen: &result.Mark{At: tt.seen, By: "ann"}, Understood: &result.Mark{At: 12},
				Acted: &result.Mark{At: tt.acted},
			},
		}
		f.Operator.Split = f.SplitTime()
		if got := FaultSplit(f); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
