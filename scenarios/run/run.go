package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/targets"
)

// Options say how to run a plan.
type Options struct {
	ID      string                   // names the run; empty draws one
	LogDir  string                   // for the output of the stack's units; empty keeps only its end
	State   string                   // for the journal; needed where anything is started or broken
	Guard   []string                 // the command line of the guard; empty runs without one, for tests
	NoChaos bool                     // the control run: no fault is injected
	Log     *slog.Logger             // nil logs nothing
	Live    func(scenarios.Interval) // is told every second; nil is nobody
	Event   func(scenarios.Event)    // is told what happens, by several goroutines; nil is nobody
	Suspend <-chan os.Signal         // tells that brunt is to be suspended; nil never does
	Stop    func()                   // suspends brunt, once all faults are taken back
	At      func(point string)       // is called where brunt could die, for tests
}

// Errors of a run that could not begin, or could not go on: its verdict is invalid.
var (
	ErrNotReady = errors.New("the target did not become ready")
	ErrSetup    = errors.New("setup failed")
	ErrUsedUp   = errors.New("unique data is used up")
	ErrSuspend  = errors.New("brunt was suspended; its faults were taken back before")
)

// An Interrupt is the cause of a context that a signal ended.
type Interrupt struct{ Code int } // 130 or 143

func (i Interrupt) Error() string { return "interrupted" }

// A stopped is the cause of a run that a stop condition ended.
type stopped struct{ condition string }

func (s stopped) Error() string { return "stop condition met: " + s.condition }

// An unsteady is the cause of a run whose steady state did not hold.
type unsteady struct{ what string }

func (u unsteady) Error() string { return "the steady state did not hold: " + u.what }

// runner is a plan under way.
type runner struct {
	*Plan
	o       Options
	log     *slog.Logger
	began   time.Time
	t0      time.Time
	env     *scenarios.Env
	journal *chaos.Journal
	guard   *chaos.Guard
	sys     *system
	rec     *measure.Recorder
	samples *measure.Samples
	clients []targets.Client
	runs    []*load.Run
	stats   []load.Stats
	mon     *monitor
	health  scenarios.Generator
	vars    []scenarios.Value
	cancel  context.CancelCauseFunc
	records []*chaos.Record
	judged  []scenarios.Objective
	broken  error // what failed of brunt itself while the load ran

	stopping bool // a stop condition was met

	mu     sync.Mutex
	notes  []string
	events []scenarios.Event
	times  []time.Time // of the events
}

var discard = slog.New(slog.DiscardHandler)

// now is the run's clock: the offset from t0.
func (r *runner) now() time.Duration { return time.Since(r.t0) }

// frugal is the share of garbage, in percent of what is in use, at which memory is
// collected once the load is over.
const frugal = 25

// lead is the time between the decision to begin and the first arrival.
const lead = 50 * time.Millisecond

// Run runs the plan to its verdict. The error is brunt's own failure; all that the
// target or the scenario did is in the result.
func (p *Plan) Run(ctx context.Context, o Options) (*scenarios.Result, error) {
	r := &runner{Plan: p, o: o, log: o.Log, began: time.Now(), t0: time.Now()}
	if r.log == nil {
		r.log = discard
	}
	if r.o.ID == "" {
		r.o.ID = NewID()
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.event(scenarios.Event{Event: "run.start", Text: p.Scenario.Name})
	res, err := r.guarded(ctx)
	if res != nil {
		r.event(scenarios.Event{Event: "run.end", Text: string(res.Verdict) + ": " + res.Reason})
		res.Ended = time.Now()
		res.Events = r.onClock()
	}
	return res, err
}

// NewID draws a name for a run: its time and eight letters.
func NewID() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	b := make([]byte, 8)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return time.Now().UTC().Format("20060102-150405-") + string(b)
}

// breaks tells whether the run starts or breaks anything, so that it needs a
// journal and a guard.
func (r *runner) breaks() bool { return r.Stack != nil || len(r.Faults) > 0 && !r.o.NoChaos }

// guarded runs the plan with journal and guard around it.
func (r *runner) guarded(ctx context.Context) (*scenarios.Result, error) {
	if !r.breaks() {
		return r.run(ctx)
	}
	var err error
	if r.journal, err = chaos.OpenJournal(r.o.State, r.o.ID); err != nil {
		return nil, err
	}
	r.journal.At = r.o.At
	if len(r.o.Guard) > 0 {
		if r.guard, err = chaos.StartGuard(r.o.Guard, r.journal.Path()); err != nil {
			return nil, errors.Join(err, r.journal.Close())
		}
	}
	res, err := r.run(ctx)
	if r.guard != nil {
		if gerr := r.guard.Stop(); gerr != nil {
			r.note("%v", gerr)
		}
	}
	open := r.journal.Open()
	if cerr := r.journal.Close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	if open > 0 && res != nil {
		r.notReverted(res, fmt.Sprintf("%d entries of the journal are open; `brunt revert` tries again", open))
	}
	return res, err
}

// run brings the target up, loads and breaks it, takes it down and judges.
func (r *runner) run(ctx context.Context) (_ *scenarios.Result, err error) {
	sc := r.Scenario
	r.env = &scenarios.Env{Salt: [2]uint64{rand.Uint64(), rand.Uint64()}, Units: map[string]string{}, Tables: sc.Tables}
	for _, t := range sc.Tables {
		t.Start(sc.Seed)
	}
	r.env.Fill = func() { r.cancel(ErrUsedUp) }
	r.env.Now = r.now
	r.samples = &measure.Samples{Mask: sc.Secrets.Mask}
	r.vars = make([]scenarios.Value, len(sc.Symbols.Vars()))
	r.files()
	r.sys = &system{r: r}
	err = r.sys.bringUp(ctx)
	defer func() {
		if derr := r.sys.takeDown(ctx); derr != nil {
			err = errors.Join(err, fmt.Errorf("taking the target down: %w", derr))
		}
	}()
	if err != nil {
		return r.unstarted(err), nil
	}
	if err := r.once(ctx, "setup", r.Setup); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrSetup, err)
		}
		return r.unstarted(err), nil
	}
	limits := measure.LimitsOf(sc.SLO, sc.Steady, sc.Stop)
	timeout := time.Duration(0)
	for i := range r.Loads {
		timeout = max(timeout, r.Loads[i].Timeout.D())
	}
	shards := runtime.GOMAXPROCS(0)
	r.rec, err = measure.New(measure.Config{Series: r.Series, Limits: limits, Timeout: timeout, Shards: shards, Now: r.now, InFlight: r.inFlight})
	if err != nil {
		return nil, err
	}
	defer r.rec.Close()
	r.t0 = time.Now().Add(sc.Warmup + lead)
	for i := range r.Loads {
		if err := r.prepare(i, shards); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, c := range r.clients {
			_ = c.Close()
		}
	}()
	r.mon = newMonitor(r.now, r.t0)
	r.broken = r.drive(ctx)
	r.health = r.mon.finish() // of the load; what judging it takes is another matter
	// What follows makes much that is soon forgotten: let it not be kept for long, so
	// that memory does not grow with the length of the run.
	defer debug.SetGCPercent(debug.SetGCPercent(frugal))
	if err := r.once(context.WithoutCancel(ctx), "teardown", r.Teardown); err != nil {
		r.note("teardown failed: %v", err)
	}
	res, err := r.result(ctx)
	if err != nil {
		return nil, errors.Join(r.broken, err)
	}
	return res, nil
}

// files raises the limit of open files to what the loads may need. Where it can't
// go that high, loads whose author set no limit get one that fits.
func (r *runner) files() {
	const own = 256 // for logs, links, the report
	want, fixed := uint64(own), uint64(own)
	for i := range r.Loads {
		lp := &r.Loads[i]
		want += uint64(lp.inFlight())
		if lp.MaxInFlight > 0 || lp.Schedule.Closed() {
			fixed += uint64(lp.inFlight())
		}
	}
	soft, hard := raiseFiles(want)
	if soft >= want {
		return
	}
	if fixed > soft {
		r.note("the loads may need %d open files, and this process may have %d (hard limit %d): raise `ulimit -n`, or requests will fail for want of sockets", want, soft, hard)
	}
	share := float64(soft-min(soft, fixed)) / float64(want-fixed+1)
	for i := range r.Loads {
		if lp := &r.Loads[i]; lp.MaxInFlight == 0 && !lp.Schedule.Closed() {
			lp.MaxInFlight = max(100, int(share*float64(lp.inFlight())))
		}
	}
}

// inFlight is how many iterations a load may have under way.
func (lp *LoadPlan) inFlight() int {
	switch {
	case lp.Schedule.Closed():
		return int(lp.Schedule.Users.Max() + .5)
	case lp.MaxInFlight > 0:
		return lp.MaxInFlight
	}
	return scenarios.DefaultMaxInFlight
}

// client makes a client for one load, or for setup and teardown.
func (r *runner) client(l *scenarios.Load, samples *measure.Samples) (targets.Client, error) {
	base, resolve := r.sys.base()
	for k, v := range l.Resolve {
		if resolve == nil {
			resolve = map[string]string{}
		}
		if _, linked := resolve[k]; !linked {
			resolve[k] = v
		}
	}
	return r.protocol.Client(targets.Options{
		Base: base, TLS: r.Scenario.Target.TLS, Connections: l.Connections, Resolve: resolve, Timeout: l.Timeout.D(),
		T0: r.t0, Gate: r.gate.check, Sampler: samples, Agent: "brunt",
	})
}

// once runs steps that are not measured, of setup or teardown; the first that fails
// ends it.
func (r *runner) once(ctx context.Context, what string, steps []load.Step) error {
	if len(steps) == 0 {
		return nil
	}
	l := scenarios.Load{Timeout: scenarios.Duration(scenarios.DefaultTimeout)}
	if len(r.Loads) > 0 {
		l.Resolve = r.Loads[0].Resolve
	}
	samples := &measure.Samples{Mask: r.Scenario.Secrets.Mask}
	client, err := r.client(&l, samples)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, client.Abort)()
	session, err := client.Open(0)
	if err != nil {
		return err
	}
	defer session.Close()
	it := &scenarios.Iter{Rand: rand.New(rand.NewPCG(r.Scenario.Seed, hashOf(what))), Vars: r.vars, Env: r.env}
	it.Reset()
	for _, s := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.Call == nil {
			select {
			case <-time.After(s.Think.Min):
			case <-ctx.Done():
			}
			continue
		}
		it.Intended = r.now()
		it.Deadline = it.Intended + l.Timeout.D()
		out := scenarios.Outcome{Step: onceStep, Intended: it.Intended, Ready: it.Intended}
		session.Do(it, s.Call, &out)
		if out.Kind != scenarios.OK {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%s: %s", s.Call.Name(), r.why(&out, samples))
		}
	}
	return nil
}

// why says what went wrong with a request that is not measured.
func (r *runner) why(out *scenarios.Outcome, samples *measure.Samples) string {
	why := out.Cause.Name(r.Checks)
	if sm := samples.First(onceStep, out.Cause); sm != nil && sm.Message+sm.Body != "" {
		why += ": " + sm.Message + sm.Body
	}
	return why
}

// onceStep stands for the steps of setup and teardown, which are not measured.
const onceStep = -2

// prepare readies load i.
func (r *runner) prepare(i, shards int) error {
	lp := &r.Loads[i]
	client, err := r.client(&lp.Load, r.samples)
	if err != nil {
		return err
	}
	r.clients = append(r.clients, client)
	warm := r.Scenario.Warmup
	if lp.Start != 0 {
		warm = 0
	}
	r.runs = append(r.runs, &load.Run{
		Name: lp.Name, Index: int32(i), Plan: lp.Schedule, Warmup: warm, Flows: lp.Flows, Init: lp.Prelude,
		Timeout: lp.Timeout.D(), Grace: lp.Grace.D(), MaxInFlight: lp.inFlight(), Seed: r.Scenario.Seed, Pacing: r.Scenario.Pacing,
		Now: r.now, Env: r.env, Vars: r.vars, Shards: shards,
		Open:  func(vu int) (load.User, error) { return client.Open(vu) },
		Sink:  func(shard int) load.Sink { return r.rec.Shard(shard) },
		Abort: client.Abort,
	})
	return nil
}

func (r *runner) inFlight() int64 {
	n := int64(0)
	for _, l := range r.runs {
		n += l.InFlight()
	}
	return n
}

// drive runs all loads to their end, with the faults among them, and watches.
func (r *runner) drive(ctx context.Context) error {
	r.event(scenarios.Event{Event: "load.start"})
	r.stats = make([]load.Stats, len(r.runs))
	errs := make([]error, len(r.runs))
	var loads sync.WaitGroup
	for i, l := range r.runs {
		loads.Go(func() {
			if r.stats[i], errs[i] = l.Go(ctx); errs[i] != nil {
				r.cancel(errs[i])
			}
		})
	}
	faults, over := context.WithCancel(ctx)
	defer over()
	var timeline sync.WaitGroup
	if !r.o.NoChaos && len(r.Faults) > 0 {
		timeline.Go(func() { r.records = r.play(faults) })
	}
	done := make(chan struct{})
	go func() {
		loads.Wait()
		r.event(scenarios.Event{Event: "load.end"})
		over()
		timeline.Wait()
		close(done)
	}()
	suspender := make(chan struct{})
	go func() {
		defer close(suspender)
		select {
		case <-r.o.Suspend:
			over()
			timeline.Wait()
			r.cancel(ErrSuspend)
			r.o.Stop()
		case <-done:
		}
	}()
	err := r.watch(done)
	<-done
	<-suspender
	r.stillDown()
	return errors.Join(append(errs, err)...)
}

// play plays the timeline.
func (r *runner) play(ctx context.Context) []*chaos.Record {
	t := &chaos.Timeline{
		Entries: r.Faults, Journal: r.journal, Seed: r.Scenario.Seed, MaxEach: r.Scenario.Guard.MaxEach.D(),
		SkipNone: r.Scenario.Guard.OnNoUnit == "skip", End: r.End(),
		Env:    chaos.Env{Units: r.sys.units(), Links: r.sys.links, MaxUnits: r.Scenario.Guard.MaxUnits, Now: r.now},
		Inject: r.rec.Inject, Clear: r.rec.Clear, Void: r.rec.Void, Before: r.steady, Event: r.event,
	}
	return t.Play(ctx)
}

// steady judges the steady state before the first injection.
func (r *runner) steady(context.Context) error {
	for _, o := range r.Scenario.Steady {
		holds, measured, n := r.rec.Steady(o)
		switch {
		case n == 0:
			return r.lost(unsteady{fmt.Sprintf("`%s` had no request to be judged by", o.Text)})
		case !holds:
			return r.lost(unsteady{fmt.Sprintf("`%s`, measured %s over %d requests", o.Text, measuredText(o, measured), n)})
		}
	}
	if len(r.Scenario.Steady) > 0 {
		r.event(scenarios.Event{Event: "steady.held"})
	}
	return nil
}

// lost ends the run for want of a steady state.
func (r *runner) lost(why unsteady) error {
	r.event(scenarios.Event{Event: "steady.lost", Text: why.what})
	r.cancel(why)
	return why
}

// stillDown looks once more, at the end, for what one-shots took down.
func (r *runner) stillDown() {
	for _, rec := range r.records {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if err := rec.StillDown(ctx); err != nil {
			rec.RevertErr = errors.Join(rec.RevertErr, err)
		}
		cancel()
	}
}

// foldEvery is how often samples are sorted into cells.
const foldEvery = 200 * time.Millisecond

// watch folds, judges stop conditions and tells those who watch, until the loads
// are done and the faults taken back.
func (r *runner) watch(done <-chan struct{}) error {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	next := nextSecond(r.now())
	stops := make([]time.Duration, len(r.Scenario.Stop)) // since when each holds; 0 is not
	for {
		select {
		case <-done:
			return r.rec.Fold()
		case <-tick.C:
		}
		if err := r.rec.Fold(); err != nil {
			r.cancel(err)
			return err
		}
		now := r.now()
		if now < next {
			continue
		}
		next = nextSecond(now)
		iv, second := r.rec.Interval()
		r.stopConditions(now, second, stops)
		r.tell(iv)
	}
}

// nextSecond is the first whole second after t, which may lie before t0.
func nextSecond(t time.Duration) time.Duration {
	return time.Duration(math.Floor(t.Seconds())+1) * time.Second
}

// stopConditions ends the run when a condition has held for as long as it says. A
// second in which nothing ended while requests were under way goes on with what was
// before.
func (r *runner) stopConditions(now time.Duration, second measure.Second, since []time.Duration) {
	if now < 0 {
		return
	}
	for i, o := range r.Scenario.Stop {
		holds, known := second.Judge(o)
		switch {
		case !known && second.InFlight > 0 && since[i] != 0:
		case !holds:
			since[i] = 0
			continue
		case since[i] == 0:
			since[i] = max(1, now-time.Second)
		}
		if now-since[i] >= o.For && !r.stopping {
			r.stopping = true
			r.event(scenarios.Event{Event: "run.stop", Text: o.Text})
			r.cancel(stopped{o.Text})
		}
	}
}

// tell passes an interval on to those who watch.
func (r *runner) tell(iv scenarios.Interval) {
	iv.End, iv.Phase = r.End(), "run"
	if iv.At < 0 {
		iv.Phase = "warmup"
	} else if iv.At > iv.End {
		iv.Phase = "grace"
	}
	if !r.o.NoChaos {
		for _, e := range chaos.Estimate(r.Faults, r.End()) {
			if e.At > iv.At && (iv.Next == "" || e.At < iv.NextAt) {
				iv.Next, iv.NextAt = e.Name, e.At
			}
		}
	}
	r.mon.tick(iv.InFlight)
	if r.o.Live != nil {
		r.o.Live(iv)
	}
}

// note adds to what the report says besides.
func (r *runner) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// event notes what happened.
func (r *runner) event(e scenarios.Event) {
	e.Text = r.Scenario.Secrets.Mask(e.Text)
	r.mu.Lock()
	r.events = append(r.events, e)
	r.times = append(r.times, time.Now())
	r.mu.Unlock()
	e.T = scenarios.Sec(r.now())
	r.log.Info(e.Event, "t", float64(e.T), "fault", e.Fault, "unit", e.Unit, "text", e.Text)
	if r.o.Event != nil {
		r.o.Event(e)
	}
}

// onClock gives the events with their times on the run's clock, which those before
// the load could not know yet.
func (r *runner) onClock() []scenarios.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.events {
		r.events[i].T = scenarios.Sec(r.times[i].Sub(r.t0))
	}
	return r.events
}
