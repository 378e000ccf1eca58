package terminal

import (
	"fmt"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostLedgerRows bounds the writes that a terminal lists.
const mostLedgerRows = 8

func (s *summary) ledger(l *result.LedgerRecord) {
	v := words.LedgerVerdict(l)
	s.line(span{"  " + words.Mark(v) + " ", tones[words.Tone(v)]}, span{words.LedgerHeadline(l), tones[words.Tone(v)]})
	var figures []string
	for _, f := range words.LedgerFigures(l) {
		figures = append(figures, words.Int(f.Count)+" "+f.Name)
	}
	if l.Lost > 0 {
		figures = append(figures, "RPO "+words.RPO(l))
	}
	s.text("    ", "      ", strings.Join(figures, ", "), plain)
	s.text("    ", "      ", words.LedgerText(l), dim)
	if rows := words.LostRows(l); len(rows) > 0 && l.Lost > mostLedgerRows {
		s.table(append([][]string{words.LostHead}, rows[:min(len(rows), mostLedgerRows)]...))
		if n := len(rows) - mostLedgerRows; n > 0 {
			s.line(span{fmt.Sprintf("  and %d more seconds: see the report", n), dim})
		}
	}
	if len(l.Keys) == 0 {
		return
	}
	table := [][]string{{"", "state", "acknowledged", "age", "lost to"}}
	for i := range l.Keys {
		if i == mostLedgerRows {
			break
		}
		row := words.LedgerRow(&l.Keys[i])
		table = append(table, []string{row[1], words.Clip(row[0], 10), row[2], row[3], words.Clip(row[4], 20)})
	}
	s.table(table)
	if n := int64(len(l.Keys)-mostLedgerRows) + l.Left; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see the report", words.Int(n)), dim})
	}
}
