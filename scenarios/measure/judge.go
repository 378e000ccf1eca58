package measure

import (
	"fmt"
	"math"
	"strings"
	"time"

	"brunt/scenarios"
)

// judge answers every objective.
func (f *finisher) judge(ps []phase, sums [][]cell) {
	for _, o := range f.c.SLO {
		var r scenarios.ObjectiveResult
		if o.Metric.OfFault() {
			r = f.judgeFault(o)
		} else {
			r = f.judgePhases(o, ps, sums)
		}
		r.ID, r.Text, r.Metric, r.Op, r.Target = o.ID, o.Text, o.Metric.Text, o.Op, scenarios.Num(o.Value)
		f.out.Objectives = append(f.out.Objectives, r)
	}
}

// severity orders verdicts, so that the worst occurrence of a fault counts.
var severity = map[scenarios.Verdict]int{scenarios.Pass: 0, scenarios.Inconclusive: 1, scenarios.Invalid: 2, scenarios.Fail: 3}

// judgePhases answers an objective in its phase; where a fault came several times,
// in the worst of them.
func (f *finisher) judgePhases(o scenarios.Objective, ps []phase, sums [][]cell) scenarios.ObjectiveResult {
	worst := scenarios.ObjectiveResult{Phase: o.PhaseOrRun(), Measured: scenarios.NaN, Low: scenarios.NaN, High: scenarios.NaN, Verdict: scenarios.Inconclusive}
	worst.Note = "the phase did not take place"
	found := false
	for i, p := range ps {
		if !inPhase(o, p.name) {
			continue
		}
		r := f.judgeIn(o, p, i, sums[i])
		if !found || severity[r.Verdict] > severity[worst.Verdict] || severity[r.Verdict] == severity[worst.Verdict] && farther(o, r.Measured, worst.Measured) {
			worst, found = r, true
		}
	}
	return worst
}

// farther tells whether a lies farther on the wrong side than b.
func farther(o scenarios.Objective, a, b scenarios.Num) bool {
	if o.Upper() {
		return a > b
	}
	return a < b
}

func (f *finisher) judgeIn(o scenarios.Objective, p phase, i int, cells []cell) scenarios.ObjectiveResult {
	sum := &Sum{}
	for s := range cells {
		if f.cfg.selects(o, s) {
			sum.merge(cells[s].asSum())
		}
		if l := s - len(f.cfg.Steps); l >= 0 && (o.Load == "" || f.cfg.Loads[l].Name == o.Load) {
			sum.Iterations += cells[s].offered()
			sum.Span = max(sum.Span, p.overlap(f.c.Loads[l]))
		}
	}
	limit := limitIndex(f.cfg.Limits, o)
	r := scenarios.ObjectiveResult{Phase: p.name, Low: scenarios.NaN, High: scenarios.NaN}
	switch o.Metric.Name {
	case "burn":
		r.Measured, r.Count = f.burn(o, p.Span)
	case "slices":
		r.Measured, r.Count = f.timeslices(o, p.Span)
	default:
		r.Measured, r.Count = scenarios.Num(sum.measure(o, limit)), sum.population(o.Metric)
	}
	r.Infinite = math.IsInf(float64(r.Measured), 1)
	if r.Count == 0 && o.Metric.Name != "rate" && o.Metric.Name != "timeouts" || math.IsNaN(float64(r.Measured)) {
		r.Verdict, r.Note = scenarios.Inconclusive, "no request in "+p.name
		return r
	}
	for _, b := range f.blocks {
		if b.phase == i && b.o.ID == o.ID {
			low, high := b.interval(f.c.Seed)
			r.Low, r.High = scenarios.Num(low), scenarios.Num(high)
		}
	}
	r.Verdict, r.Note = f.verdict(o, sum, limit, r)
	return r
}

// verdict decides an objective whose value is measured.
func (f *finisher) verdict(o scenarios.Objective, sum *Sum, limit int, r scenarios.ObjectiveResult) (scenarios.Verdict, string) {
	met := o.Holds(float64(r.Measured))
	if o.Metric.Name == "p" {
		met = sum.holds(o, limit)
	}
	if need, ok := Need(o); ok && r.Count < need {
		bad, n, _ := sum.share(o, limit)
		if !met && lowerBound(float64(bad), float64(n), confidence) > allowed(o) {
			return scenarios.Fail, fmt.Sprintf("only %d requests, but too many of them failed it", r.Count)
		}
		return scenarios.Inconclusive, fmt.Sprintf("%d requests, and %d are needed to show it", r.Count, need)
	}
	if f.c.Strict && r.Low.Known() && (o.Holds(float64(r.Low)) != o.Holds(float64(r.High)) || !r.High.Known() && met) {
		return scenarios.Inconclusive, "strict: the interval straddles the target"
	}
	if met {
		return scenarios.Pass, ""
	}
	return scenarios.Fail, ""
}

// allowed is the share of requests that an objective lets be bad; 1 where that has
// no meaning.
func allowed(o scenarios.Objective) float64 {
	switch o.Metric.Name {
	case "p":
		return 1 - o.Metric.Quantile
	case "errors", "shed":
		if o.Upper() {
			return o.Value
		}
	case "availability", "checks", "within":
		if !o.Upper() {
			return 1 - o.Value
		}
	}
	return 1
}

// Need is the number of requests without which an objective is never met; ok is
// false where there is no such number.
func Need(o scenarios.Objective) (n int64, ok bool) {
	if o.Metric.Name == "p" {
		return EnoughForQuantile(o.Metric.Quantile), true
	}
	a := allowed(o)
	switch {
	case a >= 1:
		return 0, false
	case a <= 0: // not one: then one seen is one too many, and all seen are what there is
		return 1, true
	}
	return EnoughFor(a), true
}

// burn is the largest rate at which a span of the phase used up the error budget:
// the share of bad requests over one minus the objective. 1 uses it up exactly.
func (f *finisher) burn(o scenarios.Objective, p Span) (scenarios.Num, int64) {
	var all []Slice
	for _, s := range f.slices(unlimited(o)) {
		if s.Start >= p.From && s.Start < p.To {
			all = append(all, s)
		}
	}
	worst, count := math.NaN(), int64(0)
	var n, bad int64
	from := 0
	for i, s := range all {
		n += s.N
		bad += s.Bad
		count += s.N
		for s.End-all[from].Start > o.Metric.Span {
			n -= all[from].N
			bad -= all[from].Bad
			from++
		}
		full := s.End-all[from].Start > o.Metric.Span-time.Second || i == len(all)-1
		if full && n > 0 {
			if b := float64(bad) / float64(n) / (1 - o.Metric.Share); !(b <= worst) {
				worst = b
			}
		}
	}
	return scenarios.Num(worst), count
}

// unlimited is o without the span that its metric names, which is no limit of a
// request.
func unlimited(o scenarios.Objective) scenarios.Objective {
	o.Metric.Span = 0
	return o
}

// timeslices is the share of slices of the phase in which enough requests were
// good. A slice in which nothing ended while requests were under way is not good,
// even where nothing was offered in it.
func (f *finisher) timeslices(o scenarios.Objective, p Span) (scenarios.Num, int64) {
	type slice struct {
		n, good, ended, flight int64
	}
	sums := map[time.Duration]*slice{}
	var order []*slice
	for _, s := range f.slices(unlimited(o)) {
		if s.Start < p.From || s.Start >= p.To {
			continue
		}
		i := (s.Start - p.From) / o.Metric.Span
		if sums[i] == nil {
			sums[i] = &slice{}
			order = append(order, sums[i])
		}
		t := sums[i]
		t.n += s.N
		t.good += s.Good
		t.ended += s.Ended
		t.flight = max(t.flight, s.InFlight)
	}
	var all, met int64
	for _, t := range order {
		stalled := t.ended == 0 && t.flight > 0
		switch {
		case t.n == 0 && !stalled:
		case !stalled && float64(t.good) >= o.Metric.Share*float64(t.n):
			met++
			all++
		default:
			all++
		}
	}
	if all == 0 {
		return scenarios.NaN, 0
	}
	return scenarios.Num(float64(met) / float64(all)), all
}

// judgeFault answers an objective that is measured from a fault, in the worst of
// its occurrences.
func (f *finisher) judgeFault(o scenarios.Objective) scenarios.ObjectiveResult {
	worst := scenarios.ObjectiveResult{Phase: o.After, Measured: scenarios.NaN, Low: scenarios.NaN, High: scenarios.NaN, Verdict: scenarios.Inconclusive}
	worst.Note = "the fault was not injected"
	found := false
	for i, oc := range f.faults {
		if oc.Name == "" || oc.Name != o.After && oc.Fault != o.After {
			continue
		}
		a := f.answers[i]
		if o.Metric.Span > 0 || o.Step != "" || o.Load != "" {
			a = f.ask(i, o)
		}
		r := f.faultResult(o, oc, a)
		if !found || severity[r.Verdict] > severity[worst.Verdict] || severity[r.Verdict] == severity[worst.Verdict] && farther(o, r.Measured, worst.Measured) {
			worst, found = r, true
		}
	}
	return worst
}

func (f *finisher) faultResult(o scenarios.Objective, oc Occurrence, a Answer) scenarios.ObjectiveResult {
	r := scenarios.ObjectiveResult{Phase: oc.Name, Low: scenarios.NaN, High: scenarios.NaN, Count: 1, Note: a.Note}
	inj := oc.Injected.Seconds()
	since := func(at scenarios.Num) scenarios.Num { return scenarios.Num(max(0, float64(at)-inj)) }
	seen := f.end.Seconds() - inj // how long was looked, for "> X s"
	r.Measured = scenarios.NaN
	switch o.Metric.Name {
	case "onset":
		r.Measured = since(a.OnsetAt)
	case "failover":
		r.Measured = since(a.FailoverAt)
		if a.Impact == scenarios.Impacted && !a.FailoverAt.Known() {
			r.Measured = scenarios.Num(math.Inf(1))
			r.Note = "never good again while the fault was in"
		}
	case "recover":
		r.Measured = since(a.RecoveredAt)
	case "heal":
		if oc.Over {
			r.Measured = scenarios.Num(max(0, float64(a.RecoveredAt)-oc.Cleared.Seconds()))
		}
	case "degraded":
		r.Measured = scenarios.Sec(a.Degraded)
	case "failed":
		r.Measured = scenarios.Num(a.Failed)
	case "area":
		r.Measured = scenarios.Num(a.Area)
	}
	recovery := strings.Contains("recover heal failover", o.Metric.Name)
	switch {
	case a.Impact == scenarios.Confounded, a.Impact == scenarios.UnknownYet:
		r.Verdict = scenarios.Inconclusive
		return r
	case a.Impact == scenarios.NotImpacted && f.c.Faults[oc.Fault].RequireImpact:
		r.Verdict, r.Note = scenarios.Fail, "the fault had no impact, and one is required"
		return r
	case a.Impact == scenarios.NotImpacted && recovery:
		r.Measured, r.Note = 0, "no impact"
	case a.Impact == scenarios.NotImpacted && o.Metric.Name == "onset":
		r.Verdict, r.Note = scenarios.Inconclusive, "no impact, so there is no onset"
		return r
	case a.Impact == scenarios.NotRecovered && recovery:
		r.Measured = scenarios.Num(math.Inf(1))
		r.Note = fmt.Sprintf("not recovered: > %s", scenarios.FormatSeconds(seen))
	}
	r.Infinite = math.IsInf(float64(r.Measured), 1)
	if r.Measured.Known() && o.Metric.Unit == scenarios.Seconds && o.Metric.Name != "area" && a.Impact == scenarios.Impacted {
		r.Low = scenarios.Num(max(0, float64(r.Measured)-a.Resolution.Seconds()))
		r.High = r.Measured + scenarios.Num(a.Resolution.Seconds())
	}
	switch {
	case math.IsNaN(float64(r.Measured)):
		r.Verdict = scenarios.Inconclusive
	case o.Holds(float64(r.Measured)):
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
	return r
}
