package slo_test

import (
	"strings"
	"testing"

	"brunt/scenarios/slo"
)

// TestParseObjective_Share: a share that can't be asked gets an error that says how to mend it.
func TestParseObjective_Share(t *testing.T) {
	for text, want := range map[string]string{
		"recover < 5s for 0% after lose":                       "name the share of occurrences",
		"recover < 5s for 100% after lose":                     "for 95% (59) or for 90% (29)",
		"recover < 5s for 90 after lose":                       "a share needs its sign: 90%",
		"recover < 5s for 0.9 after lose":                      "0.9% or 90%",
		"recover < 5s for 30s after lose":                      "a share of the occurrences of a fault, such as for 90%",
		"recover < 5s for many after lose":                     "want a share such as 1%",
		"errors < 1% for 90%":                                  "a duration, such as for 5s",
		"recover.p90 < 5s for 90% after lose":                  "leave one out",
		"recover < 5s for 90% after lose#2":                    "`after lose` names all",
		"recover < 5s for 90% after incident":                  "not after incident",
		"failed > 5 for 90% after lose":                        "wants an upper bound",
		"reach(posts.units >= 2) < 5s for 90% after main.hold": "a stage of a load, which comes once",
		"recover < 5s for 90%":                                 "is measured from a fault",
	} {
		if _, err := slo.ParseObjective(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
