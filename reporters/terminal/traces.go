package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// traces writes the self times of the services.
func (s *summary) traces(t *result.Traces) {
	if t == nil {
		return
	}
	s.head("Self time by service")
	s.text("  ", "  ", words.TraceSummary(t), plain)
	phases, rows := words.TraceRows(t)
	if len(phases) > 0 {
		table := [][]string{phaseHead(phases)}
		for _, row := range rows {
			table = append(table, phaseRow(row.Service, row.Cells))
		}
		s.table(table)
	}
	for _, text := range words.TraceFindings(t) {
		s.text("  ", "    ", text, plain)
	}
}

// mostPhaseColumns bounds the columns of a table with a column for each phase.
const mostPhaseColumns = 6

// phaseHead returns the head of such a table.
func phaseHead(phases []slo.Phase) []string {
	return append([]string{""}, words.PhaseNames(phases[:min(len(phases), mostPhaseColumns)])...)
}

// phaseRow returns a row of it.
func phaseRow(name string, cells []words.PhaseCell) []string {
	row := []string{name}
	for _, c := range cells[:min(len(cells), mostPhaseColumns)] {
		row = append(row, c.Marked())
	}
	return row
}
