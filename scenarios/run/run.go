package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/judge"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/notes"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/generator"
	"brunt/scenarios/run/script"
	"brunt/scenarios/run/target"
	"brunt/scenarios/slo"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/platform/docker"
)

// Options configure a run.
type Options struct {
	ID       string                // name of the run; empty draws one
	LogDir   string                // for the output of the target's units; empty keeps only its end
	State    string                // for the journal; required for a run that starts a target or injects faults
	Ledger   string                // the file for writes that the ledger found wrong; empty keeps none
	Guard    []string              // the command line of the watchdog; empty runs without one, for tests
	Burner   []string              // the command that starts the stress process; without it, faults that need one fail
	Helpers  bool                  // use agents in an engine also for what brunt could do itself; for tests
	Requests string                // the file that logs every request; empty keeps none
	NoChaos  bool                  // the control run: no fault is injected
	Log      *slog.Logger          // nil logs nothing
	Live     func(result.Interval) // called every second, and once the loads are over; may be nil
	BySteps  bool                  // Live also receives every step
	Event    func(result.Event)    // called with each event, by several goroutines; may be nil
	Begun    func(Look)            // called when the load begins, with a view of the run; may be nil
	Suspend  <-chan os.Signal      // a signal asks to suspend brunt; may be nil
	Stop     func()                // suspends brunt, once all faults are undone
	At       func(point string)    // called at each point where brunt could be killed, for tests
}

// Errors of a run that could not begin or continue: its verdict is invalid.
var (
	errSetup   = script.ErrSetup
	errAuth    = errors.New("the load can't prove who it is")
	errUsedUp  = errors.New("unique data is used up")
	errSuspend = errors.New("brunt was suspended; its faults were taken back before")
	errBind    = errors.New("a step can't be prepared at the target")
)

// An Interrupt is the cause of a context that a signal ended.
type Interrupt struct {
	Code int    // 130 or 143
	By   string // the caller that ended the run; empty means a signal
}

func (i Interrupt) Error() string { return i.how() }

func (i Interrupt) how() string {
	if i.By != "" {
		return "stopped by " + i.By
	}
	return "interrupted"
}

// A stopped is the cause of a run ended by a stop condition.
type stopped struct{ condition string }

func (s stopped) Error() string { return "stop condition met: " + s.condition }

// An unsteady is the cause of a run whose steady state did not hold.
type unsteady struct{ what string }

func (u unsteady) Error() string { return "the steady state did not hold: " + u.what }

// runner is a plan in execution.
type runner struct {
	*plan.Plan
	*events.Log
	o        Options
	logger   *slog.Logger
	began    time.Time
	env      *template.Env
	journal  *journal.Journal
	guard    *journal.Watchdog
	warden   *journal.RemoteWatchdog // nil: brunt does not run in a container
	sys      *target.System
	insides  agent.Pool
	timeline atomic.Pointer[chaos.Timeline] // the timeline in progress; nil in a control run
	rec      *measure.Recorder
	samples  *measure.Samples
	clients  []targets.Transport
	runs     []driver.Job
	scripts  script.Set
	stats    []load.Stats
	keeper   *keeper              // nil: requests are not logged
	ledger   *ledger.Ledger       // nil: the scenario has no ledger
	written  *result.LedgerRecord // result of the ledger
	mon      *generator.Monitor
	usage    *observe.Usage    // of the target's units
	observed *observe.Observer // its metrics and alerts
	health   result.Generator
	vars     []template.Value
	cancel   context.CancelCauseFunc
	records  []*chaos.Record

	identities []result.UnitIdentity // units of the target, when the load began
	replicas   map[string]int
	sums       summer

	foreseen []chaos.Estimated // the timeline of this run; empty in a control run
	judged   []slo.Objective
	broken   error // a failure of brunt itself during the load

	stopping bool // a stop condition was met

	looks   chan chan *result.Result // requests to the watcher for the result so far
	watched chan struct{}            // closed when the watcher no longer answers
	interim interim

	timetable []result.Foreseen // foreseen, for live displays
}

var discard = slog.New(slog.DiscardHandler)

// newRunner creates the runner of a plan.
func newRunner(p *plan.Plan, o Options) *runner {
	r := &runner{Plan: p, o: o, logger: cmp.Or(o.Log, discard), began: time.Now()}
	if r.o.ID == "" {
		r.o.ID = NewID()
	}
	r.Log = events.New(events.Options{Mask: p.Scenario.Secrets.Mask, Log: o.Log, Event: o.Event})
	r.insides.Find, r.insides.Helper = catalog.Find, o.Helpers
	r.looks, r.watched, r.observed = make(chan chan *result.Result), make(chan struct{}), new(observe.Observer) // which reads nothing yet
	return r
}

// lead is the time between the decision to begin and the first arrival.
const lead = 50 * time.Millisecond

// Run runs the plan to its verdict. The error is a failure of brunt itself; failures of the target
// or the scenario are in the result.
func Run(ctx context.Context, p *plan.Plan, o Options) (*result.Result, error) {
	r := newRunner(p, o)
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.Event(result.Event{Event: "run.start", Text: p.Scenario.Name})
	stopNotes := r.Receive(o.State, notes.Running{Run: r.o.ID, Name: p.Scenario.Name})
	res, err := r.guarded(ctx)
	received := stopNotes()
	if res != nil {
		res.Notes = append(res.Notes, received...)
		r.Event(result.Event{Event: "run.end", Text: string(res.Verdict) + ": " + res.Reason})
		res.Ended = time.Now()
		res.Events = r.Events()
		res.Attach()
	}
	return res, err
}

// Frugal makes the garbage collector run early until restore is called. Judging a run and drawing
// its report allocate much short-lived memory, which would otherwise let memory grow with the length
// of the run.
func Frugal() (restore func()) {
	const percent = 25 // largest share of garbage to live memory
	was := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(was) }
}

// NewID returns a new name for a run: its time and eight letters.
func NewID() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	b := make([]byte, 8)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return time.Now().UTC().Format("20060102-150405-") + string(b)
}

// breaks reports whether the run starts a target or injects faults, so that it needs a journal and a
// watchdog.
func (r *runner) breaks() bool { return r.Stack != nil || len(r.Faults) > 0 && !r.o.NoChaos }

// protect opens the journal and starts the watchdog.
func (r *runner) protect() (err error) {
	if r.journal, err = journal.Open(catalog.AllOperations(), r.o.State, r.o.ID); err != nil {
		return err
	}
	r.journal.At, r.journal.Mask = r.o.At, r.Scenario.Secrets.Mask
	r.insides.Journal = r.journal
	if len(r.o.Guard) == 0 {
		return nil
	}
	mark, err := r.ward()
	if err == nil {
		r.guard, err = journal.StartWatchdog(r.o.Guard, r.journal.Path(), mark...)
	}
	if err != nil {
		if r.warden != nil {
			err = errors.Join(err, r.warden.Stop())
		}
		return errors.Join(err, r.journal.Close())
	}
	return nil
}

// wardSlack is how much longer than planned a run may take before its watchdog in a container of its
// own undoes everything.
const (
	wardSlack = 15 * time.Minute
	longest   = 7 * 24 * time.Hour
)

// ward starts the remote watchdog of a brunt that runs in a container itself, if it injects faults
// by the engine, and returns the mark for the other watchdog.
func (r *runner) ward() (mark []string, err error) {
	if docker.Self() == "" {
		return nil, nil
	}
	const (
		alone   = "brunt runs in a container, and its guard in the same one: who ends that container ends both, and what the kernel does not take back stays until `brunt revert`. Keep BRUNT_STATE on a volume"
		unknown = "the engine %s does not know the container that brunt runs in (that is another engine's, as in Docker in Docker), and so has no place beside it for a guard in a container of its own. "
		soon    = time.Minute
	)
	if !r.Contained && !slices.ContainsFunc(r.Faults, r.inside) {
		r.Note(alone)
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	at, err := docker.Find(r.Getenv)
	if err != nil {
		return nil, err
	}
	e, err := docker.Open(at, docker.Options{Check: r.ChaosAllowlist.CheckAddr})
	if err != nil {
		return nil, err
	}
	if err := e.Ping(ctx); err != nil { // reported when the target is brought up
		return nil, e.Close()
	}
	most := wardSlack + r.Takes()
	for _, f := range r.Faults {
		most += f.Stays() + f.WithinOr()
	}
	if most <= 0 || most > longest { // a load without an end
		most = longest
	}
	r.warden, err = journal.StartRemoteWatchdog(ctx, e, r.o.ID, most)
	switch {
	case errors.Is(err, journal.ErrNoRemoteWatchdog):
		r.Note(unknown+alone, at.Host)
		return nil, e.Close()
	case err != nil:
		return nil, errors.Join(err, e.Close())
	}
	r.journal.Tell = r.warden.Tell
	r.Note("brunt runs in a container, and a guard in one of its own takes back what it does to others, should brunt's be ended. What it does by `exec` and `webhook`, and to processes of its own container, is taken back by `brunt revert` alone then: keep BRUNT_STATE on a volume")
	return []string{r.warden.Mark(at)}, nil
}

// closeJournal stops the watchdog and ends the journal. Left describes what is still to be undone;
// empty is nothing.
func (r *runner) closeJournal() (left string, err error) {
	const most = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := r.insides.Close(ctx); err != nil {
		r.Note("%v", err)
	}
	if r.guard != nil {
		if err := r.guard.Stop(); err != nil {
			r.Note("%v", err)
		}
	}
	if r.warden != nil {
		if err := r.warden.Stop(); err != nil {
			r.Note("%v", err)
		}
	}
	if open := r.journal.Open(); open > 0 {
		left = fmt.Sprintf("%d entries of the journal are open; `brunt revert` tries again", open)
	}
	return left, r.journal.Close()
}

// guarded runs the plan with a journal and a watchdog.
func (r *runner) guarded(ctx context.Context) (*result.Result, error) {
	if !r.breaks() {
		return r.run(ctx)
	}
	if err := r.protect(); err != nil {
		return nil, err
	}
	res, err := r.run(ctx)
	left, cerr := r.closeJournal()
	if left != "" && res != nil {
		r.notReverted(res, left)
	}
	return res, errors.Join(err, cerr)
}

// run brings the target up, drives load and faults, takes the target down and judges.
func (r *runner) run(ctx context.Context) (res *result.Result, err error) {
	if err := r.furnish(); err != nil {
		return r.unstarted(err), nil
	}
	if !r.o.NoChaos {
		if err := r.TryFaults(); err != nil {
			return r.unstarted(err), nil
		}
	}
	r.sys = r.newTarget()
	err = r.sys.Up(ctx)
	defer func() {
		if derr := r.sys.Down(ctx); derr != nil {
			err = errors.Join(err, fmt.Errorf("taking the target down: %w", derr))
		}
	}()
	if err != nil {
		return r.unstarted(err), nil
	}
	r.sys.Watch()
	r.identify(ctx)
	r.programs() // so that a look at the run does not compute it during the load
	if err := r.helpers(ctx); err != nil {
		return r.unstarted(err), nil
	}
	dropTokens, err := r.tokens(ctx)
	if err != nil {
		return r.unstarted(err), nil
	}
	defer dropTokens()
	if err := r.once(ctx, "setup", r.Setup); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errSetup, err)
		}
		return r.unstarted(err), nil
	}
	if err := r.Bind(ctx, r.reach); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errBind, err)
		}
		return r.unstarted(err), nil
	}
	shards := runtime.GOMAXPROCS(0)
	if r.rec, err = r.recorder(shards); err != nil {
		return nil, err
	}
	defer r.rec.Close()
	if r.Plan.Ledger != nil {
		if r.ledger, err = ledger.Open(r.Plan.Ledger, r.o.Ledger, shards); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, r.ledger.Close()) }()
	}
	defer r.scripts.End()
	if err := r.scripts.Start(ctx, r.scriptHost()); err != nil {
		return r.unstarted(err), nil
	}
	r.Begin(time.Now().Add(r.Scenario.Warmup + lead))
	if r.o.Requests != "" {
		if r.keeper, err = r.openKeeper(); err != nil {
			return nil, err
		}
		defer func() {
			if kerr := r.keeper.close(); kerr != nil && res != nil {
				res.Notes = append(res.Notes, fmt.Sprintf("%s is not whole: %v", r.o.Requests, kerr))
			}
		}()
	}
	for i := range r.Loads {
		if err := r.prepare(i, shards); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, c := range r.clients {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	r.mon, r.usage = generator.NewMonitor(r.Now, r.T0()), observe.NewUsage(r.sys.Units())
	r.observed = observe.New(r.observedRun(), r.Gauges, r.Alerts)
	r.usage.Watch(r.Now)
	r.observed.Watch()
	defer r.usage.Stop()
	defer r.observed.Stop()
	r.broken = r.drive(ctx)
	r.usage.Stop()
	r.observed.Stop()
	r.health = r.mon.Finish() // of the load, without the judging
	defer Frugal()()
	if r.ledger != nil {
		if r.written, err = r.ledger.Verify(ctx, r.ledgerRun()); err != nil {
			return nil, errors.Join(r.broken, err)
		}
	}
	if err := r.once(context.WithoutCancel(ctx), "teardown", r.Teardown); err != nil {
		r.Note("teardown failed: %v", err)
	}
	if res, err = r.result(ctx); err != nil {
		return nil, errors.Join(r.broken, err)
	}
	return res, nil
}

// furnish prepares what the steps of a run need: variables, tables, files, and a store for samples.
func (r *runner) furnish() error {
	sc := r.Scenario
	r.env = &template.Env{Salt: [2]uint64{rand.Uint64(), rand.Uint64()}, Units: map[string]string{}, Tables: sc.Tables}
	for _, t := range sc.Tables {
		t.Start(sc.Seed)
	}
	r.env.Fill = func() { r.cancel(errUsedUp) }
	r.env.Now = r.Now
	r.samples = &measure.Samples{Mask: sc.Secrets.Mask, Steps: len(r.Series.Steps)}
	r.vars = make([]template.Value, len(sc.Symbols.Vars()))
	r.files()
	for i := range r.Loads {
		if err := dial.CheckSources(&r.Loads[i].Connections); err != nil {
			return fmt.Errorf("load %q: %w", r.Loads[i].Name, err)
		}
	}
	return nil
}

// recorder creates the recorder of all loads.
func (r *runner) recorder(shards int) (*measure.Recorder, error) {
	sc := r.Scenario
	timeout := time.Duration(0)
	for i := range r.Loads {
		timeout = max(timeout, r.Loads[i].Timeout.D())
	}
	limits := judge.LimitsOf(sc.SLO, sc.Steady, sc.Stop)
	c := measure.Config{
		Series: r.Series, Limits: limits, Totals: r.o.Live != nil && len(r.Objectives(r.o.NoChaos)) > 0, Timeout: timeout, Shards: shards, Now: r.Now, InFlight: r.inFlight,
		BySteps: r.o.BySteps, Freezes: func() []measure.Freeze { return r.mon.Freezes() },
	}
	if r.o.Requests != "" {
		c.Keep = func(o *scenarios.Outcome) { r.keeper.keep(o) }
	}
	return measure.New(c)
}

// scriptHost describes this run for its scripts.
func (r *runner) scriptHost() *script.Host {
	base, links := r.sys.Base()
	return &script.Host{
		Plan: r.Plan, Log: r.Log, Env: r.env, Base: base, Links: links, LogDir: r.o.LogDir, Control: r.o.NoChaos, Recorder: r.rec, Samples: r.samples,
		Stop:     func(condition string) { r.cancel(stopped{condition}) },
		Timeline: r.timeline.Load,
		Sink:     func(i int) load.Sink { return r.rec.Shard(i) },
	}
}

// helpers prepares the image of the agents, where a fault will need one.
func (r *runner) helpers(ctx context.Context) error {
	for _, e := range r.Faults {
		if r.o.NoChaos || !r.inside(e) {
			continue
		}
		engine, err := r.sys.Open(ctx)
		if err != nil {
			return err
		}
		return r.insides.Ready(ctx, engine, r.o.ID)
	}
	return nil
}

// inside reports whether a fault acts inside a container, where it may need an agent.
func (r *runner) inside(e *chaos.Entry) bool {
	d, _ := catalog.Find(e.Kind)
	return e.Traits(r.Scope).InNetwork || r.Contained && d.Agent != nil
}

// newTarget prepares the target of this run.
func (r *runner) newTarget() *target.System {
	return target.New(&target.Host{
		Plan: r.Plan, Log: r.Log, Run: r.o.ID, LogDir: r.o.LogDir, Journal: r.journal, Units: r.env.Units,
		Answers:  func(ctx context.Context) error { return r.once(ctx, "ready", r.Ready) },
		Timeline: r.timeline.Load,
	})
}
