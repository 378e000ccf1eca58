package html

import (
	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// repeats builds the table of faults that occurred several times.
func (p *pageView) repeats(list []result.Repeat) {
	if len(list) == 0 {
		return
	}
	t := &chart.Table{Title: "Times over all occurrences", Head: []string{"fault", "figure", "occurrences with it", "min", "median", "p95", "max"}}
	for i := range list {
		r := &list[i]
		p.Repeated = append(p.Repeated, words.Clean(r.Fault)+" "+words.RepeatSummary(r)+".")
		for _, f := range words.Spreads(r) {
			t.Rows = append(t.Rows, append([]string{words.Clean(r.Fault), f.Name}, words.SpreadRow(f.Spread)...))
		}
	}
	p.RepeatTable = t
}

// incidents returns the table of incidents of a run, which may still go on; nil if there were none.
func incidents(r *result.Result) *chart.Table {
	list := r.Incidents
	if len(list) == 0 {
		return nil
	}
	t := &chart.Table{Title: "Incidents", Head: words.IncidentHead}
	for i := range list {
		row := words.IncidentRow(r, i+1, &list[i])
		if r.Going != nil && !list[i].Over {
			row[2] = "still going on"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
