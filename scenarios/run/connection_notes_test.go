package run

import (
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// TestConnectionNotes: a fault that did harm is beside a note on the connections of the loads, also if its recovery was
// not seen.
func TestConnectionNotes(t *testing.T) {
	of := func(name string, age time.Duration) plan.Load {
		return plan.Load{Load: scenarios.Load{
			Name: name, Connections: scenarios.Connections{MaxAge: quantity.Duration(age)},
		}}
	}
	const kept, fresh = "keep their connections open, as ", "open new connections, as "
	for _, c := range []struct {
		name  string
		loads []plan.Load
		fault result.FaultRecord
		want  []string
	}{
		{"kept", []plan.Load{of("main", 0)}, result.FaultRecord{Recover: 6}, []string{kept + `"main"`}},
		{"not recovered", []plan.Load{of("main", time.Second)}, result.FaultRecord{
			Recover: result.NaN, Impact: result.NotRecovered,
		}, []string{fresh + `"main"`}},
		{"both", []plan.Load{of("old", 0), of("new", time.Second), of("web", 0)}, result.FaultRecord{Recover: 6}, []string{
			kept + `"old" and "web"`, fresh + `"new"`,
		}},
		{"no harm", []plan.Load{of("main", 0)}, result.FaultRecord{Impact: result.NotImpacted}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := connectionNotes(c.loads, []result.FaultRecord{c.fault})
			if len(got) != len(c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("%q, want %q in it", got[i], want)
				}
			}
		})
	}
}
