package html

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"

	"github.com/chromedp/chromedp"
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
	out["find"] = findPage(t)
	out["ramp"] = reporterstest.Render(t, Page{Site: links}, ramp("ramping-arrival-rate"))
	draw("live", func(w *strings.Builder) error {
		going := *reporterstest.Results()["failing"]
		going.Verdict, going.Going = scenarios.Running, &result.Going{At: going.Duration.D(), End: 2 * going.Duration.D()}
		return DrawLive(w, &going, followed(t, 22).Now())
	})
	return out
}

// index is a list of four runs of two scenarios, on the first four days of March.
func index(second string) IndexPage {
	p := IndexPage{Title: "nightly", Compare: "/compare", Problems: []string{"broken is left out."}}
	p.Scenarios = []IndexScenario{{Name: "shop", Link: "/trend"}, {Name: second}}
	for i, v := range []scenarios.Verdict{scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Invalid} {
		k := i / 3
		run := IndexRun{
			Key: fmt.Sprint("folder-", i), Name: p.Scenarios[k].Name, Run: fmt.Sprint("run-", i), Verdict: v,
			Reason:  []string{"All held.", "errors were 23 %.", "All held.", "The generator was late."}[i],
			Started: time.Date(2026, 3, 1+i, 12, 0, 0, 0, time.UTC), Duration: 60, Requests: 1000,
			P95:  result.Num(.01 * float64(i+1)),
			Link: fmt.Sprint("/runs/", i),
		}
		p.Runs = append(p.Runs, run)
		p.Scenarios[k].Runs = append(p.Scenarios[k].Runs, IndexPoint{Link: run.Link, Text: run.Run, Verdict: v, P95: run.P95})
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
		document.querySelector('.trend.over > svg').getBoundingClientRect();
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

// kneeDrawn checks that the knee stands where the text says, left of the seconds in which requests failed.
func kneeDrawn(t *testing.T, b *tab) {
	at := see[[]float64](b, `(() => { const x = e => e.getBoundingClientRect().left, p = document.querySelector('#curve-p95');
		return [x(p.querySelector('line.knee')), Math.min(...[...p.querySelectorAll('circle.bad')].map(x)),
			Math.max(...[...p.querySelectorAll('circle:not(.bad)')].map(x))]; })()`)
	if !(at[0] < at[1] && at[0] > at[2]-200) {
		t.Errorf("the knee lies at %v, the first failure at %v, the last good second at %v", at[0], at[1], at[2])
	}
}

// TestHTML_PagesAccessible runs axe-core on each page, in both themes and on a narrow screen.
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
		for _, l := range []display{{width: 1400}, {width: 390, dark: true}} {
			t.Run(fmt.Sprintf("%s/%d px, dark %v", name, l.width, l.dark), func(t *testing.T) {
				b := open(t, browser, page, l)
				// The page's script looks at boxes that scroll after they are laid out.
				see[any](b, `(() => { for (const d of document.querySelectorAll('details')) d.open = true;
					return new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(null)))); })()`)
				if name == "live" { // as its script does
					see[any](b, `(() => { for (const e of document.querySelectorAll('.scroll'))
						if (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight) e.tabIndex = 0;
						return null; })()`)
				}
				see[any](b, string(script)+";null")
				type violation struct {
					ID, Help, Impact string
					Nodes            []struct{ HTML, FailureSummary string }
				}
				for _, v := range see[[]violation](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)`) {
					n := v.Nodes[0]
					t.Errorf("%s (%s): %s (%d times), as in %.200s: %s", v.ID, v.Impact, v.Help, len(v.Nodes), n.HTML,
						n.FailureSummary)
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
