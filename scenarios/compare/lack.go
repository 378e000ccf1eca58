package compare

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// row compares the runs that have a metric at a place, where enough of them do. Where too few do,
// and the base runs mostly do, the row can't be told: what there was and is no more is nothing to pass over.
// What the base runs mostly have not either, such as a rare step, is left out, and it is said. There is no row
// of what nobody has, nor of a percentile that the requests of a run are too few for.
func (c *Comparison) row(p place, m *Metric, base, cand []values, margin float64) *test {
	a, ofA := column(base, p, m.Name)
	b, ofB := column(cand, p, m.Name)
	if len(a)+len(b) == 0 || !m.rests(a, b) {
		return nil
	}
	nA, nB := len(a), len(b)
	if c.Design == Pairs { // only those of which both have it
		a, b = nil, nil
		for _, i := range ofA {
			if slices.Contains(ofB, i) {
				a, b = append(a, base[i][p][m.Name]), append(b, cand[i][p][m.Name])
			}
		}
	}
	a = c.sinceBetter(p, m, base, a)
	leastA, leastB := max(leastRuns, len(base)/2+1), max(leastRuns, len(cand)/2+1)
	if c.Design == Past {
		leastA, leastB = min(LeastHistory, len(base)), 1
	}
	if len(a) >= leastA && len(b) >= leastB {
		return c.test(p, m, a, b, margin)
	}
	t := c.blank(p, m, margin)
	t.void, t.lacks, t.Verdict = true, true, scenarios.Inconclusive
	t.Note = fmt.Sprintf("%d of %d base runs and %d of %d candidate runs have it", nA, len(base), nB, len(cand))
	if (nA >= leastA || 2*nA > len(base)) && !comesAndGoes(p, m) {
		return t
	}
	c.Left = append(c.Left, t.where()+": "+t.Note)
	return nil
}

// comesAndGoes tells of what a run may lack with nothing amiss: the phase of a recovery that took no time,
// and CPU time of less than a tick.
func comesAndGoes(p place, m *Metric) bool {
	return strings.HasPrefix(p.phase, scenarios.RecoveryOf) || m.Name == "cpu"
}

// blank is a row of which nothing is known yet.
func (c *Comparison) blank(p place, m *Metric, margin float64) *test {
	return &test{metric: m, limit: m.limit(margin), Row: Row{
		Phase: p.phase, Load: p.load, Step: p.step, Metric: m.Name, Margin: result.Num(margin),
		Base: result.NaN, Cand: result.NaN, Change: result.NaN, Low: result.NaN, High: result.NaN, P: result.NaN, Smallest: result.NaN,
		past: c.Design == Past,
	}}
}
