// A RunProber makes a run at each rate that `brunt find` asks for.
//
//	Find --Probe(rate)--> Prober --one run at the rate--> result
//	      ^                                                          '-> holds, breaks, limited
//	      '-----------------------------answer-----------------------------------'
//
// The search chooses the rates. A [RunProber] makes a run at each, with the scenario's flows in their proportions,
// and decides by the result whether the target sustains the rate. Under a fault, which held.go describes, the run
// begins with a low load.

package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A RunProber probes the target of a scenario at rates. Each probe is a run at one rate, with the
// scenario's flows in their proportions and without its faults, except the one that is held.
type RunProber struct {
	Parse   func() (*scenarios.Scenario, error) // reads the scenario, again for each probe
	Compile plan.CompileOptions
	// Run runs a plan. Control says that the faults of its timeline are not injected; its conditions are in any case.
	Run        func(ctx context.Context, p *plan.Plan, control bool) (*result.Result, error)
	Objectives []slo.Objective // objectives that must hold; none means the scenario's own over the whole run
	Length     time.Duration   // of a probe; it is longer if an objective needs more requests
	Cool       time.Duration   // time for the target to recover after a break
	Held       []search.Held   // faults under which the capacity is asked for
	Settle     time.Duration   // the longest time from the injection of a held fault until a rate is judged
	// Tried is told of a run beside the probes of a search that shows nothing, and is made again; may be nil
	Tried func(search.Try)

	weights []float64 // shares of the loads
	stop    string    // kind of the fault that stops units of the target
	under   *holding  // the held fault; nil: none
}

var _ RateProber = (*RunProber)(nil)

// Check compiles a probe at a rate without running it, and returns the mean rate of all loads of the
// scenario together.
func (r *RunProber) Check() (mean float64, err error) {
	sc, err := r.Parse()
	if err != nil {
		return 0, err
	}
	p, err := plan.Compile(sc, r.Compile)
	if err != nil {
		return 0, err
	}
	for i := range p.Loads {
		l := &p.Loads[i]
		if l.Schedule.Closed() {
			return 0, fmt.Errorf("load %q is closed: its users wait for answers, so that it has no rate of its own; find "+
				"needs executors with arrivals", l.Name)
		}
		if span := (l.Schedule.End() - l.Schedule.Start()).Seconds(); span > 0 {
			r.weights = append(r.weights, l.Schedule.Rate.Area(l.Schedule.End())/span)
		}
		mean += r.weights[i]
	}
	for i := range r.weights {
		r.weights[i] /= mean
	}
	if len(r.Objectives) == 0 {
		for _, o := range sc.SLO {
			if o.PhaseOrRun().Kind == slo.RunPhase && !o.Metric.AfterLoad() {
				r.Objectives = append(r.Objectives, o)
			}
		}
	}
	if len(r.Objectives) == 0 {
		return 0, errors.New(`the scenario has no objective over the whole run; name one, such as --objective "p95 < 200ms"`)
	}
	if err := r.checkHeld(p); err != nil {
		return 0, err
	}
	_, err = r.plan(r.probe(mean))
	return mean, err
}

// A probing is what the run of a probe does.
type probing struct {
	rate       float64
	length     time.Duration
	objectives []slo.Objective // those that decide
	glance     bool
}

// probe is a probe of a rate: it is long enough for every objective.
func (r *RunProber) probe(rate float64) probing {
	p := probing{rate: rate, length: r.Length, objectives: r.Objectives}
	for _, o := range r.Objectives {
		if n, ok := requests.Need(o); ok {
			p.length = max(p.length, time.Duration(float64(n)/rate*1.1*float64(time.Second)))
		}
	}
	return p
}

const (
	glanceLength = time.Second // at a rate that makes the requests of a glance in less
	// glanceAllows is the least share of bad requests that a glance excuses: two of two fail, and one of two does not
	glanceAllows = .2
)

// glance is a short probe of a rate, which fails if clearly more than a fifth of its requests miss an objective. The
// probe has no objective if none of the search's is about such a share.
func (r *RunProber) glance(rate float64) probing {
	p := probing{rate: rate, glance: true}
	few := int64(2) // two requests have the interval of the rate between them
	for _, o := range r.Objectives {
		if o, ok := relaxed(o); ok {
			p.objectives, few = append(p.objectives, o), max(few, requests.NeedToFail(o))
		}
	}
	p.length = max(glanceLength, time.Duration((float64(few)-.9)/rate*float64(time.Second)))
	return p
}

// relaxed returns an objective on a share or a percentile of requests that allows at least [glanceAllows] of them to be
// bad. What fails it fails the objective itself.
func relaxed(o slo.Objective) (slo.Objective, bool) {
	row := o.Metric.Row()
	switch {
	case o.Relative():
	case o.Metric.Percentile() && o.Upper():
		o.Metric.Quantile = min(o.Metric.Quantile, 1-glanceAllows)
		return o, true
	case row.Count == nil || row.Unit != slo.ShareOf || row.Budget != nil:
	case row.Better == slo.LowerIsBetter && (o.Upper() || o.Op == "="):
		o.Op, o.Value = "<", max(o.Value, glanceAllows)
		return o, true
	case row.Better == slo.HigherIsBetter && !o.Upper():
		o.Op, o.Value = ">", min(o.Value, 1-glanceAllows)
		return o, true
	}
	return o, false
}

// plan compiles the plan of a probe.
func (r *RunProber) plan(of probing) (*plan.Plan, error) {
	sc, err := r.Parse()
	if err != nil {
		return nil, err
	}
	sc.DropRecords()
	faults, err := r.heldFaults(sc)
	if err != nil {
		return nil, err
	}
	r.prepare(sc, faults, of.rate, of.length)
	sc.SLO = of.objectives
	if r.under != nil {
		r.inject(sc, faults)
	}
	o := r.Compile
	o.Unjudged = of.glance // it can show that an objective fails, and not that it holds
	p, err := plan.Compile(sc, o)
	if err != nil || r.under == nil {
		return p, err
	}
	for i := range p.Loads {
		c := &p.Loads[i].Schedule.Calm
		c.For, c.Rate = calm+r.under.warm, min(r.under.low, of.rate)*r.weights[i]
	}
	return p, nil
}

// prepare gives a scenario the loads of a probe, at a constant rate, and the faults of its timeline, which begin at
// once. A probe injects none of them; they are in the plan so that every search reaches the target by the same links.
func (r *RunProber) prepare(sc *scenarios.Scenario, faults []scenarios.Fault, rate float64, length time.Duration) {
	sc.Faults, sc.Stop = nil, nil
	if len(faults) == 0 {
		sc.Steady = nil
	}
	for _, f := range faults {
		begin := quantity.Duration(0)
		f.At, f.For, f.Place = &begin, quantity.Duration(length/2), f.Place.With("at", "for")
		sc.Faults = append(sc.Faults, f)
	}
	for i := range sc.Loads {
		l := &sc.Loads[i]
		l.Start = 0
		l.Executor, l.Shape = "constant-arrival-rate", constant(l.Shape, rate*r.weights[i], length)
	}
}

// constant returns the executor of a probe: a constant rate.
func constant(own syntax.Block, rate float64, length time.Duration) syntax.Block {
	return shaped(own, "constant-arrival-rate", "rate", perSecond(rate), "duration",
		quantity.FormatDuration(length.Round(time.Millisecond)))
}

func perSecond(rate float64) string { return strconv.FormatFloat(rate, 'f', 9, 64) + "/s" }

// shaped returns an executor with settings, given as keys and values, and with the distribution of arrivals of the load
// itself.
func shaped(own syntax.Block, kind string, settings ...string) syntax.Block {
	with := &syntax.Node{Kind: syntax.Map, Pos: own.Pos}
	for pair := range slices.Chunk(settings, 2) {
		with.Fields = append(with.Fields, syntax.Field{
			Key: pair[0], Pos: own.Pos, Value: &syntax.Node{Kind: syntax.String, Value: pair[1], Pos: own.Pos},
		})
	}
	if own.With != nil {
		for _, given := range own.With.Fields {
			if given.Key == "arrivals" {
				with.Fields = append(with.Fields, given)
			}
		}
	}
	return syntax.Block{Kind: kind, Pos: own.Pos, With: with}
}

func (r *RunProber) Probe(ctx context.Context, rate float64) (search.Try, error) {
	return r.judged(ctx, r.probe(rate))
}

func (r *RunProber) Glance(ctx context.Context, rate float64) (search.Try, error) {
	of := r.glance(rate)
	if len(of.objectives) == 0 {
		return search.Try{Answer: search.Holds}, nil
	}
	return r.judged(ctx, of)
}

// judged makes a probe and evaluates it.
func (r *RunProber) judged(ctx context.Context, of probing) (search.Try, error) {
	var res *result.Result
	var err error
	if r.under == nil {
		res, err = r.run(ctx, of)
	} else {
		res, err = r.runUnder(ctx, of)
	}
	if err != nil {
		return search.Try{}, err
	}
	t := search.Try{Figures: figuresOf(res)}
	t.Answer, t.Why, err = answer(res, !of.glance)
	if of.glance && t.Answer == search.Breaks {
		t.Why += mostly(res)
	}
	return t, err
}

// mostly names the most frequent error, in parentheses. It is empty without errors.
func mostly(res *result.Result) string {
	i := slices.IndexFunc(res.Errors, func(e result.ErrorGroup) bool { return !e.Part }) // the most frequent come first
	if i < 0 {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", res.Errors[i].Step, res.Errors[i].Kind)
}

// run makes the run of a probe.
func (r *RunProber) run(ctx context.Context, of probing) (*result.Result, error) {
	p, err := r.plan(of)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, p, true)
}

// figuresOf returns what a probe measured; nil if it made no request.
func figuresOf(res *result.Result) *search.Figures {
	f := &search.Figures{P50: result.NaN, P95: result.NaN}
	var offered, good, bad int64
	for i := range res.Windows {
		if w := &res.Windows[i]; w.Load == "*" && w.Step == "*" && w.T >= 0 {
			offered, good, bad, f.InFlight = offered+w.Offered, good+w.OK, bad+w.Error+w.Skipped, w.InFlight
		}
	}
	long := float64(res.Duration)
	if offered == 0 || !(long > 0) {
		return nil
	}
	f.Offered, f.Good, f.Failed = float64(offered)/long, float64(good)/long, float64(bad)/float64(offered)
	for i := range res.Cells {
		if c := &res.Cells[i]; c.Phase.Kind == slo.RunPhase && c.Load == "*" && c.Step == "*" && c.Outcome == "*" {
			f.P50, f.P95 = c.Response.P50, c.Response.P95
		}
	}
	return f
}

// A ProbeError means that the run of a probe says nothing about its rate or dose. A search repeats a probe whose run
// is invalid or inconclusive, a few times in a row. All other errors end it.
type ProbeError struct {
	Verdict scenarios.Verdict // of the run; its exit code is that of the search
	Reason  string
	InRow   int // number of probes in a row that show nothing; zero means that it is not known
}

// Error says why the probe has no answer.
func (e ProbeError) Error() string {
	switch {
	case e.Verdict != scenarios.Invalid && e.Verdict != scenarios.Inconclusive:
	case e.InRow > 1:
		return fmt.Sprintf("%d probes in a row show nothing: %s; mend that until `brunt run` of the scenario has an answer",
			e.InRow, strings.TrimSuffix(e.Reason, "."))
	default:
		return "a probe shows nothing: " + e.Reason
	}
	return "a probe did not end: " + e.Reason
}

// unended returns a [ProbeError] if a run did not come to its end, or left a fault in.
func unended(res *result.Result) error {
	switch res.Verdict {
	case scenarios.Interrupted, scenarios.Broken, scenarios.NotReverted:
		return ProbeError{Verdict: res.Verdict, Reason: res.Reason}
	}
	return nil
}

// answer evaluates a probe. Constant says that its load is constant, so that requests in flight must not grow.
func answer(res *result.Result, constant bool) (search.Answer, string, error) {
	if err := unended(res); err != nil {
		return "", "", err
	}
	if !res.Generator.Healthy {
		why := "the generator was the limit"
		if len(res.Generator.Limits) > 0 {
			why = res.Generator.Limits[0]
		}
		if run.Crowded(&res.Generator) {
			return search.Disturbed, why, nil
		}
		return search.Limited, why, nil
	}
	for _, o := range res.Objectives {
		if o.Verdict == scenarios.Fail {
			return search.Breaks, fmt.Sprintf("%s: %s", o.Text, measured(o)), nil
		}
	}
	if why, grows := growing(res.Windows); grows && constant {
		if n, cut := growsByCut(res.Windows); cut {
			return "", "", ProbeError{Verdict: scenarios.Invalid, Reason: fmt.Sprintf("%s, and brunt cut off %d that were not "+
				"answered by then, so it is unknown whether it falls behind or only answers slowly; set `grace` to the timeout, "+
				"and a --probe that is longer than slow answers take", why, n)}
		}
		return search.Breaks, "it falls behind: " + why, nil
	}
	if res.Verdict == scenarios.Invalid {
		return "", "", ProbeError{Verdict: res.Verdict, Reason: res.Reason}
	}
	for i := range res.Objectives {
		if o := &res.Objectives[i]; res.Verdict == scenarios.Inconclusive && o.Because.Has(result.MachineFails) {
			// The generator is healthy: were the probe disturbed, the search would take the rate for its limit.
			return "", "", ProbeError{Verdict: res.Verdict, Reason: o.Text + ": " + o.Because.Phrase(o)}
		}
	}
	why := "every objective holds"
	if len(res.Objectives) > 0 {
		why = fmt.Sprintf("%s: %s", res.Objectives[0].Text, measured(res.Objectives[0]))
		if res.Objectives[0].Verdict == scenarios.Inconclusive {
			why += ", not certain to fail"
		}
	}
	return search.Holds, why, nil
}

// measured describes the measured value of an objective.
func measured(o result.ObjectiveResult) string {
	if math.IsNaN(float64(o.Measured)) {
		return "no end"
	}
	switch o.Of().Unit {
	case slo.Seconds:
		return quantity.FormatSeconds(float64(o.Measured))
	case slo.ShareOf:
		return quantity.FormatShareBriefly(float64(o.Measured))
	}
	return fmt.Sprintf("%.4g", float64(o.Measured))
}

// grows is the largest growth of the requests in flight over a probe's second half, as a share of
// its requests: above it the target falls further behind each second, long before its percentiles
// show it.
const grows = .01

// offering returns the windows of all requests together in which the load offered some.
func offering(windows []result.Window) (all []result.Window) {
	for _, w := range windows {
		if w.Load == "*" && w.Step == "*" && w.Offered > 0 && w.T >= 0 {
			all = append(all, w)
		}
	}
	return all
}

// growsByCut reports whether the requests in flight grow only by n requests that brunt cut off at the end. A target
// that falls behind answers every request later than the one before, so that those in flight grow by others as well
// until the first of those that were cut off was due.
func growsByCut(windows []result.Window) (n int64, yes bool) {
	all := offering(windows)
	peak := 0
	for i := range all {
		n += all[i].Kinds[scenarios.Unfinished.String()]
		if all[i].InFlight -= n; all[i].InFlight > all[peak].InFlight {
			peak = i
		}
	}
	if n == 0 {
		return 0, false
	}
	_, others := growing(all[:peak+1])
	return n, !others
}

// growing reports whether more and more requests are in flight.
func growing(windows []result.Window) (why string, yes bool) {
	all := offering(windows)
	if len(all) < 4 {
		return "", false
	}
	half := all[len(all)/2:]
	offered, backlog := int64(0), half[len(half)-1].InFlight-all[len(all)/2-1].InFlight
	for _, w := range half {
		offered += w.Offered
	}
	if noise := 3 * math.Sqrt(float64(max(1, half[0].InFlight))); float64(backlog) <= noise ||
		float64(backlog) <= grows*float64(offered) {
		return "", false
	}
	return fmt.Sprintf("%d more are in flight at the end than half-way", backlog), true
}

// repeats tells of a run at a rate that shows nothing, and gives the machine time to calm down.
func (r *RunProber) repeats(ctx context.Context, rate float64, res *result.Result) error {
	why := res.Reason
	if !res.Generator.Healthy && len(res.Generator.Limits) > 0 {
		why = res.Generator.Limits[0]
	}
	if r.Tried != nil {
		r.Tried(search.Try{Rate: rate, Answer: search.Disturbed, Why: "it shows nothing, and is repeated: " + why})
	}
	return r.CoolDown(ctx)
}

func (r *RunProber) CoolDown(ctx context.Context) error { return coolDown(ctx, r.Cool) }

func coolDown(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
