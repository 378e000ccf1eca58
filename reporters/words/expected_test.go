package words

import (
	"testing"

	"brunt/scenarios/result"
)

func TestFaultExpected(t *testing.T) {
	for _, c := range []struct {
		expect *result.Expectation
		want   string
	}{
		{nil, ""},
		{&result.Expectation{Text: "readers retry once"}, "Expected: readers retry once."},
		{
			&result.Expectation{Text: "readers retry once", Outcome: result.NotImpacted, Came: "no"},
			"Expected otherwise: the load is not harmed; readers retry once.",
		},
		{
			&result.Expectation{Outcome: result.Impacted, Came: "yes"},
			"As expected: the load is harmed, and recovers.",
		},
		{
			&result.Expectation{Outcome: result.NotRecovered, Came: "untested"},
			"Expected, and not certain whether it came: the load does not recover by the end of the run.",
		},
		{&result.Expectation{Outcome: result.NotImpacted}, "Expected: the load is not harmed."}, // the run goes on
	} {
		f := &result.FaultRecord{Name: "f", Impact: result.Impacted, Injected: 1, Expect: c.expect}
		if got := FaultExpected(f); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
