package compare

import (
	"math"
	"slices"

	"brunt/scenarios/result"
)

// A Run is a result with a name.
type Run struct {
	Name string // for example its folder
	*result.Result
}

// A Design is the arrangement of the runs of both sides.
type Design string

// The designs.
const (
	Pairs  Design = "pairs"  // interleaved in time: A B B A …
	Groups Design = "groups" // one side, then the other, or at different times
	Past   Design = "past"   // runs now, against a history of single runs
)

// estimate estimates how much worse the runs of b are than those of a, on the scale of changes.
// Floor is the least standard deviation of a run.
func (d Design) estimate(m *metric, a, b []value, floor float64) estimate {
	if d == Past {
		var history []session
		for _, v := range a {
			history = append(history, m.sessionOf([]value{v}))
		}
		return predicted(history, m.sessionOf(b), floor)
	}
	return d.between(m.column(a), m.column(b), floor)
}

// between is the estimate of two sides made at the same time.
func (d Design) between(a, b []float64, floor float64) estimate {
	if d == Pairs {
		changes := make([]float64, len(a))
		for i := range a {
			changes[i] = b[i] - a[i]
		}
		return paired(changes, floor*math.Sqrt2)
	}
	return welch(a, b, floor)
}

// leastRuns is how many runs a side needs: the fewest that show a variance.
const leastRuns = 2

// design detects interleaved pairs: as many runs on each side, and in the order of their start each
// two consecutive runs are one of each side. It sorts base and cand in that order.
func design(base, cand []Run) Design {
	type run struct {
		Run
		cand bool
	}
	var all []run
	for _, r := range base {
		all = append(all, run{r, false})
	}
	for _, r := range cand {
		all = append(all, run{r, true})
	}
	byStart := func(a, b Run) int { return a.Started.Compare(b.Started) }
	slices.SortFunc(base, byStart)
	slices.SortFunc(cand, byStart)
	slices.SortStableFunc(all, func(a, b run) int { return byStart(a.Run, b.Run) })
	if len(base) != len(cand) || len(base) < 2 {
		return Groups
	}
	for i := 0; i < len(all); i += 2 {
		if all[i].cand == all[i+1].cand {
			return Groups
		}
	}
	return Pairs
}
