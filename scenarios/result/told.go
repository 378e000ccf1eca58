package result

// Told is the answer of a statistical test: yes, no, or untested, which means that the test can't tell. The zero
// value is untested.
//
// A caller handles all three answers: an effect that is not shown is not refuted, and an effect that is not refuted
// is not shown.
type Told struct {
	Answer Answer
	Why    Notes // why it is untested; empty otherwise
}

// Answer is one of the three answers of a [Told].
type Answer uint8

// The answers.
const (
	Untested Answer = iota
	No
	Yes
)

// NotTold returns the answer untested, with its reasons.
func NotTold(why ...Note) Told { return Told{Why: why} }

func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "untested"
}
