package words_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestLinks: the sentence is of the link where a fault multiplied calls most, beyond the bounds, and never of bytes.
func TestLinks(t *testing.T) {
	baseline, slow := slo.ParsePhase("baseline"), slo.ParsePhase("slow")
	row := func(to, unit string, before, in, open result.Num) result.Amplification {
		return result.Amplification{From: "posts", To: to, Unit: unit, Phases: []result.AmplifiedPhase{
			{Phase: baseline, Value: before, Low: before - open, High: before + open},
			{Phase: slow, Value: in, Low: in - open, High: in + open},
		}}
	}
	r := &result.Result{
		Phases: []result.Phase{{Name: slo.ParsePhase("run")}, {Name: baseline}, {Name: slow}},
		Links: []result.Link{
			{From: "posts[0]", To: "store[0]", Calls: true, Quiet: 2, Background: 1.5},
			{From: "posts[1]", To: "store[0]", Calls: true, Quiet: 2, Background: 1},
			{From: "posts[0]", To: "cache[0]", Background: result.NaN},
		},
		Amplification: []result.Amplification{
			row("users", result.UnitCalls, 1, 2, .1), row("store", result.UnitCalls, 1, 3, .1),
			row("cache", result.UnitBytes, 1024, 4096, 0), row("mail", result.UnitCalls, 1, 3, 1),
		},
	}
	if got := words.Multiplied(r); len(got) != 1 ||
		!strings.HasPrefix(got[0], "posts called store 3.00 times per request in slow, 1.00 before: ") {
		t.Errorf("%q", got)
	}
	phases, rows := words.LinkRows(r)
	want := "[baseline slow] [{posts → users posts users – true calls [{1.00 false} {2.00 true}]} {posts → store posts store " +
		"2.5/s true calls [{1.00 false} {3.00 true}]} {posts → cache posts cache – false bytes: calls were not asked for [{1 KiB false} {4 KiB false}]} " +
		"{posts → mail posts mail – true calls [{1.00 false} {3.00 false}]}]"
	if got := fmt.Sprint(phases, rows); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
