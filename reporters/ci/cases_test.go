package ci_test

import (
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/scenarios"
)

// TestWriteCases: a run that failed is a failure, one that shows nothing an error, and one that was not run is skipped.
func TestWriteCases(t *testing.T) {
	var out strings.Builder
	err := ci.WriteCases(&out, "drills", []ci.Case{
		{Name: "a", Verdict: scenarios.Pass, Seconds: 2},
		{Name: "b", Verdict: scenarios.Fail, Text: "<it> failed", Seconds: 1},
		{Name: "c", Verdict: scenarios.Invalid},
		{Name: "d", Text: "no zones"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`tests="4" failures="1" errors="1" skipped="1" time="3.000"`, `<failure message="&lt;it&gt; failed" type="fail">`,
		`<skipped message="no zones"`,
		`name="c" time="0.000">`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing:\n%s", want, out.String())
		}
	}
}
