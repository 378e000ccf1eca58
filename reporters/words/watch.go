package words

import (
	"strings"

	"brunt/scenarios/result"
)

// UnitStates describes a unit's answers to a watch over time, such as "node[0]: leader, follower from 15.5s".
func UnitStates(w *result.Watch) string {
	var parts []string
	for i, s := range w.States {
		said := Clean(s.Text)
		if said == "" {
			said = "no answer"
		}
		if i > 0 {
			said += " from " + Offset(s.From)
		}
		parts = append(parts, said)
	}
	if len(parts) > mostUnitStates {
		left := len(parts) - mostUnitStates
		parts = append(parts[:mostUnitStates], "and "+Plural(int64(left), "change more", "changes more"))
	}
	if len(parts) == 0 {
		parts = []string{"no answer"}
	}
	text := Clean(w.Unit) + ": " + strings.Join(parts, ", ")
	if w.Note != "" {
		text += "; " + Clean(w.Note)
	}
	return text
}

// mostUnitStates bounds the listed changes of a unit.
const mostUnitStates = 20
