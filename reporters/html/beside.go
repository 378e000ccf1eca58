package html

import (
	"cmp"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"

	"github.com/rogpeppe/go-internal/diff"
)

// A BesidePage shows two runs beside each other: what changed first, then both on one clock, then how their scenarios
// differ. It is one file that opens offline; its script reads values under the pointer and zooms.
type BesidePage struct {
	Site *SiteLinks // nil: the page stands alone
	A, B BesideRun  // the earlier run, and the run that is compared with it
	// the comparison of B with A; nil if there is none, for the reason in Unfit
	Comparison *result.Comparison
	Unfit      string
}

// A BesideRun is one of the two runs.
type BesideRun struct {
	Name   string // names the run on the page
	Link   string // to the run's page; empty: none
	Result *result.Result
}

var besideTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("beside.tmpl").Funcs(templateFuncs).ParseFS(sources,
		"assets/beside.tmpl", "assets/page.tmpl", "assets/live.tmpl", "assets/curve.tmpl", siteTemplate))
})

type besideView struct {
	Site       *SiteLinks
	Policy     string
	CSS        template.CSS
	Script     template.JS
	Points     template.HTML // for the script
	Icon       template.URL
	Name       string
	Between    string // the verdicts, and the objectives that changed theirs
	Runs       []besideRunView
	Unfit      string
	Comparison *comparisonView
	Deltas     []deltaView
	Objectives []pairView
	Faults     []pairView
	Overlay    *chart.Overlay
	Settings   []settingView
	Lines      []diffLine
	LinesLeft  string
	Same       bool // the scenarios are equal
}

type besideRunView struct {
	Letter, Class    string
	Name, Link       string
	Mark, Word, Tone string
	Started, Took    string
	Scenario         string
}

// A deltaView is a figure of the whole run before and after.
type deltaView struct{ Name, Before, After, Change, Tone string }

// A pairView is an objective or a fault in both runs.
type pairView struct {
	Name string
	A, B pairCell
	Tone string // of the change
}

type pairCell struct{ Mark, Tone, Word, Value string }

type settingView struct{ At, A, B string }

type diffLine struct{ Sign, Class, Text string }

const (
	mostDiffLines = 400
	mostSettings  = 60
)

// Report writes the page.
func (p BesidePage) Report(w io.Writer) error {
	css, err := stylesOf(siteStyle, "assets/beside.css", plotStyle)
	if err != nil {
		return err
	}
	script, err := scriptOf(plotScript)
	if err != nil {
		return err
	}
	a, b := p.A.Result, p.B.Result
	v := besideView{
		Site: p.Site, CSS: css, Script: script, Policy: scriptedPolicy(css, script, p.Site.forms()),
		Icon: icon(words.Tone(b.Verdict)),
		Name: words.Clean(b.Name), Between: words.Between(a, b), Unfit: words.Clean(p.Unfit),
		Runs: []besideRunView{besideRun("A", p.A), besideRun("B", p.B)}, Overlay: chart.NewOverlay(a, b),
	}
	if v.Overlay != nil {
		if v.Points, err = v.Overlay.Readout.Packed(); err != nil {
			return err
		}
	}
	if a.Name != b.Name {
		v.Name = words.Clean(a.Name) + " → " + v.Name
	}
	if p.Comparison != nil {
		var page pageView
		page.comparison(p.Comparison)
		v.Comparison, v.Deltas = page.Comparison, deltas(p.Comparison, a, b)
	}
	v.Objectives, v.Faults = objectivePairs(a, b), faultPairs(a, b)
	v.Settings = settings(a, b)
	v.Lines, v.LinesLeft = diffLines(a.Scenario, b.Scenario)
	v.Same = len(v.Lines) == 0
	return besideTemplate().Execute(w, v)
}

func besideRun(letter string, r BesideRun) besideRunView {
	res := r.Result
	v := besideRunView{
		Letter: letter, Class: strings.ToLower(letter), Name: words.Clip(words.Clean(r.Name), 80), Link: r.Link,
		Mark: words.Mark(res.Verdict), Word: words.Capitalize(words.RunVerdict(res)), Tone: words.Tone(res.Verdict),
		Took: words.Seconds(res.Duration), Scenario: words.Clean(res.Name),
	}
	if !res.Started.IsZero() {
		v.Started = res.Started.UTC().Format("2006-01-02 15:04 UTC")
	}
	return v
}

// deltas are the figures of the whole run over all loads and steps.
func deltas(c *result.Comparison, a, b *result.Result) (out []deltaView) {
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Step != "*" || r.Load != "*" || r.OfUnit || r.Phase.Kind != slo.RunPhase {
			continue
		}
		row := changeRow(r)
		d := deltaView{Name: words.Clean(r.Metric), Before: row.Base, After: row.This, Change: row.Worse}
		switch {
		case !r.Worse.Known():
			if d.Change = ""; !d.endless(a, b) {
				continue
			}
		case r.Margin.Known() && math.Abs(float64(r.Worse)) <= float64(r.Margin):
			d.Change = "about the same"
		case r.Worse > 0:
			d.Tone, d.Change = "bad", strings.TrimPrefix(row.Worse, "+")+" worse"
		case r.Worse < 0:
			d.Tone, d.Change = "good", strings.TrimPrefix(row.Worse, "−")+" better"
		}
		out = append(out, d)
	}
	return out
}

// endless fills in a percentile that is infinite in one of two runs, which a comparison of numbers leaves out. It
// returns false if a value is unknown in both.
func (d *deltaView) endless(a, b *result.Result) bool {
	if d.Before == "–" || d.After == "–" {
		d.Before, d.After = percentileOf(a, d.Name, d.Before), percentileOf(b, d.Name, d.After)
	}
	switch {
	case d.Before == "–" && d.After == "–":
		return false
	case d.After == "∞" && d.Before != "∞" && d.Before != "–":
		d.Tone, d.Change = "bad", "worse"
	case d.Before == "∞" && d.After != "∞" && d.After != "–":
		d.Tone, d.Change = "good", "better"
	}
	return true
}

// percentileOf formats a percentile of all requests of a run; without such a percentile it returns the text otherwise.
func percentileOf(r *result.Result, name, otherwise string) string {
	row := words.PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase})
	if row == nil {
		return otherwise
	}
	t := &row.All.Response
	n, known := map[string]result.Num{"p50": t.P50, "p90": t.P90, "p95": t.P95, "p99": t.P99}[name]
	if !known {
		return otherwise
	}
	return words.Percentile(n, row.All.Count)
}

// objectivePairs puts each objective of either run beside the same one of the other.
func objectivePairs(a, b *result.Result) []pairView {
	title := func(o *result.ObjectiveResult) string { return words.ObjectiveTitle(o) }
	out := pairUp(a.Objectives, b.Objectives, title, title, func(o *result.ObjectiveResult) pairCell {
		return pairCell{
			words.Mark(o.Verdict), words.Tone(o.Verdict), words.Verdict(o.Verdict), words.ObjectiveMeasured(o),
		}
	})
	changed := func(p pairView) int {
		return slices.Index([]string{"bad", "good", ""}, p.Tone)
	}
	slices.SortStableFunc(out, func(a, b pairView) int { return cmp.Compare(changed(a), changed(b)) })
	return out
}

// faultPairs puts each fault of either run beside the one with the same name in the other.
func faultPairs(a, b *result.Result) []pairView {
	return pairUp(a.Faults, b.Faults, func(f *result.FaultRecord) string { return f.Name },
		func(f *result.FaultRecord) string { return words.Clean(f.Name) + " (" + words.Clean(f.Kind) + ")" },
		func(f *result.FaultRecord) pairCell {
			c := pairCell{Word: words.FaultOutcome(f), Value: words.Recover(f)}
			c.Mark, c.Tone = words.FaultMark(f)
			return c
		})
}

// pairUp puts parts of two runs with the same key beside each other: those of the second run in its order, then those
// that only the first has.
func pairUp[T any](a, b []T, key, name func(*T) string, cell func(*T) pairCell) (out []pairView) {
	at := map[string]int{}
	place := func(part *T) *pairView {
		k, known := at[key(part)]
		if !known {
			k = len(out)
			at[key(part)] = k
			out = append(out, pairView{Name: name(part)})
		}
		return &out[k]
	}
	for i := range b {
		place(&b[i]).B = cell(&b[i])
	}
	for i := range a {
		place(&a[i]).A = cell(&a[i])
	}
	for i := range out {
		out[i].judge()
	}
	return out
}

// judge says whether the verdict of the pair became worse or better.
func (p *pairView) judge() {
	switch {
	case p.A.Tone == p.B.Tone || p.A.Tone == "" || p.B.Tone == "":
	case p.B.Tone == "bad" || p.A.Tone == "good":
		p.Tone = "bad"
	default:
		p.Tone = "good"
	}
}

// settings lists the values of the resolved scenarios that differ, by their paths.
func settings(a, b *result.Result) (out []settingView) {
	show := func(value string, has bool) string {
		if !has {
			return "–"
		}
		return words.Clip(words.Clean(value), 120)
	}
	for _, c := range syntax.Resolved(b.Scenario).ChangesFrom(syntax.Resolved(a.Scenario)) {
		if then, now := show(c.Before, c.Had), show(c.Now, c.Has); then != now {
			out = append(out, settingView{words.Clean(c.At), then, now})
		}
	}
	slices.SortFunc(out, func(a, b settingView) int { return cmp.Compare(a.At, b.At) })
	return out[:min(len(out), mostSettings)]
}

// diffLines lists the lines in which two texts differ, with the lines around them; nil if they are equal.
func diffLines(a, b string) (out []diffLine, left string) {
	text := string(diff.Diff("A", []byte(a), "B", []byte(b)))
	if text == "" {
		return nil, ""
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if i < 3 { // the names of the texts
			continue
		}
		if len(out) == mostDiffLines {
			return out, words.Plural(int64(len(lines)-i), "more line is", "more lines are") + " left out."
		}
		d := diffLine{Text: words.Clean(line)}
		if line != "" {
			d.Sign = line[:1]
			d.Text = words.Clean(line[1:])
			d.Class = map[string]string{"-": "gone", "+": "new", "@": "place"}[d.Sign]
		}
		if d.Class == "place" {
			d.Sign, d.Text = "", words.Clean(line)
		}
		out = append(out, d)
	}
	return out, ""
}
