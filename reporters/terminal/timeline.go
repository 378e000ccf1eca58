package terminal

import (
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostColumns bounds the columns of a run over time; a narrow screen has fewer.
const mostColumns = 60

// timeline draws p95 and the share of failed requests over the run, with a row for the faults.
func (s *summary) timeline(r *result.Result) {
	const name, note = 11, 20 // columns beside the drawing
	room := s.width - name - note
	if room < 10 {
		return
	}
	rows, each := chart.SparkRows(r, min(mostColumns, room))
	if len(rows) == 0 {
		return
	}
	s.head("Over time, " + each + " a column")
	for _, row := range rows {
		st := map[string]style{"failed": bad, "faults": unsure}[row.Name]
		bars, more := row.Bars, "  "+row.Note
		if row.Note == "" {
			bars, more = strings.TrimRight(bars, " "), ""
		}
		s.line(span{"  " + words.Pad(row.Name, name-2, false), dim}, span{bars, st}, span{more, dim})
	}
}
