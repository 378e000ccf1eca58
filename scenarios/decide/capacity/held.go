package capacity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// The capacity under a held fault is found in two steps:
//
//	Hold:   low load --inject--> transient --good again--> ... --take back--> proved gone
//	          the judge of every run says how long the transient was
//	Probe:  low load --inject, prove--> settle --raise--> the rate, judged --prove again, take back--> proved gone
//	        |------------------ warm-up ------------------|

// A holding is the fault that a search holds.
type holding struct {
	search.Held
	low   float64       // iterations a second while it is injected
	warm  time.Duration // from its injection until the rate is judged
	limit float64       // judge.limit of the scenario
}

const (
	lead       = 5 * time.Second // of the baseline before the injection that measures the transient
	calm       = time.Second     // of the low load before the injection of a probe
	leastWarm  = 3 * time.Second
	lowShare   = .2 // of the capacity without a fault: the low load
	unprovable = 3  // probes in a row whose fault was not proved at their end
)

// checkHeld refuses faults that can't be held while a rate is judged. p is the plan of the whole scenario.
func (r *RunProber) checkHeld(p *plan.Plan) error {
	r.stop = "process.stop"
	if p.Scope.Cluster != nil || p.Scope.Containers || len(p.Containers) > 0 {
		r.stop = "container.stop"
	}
	var names []string
	for _, e := range p.Faults {
		names = append(names, e.Name)
	}
	for i, h := range r.Held {
		if slices.Contains(r.Held[:i], h) {
			return fmt.Errorf("%s is given twice", h)
		}
		if h.During == "" {
			continue
		}
		at := slices.Index(names, h.During)
		if at < 0 {
			hint := syntax.DidYouMean(h.During, names)
			if hint == "" {
				hint = "the scenario has none; --without UNIT stops a unit"
			}
			return fmt.Errorf("--during %s: there is no such fault; %s", h.During, hint)
		}
		if why, do := unholdable(p, at); why != "" {
			return fmt.Errorf("--during %s: %s; %s", h.During, why, do)
		}
	}
	for _, h := range r.Held {
		one := *r
		one.under = &holding{Held: h, low: 1, warm: r.Settle}
		if _, err := one.plan(one.probe(1)); err != nil {
			return err
		}
		if _, err := one.transientPlan(); err != nil {
			return err
		}
	}
	return nil
}

// unholdable returns why a fault can't be in while a rate is judged, or can't be repeated for each rate, and what to
// do instead; empty if it can.
func unholdable(p *plan.Plan, i int) (why, do string) {
	e := p.Faults[i]
	with := e.Block.With
	switch {
	case len(e.Steps) > 0:
		return "it is a group, and a search holds one fault", "give the step that stays a fault of its own"
	case e.OneShot():
		return e.Kind + " is over once it is done, so it can't be in while a rate is judged",
			"process.stop and container.stop keep a unit down, as --without UNIT does"
	case e.Pulse != nil:
		return "it pulses, so it is not in all the time", "take the `pulse` out, or write a fault without it"
	case with.Get("irreversible") != nil && with.Get("irreversible").Value != "false":
		return "it ends its unit for good, and each rate needs the fault again",
			"let brunt start the unit (target.processes), so that it can start it again"
	}
	return "", ""
}

// heldFaults returns the held faults of a scenario, without their times.
func (r *RunProber) heldFaults(sc *scenarios.Scenario) ([]scenarios.Fault, error) {
	var out []scenarios.Fault
	for n, h := range r.Held {
		if h.During == "" {
			f := r.stopped(h)
			if n > 0 { // a plan may have several of them
				f.Name = fmt.Sprintf("%s-%d", f.Name, n+1)
			}
			out = append(out, f)
			continue
		}
		i := slices.IndexFunc(sc.Faults, func(f scenarios.Fault) bool { return f.Name == h.During })
		if i < 0 {
			return nil, fmt.Errorf("the scenario no longer has the fault %s", h.During)
		}
		f := sc.Faults[i]
		out = append(out, scenarios.Fault{Place: syntax.Place{At: f.Place.At}, Name: f.Name, Block: f.Block})
	}
	return out, nil
}

// stopped returns the fault that stops a part of the target.
func (r *RunProber) stopped(h search.Held) scenarios.Fault {
	at := syntax.Pos{File: "--without " + h.Without}
	key, part := "service", h.Without
	if zone, ok := strings.CutPrefix(part, "zone="); ok {
		key, part = "zone", zone
	} else if strings.HasSuffix(part, "]") {
		key = "unit"
	}
	with := &syntax.Node{Kind: syntax.Map, Pos: at, Fields: []syntax.Field{
		{Key: key, Pos: at, Value: &syntax.Node{Kind: syntax.String, Value: part, Pos: at}},
	}}
	return scenarios.Fault{
		Place: syntax.Place{At: at}, Name: "without", Block: syntax.Block{Kind: r.stop, Pos: at, With: with},
	}
}

// held returns the index of the fault that this search holds.
func (r *RunProber) held() int { return slices.Index(r.Held, r.under.Held) }

// inject makes the held fault a condition of a probe, which is injected within the warm-up.
func (r *RunProber) inject(sc *scenarios.Scenario, faults []scenarios.Fault) {
	own := sc.Warmup // at the rate itself, as without the fault
	sc.Warmup = calm + r.under.warm + own
	at := quantity.Duration(calm - sc.Warmup)
	f := faults[r.held()]
	f.At = &at
	sc.Conditions = append(sc.Conditions, f)
}

// transientPlan compiles the run that shows what follows the injection at the low load.
func (r *RunProber) transientPlan() (*plan.Plan, error) {
	sc, err := r.Parse()
	if err != nil {
		return nil, err
	}
	sc.DropRecords()
	faults, err := r.heldFaults(sc)
	if err != nil {
		return nil, err
	}
	r.prepare(sc, faults, r.under.low, lead+r.Settle+2*time.Second)
	begin := quantity.Duration(lead)
	f := sc.Faults[r.held()]
	f.At, f.For = &begin, quantity.Duration(r.Settle)
	sc.Faults, sc.SLO = []scenarios.Fault{f}, nil
	sc.Judge.Hold = quantity.Duration(min(sc.Judge.HoldOr(), r.Settle/3))
	return plan.Compile(sc, r.Compile)
}

// Hold injects a fault once at a low load, and returns what followed with the prober of rates under it. The low load is
// a fifth of the capacity without a fault. If the load was not good again while the fault was in, the answer is
// complete: no rate holds, from the low load on, and there is no prober.
func (r *RunProber) Hold(ctx context.Context, h search.Held, all *search.Found) (*RunProber, search.Under, error) {
	one := *r
	one.under = &holding{Held: h, low: lowShare * all.Low, warm: r.Settle}
	u := search.Under{Held: h}
	var f *result.FaultRecord
	for tries := 1; ; tries++ {
		p, err := one.transientPlan()
		if err != nil {
			return nil, u, err
		}
		one.under.limit = p.Scenario.Judge.LimitOr()
		res, err := r.Run(ctx, p, false)
		if err != nil {
			return nil, u, err
		}
		if f, err = injected(res, one.under); err == nil {
			break
		}
		if tries == mostVoid || unended(res) != nil || res.Generator.Healthy && res.Verdict != scenarios.Invalid {
			return nil, u, err
		}
		if err := r.repeats(ctx, one.under.low, res); err != nil {
			return nil, u, err
		}
	}
	u.Kind, u.Units, u.Evidence, u.GoneEvidence = f.Kind, f.Hit(), f.Evidence, f.GoneEvidence
	u.Transient = &search.Transient{Rate: one.under.low, Lasted: f.Failover, Failed: f.Failed, Impact: f.Impact}
	switch {
	case f.Failover.Known():
		one.under.warm = time.Duration(float64(f.Failover) * float64(time.Second))
	case f.OnsetAt.Known(): // bad to the end
		u.High = one.under.low
		return nil, u, nil
	default:
		u.Transient.Lasted, one.under.warm = 0, 0
	}
	one.under.warm = min(max(leastWarm, 2*one.under.warm+2*time.Second), r.Settle)
	return &one, u, nil
}

// injected returns the record of the held fault. An error says why the run does not show it.
func injected(res *result.Result, h *holding) (*result.FaultRecord, error) {
	if err := unended(res); err != nil {
		return nil, fmt.Errorf("%s, injected at %.4g/s: %w", h, h.low, err)
	}
	if len(res.Faults) == 0 || !res.Faults[0].Injected.Known() {
		return nil, fmt.Errorf("%s: it was not injected at %.4g/s: %s; mend the target until `brunt run` of the scenario "+
			"injects its faults, then search again", h, h.low, res.Reason)
	}
	f := &res.Faults[0]
	switch {
	case !f.Verified.Known():
		return nil, fmt.Errorf("%s: it was injected, and its effect was not seen: %s", h, res.Reason)
	case !f.Gone:
		return nil, fmt.Errorf("%s: it was taken back, and its end was not seen: %s; each rate needs the fault again, so the "+
			"unit has to come back", h, res.Reason)
	}
	return f, nil
}

// runUnder makes the run of a probe under a fault. It repeats the run with a longer warm-up if the load was not good
// again before the rate, and a few times if the proof at its end is missing.
func (r *RunProber) runUnder(ctx context.Context, of probing) (*result.Result, error) {
	for missing := 0; ; {
		res, err := r.run(ctx, of)
		if err != nil {
			return nil, err
		}
		if err := unended(res); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(res.Conditions, func(c result.Condition) bool { return c.Injected.Known() })
		switch {
		case i < 0:
			return nil, ProbeError{
				Verdict: scenarios.Invalid, Reason: fmt.Sprintf("%s: it was not injected: %s", r.under, res.Reason),
			}
		case !res.Conditions[i].Gone:
			return nil, fmt.Errorf("%s: its end was not seen after %.4g/s: %s", r.under, of.rate, res.Conditions[i].Note)
		case !(res.Conditions[i].Verified < 0) || !r.under.settled(res):
			if r.under.warm >= r.Settle {
				return nil, fmt.Errorf("%s: requests were still bad %s after its injection at %.4g/s; --settle allows more time",
					r.under, quantity.Brief(r.under.warm), min(r.under.low, of.rate))
			}
			r.under.warm = min(2*r.under.warm, r.Settle)
		case res.Conditions[i].Still == "":
			if missing++; missing >= unprovable {
				return nil, fmt.Errorf("%s: it was not proved at the end of %d probes: %s", r.under, missing, res.Conditions[i].Note)
			}
		default:
			return res, nil
		}
	}
}

// settled reports whether requests were good in the last quarter of the low load: no more of them were bad than
// judge.limit allows.
func (h *holding) settled(res *result.Result) bool {
	var offered, bad int64
	from := math.Inf(1)
	for i := range res.Windows {
		if w := &res.Windows[i]; w.T < 0 {
			from = min(from, float64(w.T))
		}
	}
	over := from + (calm + h.warm).Seconds()
	for i := range res.Windows {
		w := &res.Windows[i]
		if w.Load == "*" && w.Step == "*" && float64(w.T) < over && float64(w.T) >= over-max(1, h.warm.Seconds()/4) {
			offered, bad = offered+w.Offered, bad+w.Error+w.Skipped
		}
	}
	return bad < 2 || float64(bad) <= h.limit*float64(offered)
}
