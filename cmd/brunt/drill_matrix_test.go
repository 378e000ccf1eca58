package main

import (
	"reflect"
	"strings"
	"testing"

	"brunt/reporters/html"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestFillCalls: a row for each fault of runs that counted calls, with the calls before, in and after the fault, and a
// mark where it multiplied them. A link whose calls were not read has bytes.
func TestFillCalls(t *testing.T) {
	baseline, crash, after := slo.ParsePhase("baseline"), slo.ParsePhase("crash"), slo.ParsePhase("recovery/crash")
	run := func(name, to, unit string, in result.Num) drills.Tried {
		return drills.Tried{Name: name, Link: name + ".html", Result: &result.Result{
			Phases: []result.Phase{{Name: slo.ParsePhase("run")}, {Name: baseline}, {Name: crash}, {Name: after}},
			Faults: []result.FaultRecord{{Name: "crash"}},
			Amplification: []result.Amplification{{From: "posts", To: to, Unit: unit, Phases: []result.AmplifiedPhase{
				{Phase: baseline, Value: 1, Low: .9, High: 1.1},
				{Phase: crash, Value: in, Low: in - .1, High: in + .1},
				{Phase: after, Value: 1.2, Low: 1.1, High: 1.3},
			}}},
		}}
	}
	var page html.MatrixPage
	a := run("a", "users", result.UnitCalls, 1)
	a.Result.Amplification = append(a.Result.Amplification, result.Amplification{
		From: "posts", To: "mail", Unit: result.UnitBytes, Phases: []result.AmplifiedPhase{{Phase: baseline, Value: 70}},
	})
	a.Result.Links = []result.Link{{From: "posts[0]", To: "mail[0]", Unread: 2}}
	fillCalls(&page, []drills.Tried{
		a, run("b", "store", result.UnitCalls, 3), run("c", "cache", result.UnitBytes, 900),
	})
	untried := html.MatrixCell{Text: drills.NeverTried}
	want := []html.MatrixRow{
		{Part: "a: crash", Cells: []html.MatrixCell{
			{Text: "1.00 → 1.00 → 1.20", Tone: "plain", Link: "a.html"},
			{Text: "70 B → – → –", Tone: "plain", Why: "bytes: brunt does not read the protocol", Link: "a.html"},
			untried,
		}},
		{Part: "b: crash", Cells: []html.MatrixCell{
			untried, untried, {Text: "1.00 → ↑ 3.00 → 1.20", Tone: "bad", Link: "b.html"},
		}},
	}
	if links := []string{"posts → users", "posts → mail", "posts → store"}; !reflect.DeepEqual(page.Links, links) {
		t.Errorf("links %q", page.Links)
	}
	if !reflect.DeepEqual(page.Calls, want) {
		t.Errorf("got  %+v\nwant %+v", page.Calls, want)
	}
}

// TestFillTried_Barred: a page says each reason why cells can't be filled once, with all effects that it is about.
func TestFillTried_Barred(t *testing.T) {
	system := &drills.System{
		Replicas: map[string]int{"posts": 2, "users": 1}, Links: []string{"posts->users"},
		Breaks: drills.Processes,
	}
	var page html.MatrixPage
	fillTried(&page, drills.NewMatrix(nil), system)
	seen := map[string]bool{}
	for _, line := range page.Barred {
		effects, why, _ := strings.Cut(line, ": ")
		if seen[why] {
			t.Errorf("%q is said twice: %q", why, page.Barred)
		}
		seen[why] = true
		for i, effect := range page.Effects {
			for _, row := range page.Rows {
				if row.Cells[i].Why == why && !strings.Contains(effects, effect) {
					t.Errorf("%q lacks %s, which it keeps from %s", line, effect, row.Part)
				}
			}
		}
	}
	if len(seen) == 0 {
		t.Errorf("the page says no reason: %+v", page.Rows)
	}
}
