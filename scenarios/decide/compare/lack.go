package compare

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// row compares the runs that have a metric at a place, if there are enough of them. If there are not, but most base
// runs have the metric, the row is inconclusive, because a value that disappeared must not be ignored. A metric that
// most base runs lack too, such as the metric of a rare step, is left out and listed. There is no row for a metric
// that no run has, or for a percentile with too few requests.
func (c *Comparison) row(p place, m *metric, base, cand []values, margin float64) *test {
	a, ofA := column(base, p, m.Name)
	b, ofB := column(cand, p, m.Name)
	if len(a)+len(b) == 0 || !m.rests(c.options.beyond(), a, b) {
		return nil
	}
	nA, nB := len(a), len(b)
	if c.Design == Pairs { // only pairs in which both runs have it
		a, b = nil, nil
		for _, i := range ofA {
			if slices.Contains(ofB, i) {
				a, b = append(a, base[i][p][m.Name]), append(b, cand[i][p][m.Name])
			}
		}
	}
	a = c.sinceBetter(p, m, base, a)
	lowered := noLonger(a, b)
	leastA, leastB := max(leastRuns, len(base)/2+1), max(leastRuns, len(cand)/2+1)
	if c.Design == Past {
		leastA, leastB = min(LeastHistory, len(base)), 1
	}
	enough := len(a) >= leastA && len(b) >= leastB
	if enough && c.Design == Groups {
		a, b = m.inTurns(a, ofA, c.turns[0]), m.inTurns(b, ofB, c.turns[1])
		enough = len(a) >= leastRuns && len(b) >= leastRuns
	}
	if enough {
		t := c.test(p, m, a, b, margin)
		if lowered && !t.void && allZero(a) && !slices.ContainsFunc(b, func(v value) bool { return v.zero }) {
			t.void, t.Verdict = true, scenarios.Inconclusive
			t.Note = "from " + t.value(0) + " to " + t.value(t.Cand)
			t.Change = result.NaN
		}
		return t
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

// comesAndGoes reports whether a run may lack a metric without a problem. In the phase of a recovery it may lack any,
// since a recovery may take no time.
func comesAndGoes(p place, m *metric) bool {
	return p.phase.Kind == slo.RecoveryPhase || m.mayLack
}

// blank returns a row without data.
func (c *Comparison) blank(p place, m *metric, margin float64) *test {
	d := c.Design
	if c.options.switched {
		d = Switched
	}
	return &test{limit: m.limit(margin), Row: Row{
		metric: m,
		Phase:  p.phase, Load: p.load, Step: p.step, Metric: m.Name, Margin: result.Num(margin),
		Base: result.NaN, Cand: result.NaN, Change: result.NaN, Low: result.NaN, High: result.NaN, P: result.NaN,
		Smallest: result.NaN,
		design:   d,
	}}
}
