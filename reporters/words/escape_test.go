package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestEscapeEnd: each outcome has a sentence of its own, without unknown figures.
func TestEscapeEnd(t *testing.T) {
	e := result.Escape{
		Rate: 200, Bad: 48, Back: .7, After: 12, Held: 8,
		Steps: []result.EscapeStep{{Share: 1}, {Share: .1, Start: 50, End: 58}, {Share: .85, Start: 58, End: 61}},
	}
	seen := map[string]bool{}
	for _, e.Outcome = range result.EscapeOutcomes() {
		got := words.EscapeEnd(&e)
		if got == "" || seen[got] || !strings.HasSuffix(got, ".") {
			t.Errorf("%s: %q", e.Outcome, got)
		}
		seen[got] = true
	}
	e.Outcome = result.EscapeStuck
	if got, want := words.EscapeEnd(&e), "It was bad for 48s at 200/s without the fault, came back at 140/s (70%), "+
		"12s after the load was lowered, and held at 200/s again: the load alone had held it down."; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	e.Outcome = result.EscapeLess
	if got := words.EscapeEnd(&e); !strings.Contains(got, "failed again at 170/s") {
		t.Errorf("less: %s", got)
	}
	e.Outcome, e.Back, e.After = result.EscapeNone, result.NaN, result.NaN
	if got, want := words.EscapeEnd(&e), "It was bad for 48s at 200/s without the fault, and did not come back in "+
		"11s of lower loads, down to 20/s (10%): another cause than the load holds it down, or a backlog that takes "+
		"longer to drain."; got != want {
		t.Errorf("none: got %s\nwant %s", got, want)
	}
}

// TestHysteresis: each answer of an overload has a text of its own, without unknown figures, and names no fault.
func TestHysteresis(t *testing.T) {
	step := func(offered, bad int64) result.EscapeStep {
		return result.EscapeStep{Share: 1, Offered: offered, Bad: bad, Hold: 2, End: 12, Whole: bad == 0}
	}
	o := result.Overload{Before: step(1000, 0), Push: step(4000, 3000), Escape: &result.Escape{
		Outcome: result.EscapeStuck, Rate: 200, Bad: 48, Back: .7, After: 12, Held: 8,
		Steps: []result.EscapeStep{{Share: 1}, {Share: .1}, {Share: .85}},
	}}
	o.Push.Share = 2.5
	for outcome, want := range map[result.EscapeOutcome]string{
		result.EscapeStuck: "hysteresis: after 12s at 500/s it stayed bad at 200/s for 48s, came back at 140/s (70%), " +
			"held at 200/s again",
		result.EscapeByItself: "hysteresis: none seen; after 12s at 500/s it was good again at 200/s within 48s",
		result.EscapeUntold: "hysteresis: not shown, after 12s at 500/s. It was bad for 48s at 200/s without the overload, " +
			"came back at 140/s (70%), 12s after the load was lowered, and held at 200/s again. Time alone may have brought " +
			"it back: a load that goes on for longer after the overload tells",
	} {
		if o.Escape.Outcome = outcome; words.Hysteresis(&o) != want {
			t.Errorf("%s: got %s\nwant %s", outcome, words.Hysteresis(&o), want)
		}
	}
	seen := map[string]bool{}
	said := func(of any) {
		got := words.Hysteresis(&o)
		if got == "" || seen[got] || strings.Contains(got, "NaN") || strings.Contains(got, "fault") {
			t.Errorf("%v: %q", of, got)
		}
		seen[got] = true
	}
	for _, o.Escape.Outcome = range result.EscapeOutcomes() {
		said(o.Escape.Outcome)
	}
	o.Push = step(4000, 0)
	said("no overload")
	o.Before = step(1000, 30)
	said("bad before")
}

// TestFaultEffect_Unrecovered: each reason why a load had not recovered has a sentence of its own, and the outcome
// tells a fault that is gone from one that is not.
func TestFaultEffect_Unrecovered(t *testing.T) {
	seen := map[string]bool{}
	outcomes := map[result.Unrecovered]string{
		result.GoneStillHarm: "fault gone, not recovered", result.LoadUntold: "fault gone, not recovered",
		result.Stuck: "stuck",
	}
	for _, why := range append(result.Unrecovereds(), "") {
		f := &result.FaultRecord{
			Name: "f", Impact: result.NotRecovered, Onset: 1, OnsetAt: 21, Failed: 9, Unrecovered: why, Revert: "ok",
		}
		got, outcome := words.FaultEffect(f), words.FaultOutcome(f)
		if seen[got] || !strings.Contains(got, "not recovered") {
			t.Errorf("%q: %s", why, got)
		}
		seen[got] = true
		want := outcomes[why]
		if want == "" {
			want = "not recovered"
		}
		if outcome != want {
			t.Errorf("%q: the outcome is %q, want %q", why, outcome, want)
		}
	}
}
