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
			for _, c := range row.Cells[:n] {
				if c.Grew {
					c.Text = "↑ " + c.Text
				}
				cells = append(cells, c.Text)
			}
			table = append(table, cells)
		}
		s.table(table)
	}
	for _, text := range words.TraceFindings(t) {
		s.text("  ", "    ", text, plain)
	}
}
