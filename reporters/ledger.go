package reporters

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// ledgerView is what the page shows of the ledger.
type ledgerView struct {
	Mark, Word, Tone string
	Text             string
	Facts            []pair
	Head             []string
	Rows             [][]string
	Foot             string
}

func (p *page) ledger(l *result.LedgerRecord) {
	if l == nil {
		return
	}
	v := ledgerVerdict(l)
	view := &ledgerView{Mark: mark(v), Word: upper(ledgerWord(l)), Tone: tone(v), Text: ledgerText(l)}
	for _, f := range ledgerFigures(l) {
		view.Facts = append(view.Facts, pair{f.name, count(f.n)})
	}
	if l.RPO.Known() {
		view.Facts = append(view.Facts, pair{"RPO", seconds(l.RPO)})
	}
	if len(l.Keys) > 0 {
		view.Head = ledgerHead
		for i := range l.Keys {
			view.Rows = append(view.Rows, keyRow(&l.Keys[i]))
		}
	}
	view.Foot = "Every acknowledged write was asked for at every unit named above, after the load. Age is the time from a lost write's acknowledgement to the instant at which it was lost at the latest; RPO is that of the oldest."
	if l.Left > 0 {
		view.Foot += fmt.Sprintf(" %s more are in ledger.jsonl.", count(l.Left))
	}
	p.Ledger = view
}

var ledgerHead = []string{"state", "id", "acknowledged", "age", "lost to", "found"}

// keyRow is a write in the order of ledgerHead.
func keyRow(k *result.WriteKey) []string {
	acked := offset(k.Acknowledged)
	if !k.Acknowledged.Known() {
		acked = "no, " + offset(k.Ended)
	}
	found := foundText(k.Found)
	if k.Note != "" {
		found += "; " + clean(k.Note)
	}
	return []string{clean(string(k.State)), clean(k.ID), acked, seconds(k.Age), clean(k.Fault), found}
}

// foundText says how often a write is at each unit.
func foundText(found map[string]int) string {
	var out []string
	for _, unit := range slices.Sorted(maps.Keys(found)) {
		n := strconv.Itoa(found[unit])
		if found[unit] < 0 {
			n = "no answer"
		}
		out = append(out, clean(unit)+": "+n)
	}
	return strings.Join(out, ", ")
}

// ledgerVerdict is how the ledger looks, whatever the objectives make of it.
func ledgerVerdict(l *result.LedgerRecord) scenarios.Verdict {
	switch {
	case l.Lost+l.Duplicated+l.Stale > 0:
		return scenarios.Fail
	case !l.Read || l.Acknowledged == 0 || l.Unsure() > 0:
		return scenarios.Inconclusive
	}
	return scenarios.Pass
}

// ledgerWord says the worst of it.
func ledgerWord(l *result.LedgerRecord) string {
	switch {
	case !l.Read:
		return "not read back"
	case l.Acknowledged == 0:
		return "no write was acknowledged"
	case l.Lost > 0:
		return plural(l.Lost, "write", "writes") + " lost"
	case l.Duplicated > 0:
		return plural(l.Duplicated, "write", "writes") + " duplicated"
	case l.Stale > 0:
		return plural(l.Stale, "write", "writes") + " stale"
	case ledgerVerdict(l) != scenarios.Pass:
		return "not known of all writes"
	}
	return "every write held"
}

// A figure of the ledger with its name.
type figure struct {
	name string
	n    int64
}

// ledgerFigures are those that say something: the first ones always, others where
// there is anything to count.
func ledgerFigures(l *result.LedgerRecord) []figure {
	if !l.Read {
		return []figure{{"acknowledged", l.Acknowledged}}
	}
	out := []figure{{"acknowledged", l.Acknowledged}, {"held", l.Held}, {"lost", l.Lost}, {"duplicated", l.Duplicated}, {"stale", l.Stale}}
	for _, f := range []figure{
		{"unknown", l.Unknown},
		{"not read at every unit", l.Unread},
		{"without an id", l.Unnamed},
		{"beyond the ledger", l.Unrecorded},
		{"present though unacknowledged", l.Present},
	} {
		if f.n > 0 {
			out = append(out, f)
		}
	}
	return out
}

// ledgerText says what was read where.
func ledgerText(l *result.LedgerRecord) string {
	units := make([]string, len(l.Units))
	for i, u := range l.Units {
		units[i] = clean(u)
	}
	text := fmt.Sprintf("Writes by %s, asked for at %s", clean(l.Write), strings.Join(units, ", "))
	if l.Took.Known() {
		text += " from " + offset(l.Asked) + " on, in " + seconds(l.Took)
	}
	text += "."
	if l.RPOFault != "" {
		text += " The oldest lost write was lost to " + clean(l.RPOFault) + "."
	}
	if l.Note != "" {
		text += " " + scenarios.Sentence(clean(l.Note))
	}
	return text
}

// mostLedgerRows bounds the writes that a terminal lists.
const mostLedgerRows = 8

func (s *sheet) ledger(l *result.LedgerRecord) {
	if l == nil {
		return
	}
	s.head("Ledger")
	v := ledgerVerdict(l)
	s.line(span{"  " + mark(v) + " ", tones[tone(v)]}, span{ledgerWord(l), tones[tone(v)]})
	var figures []string
	for _, f := range ledgerFigures(l) {
		figures = append(figures, itoa64(f.n)+" "+f.name)
	}
	if l.Lost > 0 {
		figures = append(figures, "RPO "+seconds(l.RPO))
	}
	s.text("    ", "      ", strings.Join(figures, ", "), plain)
	s.text("    ", "      ", ledgerText(l), dim)
	if len(l.Keys) == 0 {
		return
	}
	table := [][]string{{"", "state", "acknowledged", "age", "lost to"}}
	for i := range l.Keys {
		if i == mostLedgerRows {
			break
		}
		row := keyRow(&l.Keys[i])
		table = append(table, []string{row[1], clip(row[0], 10), row[2], row[3], clip(row[4], 20)})
	}
	s.table(table)
	if n := int64(len(l.Keys)-mostLedgerRows) + l.Left; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see the report", itoa64(n)), dim})
	}
}

// readingLine tells how far the reading of the ledger is.
func readingLine(iv result.Interval) string {
	return fmt.Sprintf("reading the ledger: %d of %d writes", iv.Asked, iv.ToAsk)
}
