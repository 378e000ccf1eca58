package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostTracePhases bounds the columns of the self times.
const mostTracePhases = 6

// traces writes the self times of the services.
func (s *summary) traces(t *result.Traces) {
	if t == nil {
		return
	}
	s.head("Self time by service")
	s.text("  ", "  ", words.TraceSummary(t), plain)
	phases, rows := words.TraceRows(t)
	if len(phases) > 0 {
		n := min(len(phases), mostTracePhases)
		table := [][]string{append([]string{""}, phases[:n]...)}
		for _, row := range rows {
			cells := []string{row.Service}
			for i, text := range row.Cells[:n] {
				if row.Grew[i] {
					text = "↑ " + text
				}
				cells = append(cells, text)
			}
			table = append(table, cells)
		}
		s.table(table)
	}
	for _, text := range words.TraceFindings(t) {
		s.text("  ", "    ", text, plain)
	}
}
