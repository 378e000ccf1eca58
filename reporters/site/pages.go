package site

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A Comparer compares a run with an earlier run, whose name is base.
type Comparer func(base string, earlier, run *result.Result) (*result.Comparison, error)

// beside writes the page of a run with a comparison with an earlier one.
func beside(w io.Writer, compare Comparer, earlier *entry, r *result.Result) error {
	base, err := earlier.whole()
	if err != nil {
		return err
	}
	r.Logs = nil // the logs are beside the run's own page
	if r.Comparison, err = compare(earlier.Key, base, r); err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("there is no comparison with %s: %v", earlier.Key, err))
	}
	return html.Page{}.Report(w, r)
}

// mostCharts bounds the charts of a page of objectives.
const mostCharts = 40

// trend writes the objectives of a scenario over its runs; the objectives of the newest run come first.
func trend(w io.Writer, list []*entry, name string, link func(*entry) string) error {
	p := html.TrendPage{Name: words.Clean(name)}
	p.Note = "A circle is a run; an empty one is a run that did not meet the objective, and ▲ one whose value has no end."
	at := map[string]int{}
	for _, e := range slices.Backward(list) {
		for i := range e.Objectives {
			o := &e.Objectives[i]
			title := words.ObjectiveTitle(o)
			if _, found := at[title]; e.Name != name || found || len(p.Charts) == mostCharts {
				continue
			}
			at[title] = len(p.Charts)
			p.Charts = append(p.Charts, html.TrendChart{
				Title: title, Say: func(v float64) string { return o.Of().FormatValue(v) },
			})
		}
	}
	for _, e := range list {
		for i := range e.Objectives {
			o := &e.Objectives[i]
			if k, found := at[words.ObjectiveTitle(o)]; found && e.Name == name && (o.Measured.Known() || o.Infinite) {
				p.Charts[k].Points = append(p.Charts[k].Points, html.TrendPoint{
					Run: cmp.Or(words.Clean(e.Run), e.Key), Link: link(e), Started: e.Started, Value: float64(o.Measured),
					Red: o.Verdict == scenarios.Fail,
				})
			}
		}
	}
	return p.Report(w)
}

// scenariosOf lists the scenarios that have several runs with objectives.
func scenariosOf(list []*entry) []html.IndexTrend {
	runs := map[string]int{}
	var names []string
	for _, e := range list {
		if len(e.Objectives) > 0 {
			if runs[e.Name]++; runs[e.Name] == 1 {
				names = append(names, e.Name)
			}
		}
	}
	slices.Sort(names)
	var out []html.IndexTrend
	for _, n := range names {
		if runs[n] > 1 {
			out = append(out, html.IndexTrend{Name: n, Runs: runs[n]})
		}
	}
	return out
}
