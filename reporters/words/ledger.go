package words

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

var LedgerHead = []string{"state", "id", "acknowledged", "age", "lost to", "found"}

// LedgerRow returns a write in the order of LedgerHead.
func LedgerRow(k *result.WriteKey) []string {
	acked := Offset(k.Acknowledged)
	if !k.Acknowledged.Known() {
		acked = "no, " + Offset(k.Ended)
	}
	found := foundText(k.Found)
	if k.Note != "" {
		found += "; " + Clean(k.Note)
	}
	return []string{Clean(string(k.State)), Clean(k.ID), acked, Seconds(k.Age), Clean(k.Fault), found}
}

// foundText says how often a write was found at each unit.
func foundText(found map[string]int) string {
	var out []string
	for _, unit := range slices.Sorted(maps.Keys(found)) {
		n := strconv.Itoa(found[unit])
		if found[unit] < 0 {
			n = "no answer"
		}
		out = append(out, Clean(unit)+": "+n)
	}
	return strings.Join(out, ", ")
}

// LedgerVerdict returns the verdict of the ledger alone, independent of the objectives.
func LedgerVerdict(l *result.LedgerRecord) scenarios.Verdict {
	switch {
	case l.Wrong() > 0:
		return scenarios.Fail
	case !l.Read || l.Acknowledged == 0 || l.Unsure() > 0:
		return scenarios.Inconclusive
	}
	return scenarios.Pass
}

// LedgerHeadline states the most severe finding.
func LedgerHeadline(l *result.LedgerRecord) string {
	switch {
	case !l.Read:
		return "not read back"
	case l.Acknowledged == 0:
		return "no write was acknowledged"
	case l.Lost > 0:
		return Plural(l.Lost, "write", "writes") + " lost"
	case l.Late > 0 && l.Duplicated+l.Stale == 0 && l.Unsure() == 0:
		return Plural(l.Late, "write", "writes") + " late, none lost"
	case l.Duplicated > 0:
		return Plural(l.Duplicated, "write", "writes") + " duplicated"
	case l.Stale > 0:
		return Plural(l.Stale, "write", "writes") + " stale"
	case LedgerVerdict(l) != scenarios.Pass:
		return "not known of all writes"
	}
	return "every write held"
}

// A LedgerFigure is a figure of the ledger with its name.
type LedgerFigure struct {
	Name  string
	Count int64
}

// LedgerFigures returns the relevant figures: the first ones always, others if they are not
// zero.
func LedgerFigures(l *result.LedgerRecord) []LedgerFigure {
	if !l.Read {
		return []LedgerFigure{{"acknowledged", l.Acknowledged}}
	}
	out := []LedgerFigure{{"acknowledged", l.Acknowledged}, {"held", l.Held}, {"lost", l.Lost}, {"duplicated", l.Duplicated}, {"stale", l.Stale}}
	for _, f := range []LedgerFigure{
		{"late", l.Late},
		{"unknown", l.Unknown},
		{"not read at every unit", l.Unread},
		{"without an id", l.Unnamed},
		{"beyond the ledger", l.Unrecorded},
		{"present though unacknowledged", l.Present},
	} {
		if f.Count > 0 {
			out = append(out, f)
		}
	}
	return out
}

// mostSpans bounds the faults of which the text names the lost writes.
const mostSpans = 4

// bounds formats a time that is known between two bounds.
func bounds(low, high result.Num) string {
	if Seconds(low) == Seconds(high) {
		return Seconds(high)
	}
	return Seconds(low) + " to " + Seconds(high)
}

// RPO formats the recovery point of a ledger. Results of older versions have no lower bound.
func RPO(l *result.LedgerRecord) string {
	if len(l.LostSpans) == 0 {
		return Seconds(l.RPO)
	}
	return bounds(l.RPOLow, l.RPO)
}

// LedgerText says what was read from where.
func LedgerText(l *result.LedgerRecord) string {
	units := make([]string, len(l.Units))
	for i, u := range l.Units {
		units[i] = Clean(u)
	}
	var text strings.Builder
	text.WriteString(fmt.Sprintf("Writes by %s, asked for at %s", Clean(l.Write), strings.Join(units, ", ")))
	if l.Took.Known() {
		text.WriteString(" from " + Offset(l.Asked) + " on, in " + Seconds(l.Took))
	}
	text.WriteString(".")
	if l.LateHigh > 0 {
		text.WriteString(" The latest write could be read " + bounds(l.LateLow, l.LateHigh) + " after its acknowledgement.")
	}
	for i, s := range l.LostSpans {
		if i == mostSpans {
			text.WriteString(fmt.Sprintf(" Writes were lost to %d more faults.", len(l.LostSpans)-i))
			break
		}
		to := ""
		if s.Fault != "" {
			to = " to " + Clean(s.Fault)
		}
		text.WriteString(fmt.Sprintf(" %s lost%s, acknowledged from %s to %s: an RPO of %s.", Plural(s.Lost, "write was", "writes were"), to, Offset(s.First),
			Offset(s.Last), bounds(s.Last-s.First, s.After-s.Before)))
	}
	if l.Note != "" {
		text.WriteString(" " + scenarios.Sentence(Clean(l.Note)))
	}
	return text.String()
}
