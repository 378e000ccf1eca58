package html

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chrome starts a Chromium for the tests of t.
func chrome(t *testing.T) context.Context {
	t.Helper()
	path := suite.Program(t, "chromium", "chromium")
	profile, err := os.MkdirTemp("", "brunt-chromium")
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel2 := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for its end
		cancel2()
		cancel()
		suite.Within(10*time.Second, func() bool { return os.RemoveAll(profile) == nil }) // its children may still write
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// tab is an open page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	file string

	mu       sync.Mutex
	troubles []string // complaints of scripts and of the policy, and network requests
}

// display describes how a page is opened.
type display struct {
	width         int64 // of the window; zero means 1200
	height        int64 // zero means 800
	dark, noSript bool
	media         string // print; empty: a screen
	features      []string
	fragment      string // of the address
	before        string // a script that runs before those of the page
}

// open shows a page. Any problem in it until the end of the test is an error.
func open(t *testing.T, browser context.Context, html string, l display) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	ctx, cancel2 := context.WithTimeout(ctx, 2*time.Minute)
	b := &tab{t: t, ctx: ctx, file: "file://" + file}
	t.Cleanup(func() {
		cancel2()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.troubles {
			t.Error(s)
		}
	})
	chromedp.ListenTarget(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u := ev.Request.URL; !strings.HasPrefix(u, b.file) && !strings.HasPrefix(u, "data:image/") {
				b.troubles = append(b.troubles, "the page asked for "+u)
			}
		case *runtime.EventExceptionThrown:
			b.troubles = append(b.troubles, "the script failed: "+ev.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			b.troubles = append(b.troubles, fmt.Sprintf("the console has a %s", ev.Type))
		case *log.EventEntryAdded:
			b.troubles = append(b.troubles, "the browser said: "+ev.Entry.Text)
		case *cdppage.EventJavascriptDialogOpening:
			b.troubles = append(b.troubles, "a dialog: "+ev.Message)
		}
	})
	if l.width == 0 {
		l.width = 1200
	}
	l.height = cmp.Or(l.height, 800)
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	for _, f := range l.features {
		name, value, _ := strings.Cut(f, "=")
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	b.do(network.Enable(), log.Enable(), emulation.SetDeviceMetricsOverride(l.width, l.height, 1, false),
		emulation.SetEmulatedMedia().WithMedia(l.media).WithFeatures(features),
		emulation.SetScriptExecutionDisabled(l.noSript))
	if l.before != "" {
		b.do(chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := cdppage.AddScriptToEvaluateOnNewDocument(l.before).Do(ctx)
			return err
		}))
	}
	b.load(l.fragment)
	if !l.noSript {
		b.wait(`document.documentElement.dataset.ready || !document.getElementById('data')`)
	}
	return b
}

func (b *tab) load(fragment string) {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(b.file+fragment))
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// see evaluates JavaScript in the page.
func see[T any](b *tab, js string) T {
	b.t.Helper()
	var v T
	b.do(chromedp.Evaluate(js, &v,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return v
}

// wait returns once js is true.
func (b *tab) wait(js string) {
	b.t.Helper()
	var last error
	holds := suite.Within(time.Minute, func() bool {
		var v any // while a page loads there is no value yet
		last = chromedp.Run(b.ctx, chromedp.Evaluate("!!("+js+")", &v))
		return last == nil && v == true
	})
	if !holds {
		b.t.Fatalf("never came true: %s (%v)", js, last)
	}
}

// over returns a place in the window: x is a share of the chart's width.
func (b *tab) over(chart string, x float64) (float64, float64) {
	b.t.Helper()
	at := see[[]float64](b,
		fmt.Sprintf(`(() => { const p = document.querySelector('#c-%s .plot'); p.scrollIntoView({block: 'center'});
		const r = p.getBoundingClientRect(); return [r.left + r.width * %v, r.top + r.height / 2]; })()`, chart, x))
	return at[0], at[1]
}

func (b *tab) mouse(kind input.MouseType, x, y float64) {
	b.t.Helper()
	e := input.DispatchMouseEvent(kind, x, y)
	if kind != input.MouseMoved {
		e = e.WithButton(input.Left).WithClickCount(1)
	}
	b.do(e)
}

func (b *tab) choose(control int, value string) {
	b.t.Helper()
	see[any](b, fmt.Sprintf(`(() => { const s = document.querySelectorAll('.view select')[%d]; s.value = %q; s.dispatchEvent(new Event('change'));
		return null; })()`, control, value))
}

// legends returns the figures at the pointer, by chart and line.
func (b *tab) legends() map[string]string {
	b.t.Helper()
	return see[map[string]string](b, `Object.fromEntries([...document.querySelectorAll('.legend b[data-s]')].map(b =>
		[b.closest('figure').id.slice(2) + ' ' + b.parentNode.firstElementChild.nextSibling.textContent.trim(), b.textContent]))`)
}

// viewed returns the part of the run that each chart shows, in seconds: the same in all.
func (b *tab) viewed(r *result.Result) (from, to float64) {
	b.t.Helper()
	boxes := see[[]string](b,
		`[...new Set([...document.querySelectorAll('svg.z')].map(s => s.getAttribute('viewBox').split(' ').filter((_, i) =>
		i % 2 == 0).join(' ')))]`)
	if len(boxes) != 1 {
		b.t.Errorf("the charts show different stretches: %q", boxes)
	}
	var x, w float64
	if _, err := fmt.Sscan(boxes[0], &x, &w); err != nil {
		b.t.Fatal(err)
	}
	line := axisOf(r)
	return line.From + x/chart.PlotWidth*(line.To-line.From), line.From + (x+w)/chart.PlotWidth*(line.To-line.From)
}

func axisOf(r *result.Result) *chart.Timeline {
	list, _ := chart.Points(r)
	return chart.NewTimeline(r, list, chart.Places{})
}

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

func TestHTML_InABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	browser := chrome(t)
	r := reporterstest.Results()["minute"]
	minute := reporterstest.Render(t, Page{}, r)

	for _, c := range []struct {
		name string
		display
	}{
		{"wide", display{}},
		{"narrow", display{width: 400}},
		{"dark", display{dark: true}},
		{"without scripts", display{noSript: true}},
		{"narrow and dark without scripts", display{width: 400, dark: true, noSript: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, browser, minute, c.display)
			above := see[string](b,
				`[...document.querySelectorAll('h1, h2, h3, p, td, th, dd')].filter(e => e.getBoundingClientRect().top < 800).map(e =>
				e.innerText).join('\n')`)
			first := []string{r.Name, "Ship"}
			if c.width == 0 {
				first = append(first, r.Objectives[0].Text)
			}
			for _, want := range first {
				if !strings.Contains(above, want) {
					t.Errorf("the first screen lacks %q: %s", want, above)
				}
			}
			shown := see[string](b, `document.body.innerText`)
			for _, f := range r.Faults {
				if !strings.Contains(shown, f.Name) {
					t.Errorf("the page does not show %s", f.Name)
				}
			}
			if over := see[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				t.Errorf("the page is %d pixels wider than the window", over)
			}
			if none := see[[]string](b,
				`[...document.querySelectorAll('section, .frame, table.sort, svg.z')].filter(s => !s.closest('details') &&
				(s.clientHeight < 10 || s.clientWidth < 10)).map(s => s.id || s.className)`); len(none) > 0 {
				t.Errorf("nothing to be seen of %q", none)
			}
			ink, paper := see[string](b, `getComputedStyle(document.body).color`),
				see[string](b, `getComputedStyle(document.body).backgroundColor`)
			if brighter := luminance(t, ink) > luminance(t, paper); brighter != c.dark {
				t.Errorf("ink %s on paper %s", ink, paper)
			}
			if lapped := see[[]string](b, overlaps); len(lapped) > 0 {
				t.Errorf("labels lie over each other: %q", lapped)
			}
		})
	}

	t.Run("what a failing run says", func(t *testing.T) { failing(t, browser) })
	t.Run("bands where the faults were", func(t *testing.T) {
		b := open(t, browser, minute, display{})
		for _, chart := range []string{"latency", "throughput", "errors", "flight", "waits", "heatmap"} {
			b.bands(r, chart)
		}
	})
	t.Run("values at the pointer", func(t *testing.T) { pointer(t, browser, minute, r) })
	t.Run("zoom", func(t *testing.T) { zooming(t, browser, minute, r) })
	t.Run("linear scale", func(t *testing.T) { linearScale(t, browser, minute) })
	t.Run("keyboard", func(t *testing.T) { keyboard(t, browser, minute, r) })
	t.Run("one step", func(t *testing.T) { oneStep(t, browser, minute, r) })
	t.Run("terms", func(t *testing.T) { sentences(t, browser, minute) })
	t.Run("objectives on a phone", func(t *testing.T) { objectivesFit(t, browser, minute) })
	t.Run("sorting", func(t *testing.T) {
		b := open(t, browser, minute, display{})
		see[any](b, `(() => { [...document.querySelectorAll('.phase th button')].find(e => e.textContent.startsWith('p95')).click(); return null; })()`)
		if list := see[[]float64](b, `[...document.querySelectorAll('.phase[open] tbody tr')].map(r => r.cells[6].textContent === '∞' ? 1e9 :
			parseFloat(r.cells[6].textContent) * (/\dms$/.test(r.cells[6].textContent) ? 1e-3 : 1))`); len(list) != 2 || list[0] < list[1] {
			t.Errorf("by p95, the largest first: %v", list)
		}
	})
	t.Run("print", func(t *testing.T) { printed(t, browser, minute) })
	t.Run("print every objective", func(t *testing.T) {
		many := *r
		many.Objectives = slices.Repeat([]result.ObjectiveResult{r.Objectives[0]}, 12)
		for i := range many.Objectives {
			many.Objectives[i].Verdict = scenarios.Pass
		}
		everyObjective(t, browser, &many)
	})
	t.Run("forced colours", func(t *testing.T) {
		b := open(t, browser, minute, display{features: []string{"forced-colors=active"}})
		if bar, paper := see[string](b, `getComputedStyle(document.querySelector('.lane .bar:not(.warm)')).backgroundColor`),
			see[string](b, `getComputedStyle(document.body).backgroundColor`); bar == paper {
			t.Errorf("a fault's bar is %s on %s", bar, paper)
		}
	})
	t.Run("hostile text", func(t *testing.T) {
		page := reporterstest.Render(t, Page{}, reporterstest.Results()["hostile"])
		b := open(t, browser, page, display{fragment: "#latency?of=<img src=x onerror=alert(1)>&t=<script>,1"})
		for i := range see[int](b, `document.querySelector('.view select').options.length`) {
			b.choose(0, strconv.Itoa(i-1))
			b.wait(fmt.Sprintf(`document.querySelector('.view select').value === "%d"`, i-1))
		}
		x, y := b.over("latency", .6)
		b.mouse(input.MouseMoved, x, y)
		if n := see[int](b,
			`document.querySelectorAll('img, iframe, object, embed, form, textarea, input:not([type=checkbox]), link:not([rel=icon]), ' +
			'script:not([type]), [onerror], [onload], [style*=url]').length`); n != 1 {
			t.Errorf("%d elements that may run something, want the one script", n)
		}
		if text := see[string](b,
			`document.body.innerText + [...document.querySelectorAll('option')].map(o => o.textContent)`); strings.Count(text,
			"<script>alert(1)</script>") < 30 {
			t.Error("the text is not shown as it is")
		}
	})
}

// TestHTML_Extremes checks runs of every kind on a wide and on a narrow screen: no element is
// wider than the window, and no label overlaps another.
func TestHTML_Extremes(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes minutes for it")
	}
	browser := chrome(t)
	runs := map[string]*result.Result{"hour": reporterstest.Hour(60).Result()}
	for _, name := range []string{"short", "faults", "not-reverted", "steps", "infinite", "empty"} {
		runs[name] = reporterstest.Results()[name]
	}
	for name, r := range runs {
		html := reporterstest.Render(t, Page{}, r)
		for _, l := range []display{{width: 1200}, {width: 400, dark: true}} {
			t.Run(fmt.Sprintf("%s/%d px", name, l.width), func(t *testing.T) {
				b := open(t, browser, html, l)
				check := func(when string) {
					if over := see[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
						t.Errorf("%s: the page is %d pixels wider than the window", when, over)
					}
					if lapped := see[[]string](b, overlaps); len(lapped) > 0 {
						t.Errorf("%s: labels lie over each other: %.600q", when, lapped)
					}
				}
				check("at first")
				if see[bool](b, `document.querySelectorAll('.view select').length === 2`) {
					b.choose(0, "1")
					b.wait(`document.querySelectorAll('.shown').length >= 2`)
					check("one step")
				}
				if see[bool](b, `document.querySelector('.view') && [...document.querySelectorAll('.view select')].at(-1).options.length > 1`) {
					b.choose(1, see[string](b, `document.querySelectorAll('.view select')[1].options[1].value`))
					check("one fault")
				}
			})
		}
	}
}

// TestHTML_FirstScreen checks what a person sees without scrolling: on a desktop the whole answer beside the charts,
// on a phone the sentence, the reasons and the objectives before the charts.
func TestHTML_FirstScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	browser := chrome(t)
	r := reporterstest.Results()["failing"]
	a := words.AnswerOf(r)
	html := reporterstest.Render(t, Page{}, r)
	wide := open(t, browser, html, display{width: 1400, height: 900})
	seen := see[string](wide, `(() => { const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let n = walk.nextNode(); n; n = walk.nextNode()) {
			const at = document.createRange();
			at.selectNodeContents(n);
			const r = at.getBoundingClientRect();
			if (r.width && r.bottom <= innerHeight && r.right <= innerWidth && n.parentNode.checkVisibility()) out.push(n.textContent);
		}
		return out.join(' ').replace(/\s+/g, ' '); })()`)
	want := []string{a.Mark, a.Head, a.Name, a.Sentence.String(), a.ObjectivesTitle, a.FaultsTitle, "asked for", "20s"}
	for _, o := range a.Objectives {
		want = append(want, o.Title, o.Value, o.Margin.Text)
	}
	for _, f := range a.Faults {
		want = append(want, f.Name, f.Outcome)
	}
	if a.Trust != nil {
		want = append(want, a.Trust.Title, a.Trust.Text)
	}
	for _, part := range slices.Concat(a.Why, advice(a)) {
		for _, span := range part {
			want = append(want, strings.TrimSpace(span.Text))
		}
	}
	for _, text := range want {
		if !strings.Contains(seen, text) {
			t.Errorf("the first screen lacks %q: %s", text, seen)
		}
	}
	printed := see[string](open(t, browser, html, display{width: 688, media: "print"}),
		`document.body.innerText.replace(/\s+/g, ' ')`)
	for _, text := range want[1:] {
		if !strings.Contains(printed, text) && text != "asked for" && text != "20s" {
			t.Errorf("on paper %q is missing: %s", text, printed)
		}
	}
	const edges = `Object.fromEntries(['.answer', '#why', '.lines', '#c-rates', '#c-times'].map(q => {
		const e = document.querySelector(q); return [q, e ? [e.getBoundingClientRect().top, e.getBoundingClientRect().bottom] : [0, 0]]; }))`
	if at := see[map[string][2]float64](wide, edges); at["#c-times"][1] > 900 {
		t.Errorf("the charts end at %v", at["#c-times"][1])
	}
	narrow := see[map[string][2]float64](open(t, browser, html, display{width: 390}), edges)
	if answer, lines, rates := narrow[".answer"], narrow[".lines"], narrow["#c-rates"]; answer[1] > 600 ||
		narrow["#why"][1] > lines[0] || lines[1] > rates[0] {
		t.Errorf("on a phone the parts stand at %v", narrow)
	}
}

// advice returns the texts of what to change.
func advice(a *words.Answer) (out []words.Text) {
	for _, c := range a.Change {
		out = append(out, c.Text)
	}
	return out
}

// TestHTML_Large checks a run of 50 faults on 20 steps: the page is short, few parts of it stop the Tab key, the steps
// of one phase are shown, and the navigation marks the part in view. It logs how long the page takes to make.
func TestHTML_Large(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	r := reporterstest.Large().Result()
	began := time.Now()
	html := reporterstest.Render(t, Page{}, r)
	t.Logf("%d kB in %v", len(html)/1000, time.Since(began))
	browser := chrome(t)
	b := open(t, browser, html, display{width: 1400, height: 900})
	if high := see[float64](b, `document.documentElement.scrollHeight`); high > 12_000 {
		t.Errorf("the page is %v pixels high: %v", high, see[map[string]float64](b,
			`Object.fromEntries([...document.querySelectorAll('section[id]')].map(e => [e.id, e.offsetHeight]))`))
	} else {
		t.Logf("%v pixels high", high)
	}
	const stops = `[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')].filter(e =>
		e.tabIndex >= 0 && e.checkVisibility() && !e.disabled).map(e => (e.className || e.tagName) + ' ' + e.textContent.slice(0, 20))`
	kept := *reporterstest.Results()["ledger"]
	kept.Errors = reporterstest.Results()["failing"].Errors
	kept.Deliveries = []*result.DeliveryRecord{{
		Name: "mail", Settled: true, Acknowledged: 200, Lost: 60, Keys: make([]result.DeliveryKey, 60),
	}}
	for _, page := range []struct{ name, html string }{
		{"large", html},
		{"minute", reporterstest.Render(t, Page{}, reporterstest.Results()["minute"])},
		{"ledger and deliveries", reporterstest.Render(t, Page{}, &kept)},
	} {
		b := open(t, browser, page.html, display{width: 1400})
		b.wait(`[...document.querySelectorAll('.scroll')].every(e => e.closest('details:not([open])') ||
			e.scrollWidth <= e.clientWidth || e.tabIndex === 0)`)
		if list := see[[]string](b, stops); len(list) >= 60 || len(list) < 20 {
			t.Errorf("%s has %d stops of the Tab key: %q", page.name, len(list), list)
		} else {
			t.Logf("%s: %d stops", page.name, len(list))
		}
	}
	shown := `[...document.querySelectorAll('.phase')].filter(e => e.checkVisibility()).map(e =>
		e.querySelector('caption').textContent + ': ' + e.querySelectorAll('tbody tr').length)`
	if got := see[[]string](b, shown); !slices.Equal(got, []string{"Steps in run: 20"}) {
		t.Errorf("shown are %q", got)
	}
	see[any](b, `(() => { const s = document.querySelector('.choice select'); s.value = 2; s.dispatchEvent(new Event('change')); return null; })()`)
	if got := see[[]string](b, shown); len(got) != 1 || !strings.HasPrefix(got[0], "Steps in lose-a-replica-01: ") {
		t.Errorf("after a choice %q are shown", got)
	}
	b.do(cdppage.BringToFront()) // a page behind another one does not scroll
	for _, part := range []string{"latency", "phases"} {
		see[any](b, `(() => { document.getElementById('`+part+`').scrollIntoView(); return null; })()`)
		b.wait(`[...document.querySelectorAll('nav [aria-current]')].map(e => e.hash).join() === '#` + part + `'`)
	}
	// without the script each phase unfolds on its own, and one is open
	plain := open(t, browser, html, display{width: 1400, noSript: true})
	if n := see[[]int](plain, `[document.querySelectorAll('.phase > summary').length,
		document.querySelectorAll('.phase[open]').length]`); n[0] < 15 || n[1] != 1 {
		t.Errorf("without the script %v phases can be unfolded, are open", n)
	}
}

// failing checks what a person sees of a failing run: the hypothesis with what became of it, and sums that agree.
func failing(t *testing.T, browser context.Context) {
	r := reporterstest.Results()["failing"]
	b := open(t, browser, reporterstest.Render(t, Page{}, r), display{})
	head := see[string](b, `document.querySelector('header').innerText + document.querySelector('.hypothesis').innerText`)
	for _, want := range []string{"Hypothesis: refuted. ", "fail, exit code 3"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head lacks %q: %s", want, head)
		}
	}
	if strings.Contains(head, "∞") {
		t.Errorf("a percentile of good answers is infinite: %s", head)
	}
	sum := see[string](b, `document.querySelector('#errors > p').innerText`)
	counts := see[[]string](b, `[...document.querySelectorAll('table.errors tbody tr')].map(r => r.cells[2].innerText)`)
	listed := 0
	for _, c := range counts {
		n, err := strconv.Atoi(strings.ReplaceAll(c, "\u00a0", ""))
		if err != nil {
			t.Fatal(err)
		}
		listed += n
	}
	if !strings.HasPrefix(sum, fmt.Sprint(listed)+" of ") {
		t.Errorf("%d errors are listed beside %q", listed, sum)
	}
	used := see[[]string](b, `[...document.querySelectorAll('table.budgets tbody tr')].map(r => r.cells[6].innerText)`)
	for _, u := range used {
		if len(u) > len("0.0123%") {
			t.Errorf("used of a budget: %s", u)
		}
	}
}

// bands compares the drawn range of each fault with its times.
func (b *tab) bands(r *result.Result, chart string) {
	b.t.Helper()
	line := axisOf(r)
	got := see[map[string][][2]float64](b, fmt.Sprintf(`(() => {
		const f = document.querySelector('#c-%s .frame'), p = f.querySelector('.plot').getBoundingClientRect(), out = {};
		const put = (k, left, right) => (out[k] = out[k] || []).push([(left - p.left) / p.width, (right - p.left) / p.width]),
			add = (k, e) => { const q = e.getBoundingClientRect(); put(k, q.left, q.right); };
		const use = f.querySelector('use'), behind = use ? document.querySelector(use.getAttribute('href')) : f,
			to = (use || f.querySelector('.plot svg')).getScreenCTM();
		if (use && use.getBoundingClientRect().width < 10) return out;
		behind.querySelectorAll('path.shade').forEach(e => { const q = e.getBBox(); put('shade', to.a * q.x + to.e, to.a * (q.x + q.width) + to.e); });
		f.querySelectorAll('.lane .bar:not(.warm)').forEach(e => add('bar', e));
		for (const k of ['onset', 'recovered']) for (const e of behind.querySelectorAll('path.' + k))
			for (const m of e.getAttribute('d').matchAll(/M([-.\d]+)/g)) (out[k] = out[k] || []).push([m[1] / 2000, m[1] / 2000]);
		return out;
	})()`, chart))
	at := func(n result.Num) float64 { return line.Place(float64(n)) }
	want := map[string][][2]float64{}
	for _, f := range r.Faults {
		want["shade"] = append(want["shade"], [2]float64{at(f.Injected), at(f.Cleared)})
		if f.OnsetAt.Known() {
			want["onset"] = append(want["onset"], [2]float64{at(f.OnsetAt), at(f.OnsetAt)})
		}
		if f.Impact == result.Impacted {
			want["recovered"] = append(want["recovered"], [2]float64{at(f.RecoveredAt), at(f.RecoveredAt)})
		}
	}
	if want["bar"] = want["shade"]; got["bar"] == nil {
		delete(want, "bar") // a panel below another shares its lane
	}
	for k, spans := range want {
		if len(got[k]) != len(spans) {
			b.t.Errorf("%s: %d of %s, want %d", chart, len(got[k]), k, len(spans))
			continue
		}
		for i, s := range spans {
			if !near(got[k][i][0], s[0], .004) || !near(got[k][i][1], s[1], .004) {
				b.t.Errorf("%s: %s %d from %.3f to %.3f, want %.3f to %.3f", chart, k, i, got[k][i][0], got[k][i][1], s[0], s[1])
			}
		}
	}
}

// rowsOf returns the windows of a step in result.json.
func rowsOf(t *testing.T, r *result.Result, load, step string) []result.Window {
	t.Helper()
	text, err := json.Marshal(r) // rounds as result.json does
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Windows []result.Window }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	cut := map[float64]bool{} // seconds of which a fault left a sliver, which the page does not draw separately
	for _, w := range file.Windows {
		cut[math.Floor(float64(w.T))] = cut[math.Floor(float64(w.T))] || w.D < chart.Sliver
	}
	return slices.DeleteFunc(file.Windows, func(w result.Window) bool {
		return w.Load != load || w.Step != step || cut[math.Floor(float64(w.T))]
	})
}

// figuresOf returns what the page must say about a window.
func figuresOf(w *result.Window) map[string]string {
	at := func(n result.Num) string { return words.Percentile(n, w.Offered-w.Shed) }
	per := func(n int64) string { return words.Rate(result.Num(math.Round(float64(n)/float64(w.D)*10) / 10)) }
	out := map[string]string{
		"latency p50": at(w.P50), "latency p95": at(w.P95), "latency p99": at(w.P99), "latency max": words.Seconds(w.Max),
		"throughput offered": per(w.Offered), "throughput sent": per(w.Sent), "throughput answered": per(w.Answered),
		"throughput good": per(w.OK), "rates good": per(w.OK), "rates asked for": per(w.Offered),
		"rates failed": per(w.Error + w.Skipped), "times p50": at(w.P50), "times p95": at(w.P95),
		"errors timeout": per(w.Kinds["timeout"]), "errors status 503": per(w.Kinds["status 503"]),
	}
	if w.Load != "*" { // the first screen shows the whole run
		for _, name := range []string{"rates good", "rates asked for", "rates failed", "times p50", "times p95"} {
			delete(out, name)
		}
	}
	if w.Load == "*" {
		out["flight in flight"], out["waits lag p99"] = fmt.Sprint(w.InFlight), words.Seconds(w.Lag)
	}
	return out
}

// compare points at windows and checks what the page says.
func (b *tab) compare(r *result.Result, load, step string) {
	b.t.Helper()
	line, seen := axisOf(r), 0
	for i, w := range rowsOf(b.t, r, load, step) {
		if i%7 != 0 && len(w.Kinds) == 0 {
			continue
		}
		x, y := b.over("latency", line.Place(float64(w.T+w.D/2)))
		b.mouse(input.MouseMoved, x, y)
		got := b.legends()
		for name, want := range figuresOf(&w) {
			if got[name] != want {
				b.t.Errorf("%s at %v: %q, want %q", name, w.T, got[name], want)
			}
			seen++
		}
		span := words.Offset(w.T) + " to " + words.Offset(w.T+w.D)
		if cursors := see[[]string](b, `[...new Set([...document.querySelectorAll('.cur')].map(e =>
			e.hidden ? 'hidden' : e.textContent))]`); !slices.Equal(cursors, []string{span}) {
			b.t.Errorf("the cursors say %q, want %q in each chart", cursors, span)
		}
	}
	if seen < 80 {
		b.t.Errorf("only %d figures were compared", seen)
	}
}

func pointer(t *testing.T, browser context.Context, html string, r *result.Result) {
	b := open(t, browser, html, display{})
	b.compare(r, "*", "*")
	b.mouse(input.MouseMoved, 2, 2)
	for name, v := range b.legends() {
		if v != "" {
			t.Errorf("%s still says %q though the pointer is gone", name, v)
		}
	}
}

func zooming(t *testing.T, browser context.Context, html string, r *result.Result) {
	b := open(t, browser, html, display{})
	line := axisOf(r)
	from, to := b.viewed(r)
	if !near(from, line.From, .01) || !near(to, line.To, .01) {
		t.Errorf("at first the charts show %v to %v", from, to)
	}
	// the charts of the first screen zoom as well, and the bar that shows all again is in view there
	gx, gy := b.over("times", line.Place(40))
	b.mouse(input.MousePressed, gx, gy)
	gx2, _ := b.over("times", line.Place(52))
	b.do(input.DispatchMouseEvent(input.MouseMoved, gx2, gy).WithButton(input.Left).WithButtons(1))
	b.mouse(input.MouseReleased, gx2, gy)
	if from, to = b.viewed(r); !near(from, 40, .2) || !near(to, 52, .2) {
		t.Errorf("after dragging over the first screen from 40 s to 52 s the charts show %v to %v", from, to)
	}
	if at := see[[]float64](b, `(() => { const r = [...document.querySelectorAll('.view button')].at(-1).getBoundingClientRect();
		return [r.top, r.bottom, innerHeight]; })()`); at[0] < 0 || at[1] > at[2] {
		t.Errorf("the button that shows all stands from %v to %v of %v", at[0], at[1], at[2])
	}
	see[any](b, `(() => { [...document.querySelectorAll('.view button')].at(-1).click(); return null; })()`)
	b.wait(`location.hash === ''`)
	x, y := b.over("throughput", line.Place(40))
	b.mouse(input.MousePressed, x, y)
	x2, _ := b.over("throughput", line.Place(52))
	b.do(input.DispatchMouseEvent(input.MouseMoved, x2, y).WithButton(input.Left).WithButtons(1))
	b.mouse(input.MouseReleased, x2, y)
	if from, to = b.viewed(r); !near(from, 40, .2) || !near(to, 52, .2) {
		t.Errorf("after dragging from 40 s to 52 s the charts show %v to %v", from, to)
	}
	ticks := see[[]string](b, `[...new Set([...document.querySelectorAll('.frame[data-time] .xaxis')].map(a =>
		[...a.children].filter(e => !e.hidden).map(e => e.textContent).join(' ')))]`)
	if len(ticks) != 1 || !strings.Contains(ticks[0], "46s") || strings.Contains(ticks[0], "1m") {
		t.Errorf("time axes %q", ticks)
	}
	// the names stand where the lines end: in the split, good far below offered
	b.load("#?t=40,45.9")
	b.wait(`document.documentElement.dataset.ready`)
	if apart := see[float64](b, `(() => { const at = n => [...document.querySelectorAll('#c-throughput u')].find(e =>
		e.textContent === n).getBoundingClientRect().top; return at('good') - at('offered'); })()`); apart < 60 {
		t.Errorf("good is named %v pixels below offered", apart)
	}
	b.load(fmt.Sprintf("#?t=%v,%v", from, to))
	b.wait(`document.documentElement.dataset.ready`)
	// the pointer still finds the right second
	w := rowsOf(t, r, "*", "*")
	i := slices.IndexFunc(w, func(w result.Window) bool { return w.T == 47 })
	px, py := b.over("latency", (47.5-from)/(to-from))
	b.mouse(input.MouseMoved, px, py)
	if got, want := b.legends()["latency p95"], figuresOf(&w[i])["latency p95"]; got != want {
		t.Errorf("p95 at 47 s is %q in the zoomed chart, want %q", got, want)
	}
	// and the line lies there where the scale has its value
	if got, want := see[float64](b, lineAt("latency", "p95", line.Place(47.5))),
		at(b, "latency", float64(w[i].P95)); !near(got, want, .01) {
		t.Errorf("p95 of %v at 47 s is drawn at %v of the height, want %v", w[i].P95, got, want)
	}
	// the address keeps it
	hash := see[string](b, `location.hash`)
	if link := see[string](b, `document.querySelector('.view a').getAttribute('href')`); link != hash ||
		!strings.HasPrefix(hash, "#?t=") {
		t.Errorf("address %q, link %q", hash, link)
	}
	b.load("#errors" + strings.TrimPrefix(hash, "#"))
	b.wait(`document.documentElement.dataset.ready`)
	if a, z := b.viewed(r); !near(a, from, .01) || !near(z, to, .01) {
		t.Errorf("the link shows %v to %v, want %v to %v", a, z, from, to)
	}
	if top := see[[]float64](b, `[document.querySelector('#errors h2').getBoundingClientRect().top,
		document.querySelector('.view').getBoundingClientRect().bottom]`); top[0] < top[1]-1 || top[0] > 200 {
		t.Errorf("the title of the link's part stands at %v, below the bar at %v", top[0], top[1])
	}
	// a link within the page keeps the view
	see[any](b, `(() => { document.querySelector('nav a[href="#phases"]').click(); return null; })()`)
	b.wait(`location.hash.startsWith('#phases?t=')`)
	if a, _ := b.viewed(r); !near(a, from, .01) {
		t.Errorf("a link within the page went back to %v", a)
	}
	see[any](b, `(() => { [...document.querySelectorAll('.view button')].at(-1).click(); return null; })()`)
	b.wait(`location.hash === '#phases'`)
	if a, z := b.viewed(r); !near(a, line.From, .01) || !near(z, line.To, .01) {
		t.Errorf("all of it is %v to %v", a, z)
	}
	// the same again, as a changed page does: one bar, and the view stays
	b.load("#?of=browse/read%20post&t=20,30")
	b.wait(`document.documentElement.dataset.ready`)
	see[any](b, `(() => { document.querySelector('.view select').focus(); return Promise.all([brunt(), brunt()]).then(() => null); })()`)
	if a, z := b.viewed(r); !near(a, 20, .01) || !near(z, 30, .01) {
		t.Errorf("after a change the charts show %v to %v", a, z)
	}
	if n := see[[]int](b,
		`[document.querySelectorAll('.view').length, document.querySelectorAll('#c-latency .slider').length,
		document.querySelectorAll('#c-latency .shown').length, +(document.activeElement.tagName === 'SELECT')]`); !slices.Equal(n, []int{1, 1, 1, 1}) {
		t.Errorf("after a change there are %d bars, sliders, notes of a step, focused switches", n)
	}
	b.load("")
	b.wait(`document.documentElement.dataset.ready`)
	// a fault can be selected without a pointer
	b.choose(1, see[string](b, `document.querySelectorAll('.view select')[1].options[2].value`))
	if a, z := b.viewed(r); !near(a, 26, .1) || !near(z, 38, .1) {
		t.Errorf("slow-store is shown from %v to %v", a, z)
	}
}

// lineAt returns how far from above a line lies in a plot of the zoomed page, at a place of the
// whole plot's width.
func lineAt(id, class string, x float64) string {
	return fmt.Sprintf(`(() => { const p = document.querySelector('#c-%s .plot .line.%s'), to = p.transform.baseVal.consolidate().matrix;
		let x = 0, y = 0;
		for (const [, how, a, b] of p.getAttribute('d').matchAll(/([MVhm])(-?\d+)(?: (-?\d+))?/g)) {
			if (how === 'V') y = +a; else if (how === 'M') { x = +a; y = +b; } else x += +a;
			if (how !== 'V' && x * to.a + to.e > %v) return y / 500;
		}
		return -1; })()`, id, class, x*chart.PlotWidth)
}

// at returns the place of a time on a logarithmic plot, by its ticks.
func at(b *tab, chart string, seconds float64) float64 {
	b.t.Helper()
	type tick struct {
		Text string
		Y    float64
	}
	list := see[[]tick](b, fmt.Sprintf(`(() => { const p = document.querySelector('#c-%s .plot').getBoundingClientRect();
		return [...document.querySelectorAll('#c-%s .plot em')].map(e => { const r = e.getBoundingClientRect();
			return { Text: e.textContent, Y: ((r.top + r.bottom) / 2 - p.top) / p.height }; }); })()`, chart, chart))
	first, last := list[0], list[len(list)-1]
	value := func(text string) float64 {
		d, err := time.ParseDuration(text)
		if err != nil {
			b.t.Fatal(err)
		}
		return math.Log(d.Seconds())
	}
	return first.Y + (math.Log(seconds)-value(first.Text))/(value(last.Text)-value(first.Text))*(last.Y-first.Y)
}

// linearScale checks that response times can be seen on a linear scale, also of one step, and as before again.
func linearScale(t *testing.T, browser context.Context, html string) {
	b := open(t, browser, html, display{})
	ticks := func() string {
		return see[string](b, `[...document.querySelectorAll('#c-latency .plot em')].map(e => e.textContent).join(' ')`)
	}
	toggle := func() { see[any](b, `(document.querySelector('.view input').click(), null)`) }
	before := ticks()
	toggle()
	if after := ticks(); after == before || !strings.HasPrefix(after, "0s ") {
		t.Errorf("ticks %s, before %s", after, before)
	}
	if text := see[string](b,
		`document.querySelector('#c-latency figcaption').innerText + location.hash`); !strings.Contains(text,
		"on a linear scale") ||
		!strings.Contains(text, "y=linear") {
		t.Errorf("the chart says %q", text)
	}
	if n := see[int](b, `document.querySelectorAll('#behind > path').length`); n == 0 {
		t.Error("the faults are gone")
	}
	// some 10 ms of more than 1 s
	if y := see[float64](b,
		`+/[V ](\d+)/.exec(document.querySelector('#c-latency .line.p95[data-s]').getAttribute('d'))[1]`); y < 450 ||
		y > 500 {
		t.Errorf("p95 begins at %v of 500", y)
	}
	b.choose(0, "1")
	b.wait(`document.querySelectorAll('.shown').length >= 2`)
	if of := ticks(); !strings.HasPrefix(of, "0s ") {
		t.Errorf("ticks of a step: %s", of)
	}
	b.choose(0, "-1")
	b.wait(`document.querySelectorAll('.shown').length === 0`)
	toggle()
	if again := ticks(); again != before {
		t.Errorf("ticks %s again, before %s", again, before)
	}
}

func keyboard(t *testing.T, browser context.Context, html string, r *result.Result) {
	b := open(t, browser, html, display{})
	b.do(chromedp.Focus(`#c-rates .slider`, chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight))
	if says := see[string](b, `document.activeElement.getAttribute('aria-valuetext')`); !strings.Contains(says, ", good ") ||
		!strings.Contains(says, ", p95 ") {
		t.Errorf("the charts of the first screen say %q", says)
	}
	b.load("")
	b.wait(`document.documentElement.dataset.ready`)
	names := see[[]string](b,
		`[...document.querySelectorAll('[role=slider]')].map(e => e.tabIndex + e.getAttribute('aria-label'))`)
	if len(names) != see[int](b, `document.querySelectorAll(".frame[data-time]").length`) || len(names) < 8 ||
		!strings.HasPrefix(names[0], "0Requests per second: values over time") ||
		!strings.HasPrefix(names[1], "-1Response time") {
		t.Errorf("charts in the order of the Tab key: %q", names)
	}
	b.do(chromedp.Focus(`#c-latency .slider`, chromedp.ByQuery))
	for range 3 {
		b.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	says := see[string](b, `document.activeElement.getAttribute('aria-valuetext')`)
	w := rowsOf(t, r, "*", "*")[3]
	f := figuresOf(&w)
	if want := fmt.Sprintf("%s to %s, p50 %s, p95 %s, p99 %s, max %s", words.Offset(w.T), words.Offset(w.T+w.D),
		f["latency p50"], f["latency p95"],
		f["latency p99"], f["latency max"]); says != want {
		t.Errorf("after three steps it says %q, want %q", says, want)
	}
	b.do(chromedp.KeyEvent("+"))
	if a, z := b.viewed(r); !near(z-a, 32.5, .2) {
		t.Errorf("plus shows %v to %v", a, z)
	}
	b.do(chromedp.KeyEvent(kb.Escape))
	if a, z := b.viewed(r); !near(z-a, 65, .1) {
		t.Errorf("Escape shows %v to %v", a, z)
	}
	if ring := see[string](b, `getComputedStyle(document.activeElement).outlineStyle`); ring == "none" {
		t.Error("nothing shows where the focus is")
	}
}

// chartText is the text in and around a chart.
type chartText struct {
	Label string
	Texts map[string]float64 // beside and above the plot, with their height
	Cells []string           // of the table
}

const chartSays = `Object.fromEntries([...document.querySelectorAll('#c-latency, #c-throughput, #c-errors')].map(f => [f.id, {
	Label: f.querySelector('.plot > svg').getAttribute('aria-label'),
	Texts: Object.fromEntries([...f.querySelectorAll('.plot em, .plot u, .strip em, .tops span')].map(e =>
		[e.textContent, e.getBoundingClientRect().top - f.querySelector('.plot').getBoundingClientRect().top])),
	Cells: [...f.querySelectorAll('table.data td')].map(e => e.textContent),
}]))`

func oneStep(t *testing.T, browser context.Context, html string, r *result.Result) {
	b := open(t, browser, html, display{})
	before := see[map[string]chartText](b, chartSays)
	if names := see[[]string](b,
		`[...document.querySelector('.view select').options].map(o => o.textContent)`); !slices.Equal(names,
		[]string{"all together", "list posts", "read post"}) {
		t.Errorf("the switch has %q", names)
	}
	b.choose(0, "1")
	b.wait(`document.querySelectorAll('.shown').length === 3`)
	b.compare(r, "browse", "read post")
	b.bands(r, "latency")
	for name, after := range see[map[string]chartText](b, chartSays) {
		if reflect.DeepEqual(before[name].Texts, after.Texts) || before[name].Label == after.Label ||
			slices.Equal(before[name].Cells, after.Cells) {
			t.Errorf("%s of the step says the same as that of all: %+v", name, after)
		}
	}
	if hash := see[string](b, `location.hash`); hash != "#?of=browse%2Fread%20post" {
		t.Errorf("address %q", hash)
	}
	b.load("#latency?of=browse/list%20posts&t=20,30")
	b.wait(`document.querySelectorAll('.shown').length === 3`)
	if a, z := b.viewed(r); !near(a, 20, .01) || !near(z, 30, .01) {
		t.Errorf("the link shows %v to %v", a, z)
	}
	if of := see[string](b, `document.querySelector('.shown').textContent`); !strings.Contains(of, "list posts") {
		t.Errorf("the link shows %q", of)
	}
	// back to the whole run, drawn by the script: it must say what the page said without the
	// script
	see[any](b, `(() => { [...document.querySelectorAll('.view button')].at(-1).click(); return null; })()`)
	b.wait(`document.querySelectorAll('.shown').length === 0`)
	for name, again := range see[map[string]chartText](b, chartSays) {
		was := before[name]
		if was.Label != again.Label || !slices.Equal(was.Cells, again.Cells) || len(was.Texts) != len(again.Texts) {
			t.Errorf("%s: the script says\n%+v\nwhere the page had\n%+v", name, again, was)
		}
		for text, y := range was.Texts {
			if z, ok := again.Texts[text]; !ok || !near(z, y, 2) {
				t.Errorf("%s: the script puts %q at %v, and the page had it at %v", name, text, z, y)
			}
		}
	}
	b.bands(r, "errors")
}

// printed checks the page on paper: light, complete, without elements that only a screen
// needs.
func printed(t *testing.T, browser context.Context, html string) {
	b := open(t, browser, html, display{dark: true, media: "print"})
	if paper := see[string](b, `getComputedStyle(document.body).backgroundColor`); paper != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", paper)
	}
	if gone := see[[]string](b,
		`[...document.querySelectorAll('h1, h2, #phases > .scroll th, .plot svg')].filter(e => !e.getBoundingClientRect().height ||
		e.tagName === 'TH' && !e.innerText.trim()).map(e => e.outerHTML.slice(0, 80))`); len(gone) > 0 {
		t.Errorf("not printed: %q", gone)
	}
	if there := see[[]string](b,
		`[...document.querySelectorAll('nav, .view, .slider, figure > details:not([open])')].filter(e =>
		e.getBoundingClientRect().height).map(e => e.className || e.tagName)`); len(there) > 0 {
		t.Errorf("printed as well: %q", there)
	}
	// what a manager reads is the first sheet: A4 without its margins, at 96 pixels an inch
	first := open(t, browser, html, display{width: 688, media: "print"})
	if bottom := see[float64](first,
		`document.getElementById('glance').getBoundingClientRect().bottom`); bottom > 1017 {
		t.Errorf("the first screen ends %v pixels below the top of a sheet", bottom)
	}
	if cut := see[[]string](first,
		`[...document.querySelectorAll('table')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e =>
		e.className)`); len(cut) > 0 {
		t.Errorf("tables beyond the edge of a sheet: %q", cut)
	}
	if dead := see[[]string](first,
		`[...document.querySelectorAll('button, summary, .command')].filter(e => e.getBoundingClientRect().height &&
		!e.closest('th, td, details[open]')).map(e => e.textContent)`); len(dead) > 0 {
		t.Errorf("printed, and dead on paper: %q", dead)
	}
	var pdf []byte
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = cdppage.PrintToPDF().WithPrintBackground(true).WithPreferCSSPageSize(true).Do(ctx)
		return err
	}))
	if n := len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1)); n < 3 || n > 12 {
		t.Errorf("%d pages", n)
	}
}

// everyObjective checks that objectives that are folded on the screen are open while a browser prints the page, and
// that the text to copy names the generator.
func everyObjective(t *testing.T, browser context.Context, r *result.Result) {
	want := len(r.Objectives)
	b := open(t, browser, reporterstest.Render(t, Page{}, r), display{media: "print"})
	shown := `[...document.querySelectorAll('#objectives tbody tr')].filter(e => e.checkVisibility()).length`
	if n := see[int](b, shown); n >= want {
		t.Fatalf("%d objectives are shown before the page is printed: none is folded", n)
	}
	see[any](b, `(() => { addEventListener('beforeprint', () => { window.printing = `+shown+`; }); return null; })()`)
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, err := cdppage.PrintToPDF().Do(ctx)
		return err
	}))
	if n := see[int](b, `window.printing || 0`); n != want {
		t.Errorf("%d of %d objectives are printed", n, want)
	}
	if n := see[int](b, shown); n >= want {
		t.Error("the objectives stay open after the page is printed")
	}
	see[any](b, `(() => {
		Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { window.copied = text; }}});
		[...document.querySelectorAll('header .copy')].find(e => e.textContent === 'Copy as text').click();
		return null; })()`)
	text := see[string](b, `window.copied || ''`)
	for _, part := range []string{words.AnswerOf(r).Text(), "Generator: healthy"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text to copy lacks %q:\n%s", part, text)
		}
	}
}

// overlaps finds labels of a chart that overlap one another.
const overlaps = `[...document.querySelectorAll('.frame')].flatMap(f => {
	const out = [], list = [...f.querySelectorAll('.plot em, .strip em, u, .xaxis span, .tops span, .lane span, .lane > b')].filter(e => !e.hidden &&
		e.getClientRects().length && (e.tagName !== 'B' || e.textContent && parseFloat(getComputedStyle(e).fontSize))).map(e => {
		const text = document.createRange();
		text.selectNodeContents(e); // a number may be wider than its bar
		return { e, r: (e.tagName === 'B' ? text : e).getBoundingClientRect() };
	});
	list.forEach((a, i) => list.slice(i + 1).forEach(b => {
		const w = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left), h = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
		if (w > 1 && h > 4) out.push((f.closest('[id]') || f).id + ': ' + a.e.textContent + ' / ' + b.e.textContent);
	}));
	return out;
})`

// luminance returns the luminance of a colour as a browser computes it, roughly.
func luminance(t *testing.T, colour string) int {
	t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(strings.TrimPrefix(colour, "rgba"), "rgb(%d, %d, %d", &r, &g, &b); err != nil {
		if _, err := fmt.Sscanf(colour, "rgba(%d, %d, %d", &r, &g, &b); err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
	}
	return 2*r + 5*g + b
}

// axe returns the script of axe-core; without it the test is skipped.
func axe(t *testing.T) []byte {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(os.Getenv("BRUNT_NODE_MODULES"), "axe-core", "axe.min.js"))
	if err != nil {
		const how = "needs axe-core: `npm ci --prefix .ci/hlog`, then BRUNT_NODE_MODULES=.ci/hlog/node_modules as an " +
			"absolute path"
		suite.Lack(t, "%v", how)
	}
	return script
}

// accessible runs axe-core on the page.
func (b *tab) accessible(script []byte) {
	b.t.Helper()
	see[any](b, string(script)+";null")
	type violation struct {
		ID, Help, Impact string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	for _, v := range see[[]violation](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)`) {
		n := v.Nodes[0]
		b.t.Errorf("%s (%s): %s (%d times), as in %.200s: %s", v.ID, v.Impact, v.Help, len(v.Nodes), n.HTML, n.FailureSummary)
	}
}

// TestHTML_Accessible runs axe-core on pages, in both themes, on a narrow screen and on paper.
func TestHTML_Accessible(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes minutes for it")
	}
	script := axe(t)
	browser := chrome(t)
	light, dark, narrow, both := display{width: 1200}, display{width: 1200, dark: true}, display{width: 400},
		display{width: 400, dark: true}
	paper := display{width: 688, media: "print"}
	for _, c := range []struct {
		name     string
		displays []display
	}{
		{"minute", []display{light, dark, narrow, both, paper}},
		{"failing", []display{dark, paper}},
		{"faults", []display{both}},
		{"ledger", []display{both}},
		{"empty", []display{dark}},
		{"not-reverted", []display{dark}},
		{"hostile", []display{dark}},
	} {
		html := reporterstest.Render(t, Page{}, reporterstest.Results()[c.name])
		for i, l := range c.displays {
			t.Run(fmt.Sprintf("%s/%d px, dark %v %s", c.name, l.width, l.dark, l.media), func(t *testing.T) {
				b := open(t, browser, html, l)
				if i == 0 && c.name != "faults" { // its tables are long
					see[any](b, `(() => { for (const d of document.querySelectorAll('details')) d.open = true; return null; })()`)
				}
				if see[bool](b, `document.querySelector('.view select') !== null`) {
					x, y := b.over("latency", .5)
					b.mouse(input.MouseMoved, x, y)
				}
				b.wait(`!document.getElementById('data') || [...document.querySelectorAll('.scroll')].every(e => e.closest('details:not([open])') ||
					e.scrollWidth <= e.clientWidth || e.tabIndex === 0)`)
				b.accessible(script)
			})
		}
	}
}

// objectivesFit checks that the verdict, the text, the target and the measured value of each objective lie within a
// narrow screen.
func objectivesFit(t *testing.T, browser context.Context, page string) {
	bad := see[[]string](open(t, browser, page, display{width: 390}), `(() => { const bad = []; let n = 0;
		for (const td of document.querySelectorAll('.objectives tbody th, .objectives tbody td:not(.wide)')) {
			const r = td.getBoundingClientRect(); n++;
			if (r.width < 10 || r.left < 0 || r.right > innerWidth || td.scrollWidth > td.clientWidth) bad.push(td.innerText + ': ' + [r.left, r.right]);
		}
		const all = document.querySelector('#objectives .scroll');
		if (all.scrollWidth > all.clientWidth) bad.push('the table is ' + all.scrollWidth + ' wide');
		return n == 4 * document.querySelectorAll('.objectives tbody tr').length && n ? bad : ['only ' + n]; })()`)
	if len(bad) > 0 {
		t.Error(strings.Join(bad, "\n"))
	}
}

// sentences checks that a term shows its sentence whole under the pointer, also beside a button that has the focus, and
// hides it otherwise; and that the glossary has the sentences of all terms, for readers without a pointer.
func sentences(t *testing.T, browser context.Context, page string) {
	const whole = `(e => { const r = e.querySelector('.tip').getBoundingClientRect();
		return r.width >= 60 && r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= innerHeight &&
			document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2).closest('.tip') !== null; })`
	for _, width := range []int64{1200, 390} {
		b := open(t, browser, page, display{width: width})
		n := see[int](b, `(() => { window.terms = [...document.querySelectorAll('.term')].filter(e => e.checkVisibility());
			return terms.length; })()`)
		if n < 40 {
			t.Fatalf("only %d terms", n)
		}
		for i := 0; i < n; i += 5 {
			at := see[[]float64](b, fmt.Sprintf(`(() => { const e = terms[%d]; e.scrollIntoView({block: 'center', inline: 'center'});
				const r = e.getClientRects()[0]; return [r.left + Math.min(9, r.width / 2), r.top + r.height / 2]; })()`, i)) // of its first line
			b.mouse(input.MouseMoved, at[0], at[1])
			if !suite.Within(10*time.Second, func() bool { return see[bool](b, fmt.Sprintf(`%s(terms[%d])`, whole, i)) }) {
				t.Errorf("%d pixels: the sentence of %q is not whole", width, see[string](b, fmt.Sprintf(`terms[%d].innerText`, i)))
			}
		}
		b.mouse(input.MouseMoved, 1, 1)
		b.wait(`!document.querySelector('#objectives .tip').checkVisibility()`)
		see[any](b, `(() => { document.querySelector('#phases button:has(.term)').focus({focusVisible: true}); return null; })()`)
		b.wait(whole + `(document.querySelector('#phases button .term'))`)
		if lacks := see[[]string](b, `(() => { const has = new Set([...document.querySelectorAll('#words dt')].map(e => e.textContent));
			return [...document.querySelectorAll('.term')].map(e => /brunt explain (.*)$/.exec(e.textContent)[1]).filter(n => !has.has(n)); })()`); len(lacks) > 0 {
			t.Errorf("the glossary lacks %q", lacks)
		}
	}
}
