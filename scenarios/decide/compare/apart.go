package compare

import (
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/statistics"
)

// apart estimates how session b differs from session a if all runs of one were made before those of the other. Their
// means differ by between² + within²/runs each, like the sessions of the history (see [predicted]). The estimate
// treats the two sessions as independent. Sessions close in time differ by less, so the bound may be too wide but is
// never too narrow.
func apart(history []session, a, b session, floor float64) estimate {
	pooled, freedom := a.within+b.within, a.runs+b.runs-2
	for _, s := range history {
		pooled += s.within
		freedom += s.runs - 1
	}
	within := floor * floor
	if freedom > 0 {
		within = math.Max(within, pooled/freedom)
	}
	alike := spreadOf(history, math.Min(a.runs, b.runs))
	n := float64(len(alike))
	means, share := make([]float64, len(alike)), 0.0
	for i, s := range alike {
		means[i] = s.mean
		share += 1 / s.runs / n
	}
	spread := 2 * math.Max(statistics.Variance(means), floor*floor*share)
	more := math.Max(0, within*(1/a.runs-share)) + math.Max(0, within*(1/b.runs-share))
	e := estimate{mean: b.mean - a.mean, err: math.Sqrt(spread + more), lasting: math.Sqrt(spread), freedom: n - 1}
	if more > 0 && freedom > 0 {
		e.freedom = (spread + more) * (spread + more) / (spread*spread/(n-1) + more*more/freedom)
	}
	return e
}

// takeHistory compares runs that were made one side after the other by the run-to-run variance of a history. A
// history of less than [LeastHistory] records does not show that variance. The compared runs themselves are left out
// of it.
func (c *Comparison) takeHistory(records []*Record, all []Run) {
	seen := map[string]bool{}
	for _, r := range all {
		seen[r.Run] = true
	}
	for _, r := range Measure(records) {
		if !seen[r.Run] {
			c.past = append(c.past, r.values())
		}
	}
	c.past = c.past[max(0, len(c.past)-mostHistory):]
	if len(c.past) >= LeastHistory {
		c.Design = Sessions
	}
}

// sessions returns the values of a metric at a place in the history, one for each record. It makes the row
// inconclusive if there are too few.
func (t *test) sessions(p place, past []values) []session {
	vs, _ := column(past, p, t.metric.Name)
	var out []session
	for _, v := range vs {
		if !t.metric.endless(v) {
			out = append(out, t.metric.sessionOf([]value{v}))
		}
	}
	if len(out) < len(vs) || len(out) < LeastHistory {
		t.void, t.Verdict = true, scenarios.Inconclusive
		t.Note = fmt.Sprintf("%d of %d records of the history have a finite value of it, and %d are needed", len(out),
			len(past), LeastHistory)
		if len(out) >= LeastHistory {
			t.Note = fmt.Sprintf("%d of %d records of the history have no finite value of it", len(vs)-len(out), len(past))
		}
		return nil
	}
	return out
}

// testApart tests a metric of two sides that were run one before the other, by the variance of a history.
func (c *Comparison) testApart(t *test, p place, a, b []value) *test {
	before, now := t.metric.sessionOf(a), t.metric.sessionOf(b)
	t.Base, t.Cand = t.metric.shown(before.mean, a), t.metric.shown(now.mean, b)
	t.Change = result.Num(t.metric.worse(now.mean - before.mean))
	if history := t.sessions(p, c.past); history != nil {
		t.est = apart(history, before, now, t.metric.floor(a, b))
	}
	return t
}
