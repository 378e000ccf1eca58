package script

import (
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/template"
)

// TestSet_Checks: names of checks may quote secrets, which are masked; a name has one number.
func TestSet_Checks(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	set := &Set{
		host:   &Host{Plan: &plan.Plan{Scenario: &scenarios.Scenario{Secrets: &secrets}}},
		causes: scenarios.Causes{Checks: []string{"of the plan"}},
	}
	for range 2 {
		if n := set.check("sesame-sesame is right"); n != 1 {
			t.Errorf("number %d", n)
		}
	}
	if got := set.Causes().Checks; !slices.Equal(got, []string{"of the plan", "*** is right"}) {
		t.Errorf("%q", got)
	}
}
