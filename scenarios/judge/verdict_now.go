package judge

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// VerdictsNow returns the verdict that each objective would have if the run ended now, from counts alone. A
// percentile is judged by counts above its target; its value stays unknown, because that needs a distribution.
// Objectives on what people did are judged by their marks.
func VerdictsNow(
	s measure.Second, objectives []slo.Objective, marks map[series.MarkKey]time.Duration,
) []result.RunningVerdict {
	if len(objectives) == 0 {
		return nil
	}
	out := make([]result.RunningVerdict, 0, len(objectives))
	for _, o := range objectives {
		if o.Metric.Row().Needs == slo.NeedsMark {
			out = append(out, markedVerdict(&s, o, marks))
			continue
		}
		out = append(out, runningVerdict(&s, o))
	}
	return out
}

// markedVerdict judges an objective on when people marked a fault. It is pending until the last occurrence so far has
// its mark, unless a mark has come too late. The slowest mark counts.
func markedVerdict(
	r *measure.Second, o slo.Objective, marks map[series.MarkKey]time.Duration,
) result.RunningVerdict {
	out := result.RunningVerdict{
		Asked: o, Text: o.Text, Phase: o.PhaseOrRun(), Verdict: scenarios.Pending, Measured: result.NaN, Left: result.NaN,
	}
	missing := false
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Name == "" || !out.Phase.Includes(f.Phase()) {
			continue
		}
		at, marked := marks[series.MarkKey{Occurrence: i, Kind: result.MarkKind(o.Metric.Name)}]
		took := result.Sec(at - f.Injected)
		switch {
		case !marked:
			missing = true
		case !out.Measured.Known() || took > out.Measured:
			out.Measured, out.Left = took, 1-took/result.Num(o.Value)
		}
	}
	if out.Measured.Known() && (!missing || !o.Holds(float64(out.Measured))) {
		out.Verdict = requests.VerdictIf(requests.Meets(o, float64(out.Measured)))
	}
	return out
}

// CountedPhases lists the phases that objectives are judged in, for [measure.Config].
func CountedPhases(objectives []slo.Objective) []slo.Phase {
	var out []slo.Phase
	for _, o := range objectives {
		if p := o.PhaseOrRun(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// runningVerdict judges one objective. If its phase occurred several times, the worst counts.
func runningVerdict(r *measure.Second, o slo.Objective) result.RunningVerdict {
	worst := result.RunningVerdict{
		Asked: o, Text: o.Text, Phase: o.PhaseOrRun(), Verdict: scenarios.Pending, Measured: result.NaN, Left: result.NaN,
	}
	if o.Metric.OfFault() || o.Metric.AfterLoad() || requests.OfSpans(o.Metric) || o.Relative() {
		return worst
	}
	ask := func(phase int32, span time.Duration) {
		if s := verdictOf(&r.Config, o, r.Totals[phase], span, worst); worst.Verdict == scenarios.Pending ||
			s.Verdict == scenarios.Fail ||
			s.Verdict == worst.Verdict && s.Left < worst.Left {
			worst = s
		}
	}
	switch p := o.PhaseOrRun(); p.Kind {
	case slo.RunPhase:
		ask(measure.PhaseRun, max(0, r.At))
	case slo.BaselinePhase:
		ask(measure.PhaseBaseline, max(0, min(r.At, r.FirstInjection())))
	default:
		for i := range r.Faults {
			if f := &r.Faults[i]; f.Name != "" && p.Includes(f.Phase()) {
				ask(int32(i), max(0, min(r.At, f.Until())-f.Injected))
			}
		}
	}
	return worst
}

// verdictOf judges an objective by the counts of one phase.
func verdictOf(
	c *measure.Config, o slo.Objective, counts []measure.Counts, span time.Duration, as result.RunningVerdict,
) result.RunningVerdict {
	sum := requests.SumOf(&c.Series, o, counts, max(time.Millisecond, span))
	limit := requests.LimitIndex(c.Limits, o)
	n := sum.Population(o.Metric)
	if n == 0 {
		return as
	}
	measured := sum.Measure(o, limit)
	if o.Metric.Percentile() {
		measured = math.NaN() // the value needs a distribution
	}
	as.Measured = result.Num(measured)
	if a := requests.Allowed(o); a < 1 {
		bad, of, _ := sum.Share(o, limit)
		if o.Metric.Percentile() && !o.Upper() {
			bad, a = of-bad, o.Metric.Quantile
		}
		switch {
		case a > 0:
			as.Left = result.Num(1 - float64(bad)/(a*float64(of)))
		case bad == 0:
			as.Left = 1
		default:
			as.Left = result.Num(math.Inf(-1))
		}
	}
	r := requests.Unanswered(as.Phase)
	r.Measured, r.Count = as.Measured, n
	v, _ := requests.Decide(o, sum, limit, &r, false)
	if sum.Cut.N() > 0 { // the end decides
		uncut := *sum
		uncut.Counts = *sum.Uncut(limit)
		r.Measured, r.Count = result.Num(uncut.Measure(o, limit)), uncut.Population(o.Metric)
		if without, _ := requests.Decide(o, &uncut, limit, &r, false); without != v {
			return as
		}
	}
	if v == scenarios.Pass || v == scenarios.Fail {
		as.Verdict = v
	}
	return as
}
