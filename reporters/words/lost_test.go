package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestFaultCost_Lost: lost writes and lost messages are told apart.
func TestFaultCost_Lost(t *testing.T) {
	for _, c := range []struct {
		lost, messages int64
		cost, outcome  string
	}{
		{1, 0, "; 1 acknowledged write was lost", "writes lost"},
		{1, 1, "; 1 message was lost", "messages lost"},
		{3, 3, "; 3 messages were lost", "messages lost"},
		{3, 1, "; 2 acknowledged writes and 1 message were lost", "writes lost"},
	} {
		f := &result.FaultRecord{
			Impact: result.Impacted, OnsetAt: result.NaN, Degraded: result.NaN,
			Parts: &result.ImpactParts{Lost: c.lost, LostMessages: c.messages},
		}
		if got := words.FaultCost(f); !strings.HasSuffix(got, c.cost) || words.FaultOutcome(f) != c.outcome {
			t.Errorf("%q and %q, want %q and %q", got, words.FaultOutcome(f), c.cost, c.outcome)
		}
	}
}

// TestDeliveryHeadline_Unreadable: a message that was seen without a readable id may be one that counts as lost.
func TestDeliveryHeadline_Unreadable(t *testing.T) {
	for _, c := range []struct {
		unreadable int64
		want       string
	}{{0, "5 messages lost"}, {2, "3 to 5 messages lost"}, {5, "at most 5 messages lost"}} {
		d := &result.DeliveryRecord{Name: "orders", Acknowledged: 90, Lost: 5, Unreadable: c.unreadable}
		if got := words.DeliveryHeadline(d); got != "orders: "+c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
