package terminal

import (
	"fmt"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// delivery writes what became of the messages of a delivery.
func (s *summary) delivery(d *result.DeliveryRecord) {
	v := words.DeliveryVerdict(d)
	s.line(span{"  " + words.Mark(v) + " ", tones[words.Tone(v)]},
		span{words.DeliveryHeadline(d), tones[words.Tone(v)]})
	var figures []string
	for _, f := range words.DeliveryFigures(d) {
		figures = append(figures, words.Int(f.Count)+" "+f.Name)
	}
	s.text("    ", "      ", strings.Join(figures, ", "), plain)
	s.text("    ", "      ", words.DeliveryText(d), dim)
	if len(d.Keys) == 0 {
		return
	}
	table := [][]string{{"", "state", "acknowledged", "seen", "times seen", "lost to"}}
	for i := range d.Keys {
		if i == mostLedgerRows {
			break
		}
		row := words.DeliveryRow(&d.Keys[i])
		table = append(table, []string{row[1], words.Clip(row[0], 10), row[3], row[4], row[5], words.Clip(row[6], 20)})
	}
	s.table(table)
	if n := int64(len(d.Keys)-mostLedgerRows) + d.Left; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see the report", words.Int(n)), dim})
	}
}
