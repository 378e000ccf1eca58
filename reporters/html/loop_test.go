package html

import (
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestLoop draws an escape in the order of its steps, and nothing for a run without one.
func TestLoop(t *testing.T) {
	r := ramp("constant-arrival-rate")
	r.Faults = []result.FaultRecord{{
		Name: "slow", Injected: 4, Cleared: 9, Impact: result.NotRecovered, Unrecovered: result.Stuck, OnsetAt: 4,
	}}
	if v := loop(r); v != nil {
		t.Fatalf("a run without an escape has %+v", v)
	}
	step := func(share result.Num, offered, bad int64) result.EscapeStep {
		return result.EscapeStep{Share: share, Offered: offered, Bad: bad, Hold: 2, Whole: bad == 0}
	}
	r.Faults[0].Escape = &result.Escape{
		Outcome: result.EscapeStuck, Rate: 200, Bad: 30, Back: .5, After: 7, Held: 4, Steps: []result.EscapeStep{
			step(1, 400, 400), step(.75, 300, 300), step(.5, 200, 0), step(.75, 300, 0), step(1, 400, 0),
		},
	}
	v := loop(r)
	if v == nil || len(v.Curve.Plots) != 1 || v.Curve.Plots[0].ID != "loop-curve-good" ||
		len(v.Curve.Plots[0].Dots) != 5 {
		t.Fatalf("the loop is %+v", v)
	}
	page := reporterstest.Render(t, Page{}, r)
	for _, want := range []string{
		`id="loop"`, `class="bad"><title>75% of the load`, "came back at 100/s (50%)", "\u00a0stuck",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	// the way down is at zero, and the way up at the load
	_, path, _ := strings.Cut(string(v.Curve.Plots[0].Lines), `class="value" d="M`)
	path, _, _ = strings.Cut(path, `"`)
	var y []string
	for p := range strings.SplitSeq(path, "L") {
		_, at, _ := strings.Cut(p, " ")
		y = append(y, at)
	}
	if len(y) != 5 || y[0] != y[1] || y[1] == y[2] || y[2] == y[3] || y[3] == y[4] {
		t.Errorf("the line goes through the heights %v", y)
	}
}

// TestOverloadLoop draws the load before an overload, the overload, and the way back, on the page of a search.
func TestOverloadLoop(t *testing.T) {
	step := func(share result.Num, offered, bad int64) result.EscapeStep {
		return result.EscapeStep{Share: share, Offered: offered, Bad: bad, Hold: 2, Whole: bad == 0}
	}
	var b strings.Builder
	p := FindPage{Name: "shop", Answer: "Between 280/s and 300/s.", Sure: true, Overload: &result.Overload{
		Before: step(1, 400, 0), Push: step(3, 1200, 900),
		Escape: &result.Escape{
			Outcome: result.EscapeStuck, Rate: 200, Bad: 30, Back: .5, After: 7, Held: 4,
			Steps: []result.EscapeStep{step(1, 400, 400), step(.5, 200, 0), step(1, 400, 0)},
		},
	}}
	if err := p.Report(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		`<section id="loop">`, "came back at 100/s (50%), held at 200/s again.", "300% of the load", "the overload,",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(page, `<circle r="3"`); n != 5 {
		t.Errorf("%d dots, want one for each step", n)
	}
	b.Reset()
	if p.Overload = nil; p.Report(&b) != nil || strings.Contains(b.String(), `id="loop"`) {
		t.Error("a page without an overload shows one")
	}
}
