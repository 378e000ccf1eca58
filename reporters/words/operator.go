package words

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/result"
)

// MarkTaken confirms to a person that a mark was taken.
func MarkTaken(k result.MarkKind, fault string) string {
	if k == result.Continued {
		return Clean(fault) + " goes on."
	}
	return Clean(fault) + " is marked as " + Clean(string(k)) + "."
}

// MarkLabel is the text of the button for a mark.
func MarkLabel(k result.MarkKind) string { return Capitalize(string(k)) }

// OperatorEvent describes an event of people at the run for the terminal; empty for other events.
func OperatorEvent(e *result.Event) string {
	fault := Clean(e.Fault)
	switch e.Event {
	case "operator.waiting":
		return fault + " waits for an operator " + Clean(e.Text) + ": press Continue on the page of --live, or run " +
			"`brunt note --continue " + fault + "`"
	case result.Continued.Event():
		return strings.TrimSpace(fault + " goes on " + Clean(e.Text))
	}
	for _, k := range result.MarkKinds() {
		if e.Event == k.Event() {
			return strings.TrimSpace(fault + " is marked as " + string(k) + " " + Clean(e.Text))
		}
	}
	return ""
}

// WaitingState describes a fault that waits for an operator, at an instant.
func WaitingState(w result.WaitingFault, now time.Duration) string {
	return "waits for an operator, " + Clock(max(0, w.Until-now).Seconds()) + " left"
}

// by names the person of a mark, in parentheses; empty if there is no name.
func by(m *result.Mark) string {
	if m == nil || m.By == "" {
		return ""
	}
	return " (" + Clean(m.By) + ")"
}

// FaultWait describes how a fault waited for an operator; empty if it did not.
func FaultWait(f *result.FaultRecord) string {
	o := f.Operator
	switch {
	case o == nil || !o.Asked.Known():
		return ""
	case o.Continued == nil:
		return "waited for an operator from " + Offset(o.Asked) + ", and no operator continued it"
	}
	return "continued by an operator" + by(o.Continued) + " after a wait of " + Seconds(o.Continued.At-o.Asked)
}

// FaultSplit describes how the time from the injection of a fault to recovery divides among people and the machine;
// empty if the fault has no record of people.
func FaultSplit(f *result.FaultRecord) string {
	o := f.Operator
	if o == nil || o.Split == nil {
		return ""
	}
	s := o.Split
	var parts []string
	kinds, marked := result.MarkKinds(), false
	for i, p := range s.Parts() {
		var end *result.Mark // that ends the part; the last one ends by recovery
		if i < len(kinds) {
			end = o.Mark(kinds[i])
		}
		marked = marked || end != nil
		if p.Took.Known() {
			parts = append(parts, p.Name+" "+Seconds(p.Took)+by(end))
		}
	}
	total := splitTotal(f)
	if !marked {
		return total + "; it has no mark seen, understood or acted, so the machine's part is unknown"
	}
	if unknown := splitUnknown(f); unknown != "" {
		parts = append(parts, unknown)
	}
	return total + splitMachine(f) + ": " + strings.Join(parts, ", ")
}

// splitTotal describes the whole time of a split.
func splitTotal(f *result.FaultRecord) string {
	switch {
	case !f.OnsetAt.Known():
		return "no outage to recover from"
	case f.Impact == result.NotRecovered:
		return "not recovered"
	case !f.Operator.Split.Total.Known():
		return "not recovered so far"
	}
	return Seconds(f.Operator.Split.Total) + " from the injection to recovery"
}

// splitMachine describes the part of the machine.
func splitMachine(f *result.FaultRecord) string {
	s := f.Operator.Split
	switch {
	case !s.Total.Known():
		return ""
	case s.Machine.Known():
		return ", of which " + Seconds(s.Machine) + " were the machine's"
	case f.Operator.Acted != nil:
		return ", before the mark acted, so the machine's part is unknown"
	}
	return ", the machine's part unknown"
}

// splitUnknown names the unknown parts of a split, and the marks that are missing.
func splitUnknown(f *result.FaultRecord) string {
	var names, missing []string
	for _, p := range f.Operator.Split.Parts() {
		if !p.Took.Known() && !(p.Name == "recover" && !f.Operator.Split.Total.Known()) {
			names = append(names, p.Name)
		}
	}
	for _, k := range result.MarkKinds() {
		if f.Operator.Mark(k) == nil {
			missing = append(missing, string(k))
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(missing) == 0 && slices.Equal(names, []string{"recover"}): // [splitMachine] says why
		return ""
	case len(missing) == 0:
		return Join(names) + " unknown: the marks are out of order"
	}
	return Join(names) + " unknown without the mark " + Join(missing)
}

// people describes what people did about a fault, in sentences.
func people(f *result.FaultRecord) (out []string) {
	for _, s := range []string{FaultWait(f), FaultSplit(f)} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// splitShades are the characters of a bar of a split, by part. The last is for stretches of several parts.
var splitShades = []string{"░", "▒", "▓", "█", "·"}

// SplitShade returns the number of a stretch's part, from 0; 4 for a stretch of several parts.
func SplitShade(name string) int {
	for i, p := range new(result.Split).Parts() {
		if p.Name == name {
			return i
		}
	}
	return len(splitShades) - 1
}

// SplitBar draws the split of a fault as characters, with a legend; empty if too few marks are known. Each stretch has
// at least one character.
func SplitBar(f *result.FaultRecord, columns int) string {
	list := f.Stretches()
	if list == nil {
		return ""
	}
	var bar strings.Builder
	var legend []string
	total := float64(f.Operator.Split.Total)
	for _, p := range list {
		n := 1
		if total > 0 {
			n = max(1, int(math.Round(float64(columns)*float64(p.Took)/total)))
		}
		shade := splitShades[SplitShade(p.Name)]
		bar.WriteString(strings.Repeat(shade, n))
		legend = append(legend, shade+" "+p.Name+" "+Seconds(p.Took))
	}
	return bar.String() + "  " + strings.Join(legend, "  ")
}

// MinuteLoad describes the load of a minute.
func MinuteLoad(m *result.Minute) string {
	if m.Requests == 0 {
		return "no request"
	}
	s := Plural(m.Requests, "request", "requests")
	if m.Bad == 0 {
		s += ", none bad"
	} else {
		s += ", " + Count(m.Bad) + " bad"
	}
	if m.P95.Known() {
		s += ", p95 at most " + Seconds(m.P95)
	}
	return s
}

// MinuteSpan formats the time of a minute.
func MinuteSpan(m *result.Minute) string {
	return Clock(float64(m.From)) + " to " + Clock(math.Ceil(float64(m.To)))
}

// happening describes an event of a minute, or the harm of a fault.
func happening(e *result.Event) string {
	fault, text := Clean(e.Fault), Clean(e.Says())
	switch e.Event {
	case "operator.waiting":
		return fault + " waits for an operator " + text
	case result.FirstHarm:
		return "the first harm by " + fault
	case result.GoodAgain:
		return "good again after " + fault
	case "fault.cleared":
		return fault + " is over"
	case "run.note":
		return fmt.Sprintf("%s notes: %s", Clean(fmt.Sprint(e.Data["author"])), text)
	}
	if s := OperatorEvent(e); s != "" {
		return s
	}
	what := map[string]string{
		"fault.injected": "is in", "fault.missed": "was not injected", "fault.failed": "could not be injected",
		"fault.skipped": "was skipped", "fault.void": "was over before its time",
		"fault.detected": "was noticed by the monitoring", "alert.pending": "an alert is pending",
		"alert.firing": "an alert fires", "alert.resolved": "an alert is resolved",
		"alert.failed": "no answer about an alert",
		"unit.exit":    "ended", "steady.held": "the steady state held", "steady.lost": "the steady state did not hold",
		"run.stop": "a stop condition was met",
	}[e.Event]
	if what == "" {
		what = e.Event
	}
	s := strings.TrimSpace(strings.TrimSpace(fault+" "+Clean(e.Unit)) + " " + what)
	if text != "" {
		s += ": " + text
	}
	return s
}

// Happenings describes the happenings of a minute, each with its time.
func Happenings(m *result.Minute) (out []string) {
	for i := range m.Happenings {
		out = append(out, Clock(float64(m.Happenings[i].T))+" "+happening(&m.Happenings[i]))
	}
	if m.Left > 0 {
		out = append(out, fmt.Sprintf("and %d more: see events.jsonl", m.Left))
	}
	return out
}
