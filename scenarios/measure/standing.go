package measure

import (
	"math"
	"time"

	"brunt/scenarios"
)

// standing counts what the requests of closed windows came to, by phase and series:
// enough to tell how objectives stand, without their distributions.
type standing map[int32][]Sum

func (s standing) add(phase int32, series, n int, c *Sum) {
	if s[phase] == nil {
		s[phase] = make([]Sum, n)
	}
	s[phase][series].merge(c)
}

// stands tells how each objective would be answered if the run ended now, by counts
// alone. Folding and mu are held.
func (r *Recorder) stands(now time.Duration) []scenarios.Standing {
	if len(r.cfg.SLO) == 0 {
		return nil
	}
	open := standing{}
	for _, w := range r.windows.open {
		w.each(func(k key, c *cell) {
			r.phasesOf(k, func(p int32) { open.add(p, int(k.series), r.windows.series, c.counts()) })
		})
	}
	out := make([]scenarios.Standing, 0, len(r.cfg.SLO))
	for _, o := range r.cfg.SLO {
		out = append(out, r.stand(o, open, now))
	}
	return out
}

// stand answers one objective. Of several occurrences of its phase the worst counts.
func (r *Recorder) stand(o scenarios.Objective, open standing, now time.Duration) scenarios.Standing {
	worst := scenarios.Standing{Text: o.Text, Phase: o.PhaseOrRun(), Verdict: scenarios.Pending, Measured: scenarios.NaN, Left: scenarios.NaN}
	if o.Metric.OfFault() || o.Metric.OfLedger() || ofSpans(o.Metric) {
		return worst
	}
	ask := func(phase int32, span time.Duration) {
		sums := make([]Sum, r.windows.series)
		for _, in := range []standing{r.closed, open} {
			for i := range in[phase] {
				sums[i].merge(&in[phase][i])
			}
		}
		if s := r.cfg.stand(o, sums, span, worst); worst.Verdict == scenarios.Pending || s.Verdict == scenarios.Fail ||
			s.Verdict == worst.Verdict && s.Left < worst.Left {
			worst = s
		}
	}
	switch p := o.PhaseOrRun(); p {
	case "run":
		ask(ofRun, max(0, now))
	case "baseline":
		ask(ofBaseline, max(0, min(now, r.firstInjection())))
	default:
		for i := range r.faults {
			if f := &r.faults[i]; f.Name != "" && (f.Name == p || f.Fault == p) {
				ask(int32(i), max(0, min(now, f.until())-f.Injected))
			}
		}
	}
	return worst
}

// stand answers an objective by what was counted in one phase.
func (c *Config) stand(o scenarios.Objective, sums []Sum, span time.Duration, as scenarios.Standing) scenarios.Standing {
	sum := c.sum(o, sums, max(time.Millisecond, span))
	limit := limitIndex(c.Limits, o)
	n := sum.population(o.Metric)
	if n == 0 {
		return as
	}
	measured := sum.measure(o, limit)
	if o.Metric.Name == "p" {
		measured = math.NaN() // its distribution is not at hand
	}
	as.Measured = scenarios.Num(measured)
	if a := allowed(o); a < 1 && o.Metric.Name != "burn" {
		bad, of, _ := sum.share(o, limit)
		if o.Metric.Name == "p" && !o.Upper() {
			bad, a = of-bad, o.Metric.Quantile
		}
		switch {
		case a > 0:
			as.Left = scenarios.Num(1 - float64(bad)/(a*float64(of)))
		case bad == 0:
			as.Left = 1
		default:
			as.Left = scenarios.Num(math.Inf(-1))
		}
	}
	met := sum.holds(o, limit)
	if need, ok := Need(o); ok && n < need && (met || !beyondDoubt(o, sum, limit)) {
		return as
	}
	as.Verdict = scenarios.Fail
	if met {
		as.Verdict = scenarios.Pass
	}
	return as
}
