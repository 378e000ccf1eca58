package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// consistency writes the findings on registers.
func (s *summary) consistency(c *result.ConsistencyRecord) {
	v := words.ConsistencyVerdict(c)
	s.line(span{"  " + words.Mark(v) + " ", tones[words.Tone(v)]},
		span{words.ConsistencyHeadline(c), tones[words.Tone(v)]})
	s.text("    ", "      ", words.ConsistencyText(c), dim)
	if len(c.Kinds) == 0 {
		return
	}
	table := [][]string{words.AnomalyHead}
	for i := range c.Kinds {
		table = append(table, words.AnomalyRow(&c.Kinds[i]))
	}
	s.table(table)
}
