package html

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// linksView shows the traffic on links for each request.
type linksView struct {
	Findings []string
	Phases   []string
	Rows     []words.LinkRow
	Foot     string
}

// links returns the traffic on links; nil if none was counted.
func links(r *result.Result) *linksView {
	v := &linksView{Findings: words.Multiplied(r), Foot: words.LinksMeaning}
	phases, rows := words.LinkRows(r)
	if len(rows) == 0 {
		return nil
	}
	v.Phases, v.Rows = words.PhaseNames(phases), rows
	return v
}
