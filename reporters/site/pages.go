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
	"brunt/scenarios/slo"
)

// A Comparer compares a run with an earlier run, whose name is base.
type Comparer func(base string, earlier, run *result.Result) (*result.Comparison, error)

// beside writes the page of two runs.
func beside(w io.Writer, compare Comparer, earlier, run *entry, n navigation) error {
	a, err := earlier.whole()
	if err != nil {
		return err
	}
	b, err := run.whole()
	if err != nil {
		return err
	}
	p := html.BesidePage{
		Site: n.between(earlier, run), A: html.BesideRun{Name: earlier.Key, Link: n.run(earlier), Result: a},
		B: html.BesideRun{Name: run.Key, Link: n.run(run), Result: b},
	}
	if p.Comparison, err = compare(earlier.Key, a, b); err != nil {
		p.Unfit = fmt.Sprintf("The figures can't be compared: %v.", err)
	}
	return p.Report(w)
}

// mostCharts bounds the charts of a page of objectives.
const mostCharts = 40

// trend writes the objectives of a scenario over its runs; the objectives of the newest run come first.
func trend(w io.Writer, list []*entry, name string, n navigation) error {
	p := html.TrendPage{Name: words.Clean(name), Site: &html.SiteLinks{Home: n.home}}
	p.Note = "A circle is a run; an empty one is a run that did not meet the objective, and ▲ one whose value has no end. " +
		"The dashed line is the objective."
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
				Share: o.Of().Row().Unit == slo.ShareOf,
				Limit: float64(o.Target), LimitText: "objective " + words.ObjectiveTarget(o),
			})
		}
	}
	for _, e := range list {
		for i := range e.Objectives {
			o := &e.Objectives[i]
			if k, found := at[words.ObjectiveTitle(o)]; found && e.Name == name && (o.Measured.Known() || o.Infinite) {
				p.Charts[k].Points = append(p.Charts[k].Points, html.TrendPoint{
					Run: cmp.Or(words.Clean(e.Run), e.Key), Link: n.run(e), Started: e.Started, Value: float64(o.Measured),
					Red: o.Verdict == scenarios.Fail,
				})
			}
		}
	}
	return p.Report(w)
}
