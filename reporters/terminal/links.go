package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// links writes the calls per request on the links whose calls were counted.
func (s *summary) links(r *result.Result) {
	phases, rows := words.LinkRows(r)
	table := [][]string{phaseHead(phases)}
	for _, row := range rows {
		if row.Calls {
			table = append(table, phaseRow(row.Link, row.Cells))
		}
	}
	if len(table) == 1 {
		return
	}
	s.head("Calls per request")
	s.table(table)
	for _, text := range words.Multiplied(r) {
		s.text("  ", "    ", text, plain)
	}
}
