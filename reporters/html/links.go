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
	Needs    []result.Need // by step and service
}

// links returns the traffic on links; nil if none was counted.
func links(r *result.Result) *linksView {
	v := &linksView{Findings: words.Multiplied(r), Foot: words.LinksMeaning}
	phases, rows := words.LinkRows(r)
	if len(rows) == 0 {
		return nil
	}
	for _, n := range r.Needs {
		n.Step, n.Service, n.Why = words.Clean(n.Step), words.Clean(n.Service), words.Clean(n.Why)
		v.Needs = append(v.Needs, n)
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

// needOf is a need in a cell.
func needOf(k result.NeedKind) string {
	if k == result.VagueNeed {
		return "too few requests"
	}
	return words.Clean(string(k))
}
