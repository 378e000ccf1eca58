package result

// Unrecovered says why the load had not recovered from a fault by its end. It is empty if the load recovered, or if
// that is unknown.
type Unrecovered string

// The reasons why a load had not recovered.
const (
	StillAway     Unrecovered = "fault_in"     // the end of the fault is not proved, or a unit that it hit is away
	GoneTooShort  Unrecovered = "too_short"    // the load ended within a hold of the end of the fault
	LoadRaised    Unrecovered = "load_raised"  // the load offered more requests than in the baseline
	LoadUntold    Unrecovered = "load_unknown" // as fault_gone, and it is not known whether the load was higher
	GoneStillHarm Unrecovered = "fault_gone"   // the fault was gone, and the load was that of the baseline
	// Stuck is fault_gone, where an escape shows that the load alone holds the target in this state: see Escape.
	Stuck Unrecovered = "stuck"
)

// Unrecovereds lists the reasons why a load had not recovered.
func Unrecovereds() []Unrecovered {
	return []Unrecovered{StillAway, GoneTooShort, LoadRaised, LoadUntold, GoneStillHarm, Stuck}
}

// An Escape says at which load the target came back after a fault that was gone, and whether it then held the load of
// the baseline. It follows the load of a run with `judge: {escape: on}`, or an [Overload]. Its requests count in no
// objective.
//
// A target that is bad at a load although it can hold the same load is in a metastable failure (Huang et al.,
// "Metastable Failures in the Wild", OSDI 2022): a trigger that is gone pushed it into a state that an effect of the
// load itself, such as retries, sustains.
type Escape struct {
	Outcome EscapeOutcome `json:"outcome"` // how it ended
	Rate    Num           `json:"rate"`    // the load of the baseline: iterations a second, of all loads together
	// how long requests were bad at the whole load, from the end of the fault until the load was lowered, seconds
	Bad Num `json:"bad"`
	// share of the load at which the target came back; null if it did not, or if the load was not lowered
	Back Num `json:"back"`
	// from the first lowering of the load to the begin of the good hold at that share, seconds
	After Num `json:"after"`
	// length of the hold in which requests were good at the whole load at the end, seconds
	Held  Num          `json:"held"`
	Steps []EscapeStep `json:"steps"` // in the order of time
}

// An EscapeOutcome is the end of an escape.
type EscapeOutcome string

// The outcomes of an escape.
const (
	// EscapeStuck means that the target came back at a lower load, and then held the load of the baseline.
	EscapeStuck EscapeOutcome = "stuck"
	// EscapeByItself means that it came back at the load of the baseline, which was not lowered.
	EscapeByItself EscapeOutcome = "by_itself"
	// EscapeImproving means that it still got better at the load of the baseline, which was not lowered.
	EscapeImproving EscapeOutcome = "improving"
	// EscapeUntold means that it came back later after the lowering than it had been bad before, so that time alone may
	// have done it.
	EscapeUntold EscapeOutcome = "untold"
	// EscapeLess means that it came back at a lower load, and failed again as the load was raised.
	EscapeLess EscapeOutcome = "less"
	EscapeNone EscapeOutcome = "none" // it did not come back even at the lowest load
	EscapeCut  EscapeOutcome = "cut"  // the run was ended first
)

// EscapeOutcomes lists the outcomes of an escape.
func EscapeOutcomes() []EscapeOutcome {
	return []EscapeOutcome{
		EscapeStuck, EscapeByItself, EscapeImproving, EscapeUntold, EscapeLess, EscapeNone, EscapeCut,
	}
}

// An EscapeStep is a span of an escape at one load. Its counts are of the hold by which it is judged.
type EscapeStep struct {
	Start   Num   `json:"start"`   // offset from t0
	End     Num   `json:"end"`     // offset from t0
	Share   Num   `json:"share"`   // of the load of the baseline
	Offered int64 `json:"offered"` // requests of the hold, without those at which brunt failed
	Bad     int64 `json:"bad"`     // those that failed or were slow
	Hold    Num   `json:"hold"`    // length of the hold, seconds
	Whole   bool  `json:"whole"`   // the share of bad requests was within `judge.limit`
}

// An Overload is what `brunt find --hysteresis` sees: the load of a baseline, an overload in place of a fault, and the
// escape from it. The escape begins where the overload ends.
type Overload struct {
	Before EscapeStep `json:"before"`           // the load of the baseline, before the overload
	Push   EscapeStep `json:"push"`             // the overload
	Escape *Escape    `json:"escape"`           // what followed the overload; nil if the run ended in it
	Limits []string   `json:"limits,omitempty"` // where the generator fell short up to the end of the overload
}

// An OverloadAnswer is what an overload shows.
type OverloadAnswer string

// The answers of an overload.
const (
	Hysteresis   OverloadAnswer = "hysteresis"  // the target was stuck
	NoHysteresis OverloadAnswer = "none_seen"   // it came back by itself
	OtherAnswer  OverloadAnswer = "other"       // neither: the escape says more
	BadBefore    OverloadAnswer = "bad_before"  // requests were bad before the overload
	NotOverload  OverloadAnswer = "no_overload" // requests stayed good in the overload
)

// Answer says what the overload shows.
func (o *Overload) Answer() OverloadAnswer {
	switch {
	case !o.Before.Whole:
		return BadBefore
	case o.Push.Whole:
		return NotOverload
	case o.Escape.Outcome == EscapeStuck:
		return Hysteresis
	case o.Escape.Outcome == EscapeByItself:
		return NoHysteresis
	}
	return OtherAnswer
}

// Good returns the good requests a second of a step.
func (s *EscapeStep) Good() float64 { return float64(s.Offered-s.Bad) / float64(s.Hold) }
