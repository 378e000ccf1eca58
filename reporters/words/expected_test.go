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
			"Expected: the load is not harmed; readers retry once. It came otherwise.",
		},
		{
			&result.Expectation{Outcome: result.Impacted, Came: "yes"},
			"Expected: the load is harmed, and recovers. It came as expected.",
		},
		{
			&result.Expectation{Outcome: result.NotRecovered, Came: "untested"},
			"Expected: the load does not recover by the end of the run. The run can't tell whether it came.",
		},
		{&result.Expectation{Outcome: result.NotImpacted}, "Expected: the load is not harmed."}, // the run goes on
	} {
		f := &result.FaultRecord{Name: "f", Impact: result.Impacted, Injected: 1, Expect: c.expect}
		if got := FaultExpected(f); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
