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
	Groups Design = "groups" // several turns of each side, each of one run or more
	Past   Design = "past"   // new runs, against a history of single runs
	// Blocks of one load that was switched between both sides.
	Switched Design = "switchback"
	// Sessions of the two sides, one made before the other, and a history that shows how much sessions differ.
	Sessions Design = "sessions"
	// The runs of one side were all made before those of the other, so a change of the machine looks like a change of
	// the target. No row has a verdict.
	Uncontrolled Design = "uncontrolled"
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

// between estimates the difference of two sides that were made at the same time.
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

// leastRuns is the least number of runs per side: with fewer there is no variance.
const leastRuns = 2

// design detects the arrangement of runs by their start times, and sorts base and cand by them. The design is Pairs
// if both sides have the same number of runs, and each two consecutive runs are one of each side. Otherwise
// consecutive runs of one side form a turn; turns has the number of the turn of each run, for base and for cand. A
// side with a single turn does not show how much turns differ.
func design(base, cand []Run) (d Design, turns [2][]int) {
	type run struct {
		Run
		side int
	}
	var all []run
	for side, runs := range [][]Run{base, cand} {
		for _, r := range runs {
			all = append(all, run{r, side})
		}
	}
	byStart := func(a, b Run) int { return a.Started.Compare(b.Started) }
	slices.SortStableFunc(base, byStart)
	slices.SortStableFunc(cand, byStart)
	slices.SortStableFunc(all, func(a, b run) int { return byStart(a.Run, b.Run) })
	var number [2]int // of turns
	for i, r := range all {
		if i == 0 || all[i-1].side != r.side {
			number[r.side]++
		}
		turns[r.side] = append(turns[r.side], number[r.side]-1)
	}
	switch {
	case interleaved(len(all), func(i int) int { return all[i].side }):
		return Pairs, turns
	case number[0] >= leastRuns && number[1] >= leastRuns:
		return Groups, turns
	}
	return Uncontrolled, turns
}

// interleaved reports whether n runs consist of consecutive pairs with one run of each side.
func interleaved(n int, side func(i int) int) bool {
	if n%2 != 0 || n < 4 {
		return false
	}
	for i := 0; i < n; i += 2 {
		if side(i) == side(i+1) {
			return false
		}
	}
	return true
}

// inTurns combines the values of each turn into one. Runs of a turn share the state of the machine, so the turn is
// the unit of evidence. When turns were compared run by run, identical sides raised false alarms in 9 to 60 % of
// simulated comparisons. Of has the indexes of the runs that have a value.
func (m *metric) inTurns(vs []value, of, turns []int) []value {
	var out []value
	for i := 0; i < len(vs); {
		j := i + 1
		for j < len(vs) && turns[of[j]] == turns[of[i]] {
			j++
		}
		out = append(out, m.meanOf(vs[i:j]))
		i = j
	}
	return out
}

// meanOf returns the mean of several values. It has no finite value if one of them has none.
func (m *metric) meanOf(vs []value) value {
	if len(vs) == 1 {
		return vs[0]
	}
	s := m.sessionOf(vs)
	mean := value{x: m.value(s.mean), runs: int(s.runs), zero: allZero(vs)}
	endless := 0
	for _, v := range vs {
		mean.n, mean.k, mean.s = mean.n+v.n, mean.k+v.k, max(mean.s, v.s)
		if m.endless(v) {
			endless++
		}
	}
	if mean.mixed = endless > 0 && endless < len(vs); math.IsNaN(mean.x) { // of zero and infinite
		mean.x = math.Inf(1)
	}
	return mean
}
