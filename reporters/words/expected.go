package words

import (
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// expectations are the outcomes that an author can expect of a fault, in words.
var expectations = map[result.Impact]string{
	result.NotImpacted:  "the load is not harmed",
	result.Impacted:     "the load is harmed, and recovers",
	result.NotRecovered: "the load does not recover by the end of the run",
}

// FaultExpected says what the author expected of a fault, and whether it came. It is empty if the scenario states no
// expectation.
func FaultExpected(f *result.FaultRecord) string {
	e := f.Expect
	if e == nil {
		return ""
	}
	s, text := expectations[e.Outcome], Clean(e.Text)
	switch {
	case s == "":
		s = text
	case text != "":
		s += "; " + text
	}
	head := "Expected: "
	switch e.Came {
	case result.Yes.String():
		head = "As expected: "
	case result.No.String():
		head = "Expected otherwise: "
	case result.Untested.String():
		head = "Expected, and not certain whether it came: "
	}
	return syntax.Sentence(head + s)
}
