package capacity

import (
	"context"
	"fmt"
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/run"
)

// The hysteresis of a target is found in one run, after its capacity is known:
//
//	goodput
//	  |                  before .--------. capacity
//	  |           up  .--->---'    |      '.
//	  |             .'            v         '.  the overload
//	  |  lower     '------<------ bad -----<--'
//	  '------------------------------------------- load
//
// The search of rates is the way up. The run makes a load that the target holds, then an overload. The escape of
// package escape is the way down and up again.

// DefaultHysteresis is the share of the largest rate that held at which [RunProber.Overload] looks for a hysteresis.
const DefaultHysteresis = .8

const (
	pushFactor = 2               // the overload, as a multiple of the smallest rate that broke
	pushBeyond = 2 * time.Second // the overload lasts this long beyond the timeout of a request
	pushHold   = 3 * time.Second // of a scenario that has no hold of its own
	pushBefore = 5 * time.Second // the least length of the load before the overload
	pushMargin = 2               // the wait, as a multiple of the time in which the backlog of the overload drains
	mostPushed = .95             // the largest share of the capacity; above it, a plain backlog drains for minutes
)

// A LoadError means that an overload can't be made at a rate.
type LoadError struct{ Why string }

// Error says why.
func (e LoadError) Error() string { return e.Why }

// Overload makes an overload and comes back from it to a rate, in iterations a second, which has to be below the
// capacity that was found. The result says whether the target stays bad at that rate although it held it before, and at
// which rate it comes back.
//
// A plain queue needs time to drain. The load is not lowered before twice that time, by the rates that were found: the
// overload o of length t leaves a backlog of (o - c)·t, which drains at c - r, with the capacity c and the rate r.
func (r *RunProber) Overload(ctx context.Context, rate float64, found *search.Found) (*result.Overload, error) {
	switch {
	case found.High == 0:
		return nil, LoadError{"the target broke at no rate that was tried, so brunt can't overload it: raise --max, or give " +
			"the generator more processors"}
	case rate > mostPushed*found.Low:
		return nil, LoadError{fmt.Sprintf("%.4g/s is more than %.0f %% of %.4g/s, the largest rate that held: a plain backlog "+
			"takes too long to drain there; give a lower rate", rate, 100*mostPushed, found.Low)}
	}
	for tries := 1; ; tries++ {
		p, err := r.overloadPlan(rate, found)
		if err != nil {
			return nil, err
		}
		res, err := r.Run(ctx, p, true)
		if err != nil {
			return nil, err
		}
		if err := unended(res); err != nil {
			return nil, err
		}
		if (run.Crowded(&res.Generator) || res.Overload == nil && res.Verdict == scenarios.Invalid) && tries < mostVoid {
			if err := r.repeats(ctx, rate, res); err != nil {
				return nil, err
			}
			continue
		}
		if res.Overload == nil {
			return nil, ProbeError{res.Verdict, res.Reason, tries}
		}
		res.Overload.Limits = res.Generator.Limits
		return res.Overload, nil
	}
}

// overloadPlan compiles the run of an overload. Its loads end with it, and the escape follows.
func (r *RunProber) overloadPlan(rate float64, found *search.Found) (*plan.Plan, error) {
	sc, err := r.Parse()
	if err != nil {
		return nil, err
	}
	sc.DropRecords()
	sc.Judge.Escape = true
	if sc.Judge.Hold == 0 {
		sc.Judge.Hold = quantity.Duration(pushHold)
	}
	if sc.Judge.Slow == 0 { // no fault computes limits from a baseline, so the objectives give one
		r.slowBy(&sc.Judge.Slow, &sc.Judge.Limit)
	}
	var timeout time.Duration
	for i := range sc.Loads {
		timeout = max(timeout, sc.Loads[i].Timeout.D())
	}
	before := max(pushBefore, 2*sc.Judge.HoldOr()).Round(time.Second)
	last := (timeout + pushBeyond).Round(time.Second)
	most := pushFactor * found.High
	r.prepare(sc, nil, rate, before)
	for i := range sc.Loads {
		l := &sc.Loads[i]
		l.Executor, l.Shape = "spike", shaped(l.Shape, "spike",
			"base", perSecond(rate*r.weights[i]), "before", quantity.FormatDuration(before),
			"peak", perSecond(most*r.weights[i]), "hold", quantity.FormatDuration(last))
	}
	sc.SLO = nil
	drains := (most - found.Low) * last.Seconds() / (found.Low - rate)
	o := r.Compile
	o.Push = &plan.Push{From: before, Wait: time.Duration(pushMargin * drains * float64(time.Second))}
	return plan.Compile(sc, o)
}

// slowBy sets the limit of slow answers and the share of bad requests to those of the tightest objective on a
// percentile of all requests, if there is one.
func (r *RunProber) slowBy(slow *quantity.Duration, limit *quantity.Share) {
	tightest := math.Inf(1)
	for _, o := range r.Objectives {
		if m := o.Metric; m.Percentile() && o.Upper() && o.Value < tightest {
			tightest = o.Value
			*slow = quantity.Duration(o.Value * float64(time.Second))
			*limit = max(*limit, quantity.Share(min(.5, 1-m.Quantile)))
		}
	}
}
