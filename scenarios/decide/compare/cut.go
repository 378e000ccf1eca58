package compare

import (
	"fmt"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// Requests that brunt cut off at the end of a run count as bad, although it is unknown whether they would have been
// answered. So a value lies between two ends: as measured, and without them. A row fails only if it fails whatever
// became of those of the candidate, and passes only if it passes whatever became of those of the base.

// uncut returns the value without the requests that brunt cut off.
func (v value) uncut() value {
	if v.cut > 0 {
		v.x, v.n, v.k, v.cut = v.rest, max(0, v.n-v.cut), max(0, v.k-v.cut), 0
	}
	return v
}

// withoutCut returns the values of a metric at a place without the requests that brunt cut off, and how many runs have
// such requests.
func withoutCut(runs []values, p place, metric string) (out []values, cut int) {
	for _, r := range runs {
		v, has := r[p][metric]
		if v.cut > 0 {
			cut++
		}
		if r = (values{}); has {
			r[p] = map[string]value{metric: v.uncut()}
		}
		out = append(out, r)
	}
	return out, cut
}

// compareUncut compares a row again without the requests that brunt cut off, on either side.
func (c *Comparison) compareUncut(t *test, p place, base, cand []values) {
	restA, cutA := withoutCut(base, p, t.Metric)
	restB, cutB := withoutCut(cand, p, t.Metric)
	t.cut = [2]int{cutA, cutB}
	again := *c
	again.Left, again.Moved = nil, nil // the row itself has listed them
	if cutA > 0 {
		t.otherBase = again.row(p, t.metric, restA, cand, float64(t.Margin))
	}
	if cutB > 0 {
		t.otherCand = again.row(p, t.metric, base, restB, float64(t.Margin))
	}
}

// doubtCut makes a verdict undecided that rests on requests which brunt cut off. Share is the level of this row.
func (t *test) doubtCut(alpha, share float64) {
	var other *test
	switch t.Verdict {
	case scenarios.Fail:
		other = t.otherCand
	case scenarios.Pass:
		other = t.otherBase
	default:
		if t.cut == [2]int{} || t.lacks || t.Change.Known() { // it is undecided for another reason
			return
		}
	}
	if other != nil {
		if !other.void || other.chance > 0 {
			other.settle(alpha, share, min(1, other.p()*alpha/share))
		}
		if other.Verdict == t.Verdict {
			return
		}
		t.Verdict, t.Low, t.High, t.Enough = scenarios.Inconclusive, result.NaN, result.NaN, 0
	}
	if t.Verdict == scenarios.Inconclusive {
		t.Note = fmt.Sprintf("brunt cut off requests at the end of %d base runs and %d candidate runs, and whether they "+
			"would have been answered is unknown: set `grace`, or `gracefulStop` of a script, to the timeout",
			t.cut[0], t.cut[1])
	}
}
