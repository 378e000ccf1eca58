package main

import (
	"reflect"
	"testing"

	"brunt/reporters/html"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestFillCalls: a row for each fault of runs that counted calls, with the calls before the fault, and a mark where it
// multiplied them.
func TestFillCalls(t *testing.T) {
	baseline, crash := slo.ParsePhase("baseline"), slo.ParsePhase("crash")
	run := func(name, to, unit string, in result.Num) drills.Tried {
		return drills.Tried{Name: name, Link: name + ".html", Result: &result.Result{
			Phases: []result.Phase{{Name: slo.ParsePhase("run")}, {Name: baseline}, {Name: crash}},
			Amplification: []result.Amplification{{From: "posts", To: to, Unit: unit, Phases: []result.AmplifiedPhase{
				{Phase: baseline, Value: 1, Low: .9, High: 1.1}, {Phase: crash, Value: in, Low: in - .1, High: in + .1},
			}}},
		}}
	}
	var page html.MatrixPage
	fillCalls(&page, []drills.Tried{
		run("a", "users", result.UnitCalls, 1), run("b", "store", result.UnitCalls, 3),
		run("c", "cache", result.UnitBytes, 900),
	})
	untried := html.MatrixCell{Text: drills.NeverTried}
	want := []html.MatrixRow{
		{Part: "a", Cells: []html.MatrixCell{{Text: "1.00", Tone: "good", Why: "1.00 before", Link: "a.html"}, untried}},
		{Part: "b", Cells: []html.MatrixCell{untried, {Text: "↑ 3.00", Tone: "bad", Why: "1.00 before", Link: "b.html"}}},
	}
	if links := []string{"posts → users", "posts → store"}; !reflect.DeepEqual(page.Links, links) {
		t.Errorf("links %q", page.Links)
	}
	if !reflect.DeepEqual(page.Calls, want) {
		t.Errorf("got  %+v\nwant %+v", page.Calls, want)
	}
}
