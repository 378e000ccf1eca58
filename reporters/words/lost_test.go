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

// TestDeliveryText_Lost: each span of lost messages is told, also one that several faults may have lost.
func TestDeliveryText_Lost(t *testing.T) {
	d := &result.DeliveryRecord{
		Name: "mails", Sent: "send", Seen: "smtp", Within: 5, Settled: true,
		LostSpans: []result.LostSpan{
			{Fault: "crash", Lost: 3, First: 10, Last: 11},
			{Faults: []string{"f", "g"}, Lost: 1, First: 20, Last: 20},
			{Lost: 2, First: result.NaN, Last: result.NaN},
		},
	}
	const sent = "What send sends must be seen at smtp within 5s."
	if got, want := words.DeliveryText(d), sent+" 3 messages were lost to crash, acknowledged from 10s to 11s. 1 message "+
		"was lost to f or g, acknowledged from 20s to 20s. 2 messages were lost."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
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
