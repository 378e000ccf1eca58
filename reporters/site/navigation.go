package site

import (
	"cmp"
	"fmt"
	"slices"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A navigation knows the addresses of a site, as seen from one of its pages.
type navigation struct {
	list    []*entry // all runs, the oldest first
	home    string
	compare string                       // address that compares runs; empty: there is none
	run     func(*entry) string          // address of a run's page
	beside  func(a, b *entry) string     // address of the comparison of two runs; empty: there is none
	trend   func(scenario string) string // address of a scenario's trend; empty: it has none
}

// neighbours returns the runs of the same scenario before and after a run; nil where there is none.
func (n navigation) neighbours(e *entry) (earlier, later *entry) {
	seen := false
	for _, other := range n.list {
		switch {
		case other.Key == e.Key:
			seen = true
		case other.Name != e.Name:
		case !seen:
			earlier = other
		default:
			return earlier, other
		}
	}
	return earlier, nil
}

// of returns the links of the page of a run.
func (n navigation) of(e *entry) *html.SiteLinks {
	earlier, later := n.neighbours(e)
	l := &html.SiteLinks{Home: n.home, Compare: n.compare, Run: e.Key}
	l.PageOf = func(run string) string {
		for _, other := range n.list {
			if other.Name == e.Name && other.Run == run {
				return n.run(other)
			}
		}
		return ""
	}
	link := func(other *entry, name string) *html.SiteLink {
		if other == nil {
			return nil
		}
		return &html.SiteLink{Name: name, Address: n.run(other)}
	}
	l.Earlier, l.Later = link(earlier, "earlier run"), link(later, "later run")
	if earlier != nil {
		l.Add("beside the earlier run", n.beside(earlier, e))
	}
	return n.finish(l, e)
}

// between returns the links of the comparison of two runs. Its neighbours are the comparisons of the run before and
// after with the run before each.
func (n navigation) between(a, b *entry) *html.SiteLinks {
	l := &html.SiteLinks{Home: n.home, Compare: n.compare, Run: b.Key}
	if earlier, _ := n.neighbours(a); earlier != nil {
		if to := n.beside(earlier, a); to != "" {
			l.Earlier = &html.SiteLink{Name: "earlier comparison", Address: to}
		}
	}
	if _, later := n.neighbours(b); later != nil {
		if to := n.beside(b, later); to != "" {
			l.Later = &html.SiteLink{Name: "later comparison", Address: to}
		}
	}
	if n.compare != "" {
		l.Add("swap A and B", n.beside(b, a))
	}
	return n.finish(l, b)
}

// finish adds the scenario's trend and the runs to compare with: those of the same scenario first, the newest first.
func (n navigation) finish(l *html.SiteLinks, e *entry) *html.SiteLinks {
	l.Add("objectives over time", n.trend(e.Name))
	if n.compare == "" {
		return l
	}
	others := slices.DeleteFunc(slices.Clone(n.list), func(o *entry) bool { return o.Key == e.Key })
	slices.Reverse(others)
	slices.SortStableFunc(others, func(a, b *entry) int {
		rank := func(o *entry) int {
			if o.Name == e.Name {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	for _, o := range others[:min(len(others), html.MostOthers)] {
		l.Others = append(l.Others, html.SiteOption{Key: o.Key, Name: o.title(o.Name != e.Name)})
	}
	return l
}

// title names a run in a list: its verdict, its time and its folder; with the scenario if that differs.
func (e *entry) title(withName bool) string {
	t := words.Mark(e.Verdict) + " " + e.Started.UTC().Format("2006-01-02 15:04") + " · " + words.Clean(e.Key)
	if withName {
		t += " · " + words.Clean(e.Name)
	}
	return words.Clip(t, 90)
}

// scenariosOf lists the scenarios, the one with the newest run first, each with its runs.
func scenariosOf(n navigation) []html.IndexScenario {
	at := map[string]int{}
	var out []html.IndexScenario
	for _, e := range slices.Backward(n.list) {
		k, known := at[e.Name]
		if !known {
			k = len(out)
			at[e.Name] = k
			out = append(out, html.IndexScenario{Name: e.Name})
			out[k].Link = n.trend(e.Name)
		}
		row := e.row()
		out[k].Runs = append(out[k].Runs, html.IndexPoint{
			Link: n.run(e), Verdict: e.Verdict, Word: row.Word, P95: row.P95,
			Text: fmt.Sprintf("%s, %s", row.Word, e.Started.UTC().Format("2006-01-02 15:04")),
		})
	}
	for i := range out {
		slices.Reverse(out[i].Runs)
	}
	return out
}

// hasTrend reports whether a scenario has several runs with objectives.
func hasTrend(list []*entry, scenario string) bool {
	runs := 0
	for _, e := range list {
		if e.Name == scenario && len(e.Objectives) > 0 {
			runs++
		}
	}
	return runs > 1
}

// held counts the objectives that hold.
func held(list []result.ObjectiveResult) (n int) {
	for i := range list {
		if list[i].Verdict == scenarios.Pass {
			n++
		}
	}
	return n
}
