package run

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
	"brunt/scenarios/run/escape"
)

// decideEscape is how long before the end of the load it is decided whether the load goes on, so that it does not
// pause.
const decideEscape = 500 * time.Millisecond

// An escaping run makes the loads of an escape: the same flows, at shares of the rates of the baseline. It records
// their requests apart from those of the run.
type escaping struct {
	r     *runner
	rec   *measure.Recorder
	rates []float64     // of each load in the baseline
	at    time.Duration // when the next step begins
	n     int           // of steps
	jobs  sync.WaitGroup

	mu   sync.Mutex // guards what follows
	made []*loads   // of the steps so far
	err  error
}

// inFlight returns how many iterations are under way.
func (h *escaping) inFlight() (n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.made {
		n += l.inFlight()
	}
	return n
}

// escape makes an escape if the scenario asks for one and the load has not recovered from a fault that is gone. It
// waits for the end of the load. It returns an error if a load of the escape could not be made.
func (r *runner) escape(ctx context.Context) error {
	end := r.plan.End()
	push := r.plan.Push
	if !r.plan.Scenario.Judge.Escape || r.session.o.NoChaos && push == nil || r.plan.Smoke ||
		!sleepUntil(ctx, r.log.Now, end-decideEscape) {
		return nil
	}
	if r.loads.crew != nil {
		r.log.Note("the load did not go on to find out whether the target is stuck: workers made it")
		return nil
	}
	what, gone, wait := "the overload", end, time.Duration(0)
	if push != nil {
		wait = push.Wait
	} else {
		var err error
		if what, gone, err = r.unrecovered(); err != nil || what == "" {
			return err
		}
	}
	h := &escaping{r: r, at: max(end, r.log.Now())}
	if err := h.open(); err != nil {
		return err
	}
	sc := r.plan.Scenario
	text := what + " is gone, and the load has not recovered from it"
	if push != nil {
		text = what + " is over"
	}
	r.log.Event(result.Event{Event: "escape.start", Text: text})
	r.live.escape.Store(h.rec)
	found := escape.Seek(ctx, h, escape.Settings{
		Gone: gone, Begin: h.at, Hold: sc.Judge.HoldOr(), Timeout: r.loads.timeout(), Limit: sc.Judge.LimitOr(),
		Rate: sum(h.rates), Wait: wait,
	})
	r.live.escape.Store(nil)
	h.close()
	r.log.Event(result.Event{Event: "escape.end", Text: string(found.Outcome)})
	if r.escaped, r.escapedFrom = found, what; push != nil && h.err == nil {
		return r.overloaded(push.From, end)
	}
	return h.err
}

func sum(list []float64) (all float64) {
	for _, n := range list {
		all += n
	}
	return all
}

// sleepUntil waits until a time of the run. It returns false if ctx ends first.
func sleepUntil(ctx context.Context, now func() time.Duration, at time.Duration) bool {
	t := time.NewTimer(max(0, at-now()))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// unrecovered returns the name of the last fault whose harm goes on by the measurements so far, and when that fault was
// over. The name is empty if no harm goes on, or if a fault is not gone.
func (r *runner) unrecovered() (fault string, gone time.Duration, err error) {
	s := r.live.snapshot()
	c := s.judgeCase()
	f, err := new(judge.Interim).Findings(r.loads.rec, c)
	if err != nil {
		return "", 0, err
	}
	for i := range f.Faults {
		of := &f.Faults[i]
		switch {
		case of.Name == "":
		case !of.Over || !c.Of(i).Gone:
			return "", 0, nil
		case of.OnsetAt.Known() && !of.RecoveredAt.Known():
			fault, gone = of.Name, of.Cleared
			if early := c.Of(i).Ended; early != nil {
				gone = *early
			}
		case of.RecoveredAt.Known():
			fault = ""
		}
	}
	return fault, gone, nil
}

// open creates the recorder of the escape, with the limits of slow answers of the run.
func (h *escaping) open() (err error) {
	r := h.r
	sc := r.plan.Scenario
	first := r.plan.End()
	if r.plan.Push != nil {
		first = r.plan.Push.From
	}
	for _, oc := range r.loads.rec.Occurrences() {
		if oc.Name != "" {
			first = min(first, oc.Injected)
		}
	}
	for i := range r.plan.Loads {
		rate := 0.0
		if first > 0 {
			rate = r.plan.Loads[i].Schedule.Rate.Area(first) / first.Seconds()
		}
		h.rates = append(h.rates, rate)
	}
	c := measure.Config{
		Series: r.plan.Series, Slow: sc.Judge.Slow.D(), SlowBy: r.loads.rec.SlowLimits().At(), Timeout: r.loads.timeout(),
		Shards: runtime.GOMAXPROCS(0), Now: r.log.Now, Begin: h.at, InFlight: h.inFlight,
	}
	h.rec, err = measure.New(c)
	return err
}

func (h *escaping) At(ctx context.Context, share float64, d, hold, before time.Duration) (escape.Counts, error) {
	h.r.log.Event(result.Event{Event: "escape.step", Text: fmt.Sprintf("%.4g%% of the load of the baseline", 100*share)})
	end := h.at + d
	if err := h.load(ctx, share, end); err != nil {
		return escape.Counts{}, h.fail(err)
	}
	for h.r.log.Now() < end {
		if !sleepUntil(ctx, h.r.log.Now, min(end, h.r.log.Now()+foldEvery)) {
			return escape.Counts{}, context.Cause(ctx)
		}
		if err := h.rec.Fold(); err != nil {
			return escape.Counts{}, h.fail(err)
		}
	}
	h.at = end
	in := requests.Span{From: measure.FloorSecond(end - before - hold), To: measure.FloorSecond(end - before)}
	n, bad, err := judge.BadIn(h.rec, in)
	if err != nil {
		return escape.Counts{}, h.fail(err)
	}
	return escape.Counts{From: in.From, To: in.To, N: n, Bad: bad}, nil
}

// load starts the loads of a step. They end by themselves.
func (h *escaping) load(ctx context.Context, share float64, end time.Duration) error {
	h.n++
	r := h.r
	sc := *r.plan.Scenario
	sc.Seed += uint64(h.n) // each step makes other random choices
	sc.Warmup = 0
	p := *r.plan
	p.Scenario, p.Loads = &sc, nil
	for i, lp := range r.plan.Loads {
		poisson := lp.Schedule.Poisson
		lp.Schedule = load.Plan{Rate: load.NewProfile(h.at), Poisson: poisson}
		lp.Schedule.Rate.Add(end-h.at, share*h.rates[i], share*h.rates[i])
		p.Loads = append(p.Loads, lp)
	}
	l := newLoads(r.requests)
	l.plan, l.rec, l.ledgers, l.registers = &p, h.rec, r.loads.ledgers, r.loads.registers
	l.samples = &samples.Set{Mask: sc.Secrets.Mask, Learn: sc.Secrets.Learn, Steps: len(p.Series.Steps)}
	for i := range p.Loads {
		if err := l.prepare(i, runtime.GOMAXPROCS(0)); err != nil {
			return errors.Join(err, l.close())
		}
	}
	h.mu.Lock()
	h.made = append(h.made, l)
	h.mu.Unlock()
	for _, job := range l.jobs {
		h.jobs.Go(func() {
			if _, err := job.Go(ctx); err != nil {
				_ = h.fail(err)
			}
		})
	}
	return nil
}

// fail keeps the first error of brunt itself, and returns err.
func (h *escaping) fail(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	return err
}

// close waits for the loads, and closes their connections and the recorder.
func (h *escaping) close() {
	h.jobs.Wait()
	for _, l := range h.made {
		_ = l.close()
	}
	_ = h.rec.Close()
}

// overloaded completes the record of an overload from an offset from t0 to another by the requests before it and in it.
// All of them have ended.
func (r *runner) overloaded(from, to time.Duration) error {
	e, limit := r.escaped, r.plan.Scenario.Judge.LimitOr()
	step := func(from, to time.Duration) (result.EscapeStep, error) {
		n, bad, err := judge.BadIn(r.loads.rec, requests.Span{From: from, To: to})
		return result.EscapeStep{
			Start: result.Sec(from), End: result.Sec(to), Offered: n, Bad: bad, Hold: result.Sec(to - from),
			Whole: n > 0 && float64(bad) <= limit*float64(n),
		}, err
	}
	before, err := step(0, from)
	if err != nil {
		return err
	}
	push, err := step(from, to)
	area := 0.0
	for i := range r.plan.Loads {
		p := r.plan.Loads[i].Schedule.Rate
		area += p.Area(to) - p.Area(from)
	}
	before.Share, push.Share = 1, result.Num(area/(to-from).Seconds())/e.Rate
	r.overload = &result.Overload{Before: before, Push: push, Escape: e}
	return err
}
