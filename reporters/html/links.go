package html

import (
	"html/template"
	"slices"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// linksView shows the traffic on links for each request.
type linksView struct {
	Findings []string
	Phases   []string
	Rows     []words.LinkRow
	Foot     string
	Graph    template.HTML // services and their calls in the baseline
}

// links returns the traffic on links; nil if none was counted.
func links(r *result.Result) *linksView {
	v := &linksView{Findings: words.Multiplied(r), Foot: words.LinksMeaning}
	phases, rows := words.LinkRows(r)
	if len(rows) == 0 {
		return nil
	}
	v.Phases, v.Rows = words.PhaseNames(phases), rows
	baseline := slices.Index(phases, slo.Phase{Kind: slo.BaselinePhase})
	var edges []chart.GraphEdge
	for _, row := range rows {
		e := chart.GraphEdge{From: row.From, To: row.To, Unsure: !row.Calls, Label: "unknown"}
		if baseline >= 0 {
			e.Label = row.Cells[baseline].Text
		}
		edges = append(edges, e)
	}
	v.Graph = chart.GraphOf(edges)
	return v
}
