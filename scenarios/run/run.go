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
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios/observe"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/template"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/judge"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/plan"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/platform/docker"
)

// Options say how to run a plan.
type Options struct {
	ID       string                // names the run; empty draws one
	LogDir   string                // for the output of the stack's units; empty keeps only its end
	State    string                // for the journal; needed where anything is started or broken
	Ledger   string                // the file for what the ledger did not find as it should be; empty keeps none
	Guard    []string              // the command line of the guard; empty runs without one, for tests
	Burner   []string              // the command line of what uses up what a unit is to be short of; empty is that faults which need one can't be done
	Helpers  bool                  // helpers in an engine do what brunt could do itself; for tests
	Requests string                // the file for every request, one by one; empty keeps none
	NoChaos  bool                  // the control run: no fault is injected
	Log      *slog.Logger          // nil logs nothing
	Live     func(result.Interval) // is told every second, and once the loads are over; nil is nobody
	BySteps  bool                  // Live is told of every step as well
	Event    func(result.Event)    // is told what happens, by several goroutines; nil is nobody
	Begun    func(Look)            // is given a look at the run as its load begins; nil is nobody
	Suspend  <-chan os.Signal      // tells that brunt is to be suspended; nil never does
	Stop     func()                // suspends brunt, once all faults are taken back
	At       func(point string)    // is called where brunt could die, for tests
}

// Errors of a run that could not begin, or could not go on: its verdict is invalid.
var (
	errNotReady = errors.New("the target did not become ready")
	errSetup    = errors.New("setup failed")
	errAuth     = errors.New("the load can't prove who it is")
	errUsedUp   = errors.New("unique data is used up")
	errSuspend  = errors.New("brunt was suspended; its faults were taken back before")
)

// An Interrupt is the cause of a context that a signal ended.
type Interrupt struct {
	Code int    // 130 or 143
	By   string // who did, if not a signal; empty is a signal
}

func (i Interrupt) Error() string { return i.how() }

func (i Interrupt) how() string {
	if i.By != "" {
		return "stopped by " + i.By
	}
	return "interrupted"
}

// A stopped is the cause of a run that a stop condition ended.
type stopped struct{ condition string }

func (s stopped) Error() string { return "stop condition met: " + s.condition }

// An unsteady is the cause of a run whose steady state did not hold.
type unsteady struct{ what string }

func (u unsteady) Error() string { return "the steady state did not hold: " + u.what }

// runner is a plan under way.
type runner struct {
	*plan.Plan
	o        Options
	log      *slog.Logger
	began    time.Time
	t0       time.Time
	env      *template.Env
	journal  *journal.Journal
	guard    *journal.Watchdog
	warden   *journal.RemoteWatchdog // nil: brunt runs in no container
	sys      *system
	insides  agent.Pool
	timeline atomic.Pointer[chaos.Timeline] // under way; nil in a control run
	rec      *measure.Recorder
	samples  *measure.Samples
	clients  []targets.Transport
	runs     []driver.Job
	scripts  []*scriptRun // those of the runs that are scripts of k6
	stats    []load.Stats
	keeper   *keeper              // nil: requests are not kept
	ledger   *ledger.Ledger       // nil: the scenario has none
	written  *result.LedgerRecord // what it found
	mon      *monitor
	usage    *observe.Usage    // of the target's units
	observed *observe.Observer // its metrics and alerts
	health   result.Generator
	vars     []template.Value
	cancel   context.CancelCauseFunc
	records  []*chaos.Record

	identities []result.UnitIdentity // of the target's units, as the load began
	replicas   map[string]int
	sums       summer

	foreseen []chaos.Estimated // the timeline of this run; none in a control run
	judged   []slo.Objective
	broken   error // what failed of brunt itself while the load ran

	stopping bool // a stop condition was met

	looks   chan chan *result.Result // asks the watcher what the run came to so far
	watched chan struct{}            // closed when nobody answers any more
	interim interim

	timetable []result.Foreseen // foreseen, for those who watch

	mu       sync.Mutex
	checks   []string // names of checks: the plan's, and those of scripts
	failed   []string // why scripts have marked the run as failed
	faultsIn []string // that scripts were told of
	notes    []string
	events   []result.Event
	times    []time.Time // of the events
}

var discard = slog.New(slog.DiscardHandler)

// now is the run's clock: the offset from t0.
func (r *runner) now() time.Duration { return time.Since(r.t0) }

// newRunner puts a plan under way.
func newRunner(p *plan.Plan, o Options) *runner {
	r := &runner{Plan: p, o: o, log: cmp.Or(o.Log, discard), began: time.Now(), t0: time.Now()}
	if r.o.ID == "" {
		r.o.ID = NewID()
	}
	r.insides.Helper = o.Helpers
	r.looks, r.watched, r.observed = make(chan chan *result.Result), make(chan struct{}), new(observe.Observer) // which reads nothing yet
	return r
}

// lead is the time between the decision to begin and the first arrival.
const lead = 50 * time.Millisecond

// Run runs the plan to its verdict. The error is brunt's own failure; all that the
// target or the scenario did is in the result.
func Run(ctx context.Context, p *plan.Plan, o Options) (*result.Result, error) {
	r := newRunner(p, o)
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.event(result.Event{Event: "run.start", Text: p.Scenario.Name})
	remarks := r.remarks()
	res, err := r.guarded(ctx)
	said := remarks()
	if res != nil {
		res.Notes = append(res.Notes, said...)
		r.event(result.Event{Event: "run.end", Text: string(res.Verdict) + ": " + res.Reason})
		res.Ended = time.Now()
		res.Events = r.onClock()
		res.Attach()
	}
	return res, err
}

// Frugal has memory collected early until restore is called. Judging a run and drawing
// its report make much that is soon forgotten; kept for long it would let memory grow
// with the length of the run.
func Frugal() (restore func()) {
	const percent = 25 // of what is in use may be garbage
	was := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(was) }
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

// protect opens the journal and starts the guard.
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

// wardSlack is how much longer than planned a run may take before its guard in a container of
// its own takes everything back.
const (
	wardSlack = 15 * time.Minute
	longest   = 7 * 24 * time.Hour
)

// ward starts the guard of a brunt that runs in a container itself, where it breaks something
// of the engine, and gives what the other guard is to know of it.
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
		r.note(alone)
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
	if err := e.Ping(ctx); err != nil { // which is told of when the target is brought up
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
		r.note(unknown+alone, at.Host)
		return nil, e.Close()
	case err != nil:
		return nil, errors.Join(err, e.Close())
	}
	r.journal.Tell = r.warden.Tell
	r.note("brunt runs in a container, and a guard in one of its own takes back what it does to others, should brunt's be ended. What it does by `exec` and `webhook`, and to processes of its own container, is taken back by `brunt revert` alone then: keep BRUNT_STATE on a volume")
	return []string{r.warden.Mark(at)}, nil
}

// closeJournal lets the guard go and ends the journal. Left says what is to be taken back
// still; empty is nothing.
func (r *runner) closeJournal() (left string, err error) {
	const most = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := r.insides.Close(ctx); err != nil {
		r.note("%v", err)
	}
	if r.guard != nil {
		if err := r.guard.Stop(); err != nil {
			r.note("%v", err)
		}
	}
	if r.warden != nil {
		if err := r.warden.Stop(); err != nil {
			r.note("%v", err)
		}
	}
	if open := r.journal.Open(); open > 0 {
		left = fmt.Sprintf("%d entries of the journal are open; `brunt revert` tries again", open)
	}
	return left, r.journal.Close()
}

// guarded runs the plan with journal and guard around it.
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

// run brings the target up, loads and breaks it, takes it down and judges.
func (r *runner) run(ctx context.Context) (res *result.Result, err error) {
	if err := r.furnish(); err != nil {
		return r.unstarted(err), nil
	}
	if !r.o.NoChaos {
		if err := r.TryFaults(); err != nil {
			return r.unstarted(err), nil
		}
	}
	r.sys = newSystem(r)
	err = r.sys.bringUp(ctx)
	defer func() {
		if derr := r.sys.takeDown(ctx); derr != nil {
			err = errors.Join(err, fmt.Errorf("taking the target down: %w", derr))
		}
	}()
	if err != nil {
		return r.unstarted(err), nil
	}
	r.sys.watch()
	r.sys.identify(ctx)
	r.programs() // so that nobody who looks at the run has it done while the load goes on
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
	r.checks = slices.Clone(r.Plan.Checks)
	defer r.endScripts()
	if err := r.startScripts(ctx); err != nil {
		return r.unstarted(err), nil
	}
	r.mu.Lock() // units of the target may tell of events meanwhile
	r.t0 = time.Now().Add(r.Scenario.Warmup + lead)
	r.mu.Unlock()
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
	r.mon, r.usage = newMonitor(r.now, r.t0), observe.NewUsage(r.sys.units())
	r.observed = observe.New(r.observedRun(), r.Gauges, r.Alerts)
	r.usage.Watch(r.now)
	r.observed.Watch()
	defer r.usage.Stop()
	defer r.observed.Stop()
	r.broken = r.drive(ctx)
	r.usage.Stop()
	r.observed.Stop()
	r.health = r.mon.finish() // of the load; what judging it takes is another matter
	defer Frugal()()
	if r.ledger != nil {
		if r.written, err = r.ledger.Verify(ctx, r.ledgerRun()); err != nil {
			return nil, errors.Join(r.broken, err)
		}
	}
	if err := r.once(context.WithoutCancel(ctx), "teardown", r.Teardown); err != nil {
		r.note("teardown failed: %v", err)
	}
	if res, err = r.result(ctx); err != nil {
		return nil, errors.Join(r.broken, err)
	}
	return res, nil
}

// furnish makes what the steps of a run find: variables, tables, files, and a place for
// samples.
func (r *runner) furnish() error {
	sc := r.Scenario
	r.env = &template.Env{Salt: [2]uint64{rand.Uint64(), rand.Uint64()}, Units: map[string]string{}, Tables: sc.Tables}
	for _, t := range sc.Tables {
		t.Start(sc.Seed)
	}
	r.env.Fill = func() { r.cancel(errUsedUp) }
	r.env.Now = r.now
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

// recorder makes what all loads are measured by.
func (r *runner) recorder(shards int) (*measure.Recorder, error) {
	sc := r.Scenario
	timeout := time.Duration(0)
	for i := range r.Loads {
		timeout = max(timeout, r.Loads[i].Timeout.D())
	}
	limits := judge.LimitsOf(sc.SLO, sc.Steady, sc.Stop)
	c := measure.Config{Series: r.Series, Limits: limits, Totals: r.o.Live != nil && len(r.judgedBySoFar()) > 0, Timeout: timeout, Shards: shards, Now: r.now, InFlight: r.inFlight, BySteps: r.o.BySteps}
	if r.o.Requests != "" {
		c.Keep = func(o *scenarios.Outcome) { r.keeper.keep(o) }
	}
	return measure.New(c)
}
