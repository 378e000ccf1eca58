package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostLinkPhases bounds the columns of the calls per request.
const mostLinkPhases = 6

// links writes the calls per request on the links whose calls were counted.
func (s *summary) links(r *result.Result) {
	phases, rows := words.LinkRows(r)
	n := min(len(phases), mostLinkPhases)
	table := [][]string{append([]string{""}, phases[:n]...)}
	for _, row := range rows {
		if !row.Calls {
			continue
		}
		cells := []string{row.Link}
		for _, c := range row.Cells[:n] {
			if c.Grew {
				c.Text = "↑ " + c.Text
			}
			cells = append(cells, c.Text)
		}
		table = append(table, cells)
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
