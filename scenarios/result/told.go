package result

// Told is the answer of a statistical test: yes, no, or that the test can't tell, and why. The zero value is untested.
//
// A caller compares Answer with all three: what is not shown is not refuted, and the other way round.
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

// NotTold is the answer that a test can't tell.
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
