package compare

import (
	"math"

	"brunt/scenarios"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Sequence analyses pairs as they are made, and ends as soon as the answer is clear. Each
// interim analysis spends a part of alpha, by the spending function of O'Brien and Fleming's
// kind (Lan and DeMets, Discrete sequential boundaries for clinical trials, Biometrika 1983):
// little at first, most at the end. The parts add up to alpha, so the probability of a false
// alarm in any analysis is at most alpha, however the analyses depend on each other.
type Sequence struct {
	Max   int     // pairs at most
	Alpha float64 // of all looks together
}

const (
	firstLook = 4 // pairs: fewer have no degrees of freedom to speak of
	lookEvery = 2 // pairs: as many that began with A as with B
)

// Looks tells whether so many pairs are looked at.
func (s Sequence) Looks(pairs int) bool {
	return pairs >= s.Max || pairs >= firstLook && (pairs-firstLook)%lookEvery == 0
}

// At is what the look at so many pairs may spend.
func (s Sequence) At(pairs int) float64 {
	last := 0
	for n := firstLook; n < pairs; n += lookEvery {
		last = n
	}
	return s.spent(pairs) - s.spent(last)
}

// spent is what all looks up to so many pairs have spent.
func (s Sequence) spent(pairs int) float64 {
	if pairs <= 0 {
		return 0
	}
	if pairs >= s.Max {
		return s.Alpha
	}
	z := distuv.UnitNormal.Quantile(1 - s.Alpha/2)
	return 2 * distuv.UnitNormal.Survival(z/math.Sqrt(float64(pairs)/float64(s.Max)))
}

// Look compares the pairs there are. Done is that the answer stands: by this look, or as
// there are no more.
func (s Sequence) Look(base, cand []Run, o Options) (c *Comparison, done bool, err error) {
	o.Alpha = s.At(len(base))
	c, err = Compare(base, cand, o)
	if err != nil {
		return nil, true, err
	}
	c.Alpha = s.Alpha // what the comparison as a whole is held to
	return c, c.Verdict != scenarios.Inconclusive || len(base) >= s.Max, nil
}

// Confirm holds the rows of a regression to fresh pairs: one that they don't show to be
// worse, and by more than its margin, is inconclusive.
func (c *Comparison) Confirm(base, cand []Run, o Options) error {
	o.Metrics, o.Phases, o.Steps = nil, nil, nil
	fresh, err := Compare(base, cand, o)
	if err != nil {
		return err
	}
	shown := map[[4]string]bool{}
	for _, r := range fresh.Rows {
		// Each was asked for by name, so that there is one answer a row: no Holm.
		shown[r.key()] = r.alone < o.Alpha && r.Change > r.Margin || r.Verdict == scenarios.Fail
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Verdict == scenarios.Fail && !shown[r.key()] {
			r.Verdict, r.Note = scenarios.Inconclusive, "fresh pairs do not show it again"
		}
	}
	c.conclude()
	return nil
}

func (r *Row) key() [4]string { return [4]string{r.Phase, r.Load, r.Step, r.Metric} }
