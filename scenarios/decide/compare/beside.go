package compare

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Beside compares one run with earlier ones, for a report. It also compares runs that differ in more than their
// measurements, and lists the differences.
//
// One run or a few runs are not a control, because results vary from day to day. From [LeastHistory] earlier runs on,
// rows have a verdict, by the prediction bound that gates use. With two to seven runs they have bounds. With one run
// they have only the change.
func Beside(base []Run, cand Run, o Options) (*result.Comparison, error) {
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	c := &Comparison{Design: Past, Alpha: o.Alpha}
	out := &result.Comparison{Verdict: scenarios.Inconclusive, Alpha: result.Num(o.Alpha), Rows: []result.Change{}}
	var of []values
	for _, r := range base {
		out.Base = append(out.Base, r.Name)
		of = append(of, o.table().values(r.Result, beyond))
	}
	now := []values{o.table().values(cand.Result, beyond)}
	for _, m := range mismatches(append(slices.Clone(base), cand)) {
		out.Mismatches = append(out.Mismatches, m.Text)
	}
	tests := c.tests(places(cand.Result, append(slices.Clone(now), of...)), of, now, o)
	if len(tests) == 0 {
		return nil, fmt.Errorf("%w: they share no metric with enough requests", errUnfit)
	}
	if len(base) >= leastRuns {
		c.judge(tests)
	}
	n := len(base)
	worse, worst := 0, -1
	for i, t := range tests {
		row := result.Change{
			Phase: t.Phase, Load: t.Load, Step: t.Step, Metric: t.Metric, Base: t.Base, This: t.Cand, Worse: t.Change,
			Low: t.Low, High: t.High, Margin: t.Margin,
			Verdict: t.Verdict, Note: t.Note, Unit: result.UnitOf(t.metric.Unit), OfUnit: t.metric.ofUnit,
		}
		if n < LeastHistory {
			row.Verdict = scenarios.Inconclusive
		}
		out.Rows = append(out.Rows, row)
		if t.void || !t.Change.Known() || t.est.mean <= t.limit {
			continue
		}
		worse++
		if worst < 0 || t.est.mean/t.limit > tests[worst].est.mean/tests[worst].limit {
			worst = i
		}
	}
	switch {
	case n >= LeastHistory:
		out.Verdict, out.Reason = c.Verdict, syntax.Sentence(c.Reason)
	case worst < 0:
		out.Reason = fmt.Sprintf("None of %s is worse than the baseline by more than its margin.",
			syntax.Amount(len(tests), "figure"))
	default:
		t := tests[worst]
		out.Reason = fmt.Sprintf("%d of %s worse than the baseline by more than the margin, most of all %s by %s.", worse,
			verb(len(tests)), t.where(), t.share(t.Change))
	}
	out.Caution = caution(n)
	return out, nil
}

func verb(n int) string {
	if n == 1 {
		return "1 figure is"
	}
	return fmt.Sprintf("%d figures are", n)
}

// caution describes the limits of a comparison with n earlier runs.
func caution(n int) string {
	switch {
	case n == 1:
		return "One earlier run is not a control: results vary from day to day, and one run does not show how much. In " +
			"simulations " +
			"without any change, one in five baselines from another day made something look worse. Run both sides with " +
			"`brunt compare` " +
			"or `brunt ab`, or keep a history with `brunt gate`."
	case n < LeastHistory:
		return fmt.Sprintf("%d earlier runs are few: the bounds are wide, and a verdict needs at least %d. Run both sides "+
			"with "+
			"`brunt compare` or `brunt ab`, or keep a history with `brunt gate`.", n, LeastHistory)
	}
	return ""
}
