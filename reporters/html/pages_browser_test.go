package html

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/slo"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pages draws the pages beside the report: lists, comparisons, trends, searches and a run that goes on.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	draw := func(name string, report func(*strings.Builder) error) {
		var b strings.Builder
		if err := report(&b); err != nil {
			t.Fatal(err)
		}
		out[name] = b.String()
	}
	a, b := twoRuns()
	links := &SiteLinks{
		Home: "/", Earlier: &SiteLink{"earlier run", "/a"}, Compare: "/compare", Run: "b",
		Others: []SiteOption{{"a", "✓ 2026-03-01 12:00 · a"}},
	}
	draw("beside", func(w *strings.Builder) error {
		return BesidePage{
			Site: links, A: BesideRun{Name: "monday", Link: "/a", Result: a},
			B:          BesideRun{Name: "tuesday", Link: "/b", Result: b},
			Comparison: b.Comparison,
		}.Report(w)
	})
	hostile := reporterstest.Results()["hostile"]
	draw("hostile", func(w *strings.Builder) error {
		return BesidePage{
			A: BesideRun{Name: hostile.Name, Result: hostile}, B: BesideRun{Name: hostile.Name, Result: b},
			Comparison: hostile.Comparison,
		}.Report(w)
	})
	draw("index", func(w *strings.Builder) error { return index(hostile.Name).Report(w) })
	draw("lost", func(w *strings.Builder) error {
		return LostPage{
			Site: links, What: "There is no run.", Near: []SiteLink{{"a", "/a"}}, Latest: []SiteLink{{"b", "/b"}},
		}.Report(w)
	})
	trend := TrendChart{Title: "p95", Say: quantity.FormatSeconds, Limit: .25, LimitText: "objective < 250ms"}
	for i := range 12 {
		trend.Points = append(trend.Points, TrendPoint{
			Run: fmt.Sprint("r", i), Link: "/r", Started: time.Unix(int64(i)*86400, 0), Value: .02 + .01*float64(i%3),
			Red: i == 7,
		})
	}
	draw("trend", func(w *strings.Builder) error {
		return TrendPage{Name: "shop", Site: links, Charts: []TrendChart{trend}}.Report(w)
	})
	draw("gate", func(w *strings.Builder) error {
		return Decision(w, &result.Decision{
			Name: "shop", Word: "PASS", Verdict: scenarios.Pass, Started: time.Unix(1e9, 0),
			Metrics: []result.Judged{{Name: "p95", Verdict: scenarios.Pass, Worse: .01, AtLeast: 0, AtMost: .02, Limit: .1}},
		}, trend)
	})
	tried := MatrixCell{Text: "survived", Tone: "good", Why: "no request failed", Link: "a/report.html"}
	drill := MatrixDrill{"replica-crash", "crash", "A replica dies.", "failed", "bad", "errors < 1%: 3%", "a/report.html"}
	matrix := MatrixPage{
		Name: "shop", Summary: "1 of 2 drills failed.",
		Effects: []string{"dies", "restarts", "hangs", "slow", "errors", "cut", "lossy", "starved", "clock"},
		Rows: []MatrixRow{
			{"Services", "posts", append(slices.Repeat([]MatrixCell{{Text: "not possible"}}, 8), tried)},
			{"", "users", append(slices.Repeat([]MatrixCell{{Text: "never tried"}}, 8), tried)},
		},
		Barred: []string{"slow: nothing can be slowed without a link"}, Failed: []MatrixDrill{drill},
		Drills: []MatrixDrill{drill}, NotTried: []MatrixDrill{{Name: "disk-full", Family: "disk", Why: "it has no disk"}},
		Services: []string{"posts"}, Needs: []MatrixRow{{Part: "list posts", Cells: []MatrixCell{tried}}},
		Declared: []string{"hard"}, Surprise: "users is declared soft.", Coverage: "3 of 4 ways to fail were tried.",
		Links: []string{"posts → store"}, Calls: []MatrixRow{{Part: "a: crash", Cells: []MatrixCell{
			{Text: "1.00 → ↑ 3.00 → 1.00", Tone: "bad", Link: "a/report.html"},
		}}},
		AlertNames: []string{"Errors"}, Alerts: []MatrixRow{{Part: "a: crash", Cells: []MatrixCell{
			{Text: "late: 9s", Tone: "unsure", Why: "the fault was over after 5s", Link: "a/report.html"},
		}}},
		Edges: []MatrixEdge{{
			GraphEdge: chart.GraphEdge{From: "posts", To: "store", Label: "1.00 calls", Strong: true},
			Traffic:   "1.00 calls", Needs: "list posts: hard",
		}},
		Costs: []MatrixRow{{Part: "a: crash", Cells: []MatrixCell{
			{Text: "1ms → 2ms (×2)", Tone: "plain", Link: "a/report.html"}, {Text: "–", Tone: "plain"}, {Text: "–", Tone: "plain"},
		}}},
		Untried: []string{"users: slow"}, Next: []MatrixNext{{"brunt drill run slow-users", "it was never tried"}},
		Method: "Each pair was tried once.",
	}
	draw("matrix", func(w *strings.Builder) error { return matrix.Report(w) })
	draw("programme", func(w *strings.Builder) error {
		at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		run := func(name string, days int, v scenarios.Verdict) programme.Run {
			r := *reporterstest.Results()["failing"]
			r.Name, r.Verdict, r.Started = name, v, at.AddDate(0, 0, -days)
			r.Ended = r.Started.Add(time.Minute)
			return programme.Run{Folder: name, Link: "/" + name, Result: &r, Attested: []programme.Attestation{
				{By: "ann", At: r.Ended, States: "as expected"},
			}}
		}
		runs := []programme.Run{
			run("shop", 100, scenarios.Pass), run("pay", 3, scenarios.Fail), run("mail", 1, scenarios.Pass),
		}
		cadences := []programme.Cadence{
			{Pattern: "*", Every: 30 * 24 * time.Hour}, {Pattern: "replica-crash", Every: time.Hour},
		}
		return ProgrammePage{
			Title: "nightly", Site: links, Problems: []string{"broken is left out."},
			Programme: programme.Of(runs, cadences, at),
		}.Report(w)
	})
	out["game day"] = reporterstest.Render(t, Page{}, gameDay())
	out["find"] = findPage(t)
	out["ramp"] = reporterstest.Render(t, Page{Site: links}, ramp("ramping-arrival-rate"))
	draw("live", func(w *strings.Builder) error {
		going := *reporterstest.Results()["failing"]
		going.Verdict, going.Going = scenarios.Running, &result.Going{At: going.Duration.D(), End: 2 * going.Duration.D()}
		now := followed(t, 22).Now()
		now.Desk = []DeskRow{
			{Name: "crash", State: "waits for an operator, 00:29 left", Tone: "unsure", Buttons: []DeskButton{{"continue", "Continue", false}}},
			{Name: "cut", State: "is over; requests still fail since 00:04", Tone: "bad", Buttons: []DeskButton{
				{"seen", "Seen", true}, {"understood", "Understood", false},
			}},
		}
		return DrawLive(w, &going, now)
	})
	return out
}

// gameDay is a run of which people marked a fault, and whose services called each other.
func gameDay() *result.Result {
	r := *reporterstest.Results()["minute"]
	r.Faults = slices.Clone(r.Faults)
	f := &r.Faults[0]
	at := func(s result.Num) *result.Mark { return &result.Mark{At: f.Injected + s, By: "ann"} }
	f.Operator = &result.OperatorRecord{
		Asked: f.Injected - 1, AtMost: 30, Continued: at(0), Seen: at(1), Understood: at(2), Acted: at(3),
		Split: &result.Split{Detect: 1, Decide: 1, Act: 1, Recover: 2, Total: 5, Machine: 2},
	}
	r.Links = []result.Link{{From: "posts[0]", To: "mail[0]", Unread: 1}}
	for i, to := range []string{"store", "mail"} {
		a := result.Amplification{From: "posts", To: to, Unit: []string{result.UnitCalls, result.UnitBytes}[i]}
		for _, phase := range []slo.Phase{{Kind: slo.BaselinePhase}, f.Phase()} {
			n := result.Num(1)
			if phase.Kind == slo.FaultPhase {
				n = 3
			}
			a.Phases = append(a.Phases, result.AmplifiedPhase{Phase: phase, Value: n, Low: n - .1, High: n + .1, Requests: 100})
		}
		r.Amplification = append(r.Amplification, a)
	}
	return &r
}

// TestHTML_GameDay: the page of a game day has the split, and tells the minutes without a click; the links say what was
// not read.
func TestHTML_GameDay(t *testing.T) {
	page := reporterstest.Render(t, Page{}, gameDay())
	for _, want := range []string{
		`class="split"`, "5s from the injection to recovery, of which 2s were the machine&#39;s", "<details open><summary>1 minute",
		"bytes: brunt does not read the protocol", "↑ 3.00", "posts called store 3.00 times per request",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	without := reporterstest.Render(t, Page{}, reporterstest.Results()["minute"])
	if strings.Contains(without, "<details open><summary>1 minute") {
		t.Error("the minutes of a run without people are open")
	}
}

// index is a list of four runs of two scenarios, on the first four days of March.
func index(second string) IndexPage {
	p := IndexPage{Title: "nightly", Compare: "/compare", Problems: []string{"broken is left out."}}
	p.Scenarios = []IndexScenario{{Name: "shop", Link: "/trend"}, {Name: second}}
	for i, v := range []scenarios.Verdict{scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Invalid} {
		k := i / 3
		run := IndexRun{
			Key: fmt.Sprint("folder-", i), Name: p.Scenarios[k].Name, Run: fmt.Sprint("run-", i), Verdict: v, Word: string(v),
			Reason:  []string{"All held.", "errors were 23 %.", "All held.", "The generator was late."}[i],
			Started: time.Date(2026, 3, 1+i, 12, 0, 0, 0, time.UTC), Duration: 60, Requests: 1000,
			P95:  result.Num(.01 * float64(i+1)),
			Link: fmt.Sprint("/runs/", i),
		}
		p.Runs = append(p.Runs, run)
		p.Scenarios[k].Runs = append(p.Scenarios[k].Runs, IndexPoint{
			Link: run.Link, Text: run.Run, Verdict: v, Word: run.Word, P95: run.P95,
		})
	}
	return p
}

// followed follows a run to a second.
func followed(t *testing.T, to int) *Follower {
	t.Helper()
	f := &Follower{}
	for s := -2; s <= to; s++ {
		f.Add(going(t, s))
	}
	return f
}

// TestHTML_Pages_InABrowser checks each page on a wide and a narrow screen, in both themes: it is no wider than the
// window, nothing is empty, and the browser complains of nothing.
func TestHTML_Pages_InABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	browser := chrome(t)
	list := pages(t)
	for name, page := range list {
		if name == "live" {
			page = unscripted(page)
		}
		for _, l := range []display{{width: 1400}, {width: 390, dark: true}} {
			t.Run(fmt.Sprintf("%s/%d px", name, l.width), func(t *testing.T) {
				b := open(t, browser, page, l)
				if over := see[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
					t.Errorf("the page is %d pixels wider than the window", over)
				}
				if none := see[[]string](b, `[...document.querySelectorAll('section, svg, table')].filter(s =>
					!s.closest('details, .bars') && s.checkVisibility() && (s.children.length || s.textContent) &&
					(s.getBoundingClientRect().height < 3 || s.getBoundingClientRect().width < 3)).map(s => s.id || s.outerHTML.slice(0, 80))`); len(none) > 0 {
					t.Errorf("nothing to be seen of %q", none)
				}
				ink, paper := see[string](b, `getComputedStyle(document.body).color`),
					see[string](b, `getComputedStyle(document.body).backgroundColor`)
				if brighter := luminance(t, ink) > luminance(t, paper); brighter != l.dark {
					t.Errorf("ink %s on paper %s", ink, paper)
				}
				if unnamed := see[[]string](b, `[...document.querySelectorAll('table th')].filter(h => !h.scope).map(h => h.textContent)`); len(unnamed) > 0 {
					t.Errorf("headers without a scope: %q", unnamed)
				}
			})
		}
	}
	t.Run("filter", func(t *testing.T) { filters(t, open(t, browser, list["index"], display{})) })
	t.Run("deltas first", func(t *testing.T) { besideFirst(t, open(t, browser, list["beside"], display{width: 1400})) })
	t.Run("bands aligned", func(t *testing.T) { besideBands(t, open(t, browser, list["beside"], display{width: 1400})) })
	t.Run("values and zoom of a comparison", func(t *testing.T) { besideRead(t, browser, list["beside"]) })
	t.Run("values and zoom of a search", func(t *testing.T) { findRead(t, browser, list["find"]) })
	t.Run("values of a ramp", func(t *testing.T) {
		b := open(t, browser, list["ramp"], display{width: 1400})
		b.wait(`document.documentElement.dataset.read`)
		if said := b.read("curve-good", .999); said[1] != "126/s: 60/s: 29s to 30s, 66 requests failed" {
			t.Errorf("at the largest rate it says %q", said)
		}
	})
	t.Run("a ramp that was followed", func(t *testing.T) { rampFollowed(t, browser) })
	t.Run("knee", func(t *testing.T) { kneeDrawn(t, open(t, browser, list["ramp"], display{width: 1400})) })
	t.Run("objective of a trend", func(t *testing.T) {
		b := open(t, browser, list["trend"], display{})
		at := see[[]float64](b, `(() => { const top = q => document.querySelector(q).getBoundingClientRect().top;
			return [top('.trend line.limit'), Math.min(...[...document.querySelectorAll('.trend circle')].map(e =>
				e.getBoundingClientRect().top)), top('.trend > svg')]; })()`)
		if at[0] >= at[1] || at[0] < at[2] {
			t.Errorf("the objective lies at %v, the highest run at %v, the top at %v", at[0], at[1], at[2])
		}
	})
	t.Run("hostile text", func(t *testing.T) {
		for _, name := range []string{"hostile", "index"} {
			b := open(t, browser, list[name], display{})
			if n := see[int](b, `document.querySelectorAll('img, iframe, object, embed, [onerror], [onload], [style]').length`); n > 0 {
				t.Errorf("%s: %d elements that may run something", name, n)
			}
			if text := see[string](b, `document.body.textContent`); !strings.Contains(text, "<script>alert(1)</script>") {
				t.Errorf("%s does not show the text as it is", name)
			}
		}
	})
}

// filters narrows a list of runs by text, verdict and time, and keeps the filter in the address.
func filters(t *testing.T, b *tab) {
	shown := func() []string {
		return see[[]string](b, `[...document.querySelectorAll('.runs tbody tr')].filter(e => e.checkVisibility()).map(e =>
			e.querySelector('input').value)`)
	}
	set := func(name, value string) {
		see[any](b, fmt.Sprintf(`(() => { const e = document.querySelector('#filter').elements[%q]; e.value = %q;
			e.dispatchEvent(new Event('input', {bubbles: true})); return null; })()`, name, value))
	}
	want := func(what string, keys ...string) {
		t.Helper()
		if got := shown(); !slices.Equal(got, keys) {
			t.Errorf("%s shows %q, want %q", what, got, keys)
		}
	}
	want("no filter", "folder-3", "folder-2", "folder-1", "folder-0")
	set("text", "23 SHOP")
	want("words of the reason and the name", "folder-1")
	b.load(see[string](b, `location.hash`))
	want("the address", "folder-1")
	set("text", "folder-2")
	want("a folder", "folder-2")
	set("text", "")
	set("verdict", "pass")
	want("a verdict", "folder-2", "folder-0")
	set("from", "2026-03-02")
	want("a verdict and a day", "folder-2")
	set("verdict", "")
	set("to", "2026-03-03")
	want("two days", "folder-2", "folder-1")
	if text := see[string](b, `document.querySelector('#filter output').textContent`); text != "2 runs" {
		t.Errorf("it counts %q", text)
	}
	b.do(chromedp.Click(`#filter [type=reset]`, chromedp.ByQuery))
	b.wait(`document.querySelector('#filter output').textContent === '4 runs'`)
	want("no filter again", "folder-3", "folder-2", "folder-1", "folder-0")
	if dots := see[int](b, `document.querySelectorAll('.series .dot').length`); dots != 4 {
		t.Errorf("%d marks of runs", dots)
	}
}

// besideFirst checks that the deltas are on the first screen, before all else.
func besideFirst(t *testing.T, b *tab) {
	at := see[map[string]float64](b, `Object.fromEntries(['.deltas', '#objectives', '#curves', '#figures'].map(q =>
		[q, document.querySelector(q).getBoundingClientRect().top]))`)
	if !(at[".deltas"] < 500 && at[".deltas"] < at["#objectives"] && at["#objectives"] < at["#curves"] &&
		at["#curves"] < at["#figures"]) {
		t.Errorf("the parts begin at %v", at)
	}
}

// besideBands checks that the bands of a fault lie where it was in, in both runs and on the axis of the curves.
func besideBands(t *testing.T, b *tab) {
	r := reporterstest.Results()["minute"]
	o := chart.NewOverlay(r, r)
	got := see[[][][]float64](b, `[...document.querySelectorAll('#curves .bars')].map(row => { const p =
		document.querySelector('.trend.both > svg').getBoundingClientRect();
		return [...row.querySelectorAll('rect')].map(e => { const q = e.getBoundingClientRect();
			return [(q.left - p.left) / p.width, (q.right - p.left) / p.width]; }); })`)
	if len(got) != 6 {
		t.Fatalf("%d rows of bands, want two above each of three charts", len(got))
	}
	for i, row := range got {
		k := 0
		for _, f := range r.Faults {
			if !f.Injected.Known() {
				continue
			}
			from, to := (float64(f.Injected)-o.From)/(o.To-o.From), (float64(f.Cleared)-o.From)/(o.To-o.From)
			if k >= len(row) || !near(row[k][0], from, .005) || !near(row[k][1], math.Max(to, from+.002), .005) {
				t.Errorf("row %d: %s is drawn at %v, want %v to %v", i, f.Name, row, from, to)
			}
			k++
		}
	}
}

// read returns what the charts of a page say under the pointer, at a share of the width of one of them.
func (b *tab) read(chart string, x float64) []string {
	b.t.Helper()
	px, py := b.within(chart, x)
	b.mouse(input.MouseMoved, px, py)
	return see[[]string](b, `[...document.querySelectorAll('.read')].map(e => e.textContent)`)
}

// within returns a place in the window: x is a share of the width of the chart of a figure.
func (b *tab) within(chart string, x float64) (float64, float64) {
	b.t.Helper()
	at := see[[]float64](b, fmt.Sprintf(`(() => { const p = document.querySelector('#%s :is(.trend, .curve)');
		p.scrollIntoView({block: 'center'}); const r = p.getBoundingClientRect();
		return [r.left + r.width * %v, r.top + r.height / 2]; })()`, chart, x))
	return at[0], at[1]
}

// drag draws the pointer over a chart.
func (b *tab) drag(chart string, from, to float64) {
	b.t.Helper()
	x, y := b.within(chart, from)
	b.mouse(input.MousePressed, x, y)
	x, _ = b.within(chart, to)
	b.do(input.DispatchMouseEvent(input.MouseMoved, x, y).WithButton(input.Left).WithButtons(1))
	b.mouse(input.MouseReleased, x, y)
}

// plotted returns the part of their axis that charts show, as shares: the same in all.
func (b *tab) plotted() (from, to float64) {
	b.t.Helper()
	boxes := see[[]string](b, `[...new Set([...document.querySelectorAll('svg.lines')].map(e => e.getAttribute('viewBox')))]`)
	if len(boxes) != 1 {
		b.t.Errorf("the charts show different parts: %q", boxes)
	}
	var width, none float64
	if _, err := fmt.Sscan(boxes[0], &from, &none, &width); err != nil {
		b.t.Fatal(err)
	}
	return from / chart.PlotWidth, (from + width) / chart.PlotWidth
}

// besideRead checks the values under the pointer on the charts of two runs against their windows, in the whole and in
// a part of the time, and the keys that read and zoom them.
func besideRead(t *testing.T, browser context.Context, page string) {
	b := open(t, browser, page, display{width: 1400})
	b.wait(`document.documentElement.dataset.read`)
	a, r := twoRuns()
	o := chart.NewOverlay(a, r)
	share := func(s float64) float64 { return (s - o.From) / (o.To - o.From) }
	rows := rowsOf(t, r, "*", "*")
	want := func(w *result.Window) []string {
		when := words.Offset(w.T) + " to " + words.Offset(w.T+w.D) + ": "
		both := func(v string) string { return when + "A " + v + ", B " + v }
		p95 := "–"
		if !words.IsInfinite(w.P95, w.Offered-w.Shed) {
			p95 = words.Seconds(w.P95)
		}
		return []string{
			both(p95), both(words.Percent(float64(w.Error+w.Skipped) / float64(w.Offered))),
			both(words.Number(float64(w.OK)/float64(w.D)) + "/s"),
		}
	}
	for i := 3; i < len(rows); i += 7 {
		w := &rows[i]
		if got := b.read("c-p95", share(float64(w.T+w.D/2))); !slices.Equal(got, want(w)) {
			t.Errorf("at %v it says %q, want %q", w.T, got, want(w))
		}
	}
	band := func() float64 {
		return see[float64](b, `(() => { const p = document.querySelector('#c-p95 .trend').getBoundingClientRect();
			return (document.querySelector('#c-p95 .bars rect').getBoundingClientRect().left - p.left) / p.width; })()`)
	}
	before := band()
	b.drag("c-failed", share(10), share(20))
	from, to := b.plotted()
	if !near(from, share(10), .005) || !near(to, share(20), .005) {
		t.Errorf("after a drag from 10 s to 20 s the charts show %v to %v", from, to)
	}
	if at := band(); !near(at, (before-from)/(to-from), .005) {
		t.Errorf("the first fault stands at %v, want %v", at, (before-from)/(to-from))
	}
	ticks := see[string](b, `[...document.querySelectorAll('#c-p95 .new')].map(e => e.textContent).join(' ')`)
	if !strings.Contains(ticks, "12s 14s 16s 18s") {
		t.Errorf("the axis has %q", ticks)
	}
	w := &rows[slices.IndexFunc(rows, func(w result.Window) bool { return w.T == 14 })]
	if got := b.read("c-good", (share(14.5)-from)/(to-from)); !slices.Equal(got, want(w)) {
		t.Errorf("zoomed, at 14 s it says %q, want %q", got, want(w))
	}
	b.do(chromedp.Click(`.zoomed button`, chromedp.ByQuery))
	if from, to = b.plotted(); from != 0 || to != 1 || band() != before {
		t.Errorf("all of it is %v to %v, the first fault at %v, before %v", from, to, band(), before)
	}
	// the button gave the focus to the charts
	b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("+"))
	if from, to = b.plotted(); !near(to-from, .5, .001) {
		t.Errorf("plus shows %v to %v", from, to)
	}
	said := see[string](b, `document.activeElement.getAttribute('aria-valuetext')`)
	if said != want(&rows[1])[0] {
		t.Errorf("an arrow key reads %q, want %q", said, want(&rows[1])[0])
	}
	b.do(chromedp.KeyEvent(kb.Escape))
	if from, to = b.plotted(); from != 0 || to != 1 {
		t.Errorf("Escape shows %v to %v", from, to)
	}
	if n := see[int](b, `[...document.querySelectorAll('.slider')].filter(e => e.tabIndex === 0).length`); n != 1 {
		t.Errorf("the charts are %d stops of the Tab key", n)
	}
}

// findRead checks the values under the pointer on the charts of a search, and that a part of the rates can be shown.
func findRead(t *testing.T, browser context.Context, page string) {
	b := open(t, browser, page, display{width: 1400})
	b.wait(`document.documentElement.dataset.read`)
	dot := func() float64 { // of the probe at 200/s
		return see[float64](b, `(() => { const p = document.querySelector('#curve-p95 .curve').getBoundingClientRect(),
			c = document.querySelectorAll('#curve-p95 circle')[1].getBoundingClientRect();
			return (c.left + c.width / 2 - p.left) / p.width; })()`)
	}
	const why = ": holds at 200/s: p95 < 200ms: 20ms <img src=x onerror=alert(1)>"
	want := []string{"200/s: 20ms" + why, "200/s: 200/s" + why, "200/s: 2" + why}
	if got := b.read("curve-p95", dot()+.01); !slices.Equal(got, want) {
		t.Errorf("near the probe at 200/s it says %q, want %q", got, want)
	}
	at := dot()
	b.drag("curve-good", at-.1, at+.1)
	from, to := b.plotted()
	if !near(from, at-.1, .005) || !near(to, at+.1, .005) || !near(dot(), .5, .01) {
		t.Errorf("the charts show %v to %v, and the probe stands at %v", from, to, dot())
	}
	if hidden := see[int](b, `[...document.querySelectorAll('#curve-p95 circle')].filter(e =>
		getComputedStyle(e).visibility === 'hidden').length`); hidden != 6 {
		t.Errorf("%d probes beside the part are hidden", hidden)
	}
	if got := b.read("curve-p95", .45); !slices.Equal(got, want) {
		t.Errorf("zoomed, it says %q, want %q", got, want)
	}
}

// rampFollowed opens the page of a ramp that goes on, sends it the report, and checks that the curve then has values
// and can be zoomed, and that the view stays if a report is sent again.
func rampFollowed(t *testing.T, browser context.Context) {
	going := *ramp("ramping-arrival-rate")
	going.Verdict, going.Going = scenarios.Running, &result.Going{At: 20 * time.Second, End: 30 * time.Second}
	var page strings.Builder
	if err := DrawLive(&page, &going, followed(t, 22).Now()); err != nil {
		t.Fatal(err)
	}
	b := open(t, browser, page.String(), display{width: 1400, before: `self.EventSource = class {
		constructor() { self.stream = this; this.on = {}; }
		addEventListener(name, f) { this.on[name] = f; }
		close() {}
	};`})
	send := func(r *result.Result) {
		t.Helper()
		see[any](b, `document.documentElement.dataset.read = ''`)
		html, err := json.Marshal(reporterstest.Render(t, Page{}, r))
		if err != nil {
			t.Fatal(err)
		}
		see[any](b, fmt.Sprintf(`stream.on.page({data: %q})`, html))
		b.wait(`document.documentElement.dataset.read`)
	}
	want := func(x float64, text string) {
		t.Helper()
		if said := b.read("curve-good", x); len(said) != 3 || said[1] != text {
			t.Errorf("it says %q, want %q", said, text)
		}
		if n := see[int](b, `document.querySelectorAll('.curve .slider').length`); n != 3 {
			t.Errorf("%d sliders", n)
		}
	}
	r := ramp("ramping-arrival-rate")
	send(r)
	const last = "126/s: 60/s: 29s to 30s, 66 requests failed"
	want(.999, last)
	b.drag("curve-good", .5, .9)
	send(r) // unchanged
	if from, to := b.plotted(); !near(from, .5, .01) || !near(to, .9, .01) {
		t.Errorf("sent again, the charts show %v to %v", from, to)
	}
	b.do(chromedp.Click(`.zoomed button`, chromedp.ByQuery))
	want(.999, last)
	b.drag("curve-good", .5, .9)
	r.Windows[29].OK-- // changed: its part of the page is replaced
	send(r)
	if from, to := b.plotted(); !near(from, .5, .01) || !near(to, .9, .01) {
		t.Errorf("changed, the charts show %v to %v", from, to)
	}
	b.do(chromedp.Click(`.zoomed button`, chromedp.ByQuery))
	want(.999, "126/s: 59/s: 29s to 30s, 66 requests failed")
}

// kneeDrawn checks that the knee stands where the text says, left of the seconds in which requests failed.
func kneeDrawn(t *testing.T, b *tab) {
	at := see[[]float64](b, `(() => { const x = e => e.getBoundingClientRect().left, p = document.querySelector('#curve-p95');
		return [x(p.querySelector('line.knee')), Math.min(...[...p.querySelectorAll('circle.bad')].map(x)),
			Math.max(...[...p.querySelectorAll('circle:not(.bad)')].map(x))]; })()`)
	if !(at[0] < at[1] && at[0] > at[2]-200) {
		t.Errorf("the knee lies at %v, the first failure at %v, the last good second at %v", at[0], at[1], at[2])
	}
}

// TestHTML_PagesAccessible runs axe-core on each page, in both themes, on a narrow screen and on paper.
func TestHTML_PagesAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes minutes for it")
	}
	script := axe(t)
	browser := chrome(t)
	for name, page := range pages(t) {
		if name == "live" {
			page = unscripted(page)
		}
		for _, l := range []display{
			{width: 1400}, {width: 1400, dark: true}, {width: 390, dark: true}, {width: 688, media: "print"},
		} {
			t.Run(fmt.Sprintf("%s/%d px, dark %v %s", name, l.width, l.dark, l.media), func(t *testing.T) {
				b := open(t, browser, page, l)
				// The page's script looks at boxes that scroll after they are laid out.
				see[any](b, `(() => { for (const d of document.querySelectorAll('details')) d.open = true;
					return new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(null)))); })()`)
				if name == "live" { // as its script does
					see[any](b, `(() => { for (const e of document.querySelectorAll('.scroll'))
						if (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1) e.tabIndex = 0;
						return null; })()`)
				}
				if strings.Contains(page, `id="points"`) && name != "ramp" {
					b.wait(`document.documentElement.dataset.read`)
				}
				b.accessible(script)
				if l.media == "print" { // paper does not scroll, and unfolds no table
					if cut := see[[]string](b, `[...document.querySelectorAll('table, .graph')].filter(e =>
						!e.closest('details') && e.getBoundingClientRect().right > innerWidth + 1)
						.map(e => e.getAttribute('class'))`); len(cut) > 0 {
						t.Errorf("paper cuts %q", cut)
					}
				}
			})
		}
	}
}

// unscripted returns the page of a run that goes on without its scripts and its repeated loading, as a file can show
// it: there is no server that it could ask.
func unscripted(page string) string {
	for {
		from := strings.Index(page, "<script")
		if from < 0 {
			break
		}
		to := strings.Index(page[from:], "</script>")
		page = page[:from] + page[from+to+len("</script>"):]
	}
	return page
}
