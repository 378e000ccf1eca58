package play

import (
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
)

// TestTally: what a sweep did is said before what became of the library, with the faults that failed unexpectedly by
// name.
func TestTally(t *testing.T) {
	declared := map[string]string{"store": "hard"}
	ran := func(name string, v scenarios.Verdict, of *drills.Swept) *Attempt {
		a := &Attempt{Name: name, swept: of, fits: true, Result: &result.Result{Verdict: v}}
		a.hard = of != nil && of.AsDeclared(declared)
		return a
	}
	store, api := &drills.Swept{Part: "store", Whole: true}, &drills.Swept{Part: "api", Whole: true}
	pair := ran("a+b", scenarios.Pass, nil)
	pair.Pair = true
	down := ran("slow-store", scenarios.Pass, store)
	down.hard = false
	down.Result.Faults = []result.FaultRecord{{
		Parts: &result.ImpactParts{StepOutage: &result.StepOutage{Step: "pay"}},
	}}
	library := &Attempt{Name: "replica-crash", fits: true, Why: "no role"}
	for _, c := range []struct {
		name     string
		attempts []*Attempt
		want     string
		order    []string
	}{
		{
			"a sweep beside an unbound library",
			[]*Attempt{
				library, ran("hang-api", scenarios.Pass, api), ran("crash-store", scenarios.Fail, store),
				ran("crash-api", scenarios.Fail, api),
				ran("slow-api", scenarios.Invalid, api), pair,
				{Name: "cut-api", swept: api, Why: "the budget is spent"},
				down,
			},
			"The sweep tried 6 of 7 faults, 1 pair of them: 2 held, 1 failed, 1 failed as declared, 2 not known. Failed: " +
				"crash-api. " +
				"1 drill of the library fit, and none was tried.",
			[]string{"crash-api", "slow-api", "slow-store", "hang-api", "crash-store", "a+b", "cut-api", "replica-crash"},
		},
		{
			"the library alone",
			[]*Attempt{library, ran("limit", scenarios.Pass, nil)},
			"1 of 2 that fit passed, 0 failed, 1 not known: between 50% and 100%",
			[]string{"limit", "replica-crash"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n tally
			var order []string
			slices.SortStableFunc(c.attempts, func(a, b *Attempt) int { return a.rank() - b.rank() })
			for _, a := range c.attempts {
				n.add(a)
				order = append(order, a.Name)
			}
			if got := n.String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if !slices.Equal(order, c.order) {
				t.Errorf("order %q, want %q", order, c.order)
			}
		})
	}
}
