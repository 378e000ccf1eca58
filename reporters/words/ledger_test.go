package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestLedgerText_Reads checks the sentences on reads during the load.
func TestLedgerText_Reads(t *testing.T) {
	l := result.LedgerRecord{
		Write: "write", Units: []string{"a", "b"}, Took: result.NaN, Reads: &result.LedgerReads{Made: 1200, Unanswered: 3},
	}
	if got := words.LedgerText(&l); !strings.HasSuffix(got,
		" During the load the latest write was read 1200 times, 3 without an answer: no read was stale.") {
		t.Error(got)
	}
	l.Reads = &result.LedgerReads{
		Made: 1200, Stale: 40, First: 10.2, Last: 14.9, Longest: .35, Units: map[string]int64{"a": 2, "b": 38},
		Faults: map[string]int64{"cut": 39},
	}
	want := " During the load the latest write was read 1200 times: 40 reads were stale, from 10.2s to 14.9s, up to " +
		"350ms after the " +
		"acknowledgement; at b: 38, a: 2; during cut: 39."
	if got := words.LedgerText(&l); !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	rows := words.LostRows(&result.LedgerRecord{
		LostSeconds: []result.LostSecond{{T: 12, Fault: "cut", Lost: 31}, {T: 13, Lost: 2}},
	})
	if len(rows) != 2 || strings.Join(rows[0], "|") != "12s|31|cut" || strings.Join(rows[1], "|") != "13s|2|–" {
		t.Errorf("%q", rows)
	}
}
