package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"brunt/chaos/proxy/child"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/consistency"
	"brunt/scenarios/delivery"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/notes"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/run/script"
	"brunt/scenarios/run/target"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/slo"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/dial"
)

// Options configure a run.
type Options struct {
	ID     string // name of the run; empty means a random one
	LogDir string // folder for the output of the target's units; empty keeps only the end of the output
	State  string // folder for the journal; required for a run that starts a target or injects faults
	Ledger string // file for writes that the ledger found wrong; empty means no file
	// file that lists the messages of deliveries that are not simply held; empty means no file
	Deliveries string
	Watchdog   []string // the command line of the watchdog; empty runs without one, for tests
	// the command that starts the stress process; without it, faults that need that process fail
	Stress []string
	// the command that starts the process for links and networks; empty means in this process, for tests
	Proxies []string
	// use agents in an engine even for faults that brunt could make itself; for tests
	AgentsAlways bool
	Requests     string                // file that logs every request; empty means no file
	NoChaos      bool                  // the control run: no fault is injected
	Log          *slog.Logger          // nil logs nothing
	Live         func(result.Interval) // called every second, and once the loads are over; may be nil
	BySteps      bool                  // Live also receives every step
	// called every second with the requests of the load that are exported as spans; nil chooses none
	Spans func(result.RequestSpans)
	Each  func(result.RequestBatch) // called every second with all requests of the load; may be nil
	Event func(result.Event)        // called with each event, by several goroutines; may be nil
	// for a load that switches between two sides: spans with cells of their own
	Blocks []load.Span
	// called before anything is started or hired; an error ends the run before it began. nil asks nothing
	Admit func(context.Context) error
	// called when all is ready, and waits until the load may begin; nil does not wait
	Await func(context.Context) error
	Begun func(Sampler) // called when the load begins, with a view of the run; may be nil
	// called when the load begins, with the function that takes marks of people; may be nil
	Attended func(Marker)
	// workers that make the load in place of this process; the zero value means none
	Workers Workers
	Suspend <-chan os.Signal   // a signal asks to suspend brunt; may be nil
	Hurry   <-chan struct{}    // closed to end the commands and requests of teardown; may be nil
	Stop    func()             // suspends brunt, once all faults are undone
	At      func(point string) // called at each point where brunt could be killed, for tests
}

// Errors of a run that could not begin or continue: its verdict is invalid.
var (
	errSetup   = script.ErrSetup
	errAuth    = errors.New("the load has no token")
	errUsedUp  = errors.New("unique data is used up")
	errSuspend = errors.New("brunt was suspended; its faults were taken back before")
	errBind    = errors.New("a step can't be prepared at the target")
	errHurry   = errors.New("a second signal ended it")
	errNoLoad  = errors.New("no worker is left")
	errLost    = errors.New("a worker is lost, and `lost: stop` ends the run then")
)

// A NotRevertedError is part of the error of a run that failed without a result and did not undo everything.
type NotRevertedError struct {
	Left string // description of the rest that is not undone, in a sentence
}

func (e NotRevertedError) Error() string { return "not everything was taken back: " + e.Left }

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

// An unsteady is the cause of a run whose steady state did not hold, so that no fault was injected.
type unsteady struct {
	what       string
	of         *slo.Objective // the condition on requests that did not hold; nil for another one
	undeclared bool           // the scenario declares no steady state, and its baseline failed
}

func (u unsteady) Error() string {
	if u.undeclared {
		return "the baseline failed: " + u.what
	}
	return "the steady state did not hold: " + u.what
}

// runner is a plan in execution.
type runner struct {
	session    *session
	plan       *plan.Plan
	log        *events.Log
	protection *guard.Protection
	identity   *Identity
	requests   *requester
	loads      *loads
	faults     *faults
	observers  *observers
	live       *live
	// returns why the caller ended the run, even if it did so after the run ended by itself; nil if the caller can't
	// end it
	caller func() error

	written     []*result.LedgerRecord // results of the ledgers
	escaped     *result.Escape         // nil without an escape
	escapedFrom string                 // its fault
	overload    *result.Overload       // of `brunt find --hysteresis`
	consistent  []*result.ConsistencyRecord
	delivered   []*result.DeliveryRecord
	setUp       bool               // setup has begun, but teardown has not
	broken      error              // a failure of brunt itself during the load
	closers     []func() error     // free resources of the run, in reverse order
	closeNotes  []string           // notes of closers for the result
	conditions  []result.Condition // set when conditions are taken back
	kept        *casefile.Case     // nil: none is wanted, or there is no result
	noted       int                // notes of the result when it had its verdict
	ended       time.Duration      // when the load ended; zero without a result, or if the target was ended by order
}

// newRunner creates the runner of a plan.
func newRunner(p *plan.Plan, o Options) *runner {
	s := newSession(p, o)
	p, log := s.plan, s.log
	requests := newRequester(s)
	r := &runner{
		session: s, plan: p, log: log, protection: guard.NewProtection(p, log, s.protected()), identity: IdentityOf(p),
		requests: requests, loads: newLoads(requests),
		observers: &observers{session: s, plan: p, log: log, requests: requests, observed: new(observe.Observer)},
	}
	if len(o.Proxies) > 0 {
		r.protection.Agents.Local = &child.Shared{
			Command: o.Proxies, Lost: func(why error) { r.session.cancel(guard.TargetGoneError{How: why.Error()}) },
		}
	}
	r.faults = &faults{
		session: s, plan: p, log: log, protection: r.protection, requests: requests, loads: r.loads, observers: r.observers,
	}
	r.faults.marks = newMarks(r)
	r.live = newLive(r)
	return r
}

// lead is the time between the decision to begin and the first arrival.
const lead = 50 * time.Millisecond

// Run runs the plan to its verdict. An error is a failure of brunt itself that leaves no result; failures of the
// target or the scenario, and of brunt after the load, are in the result.
func Run(ctx context.Context, p *plan.Plan, o Options) (*result.Result, error) {
	r := newRunner(p, o)
	called := ctx
	r.caller = func() error { return context.Cause(called) }
	ctx, r.session.cancel = context.WithCancelCause(ctx)
	defer r.session.cancel(nil)
	r.log.Event(result.Event{Event: "run.start", Text: p.Scenario.Name, Data: map[string]any{
		"run": r.session.o.ID, "place": Place(o.State),
	}})
	stopNotes := r.log.Receive(o.State, notes.Running{Run: r.session.o.ID, Name: p.Scenario.Name}, r.faults.marks.noted)
	res, err := r.guarded(ctx)
	received := stopNotes()
	if res != nil {
		if res.Notes = append(res.Notes, received...); err != nil {
			brokeAfter(res, err)
		}
		r.log.Event(result.Event{Event: "run.end", Text: string(res.Verdict) + ": " + res.Reason})
		res.Ended = time.Now()
		res.Events = r.log.Events()
		res.Attach()
		res = result.Masked(res, r.plan.Scenario.Secrets.Mask)
		if err := r.keep(res); err != nil {
			r.session.logger.Warn("keeping the case of the run", "error", err)
		}
		return res, nil
	}
	r.log.Event(result.Event{Event: "run.end", Text: "error: " + err.Error()})
	return nil, err
}

// Place returns a digest of this machine's name and of a folder of journals. It tells whether the journals of a run are
// here.
func Place(state string) string {
	host, _ := os.Hostname()
	if whole, err := filepath.Abs(state); err == nil {
		state = whole
	}
	sum := sha256.Sum256([]byte(host + "\x00" + state))
	return hex.EncodeToString(sum[:8])
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

// guarded runs the plan with a journal and a watchdog.
func (r *runner) guarded(ctx context.Context) (*result.Result, error) {
	if !r.session.breaks() {
		return r.run(ctx)
	}
	if err := r.protection.Open(); err != nil {
		return nil, err
	}
	r.faults.awake = r.protection.NewAwake(r.faults.timeline.Load, r.session.cancel)
	res, err := r.run(ctx)
	r.faults.awake.End()
	left, cerr := r.protection.Close()
	switch {
	case left > 0 && res != nil:
		notReverted(res, left)
	case left > 0:
		why := leftBehind(left)
		err = errors.Join(NotRevertedError{why.Phrase(nil)}, err)
	}
	return res, errors.Join(err, cerr)
}

// run is the life of a run. An error before the load that is due to the scenario or the target is part of the result;
// an error of brunt itself is returned.
func (r *runner) run(ctx context.Context) (res *result.Result, err error) {
	defer func() {
		err = errors.Join(err, r.close())
		if res != nil {
			res.Notes, res.Conditions = append(res.Notes, r.closeNotes...), r.conditions
			if r.ended > 0 { // only now is it known on which units conditions were
				res.Notes = append(res.Notes, res.OwnDeaths(r.log.Events(), r.ended)...)
			}
			res.Logs = target.KeptLogs(r.session.o.LogDir)
		}
	}()
	hire, bringUp := r.hire, r.bringUp
	if r.plan.Stack.OnPods() { // the workers join the target in the cluster
		hire, bringUp = bringUp, hire
	}
	for _, step := range []func(context.Context) error{
		r.prepare, r.admit, r.receiveSpans, r.receiveMessages, hire, bringUp, r.holdConditions, r.fetchTokens, r.setup,
		r.bind, r.askForMessages,
		r.faults.findLeaders, r.loads.readyWorkers,
	} {
		if err := step(ctx); err != nil {
			return r.notBegun(ctx, err), nil
		}
	}
	if err := r.openRecords(); err != nil {
		return nil, err
	}
	if err := r.startScripts(ctx); err != nil {
		return r.notBegun(ctx, err), nil
	}
	if err := r.observers.quiet(ctx); err != nil {
		return r.notBegun(ctx, err), nil
	}
	if r.session.o.Await != nil {
		if err := r.session.o.Await(ctx); err != nil {
			return r.notBegun(ctx, err), nil
		}
	}
	r.observers.links.Unquiet(ctx)
	if err := r.openLoads(); errors.As(err, new(workers.LateError)) {
		return r.notBegun(ctx, err), nil
	} else if err != nil {
		return nil, err
	}
	r.observers.start()
	if err := r.probeWrites(ctx); err != nil {
		return nil, err
	}
	r.broken = r.drive(ctx)
	r.loads.ledgers.EndProbe()
	r.loads.deliveries.Settle(ctx, func(seen, all int64) {
		if r.session.o.Live != nil && all > 0 {
			r.session.o.Live(result.Interval{
				At: r.log.Now(), End: r.plan.End(), Phase: result.PhaseDeliveries, Asked: seen, ToAsk: all,
			})
		}
	})
	r.observers.stop()
	defer machine.Frugal()()
	r.consistent = r.loads.registers.Check(r.registersRun())
	r.broken = errors.Join(r.broken, r.countDeliveries(), r.verifyLedger(ctx))
	if r.session.spans != nil {
		r.session.spans.Settle(ctx, r.plan.Scenario.Trace.Services)
	}
	r.teardown(ctx)
	if r.session.spans != nil {
		r.session.spans.Flush(ctx)
	}
	if res, err = r.result(ctx); err != nil {
		return nil, errors.Join(r.broken, err)
	}
	return res, nil
}

// notBegun runs teardown, and returns the result of a run whose load never began.
func (r *runner) notBegun(ctx context.Context, err error) *result.Result {
	r.teardown(ctx)
	if by, ok := errors.AsType[Interrupt](context.Cause(ctx)); ok {
		err = by // whatever it broke off
	}
	return r.unstarted(err)
}

// onClose adds a function that close calls.
func (r *runner) onClose(do func() error) { r.closers = append(r.closers, do) }

// close calls the functions of onClose, the last one first.
func (r *runner) close() error {
	var errs []error
	for _, do := range slices.Backward(r.closers) {
		errs = append(errs, do())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// prepare checks and prepares everything that needs no target.
func (r *runner) prepare(context.Context) error {
	r.session.prepare()
	r.loads.samples = &samples.Set{
		Mask: r.plan.Scenario.Secrets.Mask, Learn: r.plan.Scenario.Secrets.Learn, Steps: len(r.plan.Series.Steps),
	}
	if r.session.o.Workers.N == 0 {
		r.loads.raiseFileLimit()
	}
	for i := range r.plan.Loads {
		if err := dial.CheckSources(&r.plan.Loads[i].Connections); err != nil {
			return fmt.Errorf("load %q: %w", r.plan.Loads[i].Name, err)
		}
	}
	return r.plan.TryFaults(r.session.o.NoChaos)
}

// admit asks whether what the run needs would be let in.
func (r *runner) admit(ctx context.Context) error {
	if r.session.o.Admit == nil {
		return nil
	}
	err := r.session.o.Admit(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// receiveSpans begins to receive spans, before there is a service that sends them.
func (r *runner) receiveSpans(ctx context.Context) error {
	if err := r.session.receiveSpans(ctx); err != nil || r.session.spans == nil {
		return err
	}
	r.onClose(r.session.spans.Close)
	return nil
}

// receiveMessages begins to see the messages of deliveries, before there is a service that sends them.
func (r *runner) receiveMessages(context.Context) (err error) {
	r.onClose(func() error { return r.loads.deliveries.Close() })
	if r.loads.deliveries, err = delivery.Open(r.plan.Deliveries, r.session.o.Deliveries, r.log.Now); err == nil {
		r.session.hooks = r.loads.deliveries.Hooks()
	}
	return err
}

// askForMessages begins to ask the target, which is ready, for the messages of deliveries.
func (r *runner) askForMessages(ctx context.Context) error {
	return r.loads.deliveries.Connect(ctx, &delivery.Host{
		Vars: r.session.vars, Env: r.session.env, Absent: r.plan.Protocols.Absent,
		Resumes: r.plan.Protocols.Resumes, Cause: r.plan.Causes().Name,
		Rand: func() *rand.Rand { return rand.New(rand.NewPCG(r.plan.Scenario.Seed, load.Hash("deliveries"))) },
		Client: func(ctx context.Context, calls []scenarios.Call, t0 time.Time) (
			targets.Client, func(targets.Session, *template.Iter), error,
		) {
			l, of := r.plan.SetupLoad(), r.plan.Protocols.Select(calls...)
			o := r.loads.requests.reach(l)
			o.Resolve, o.T0 = l.Resolve, t0 // past links with faults
			client, err := of.Client(o)
			if err != nil {
				return nil, nil, err
			}
			return client, of.Ender(), of.Bind(ctx, client)
		},
	})
}

// countDeliveries counts what became of the messages of deliveries.
func (r *runner) countDeliveries() (err error) {
	r.delivered, err = r.loads.deliveries.Findings(delivery.Run{
		Faults: r.faults.records, End: r.plan.End(), Mask: r.plan.Scenario.Secrets.Mask,
	})
	return err
}

// bringUp brings the target up, identifies its units, and prepares the agents.
func (r *runner) bringUp(ctx context.Context) error {
	r.session.sys = r.newTarget()
	r.onClose(func() error { return r.takeDown(ctx) })
	if err := r.session.sys.Up(ctx); err != nil {
		return err
	}
	r.session.sys.Watch()
	r.identity.Identify(ctx, r.session.sys)
	r.identity.Programs() // computed now, so that a sample of the run does not compute it during the load
	if r.session.o.NoChaos && len(r.plan.Conditions) == 0 {
		return nil
	}
	return r.faults.protect(ctx)
}

// newTarget prepares the target of this run.
func (r *runner) newTarget() *target.System {
	var reach func(ctx context.Context, hostport string) error
	if r.loads.crew != nil && r.session.o.Workers.Terms.Remote {
		reach = r.loads.crew.Reach
	}
	return target.New(&target.Host{
		Reach: reach,
		Plan:  r.plan, Log: r.log, Run: r.session.o.ID, LogDir: r.session.o.LogDir, Journal: r.protection.Journal,
		Units:     r.session.env.Units,
		Answers:   r.requests.ready,
		Timelines: r.faults.timelines,
		AskStep:   r.requests.ask,
		Env:       r.session.tracing,
		Proxies:   r.protection.Agents.Local,
		Cluster: target.Cluster{
			Image: func() (string, error) { return guard.ImageIn(r.plan) }, Guard: r.faults.guard,
			Leave: r.protection.LeaveCluster,
		},
	})
}

func (r *runner) takeDown(ctx context.Context) error {
	err := r.session.sys.Down(ctx)
	r.closeNotes = append(r.closeNotes, r.session.sys.LostLogs...)
	if err != nil {
		return fmt.Errorf("taking the target down: %w", err)
	}
	return nil
}

func (r *runner) fetchTokens(ctx context.Context) error {
	drop, err := r.requests.tokens(ctx)
	if err != nil {
		return err
	}
	r.onClose(func() error { drop(); return nil })
	return nil
}

func (r *runner) setup(ctx context.Context) error {
	r.onClose(func() error { r.teardown(ctx); return nil }) // for runs that an error of brunt ends
	r.setUp = true
	err := r.requests.parts(ctx, ofSetup, r.plan.SetupParts)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errSetup, err)
	}
	r.session.hideSetUp()
	return err
}

// bind waits for the endpoints of loads, which setup may have started, and prepares steps at the target, such as SQL
// statements.
func (r *runner) bind(ctx context.Context) error {
	if err := r.session.sys.LoadReady(ctx); err != nil {
		return err
	}
	err := r.plan.Bind(ctx, r.requests.reach)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errBind, err)
	}
	return err
}

// teardown runs the teardown once, if setup has begun. The end of ctx does not end it; [Options.Hurry] and its own
// time limit do.
func (r *runner) teardown(ctx context.Context) {
	if !r.setUp {
		return
	}
	r.setUp = false
	ctx, end := teardownContext(ctx, r.plan.TeardownLimit(), r.session.o.Hurry)
	defer end()
	if err := r.requests.parts(ctx, ofTeardown, r.plan.TeardownParts); err != nil {
		r.log.Note("teardown failed: %v", err)
	}
}

// teardownContext returns a context for teardown. It ends after most, or when hurry is closed, but not with ctx. The
// caller must call the returned function.
func teardownContext(ctx context.Context, most time.Duration, hurry <-chan struct{}) (context.Context, func()) {
	ctx, late := context.WithTimeoutCause(context.WithoutCancel(ctx), most,
		fmt.Errorf("all of it may take %s", quantity.FormatDuration(most)))
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-hurry:
			end(errHurry)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		end(nil)
		late()
	}
}

// openRecords opens the recorder and the ledgers.
func (r *runner) openRecords() (err error) {
	l, shards := r.loads, runtime.GOMAXPROCS(0)
	freezes := func() []measure.Freeze { return r.observers.mon.Freezes() }
	if l.crew != nil && !hasScript(r.plan) { // this process makes no request
		freezes = l.crew.Freezes
	}
	if l.rec, err = l.recorder(shards, freezes); err != nil {
		return err
	}
	r.onClose(func() error { l.rec.Close(); return nil })
	if l.ledgers, err = ledger.Open(r.plan.Ledgers, r.session.o.Ledger, shards); err != nil {
		return err
	}
	r.onClose(l.ledgers.Close)
	if len(r.plan.Consistency) > 0 {
		l.registers = consistency.Open(r.plan.Consistency, shards, r.plan.Protocols.Absent)
	}
	return nil
}

// startScripts starts the scripts, and waits for their setup.
func (r *runner) startScripts(ctx context.Context) error {
	o := &r.session.o
	base, links := r.session.sys.Base()
	r.onClose(func() error { r.loads.scripts.End(); return nil })
	return r.loads.scripts.Start(ctx, &script.Host{
		Plan: r.plan, Log: r.log, Env: r.session.env, Base: base, Links: links, Parts: o.Workers.N, LogDir: o.LogDir,
		Control:  o.NoChaos,
		Recorder: r.loads.rec, Samples: r.loads.samples,
		Stop:     func(condition string) { r.session.cancel(stopped{condition}) },
		Timeline: r.faults.timeline.Load,
		Sink:     func(i int) load.Sink { return r.loads.rec.Shard(i) },
	})
}

// openLoads sets t0 and prepares the loads.
func (r *runner) openLoads() (err error) {
	r.log.Begin(time.Now().Add(r.plan.Scenario.Warmup + r.loads.lead()))
	if err := r.loads.beginWorkers(); err != nil {
		return err
	}
	if path := r.session.o.Requests; path != "" {
		if r.loads.requestLog, err = createRequestLog(path, requestHead(r.session.o.ID, r.log.T0(), r.plan)); err != nil {
			return err
		}
		r.onClose(func() error {
			if err := r.loads.requestLog.Close(); err != nil {
				r.closeNotes = append(r.closeNotes, fmt.Sprintf("%s is not whole: %v", path, err))
			}
			return nil
		})
	}
	if tell := r.session.o.Each; tell != nil {
		head := requestHead(r.session.o.ID, r.log.T0(), r.plan)
		r.loads.each = &requestTeller{tell: tell, batch: result.RequestBatch{Head: &head, Causes: r.plan.Causes()}}
	}
	r.onClose(func() error {
		if err := r.loads.close(); err != nil { // the run has its verdict
			r.closeNotes = append(r.closeNotes, err.Error())
		}
		return nil
	})
	r.loads.deliveries.Begin(func(shard int) load.Sink { return r.loads.rec.Shard(shard) })
	for i := range r.plan.Loads {
		if err := r.loads.prepare(i, runtime.GOMAXPROCS(0)); err != nil {
			return err
		}
	}
	return nil
}

// probeWrites begins to read writes back while the load runs: between faults, and all the time if a ledger asks for
// it.
func (r *runner) probeWrites(ctx context.Context) error {
	if !r.session.o.NoChaos {
		r.loads.ledgers.ReadBetween(ctx, r.ledgerRun, forecast.ReadBacks(timeline.Estimate(r.plan.Faults, r.plan.End())))
	}
	if r.loads.crew != nil { // the workers read their own writes
		return nil
	}
	return r.loads.ledgers.Probe(ctx, r.ledgerRun)
}

// verifyLedger reads back the writes of the load.
func (r *runner) verifyLedger(ctx context.Context) (err error) {
	r.written, err = r.loads.ledgers.Verify(ctx, r.ledgerRun)
	if n := len(r.written); err != nil && n > 0 { // the last one was not read wholly
		r.written[n-1].Read, r.written[n-1].Note = false, err.Error()
	}
	for _, l := range r.written {
		if r.loads.crew != nil {
			l.Unreported = r.loads.crew.Unreported()
		}
	}
	return err
}

// registersRun describes this run for the check of registers.
func (r *runner) registersRun() consistency.Run {
	of := consistency.Run{Faults: r.faults.records, Mask: r.plan.Scenario.Secrets.Mask}
	for i := range r.plan.Loads {
		of.Loads = append(of.Loads, r.plan.Loads[i].Name)
	}
	return of
}

// ledgerRun describes this run for the verification of a ledger.
func (r *runner) ledgerRun(of *ledger.Spec) ledger.Run {
	l := r.loads.reading(of)
	l.End, l.Faults, l.Note, l.Event = r.plan.End(), r.faults.records, r.log.Note, r.log.Event
	l.URL = func(unit string) string { return r.loads.readAt(of, unit) }
	l.FaultIn = func() bool {
		return slices.ContainsFunc(r.loads.rec.Occurrences(),
			func(oc measure.Occurrence) bool { return oc.Name != "" && !oc.Over })
	}
	l.Progress = func(asked, all int64) {
		r.session.logger.Info("ledger.reading", "asked", asked, "of", all)
		if r.session.o.Live != nil {
			r.session.o.Live(result.Interval{At: r.log.Now(), End: r.plan.End(), Phase: "ledger", Asked: asked, ToAsk: all})
		}
	}
	return l
}
