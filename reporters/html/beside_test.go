package html

import (
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// twoRuns returns a run and a later one whose scenario has another rate and one more line.
func twoRuns() (a, b *result.Result) {
	earlier, run := *reporterstest.Results()["minute"], *reporterstest.Results()["minute"]
	earlier.Scenario = "version: 1\nload:\n  browse:\n    rate: 100/s\n    duration: 60s\nslo:\n  - errors < 1%\n"
	run.Scenario = "version: 1\nload:\n  browse:\n    rate: 150/s\n    duration: 60s\nslo:\n  - errors < 1%\n  - p95 < 1s\n"
	return &earlier, &run
}

func besidePage(t *testing.T, p BesidePage) string {
	t.Helper()
	var b strings.Builder
	if err := p.Report(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBesidePage shows what changed first, then both runs, then the settings and lines that differ.
func TestBesidePage(t *testing.T) {
	a, b := twoRuns()
	a.Verdict, b.Verdict = scenarios.Fail, scenarios.Pass
	b.Comparison.Caution = "One run is <no> control; use `brunt ab`."
	page := besidePage(t, BesidePage{
		A: BesideRun{Name: "monday", Result: a}, B: BesideRun{Name: "tuesday", Link: "t/report.html", Result: b},
		Comparison: b.Comparison,
	})
	at := -1
	for _, want := range []string{
		`<b class="letter">A</b> monday`, `<a href="t/report.html">tuesday</a>`,
		"<strong>B passes, and A failed.</strong> ", `<dl class="deltas"`, "25% worse",
		"Before you trust this: One run is &lt;no&gt; control; use <code>brunt ab</code>.",
		`id="objectives"`, `id="curves"`, `<path class="line a"`, `<path class="line b"`, `id="faults"`,
		`<code>load.browse.rate</code></th><td data-of="A">100/s</td><td data-of="B">150/s</td>`,
		`<span class="gone">-    rate: 100/s</span>`, `<span class="new">&#43;    rate: 150/s</span>`,
		`<span class="new">&#43;  - p95 &lt; 1s</span>`, `id="figures"`,
	} {
		i := strings.Index(page[at+1:], want)
		if i < 0 {
			t.Fatalf("no %q after what was found before:\n%s", want, page[at+1:min(len(page), at+3000)])
		}
		at += 1 + i
	}
	if strings.Contains(page, "NaN") {
		t.Error("the page has NaN")
	}
}

// TestBesidePage_Same says that nothing differs, and why there is no comparison.
func TestBesidePage_Same(t *testing.T) {
	a := reporterstest.Results()["minute"]
	page := besidePage(t, BesidePage{A: BesideRun{Result: a}, B: BesideRun{Result: a}, Unfit: "They can't be compared."})
	for _, want := range []string{"both runs had the same resolved scenario", "They can&#39;t be compared."} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(page, `class="diff"`) || strings.Contains(page, `class="deltas"`) {
		t.Error("it shows a difference")
	}
}

// TestBesidePage_AnyRun draws every fixture beside another one: a run without a window has no curve.
func TestBesidePage_AnyRun(t *testing.T) {
	minute := reporterstest.Results()["minute"]
	for name, r := range reporterstest.Results() {
		t.Run(name, func(t *testing.T) {
			page := besidePage(t, BesidePage{
				A: BesideRun{Name: "a", Result: r}, B: BesideRun{Name: "b", Result: minute}, Comparison: r.Comparison,
			})
			if strings.Contains(page, "NaN") {
				t.Error("the page has NaN")
			}
			// the page's own, and its data where there is a curve
			if n := strings.Count(page, "<script"); n != 1+strings.Count(page, `id="points"`) {
				t.Errorf("%d scripts", n)
			}
		})
	}
}

// TestObjectivePairs puts objectives whose verdict became worse first.
func TestObjectivePairs(t *testing.T) {
	list := func(verdicts ...string) *result.Result {
		r := &result.Result{}
		for i, v := range verdicts {
			if v == "" {
				continue
			}
			var o result.ObjectiveResult
			if err := o.UnmarshalJSON([]byte(`{"text":"errors < ` + string(rune('1'+i)) + `%","phase":"run","verdict":"` + v +
				`","measured":0.005,"metric":"errors"}`)); err != nil {
				t.Fatal(err)
			}
			r.Objectives = append(r.Objectives, o)
		}
		return r
	}
	var got []string
	for _, p := range objectivePairs(list("pass", "pass", "fail", "pass"), list("pass", "fail", "pass", "")) {
		got = append(got, p.Name+" "+p.A.Word+" "+p.B.Word+" "+p.Tone)
	}
	want := "errors < 2% pass fail bad, errors < 3% fail pass good, errors < 1% pass pass , errors < 4% pass  "
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%q, want %q", s, want)
	}
}
