package words

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// LedgerHead holds the column names of a table of a ledger's writes.
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
	return []string{Clean(string(k.State)), Clean(k.ID), acked, Seconds(k.Age), lostTo(k.Fault, k.Faults), found}
}

// lostTo names the fault that writes were lost to, or the faults of which one lost them. It is empty if there is none.
func lostTo(fault string, faults []string) string {
	if len(faults) == 0 {
		return Clean(fault)
	}
	if len(faults) == 1 {
		return Clean(faults[0]) + " or no fault"
	}
	return anyOf(faults)
}

// anyOf joins the names of faults of which one did something.
func anyOf(faults []string) string {
	names := clean(faults)
	if n := len(names); n > mostSuspects {
		names = append(names[:mostSuspects-1], Count(int64(n-mostSuspects+1))+" more")
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// mostSuspects is the maximum number of faults that a text names for the loss of writes.
const mostSuspects = 6

// foundText describes how often a write was found at each unit.
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

// LedgerVerdict returns the verdict of the ledger itself, independent of the objectives.
func LedgerVerdict(l *result.LedgerRecord) scenarios.Verdict {
	switch {
	case l.Wrong() > 0:
		return scenarios.Fail
	case !l.Read || l.Acknowledged == 0 || l.Unsure() > 0:
		return scenarios.Inconclusive
	}
	return scenarios.Pass
}

// LedgerHeadline states the most severe finding, after the ledger's name if it has one.
func LedgerHeadline(l *result.LedgerRecord) string {
	if l.Name != "" {
		return Clean(l.Name) + ": " + ledgerFinding(l)
	}
	return ledgerFinding(l)
}

func ledgerFinding(l *result.LedgerRecord) string {
	switch {
	case !l.Read:
		return "not read back"
	case l.Acknowledged == 0:
		return "no write was acknowledged"
	case l.Lost > 0:
		return Plural(l.Lost, "write", "writes") + " lost"
	case l.Elsewhere > 0:
		return Plural(l.Elsewhere, "write", "writes") + " on " + strings.Join(clean(l.Holders), ", ") + ", not where clients read"
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

// LostHead holds the column names of [LostRows].
var LostHead = []string{"second", "lost", "lost to"}

// LostRows counts the lost writes by the second of their acknowledgement and by fault.
func LostRows(l *result.LedgerRecord) [][]string {
	var out [][]string
	for _, s := range l.LostSeconds {
		out = append(out, []string{Offset(s.T), Count(s.Lost), cmp.Or(lostTo(s.Fault, s.Faults), "–")})
	}
	return out
}

// A LedgerFigure is a figure of the ledger with its name.
type LedgerFigure struct {
	Name  string
	Count int64
}

// LedgerFigures returns the relevant figures. The first ones are always present, the others only if not zero.
func LedgerFigures(l *result.LedgerRecord) []LedgerFigure {
	if !l.Read {
		return []LedgerFigure{{"acknowledged", l.Acknowledged}}
	}
	out := []LedgerFigure{
		{"acknowledged", l.Acknowledged},
		{"held", l.Held},
		{"lost", l.Lost},
		{"duplicated", l.Duplicated},
		{"stale", l.Stale},
	}
	return appendNonzero(out, []LedgerFigure{
		{"elsewhere", l.Elsewhere},
		{"late", l.Late},
		{"stale reads during the load", staleReads(l)},
		{"unknown", l.Unknown},
		{"not read at every unit", l.Unread},
		{"without an id", l.Unnamed},
		{"beyond the ledger", l.Unrecorded},
		{"present though unacknowledged", l.Present},
	})
}

// appendNonzero appends the figures that are not zero.
func appendNonzero(out, figures []LedgerFigure) []LedgerFigure {
	return append(out, slices.DeleteFunc(figures, func(f LedgerFigure) bool { return f.Count <= 0 })...)
}

func staleReads(l *result.LedgerRecord) int64 {
	if l.Reads == nil {
		return 0
	}
	return l.Reads.Stale
}

// mostSpans bounds the spans of lost writes that a text describes one by one.
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

// readsText describes the findings of the reads during the load.
func readsText(r *result.LedgerReads) string {
	if r == nil || r.Made == 0 {
		return ""
	}
	s := fmt.Sprintf(" During the load the latest write was read %s", Plural(r.Made, "time", "times"))
	if r.Unanswered > 0 {
		s += fmt.Sprintf(", %s without an answer", Count(r.Unanswered))
	}
	if r.Stale == 0 {
		return s + ": no read was stale."
	}
	s += fmt.Sprintf(": %s stale, from %s to %s, up to %s after the acknowledgement",
		Plural(r.Stale, "read was", "reads were"), Offset(r.First), Offset(r.Last),
		Seconds(r.Longest))
	s += "; at " + byMost(r.Units)
	if len(r.Faults) > 0 {
		s += "; during " + byMost(r.Faults)
	}
	return s + "."
}

// mostReadBacks bounds the readings between faults that a text tells one by one.
const mostReadBacks = 4

// readBacksText describes the readings between faults; empty if nothing was read. Each of them asks for all writes so
// far, so that their counts have no sum.
func readBacksText(l *result.LedgerRecord) string {
	var list []string
	for i := range l.ReadBacks {
		b := &l.ReadBacks[i]
		if b.Asked == 0 {
			continue
		}
		s := Plural(b.Asked, "write was", "writes were") + " read back, " + Count(b.Found) + " found"
		if b.Absent > 0 {
			s += ", " + Count(b.Absent) + " not"
		}
		if silent := b.Asked - b.Found - b.Absent; silent > 0 {
			s += ", " + Count(silent) + " without an answer"
		}
		list = append(list, s)
	}
	switch n := len(list); {
	case n == 0:
		return ""
	case n > mostReadBacks:
		list = append(list[:mostReadBacks-1], Plural(int64(n-mostReadBacks+1), "more reading", "more readings"))
	}
	return " While the load ran, " + strings.Join(list, "; then ") + "."
}

// byMost lists counts with their names, the largest first.
func byMost(of map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(of),
		func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	var out []string
	for _, name := range names {
		out = append(out, Clean(name)+": "+Count(of[name]))
	}
	return strings.Join(out, ", ")
}

// lostSpansText says how many writes or messages were lost, to which faults, and when they were acknowledged. more
// returns a clause on a span; nil: none.
func lostSpansText(spans []result.LostSpan, noun string, more func(*result.LostSpan) string) (text string) {
	left := int64(0)
	for i := range spans {
		s := &spans[i]
		if i >= mostSpans {
			left += s.Lost
			continue
		}
		text += " " + Plural(s.Lost, noun+" was", noun+"s were") + " lost"
		if who := lostTo(s.Fault, s.Faults); who != "" {
			text += " to " + who
		}
		text += ackedIn(s)
		if more != nil {
			text += more(s)
		}
		text += "."
	}
	if left > 0 {
		text += " " + Plural(left, "more "+noun+" was", "more "+noun+"s were") + " lost at other times."
	}
	return text
}

// ackedIn says when lost writes or messages were acknowledged, as a clause; empty if that is not known.
func ackedIn(s *result.LostSpan) string {
	if !s.First.Known() || !s.Last.Known() {
		return ""
	}
	return ", acknowledged from " + Offset(s.First) + " to " + Offset(s.Last)
}

// LedgerText describes how much was read, and from which units.
func LedgerText(l *result.LedgerRecord) string {
	var text strings.Builder
	text.WriteString(fmt.Sprintf("Writes by %s, asked for at %s", Clean(l.Write), strings.Join(clean(l.Units), ", ")))
	if l.Took.Known() {
		text.WriteString(" from " + Offset(l.Asked) + " on, in " + Seconds(l.Took))
	}
	text.WriteString(".")
	if l.LateHigh > 0 {
		text.WriteString(" The latest write could be read " + bounds(l.LateLow, l.LateHigh) + " after its acknowledgement.")
	}
	text.WriteString(readsText(l.Reads))
	if l.Elsewhere > 0 {
		text.WriteString(" " + Plural(l.Elsewhere, "write is", "writes are") + " on " + strings.Join(clean(l.Holders), ", ") +
			", not where clients read.")
	}
	if l.Lost > 0 && len(l.Others) > 0 {
		text.WriteString(" Lost writes were looked for at " + strings.Join(clean(l.Others), ", ") + " too.")
	}
	text.WriteString(lostSpansText(l.LostSpans, "write", func(s *result.LostSpan) string {
		rpo := bounds(s.Last-s.First, s.After-s.Before)
		if len(s.Faults) > 0 { // each of them may have lost a part
			rpo = "at most " + Seconds(s.After-s.Before)
		}
		return ": an RPO of " + rpo
	}))
	text.WriteString(readBacksText(l))
	if len(l.Because) > 0 {
		text.WriteString(" " + syntax.Sentence(Clean(l.Because.Phrase(nil))))
	}
	if l.Note != "" {
		text.WriteString(" " + syntax.Sentence(Clean(l.Note)))
	}
	return text.String()
}
