package slo

import (
	"strconv"
	"strings"
)

// A Phase names a span of a run: the whole run, its baseline, or the time of one occurrence of a fault. It is
// comparable. Files and scenarios hold its text, which String writes and [ParsePhase] reads. The zero value names no
// phase, and its text is empty.
type Phase struct {
	Kind       PhaseKind
	Fault      string `mask:"-"` // name of the fault, for its phase, recovery and rest; otherwise empty
	Occurrence int    // number of the occurrence, from 1; 0 means that the fault occurs once, or all of its occurrences
}

// PhaseKind is the kind of a phase.
type PhaseKind uint8

// The kinds of phases.
const (
	NoPhase       PhaseKind = iota
	WarmupPhase             // the load before t0, which is never judged
	RunPhase                // the whole judged load
	BaselinePhase           // the load before the first injection
	FaultPhase              // from the injection of a fault to its clearing
	RecoveryPhase           // from the clearing until a hold after the recovery
	RestPhase               // from the clearing to the next injection, or to the end of the load
	IncidentPhase           // the worst incident that overlaps a fault, as in `recover < 10s after incident`
)

// String returns the text of a kind of phase that belongs to no fault. It is empty for other kinds.
func (k PhaseKind) String() string { return phaseWords[k] }

// phaseWords are the texts of kinds that belong to no fault. A fault can't have one of them as its name.
var phaseWords = [...]string{
	WarmupPhase: "warmup", RunPhase: "run", BaselinePhase: "baseline", IncidentPhase: "incident",
}

// The marks in the texts of phases that belong to a fault.
const (
	recoveryPrefix = "recovery/"
	restPrefix     = "rest/"
	numbered       = "#" // before the number of an occurrence
)

// ParsePhase returns the phase with a text: `run`, `baseline`, `warmup`, `incident`, FAULT, `recovery/FAULT` or
// `rest/FAULT`, where FAULT may end with #n. Any text is a phase, and String returns the same text: a text in none of
// these forms is the name of a fault.
func ParsePhase(text string) Phase {
	for kind, word := range phaseWords {
		if text == word {
			return Phase{Kind: PhaseKind(kind)}
		}
	}
	if fault, ok := strings.CutPrefix(text, recoveryPrefix); ok {
		return ParseOccurrence(fault).Of(RecoveryPhase)
	}
	if fault, ok := strings.CutPrefix(text, restPrefix); ok {
		return ParseOccurrence(fault).Of(RestPhase)
	}
	return ParseOccurrence(text)
}

// ParseOccurrence returns the phase of an occurrence with a name: FAULT, or FAULT#n if the fault occurs several
// times.
func ParseOccurrence(name string) Phase {
	if i := strings.LastIndex(name, numbered); i >= 0 {
		number := name[i+len(numbered):]
		if n, err := strconv.Atoi(number); err == nil && n > 0 && number[0] != '+' && number[0] != '0' {
			return Phase{FaultPhase, name[:i], n}
		}
	}
	return Phase{Kind: FaultPhase, Fault: name}
}

// String returns the text of the phase.
func (p Phase) String() string {
	fault := p.Fault
	if p.Occurrence > 0 {
		fault += numbered + strconv.Itoa(p.Occurrence)
	}
	switch p.Kind {
	case FaultPhase:
		return fault
	case RecoveryPhase:
		return recoveryPrefix + fault
	case RestPhase:
		return restPrefix + fault
	}
	return p.Kind.String()
}

// MarshalText returns the text of the phase.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads any text, as [ParsePhase] does.
func (p *Phase) UnmarshalText(text []byte) error {
	*p = ParsePhase(string(text))
	return nil
}

// Compare orders phases by their texts.
func (p Phase) Compare(q Phase) int { return strings.Compare(p.String(), q.String()) }

// Of returns the phase of kind k of the same occurrence of a fault. It returns p itself if p belongs to no fault.
func (p Phase) Of(k PhaseKind) Phase {
	if p.OfFault() {
		p.Kind = k
	}
	return p
}

// OfFault reports whether the phase belongs to a fault: it is during the fault, or after it.
func (p Phase) OfFault() bool {
	return p.Kind == FaultPhase || p.Kind == RecoveryPhase || p.Kind == RestPhase
}

// OfRun reports whether the phase is the run or its baseline.
func (p Phase) OfRun() bool { return p.Kind == RunPhase || p.Kind == BaselinePhase }

// Includes reports whether an objective in p is judged in q: q is p, or an occurrence of the fault that p names
// without a number.
func (p Phase) Includes(q Phase) bool {
	if p.Occurrence == 0 {
		q.Occurrence = 0
	}
	return p == q
}
