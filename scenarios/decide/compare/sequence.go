package compare

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/statistics"

	"gonum.org/v1/gonum/mathext"
)

// A Sequence analyses pairs as they are made, and ends as soon as the answer is clear. Each interim analysis spends a
// part of alpha, by a spending function like that of O'Brien and Fleming (Lan and DeMets, Discrete sequential
// boundaries for clinical trials, Biometrika 1983): little at first, most at the end. The parts add up to alpha, so
// the probability of a false alarm in any analysis is at most alpha, however the analyses depend on each other.
type Sequence struct {
	Max   int     // largest number of pairs
	Alpha float64 // of all analyses together
}

const (
	firstLook = 4 // pairs: fewer have too few degrees of freedom
	lookEvery = 2 // pairs, so that as many begin with A as with B
)

// Looks reports whether an interim analysis is due after a number of pairs.
func (s Sequence) Looks(pairs int) bool {
	return pairs >= s.Max || pairs >= firstLook && (pairs-firstLook)%lookEvery == 0
}

// At returns the alpha that the analysis after a number of pairs may spend.
func (s Sequence) At(pairs int) float64 {
	last := 0
	for n := firstLook; n < pairs; n += lookEvery {
		last = n
	}
	return s.spent(pairs) - s.spent(last)
}

// spent returns the alpha that all analyses up to a number of pairs spend.
func (s Sequence) spent(pairs int) float64 {
	if pairs <= 0 {
		return 0
	}
	if pairs >= s.Max {
		return s.Alpha
	}
	z := mathext.NormalQuantile(1 - s.Alpha/2)
	return 2 * statistics.NormalSurvival(z/math.Sqrt(float64(pairs)/float64(s.Max)))
}

// Look compares the pairs so far. Done reports that the answer is final: because the analysis is conclusive, or
// because no more pairs follow.
func (s Sequence) Look(base, cand []Run, o Options) (c *Comparison, done bool, err error) {
	o.Alpha = s.At(len(base))
	c, err = Compare(base, cand, o)
	if err != nil {
		return nil, true, err
	}
	c.Alpha = s.Alpha // of the comparison as a whole
	return c, c.Verdict != scenarios.Inconclusive || len(base) >= s.Max, nil
}

// Confirm tests the failed rows with fresh pairs. A row becomes inconclusive unless the fresh pairs show that it is
// worse, and by more than its margin.
func (c *Comparison) Confirm(base, cand []Run, o Options) error {
	o.Metrics, o.Phases, o.Steps = nil, nil, nil
	fresh, err := Compare(base, cand, o)
	if err != nil {
		return err
	}
	shown := map[[4]string]bool{}
	for _, r := range fresh.Rows {
		// The rows were chosen before, so each is tested once, without Holm's procedure.
		shown[r.key()] = r.alone < o.Alpha && r.Change > r.Margin || r.Verdict == scenarios.Fail
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Verdict == scenarios.Fail && !shown[r.key()] {
			r.Verdict, r.Note = scenarios.Inconclusive, "new pairs do not show it again"
		}
	}
	c.conclude()
	return nil
}

func (r *Row) key() [4]string { return [4]string{r.Phase.String(), r.Load, r.Step, r.Metric} }
