package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// between returns what stands between two texts of a page, the first of which it must have.
func between(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, from)
	if !ok {
		t.Fatalf("no %q", from)
	}
	inner, _, _ := strings.Cut(rest, to)
	return inner
}

// TestHTML_ObjectivesFailedFirst: what failed comes first, and of what held only so many rows are open that five stand
// there in all.
func TestHTML_ObjectivesFailedFirst(t *testing.T) {
	for _, tt := range []struct {
		name     string
		verdicts string // p, f, i for each objective
		open     string // the order of the open ones, by number
		folded   int
	}{
		{"all held, few", "pppp", "0 1 2 3", 0},
		{"one more than five takes no more room", "pppppp", "0 1 2 3 4 5", 0},
		{"all held, many", "ppppppppp", "0 1 2 3 4", 4},
		{"some failed", "ppfpipfpp", "2 6 4 0 1", 4},
		{"more than five failed", "fffpffff", "0 1 2 4 5 6 7 3", 0},
		{"more than five failed, some held", "fpfpfpffff", "0 2 4 6 7 8 9", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := *reporterstest.Results()["empty"]
			r.Objectives = nil
			for i, c := range tt.verdicts {
				v := map[rune]scenarios.Verdict{'p': scenarios.Pass, 'f': scenarios.Fail, 'i': scenarios.Inconclusive}[c]
				r.Objectives = append(r.Objectives, result.ObjectiveResult{
					Text: fmt.Sprintf("errors < %d%%", i+1), Metric: "errors", Verdict: v, Phase: slo.ParsePhase("run"),
				})
			}
			shown := between(t, reporterstest.Render(t, Page{}, &r), `<section id="objectives">`, "</section>")
			open, folded, _ := strings.Cut(shown, "<details>")
			at := map[int]string{}
			for i := range tt.verdicts {
				if k := strings.Index(open, fmt.Sprintf("&lt; %d%%<", i+1)); k >= 0 {
					at[k] = fmt.Sprint(i)
				}
			}
			var order []string
			for _, k := range slices.Sorted(func(yield func(int) bool) {
				for k := range at {
					if !yield(k) {
						return
					}
				}
			}) {
				order = append(order, at[k])
			}
			if got := strings.Join(order, " "); got != tt.open {
				t.Errorf("open: %s, want %s", got, tt.open)
			}
			if n := strings.Count(folded, "<tr class"); n != tt.folded {
				t.Errorf("%d folded, want %d", n, tt.folded)
			}
		})
	}
}

// TestHTML_Glance: the first screen has the load and its response times, with faults, failures and incidents.
func TestHTML_Glance(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.Incidents = []result.Incident{{Begin: 44, End: 47, Over: true, Bad: 500, Requests: 900}}
	page := reporterstest.Render(t, Page{}, &r)
	glance := between(t, page, `<section id="glance"`, "</section>")
	for _, want := range []string{
		`<path class="line asked"`, `<path class="area lost"`, `<path class="line ok"`, `<path class="line p95"`,
		`<path class="line p50"`, `<i class="gap `, ">p95 &lt; 200ms</span>", "lose-a-replica", "split",
		"3s, 56% failed", `<i class="bar lost `,
	} {
		if !strings.Contains(glance, want) {
			t.Errorf("no %s on the first screen", want)
		}
	}
	for i := range r.Objectives {
		if want := template.HTMLEscapeString(words.Clean(r.Objectives[i].Text)); !strings.Contains(glance, want) {
			t.Errorf("no objective %s on the first screen", want)
		}
	}
	if strings.Index(page, `id="glance"`) > strings.Index(page, `id="objectives"`) {
		t.Error("the first screen is below the objectives")
	}
	none := between(t, reporterstest.Render(t, Page{}, reporterstest.Results()["faults-none"]), `<section id="glance"`,
		"</section>")
	for _, wrong := range []string{`class="area lost"`, `class="gap`, "bar lost"} {
		if strings.Contains(none, wrong) {
			t.Errorf("a run without faults and failures has %s", wrong)
		}
	}
	if page := reporterstest.Render(t, Page{}, reporterstest.Results()["empty"]); strings.Contains(page, `id="c-rates"`) {
		t.Error("a run without a request has charts")
	}
}

// TestHTML_GlanceFolds: of many objectives those that held are folded, and of many faults those that did harm come
// first.
func TestHTML_GlanceFolds(t *testing.T) {
	r := *reporterstest.Results()["faults"]
	r.Objectives = nil
	for i := range 20 {
		v := scenarios.Pass
		if i > 16 {
			v = scenarios.Fail
		}
		r.Objectives = append(r.Objectives, result.ObjectiveResult{
			Text: fmt.Sprintf("errors < %d%%", i+1), Metric: "errors", Verdict: v, Phase: slo.ParsePhase("run"),
		})
	}
	side := between(t, reporterstest.Render(t, Page{}, &r), `<div class="side">`, `<div class="charts">`)
	open, folded, _ := strings.Cut(side, "<summary>10 more</summary>")
	if n := strings.Count(open, "<tr class"); n != 10 || strings.Count(open, `<tr class="bad"`) != 3 {
		t.Errorf("%d objectives are open", n)
	}
	if n := strings.Count(folded, `<tr class="good"`); n != 10 {
		t.Errorf("%d objectives are folded", n)
	}
	if n := strings.Count(folded, `class="num"`); n != 6 || !strings.Contains(folded, ">34 more faults</a>") ||
		strings.Index(folded, `<span class="num">13</span>`) > strings.Index(folded, `<span class="num">1</span>`) {
		t.Errorf("%d faults, the worst not first: %s", n, folded)
	}
}

// TestHTML_Past: the first screen links the last runs, marks this one, and says what differs from the run before.
func TestHTML_Past(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	for i := range 9 {
		e := result.Earlier{
			Run: fmt.Sprint("run-", i), Folder: fmt.Sprintf("../monday %d", i), Beside: i != 8, Started: r.Started,
			Verdict: scenarios.Pass,
			P95:     .002, Requests: 18_000,
		}
		e.Folder = cmp.Or(map[int]string{
			3: "javascript:alert(1)//", 4: "//example.com/x", 5: "../..", 6: "../a/../../b", 7: `..\x`,
		}[i], e.Folder)
		r.Earlier = append(r.Earlier, e)
	}
	r.Earlier[8].Changed = []result.SettingChange{{Path: "target.with.posts.replicas", Before: "2", Now: "1"}}
	page := reporterstest.Render(t, Page{}, &r)
	past := between(t, page, `<aside class="past"`, "</aside>")
	for _, want := range []string{
		"Last 10 runs", `href="../monday%200/report.html"`, `<li class="now" aria-current="true"><span class="bad"`,
		`<th scope="row">failed</th><td>0%</td><td>2.83%</td><td class="bad"><span aria-hidden="true">▲</span> worse</td>`,
		`<th scope="row">target.<wbr>with.<wbr>posts.<wbr>replicas</th><td>2</td><td>1</td>`, // breaks between keys alone
	} {
		if !strings.Contains(past, want) {
			t.Errorf("no %s in %s", want, past)
		}
	}
	if n := strings.Count(past, "<li"); n != 10 || strings.Count(past, "href=") != 3 {
		t.Errorf("%d runs: %s", n, past)
	}
	site := &SiteLinks{PageOf: func(run string) string { return map[string]string{"run-5": "/runs/5/report.html"}[run] }}
	past = between(t, reporterstest.Render(t, Page{Site: site}, &r), `<aside class="past"`, "</aside>")
	if strings.Count(past, "href=") != 1 || !strings.Contains(past, `href="/runs/5/report.html"`) {
		t.Errorf("at a site that has one of the runs: %s", past)
	}
	if strings.Contains(reporterstest.Render(t, Page{}, reporterstest.Results()["failing"]), `class="past"`) {
		t.Error("a run without earlier ones shows some")
	}
}

// TestHTML_Named: each table has a name, each row a header, and the verdict is the page's heading.
func TestHTML_Named(t *testing.T) {
	reporterstest.Some(t, func(t *testing.T, r *result.Result) {
		page := reporterstest.Render(t, Page{}, r)
		for i, table := range strings.Split(page, "<table")[1:] {
			table, _, _ = strings.Cut(table, "</table>")
			if name := between(t, table, "<caption class=\"vh\">", "</caption>"); name == "" {
				t.Errorf("table %d has no name: %.200s", i, table)
			}
			head, body, _ := strings.Cut(table, "<tbody>")
			if strings.Contains(head, "<th>") || strings.Contains(head, "<th class") {
				t.Errorf("a column without a scope: %s", head)
			}
			if rows, named := strings.Count(body, "<tr"), strings.Count(body, `<th scope="row"`); rows != named {
				t.Errorf("%d of %d rows have a header: %.200s", named, rows, table)
			}
		}
		if h1 := between(t, page, "<h1>", "</h1>"); !strings.Contains(h1, words.AnswerOf(r).Mark+"</span> ") {
			t.Errorf("the heading lacks the verdict: %s", h1)
		}
	})
}

// TestHTML_Steps: good and failed requests of each step stand apart near the top.
func TestHTML_Steps(t *testing.T) {
	page := reporterstest.Render(t, Page{}, reporterstest.Results()["failing"])
	steps := reporterstest.WithoutTips(between(t, page, `<section id="steps">`, "</section>"))
	for _, want := range []string{
		">all steps</th>", ">list posts</th>", ">read post</th>",
		`<td data-of="Failed">245, 2.72%</td>`, `class="mini"`,
	} {
		if !strings.Contains(steps, want) {
			t.Errorf("no %s in %s", want, steps)
		}
	}
	if strings.Index(page, `id="steps"`) > strings.Index(page, `id="latency"`) {
		t.Error("the steps are below the charts of the load")
	}
	many := between(t, reporterstest.Render(t, Page{}, reporterstest.Results()["steps"]), `<section id="steps">`,
		"</section>")
	open, _, folded := strings.Cut(many, "more steps</summary>")
	if !folded || strings.Count(open, `<th scope="row"`) != 12 {
		t.Errorf("%d of many steps are open", strings.Count(open, `<th scope="row"`))
	}
}

// TestHTML_FaultsAround: each fault has its own picture, beside the baseline.
func TestHTML_FaultsAround(t *testing.T) {
	page := reporterstest.Render(t, Page{}, reporterstest.Results()["failing"])
	if n := strings.Count(page, `<div class="around">`); n != 3 {
		t.Errorf("%d pictures of 3 faults", n)
	}
	around := between(t, page, `<div class="around">`, "</article>")
	for _, want := range []string{
		`class="line earlier"`, `class="line aim p95"`, "<span class=\"first\">7.002s</span>",
	} {
		if !strings.Contains(around, want) {
			t.Errorf("no %s in %s", want, around)
		}
	}
	if strings.Contains(reporterstest.Render(t, Page{}, reporterstest.Results()["faults"]), `<div class="around">`) {
		t.Error("each of forty faults has a picture")
	}
}

// TestHTML_Earlier: the run that this one is shown beside is a grey line of its charts.
func TestHTML_Earlier(t *testing.T) {
	r := *reporterstest.Results()["minute"]
	if page := reporterstest.Render(t, Page{}, &r); strings.Contains(page, "p95 of monday") {
		t.Error("a run alone has an earlier one")
	}
	r.Comparison = &result.Comparison{
		Verdict: scenarios.Inconclusive, Base: []string{"monday"}, Drawn: "monday", Windows: rowsOf(t, &r, "*", "*"),
	}
	page := reporterstest.Render(t, Page{}, &r)
	for _, chart := range []string{"c-latency", "c-throughput"} {
		fig := between(t, page, `<figure id="`+chart+`"`, "</figure>")
		if !strings.Contains(fig, `class="line earlier" d="M`) || !strings.Contains(fig, " of monday") {
			t.Errorf("%s does not show the earlier run", chart)
		}
	}
}

// TestHTML_Slowest: five of the slowest requests are open.
func TestHTML_Slowest(t *testing.T) {
	for _, tt := range []struct{ n, open int }{{5, 5}, {6, 6}, {7, 5}, {20, 5}} {
		r := *reporterstest.Results()["empty"]
		for range tt.n {
			r.Slowest = append(r.Slowest, result.SlowRequest{Step: "a", Curl: "curl x"})
		}
		section := between(t, reporterstest.Render(t, Page{}, &r), `<section id="slowest">`, "</section>")
		open, _, _ := strings.Cut(section, "more</summary>")
		const row = `<th scope="row">a</th>`
		if got := strings.Count(open, row); got != tt.open || strings.Count(section, row) != tt.n {
			t.Errorf("%d of %d are open, want %d", got, tt.n, tt.open)
		}
	}
}

// TestHTML_SlowestOfAll: the slowest requests come first, of whichever step they are.
func TestHTML_SlowestOfAll(t *testing.T) {
	r := *reporterstest.Results()["empty"]
	for i := range 8 {
		r.Slowest = append(r.Slowest, result.SlowRequest{Step: "quick", Response: result.Num(8-i) / 1000})
	}
	r.Slowest = append(r.Slowest, result.SlowRequest{Step: "slow", Response: 2},
		result.SlowRequest{Step: "slow", Response: 1})
	section := between(t, reporterstest.Render(t, Page{}, &r), `<section id="slowest">`, "</section>")
	open, _, _ := strings.Cut(section, "more</summary>")
	if first := strings.Index(open, `<th scope="row">slow</th>`); first < 0 || first > strings.Index(open, `<th scope="row">quick</th>`) ||
		strings.Count(open, `<th scope="row">slow</th>`) != 2 {
		t.Errorf("open are %s", open)
	}
}

// TestHTML_ToCome: while a run goes on, its charts come first, with the faults to come.
func TestHTML_ToCome(t *testing.T) {
	r := *reporterstest.Results()["minute"]
	r.Verdict = scenarios.Running
	r.Going = &result.Going{At: 30e9, End: 60e9, Timetable: []result.PlannedFault{
		{Name: "slow-store", At: 28e9, Clear: 36e9}, {Name: "later", At: 50e9, Clear: 55e9},
	}}
	page := reporterstest.Render(t, Page{}, &r)
	if strings.Index(page, `id="latency"`) > strings.Index(page, `id="objectives"`) {
		t.Error("the charts are below the objectives")
	}
	latency := between(t, page, `<figure id="c-latency"`, "</figure>")
	if n := strings.Count(latency, `class="tocome"`); n != 1 || !strings.Contains(latency, "planned at 50s") ||
		!strings.Contains(latency, "bar tocome") {
		t.Errorf("%d faults to come", n)
	}
	r.Going, r.Verdict = nil, scenarios.Pass
	page = reporterstest.Render(t, Page{}, &r)
	if strings.Contains(page, `class="tocome"`) ||
		strings.Index(page, `id="latency"`) < strings.Index(page, `id="objectives"`) {
		t.Error("a finished run has faults to come, or its charts first")
	}
}
