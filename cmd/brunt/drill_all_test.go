package main

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestAttempt_Say: in a terminal the reason of a drill is broken at blanks, below where it begins; elsewhere it is one line.
func TestAttempt_Say(t *testing.T) {
	a := &attempt{name: "crash-gateway", res: &result.Result{Verdict: scenarios.Fail, Reason: "The objective failed: errors < 1% in dead, measured 23.5%."}}
	for _, c := range []struct {
		columns int
		want    string
	}{
		{0, "crash-gateway        fail         The objective failed: errors < 1% in dead, measured 23.5%.\n"},
		{120, "crash-gateway        fail         The objective failed: errors < 1% in dead, measured 23.5%.\n"},
		{80, "crash-gateway        fail         The objective failed: errors < 1% in dead,\n" +
			strings.Repeat(" ", 34) + "measured 23.5%.\n"},
		{40, "crash-gateway        fail         The objective failed: errors < 1% in dead, measured 23.5%.\n"}, // no room beside the name
	} {
		var out strings.Builder
		if a.say(&out, c.columns); out.String() != c.want {
			t.Errorf("%d columns:\n%swant\n%s", c.columns, out.String(), c.want)
		}
	}
}
