package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/targets"
)

// Options say how to run a plan.
type Options struct {
	ID   string                   // names the run; empty draws one
	Dir  string                   // where measurements spill to; empty is the system's
	Log  *slog.Logger             // nil logs nothing
	Live func(scenarios.Interval) // is told every second; nil is nobody
}

// Errors of a run that could not begin: its verdict is invalid.
var (
	ErrNotReady = errors.New("the target did not become ready")
	ErrSetup    = errors.New("setup failed")
	ErrUsedUp   = errors.New("unique data is used up")
)

// An Interrupt is the cause of a context that a signal ended.
type Interrupt struct{ Code int } // 130 or 143

func (i Interrupt) Error() string { return "interrupted" }

// runner is a plan under way.
type runner struct {
	*Plan
	o       Options
	log     *slog.Logger
	began   time.Time
	t0      time.Time
	env     *scenarios.Env
	rec     *measure.Recorder
	samples *measure.Samples
	clients []targets.Client
	runs    []*load.Run
	stats   []load.Stats
	mon     *monitor
	gate    *gate
	vars    []scenarios.Value
	cancel  context.CancelCauseFunc

	mu     sync.Mutex
	events []scenarios.Event
}

// now is the run's clock: the offset from t0.
func (r *runner) now() time.Duration { return time.Since(r.t0) }

// lead is the time between the decision to begin and the first arrival.
const lead = 50 * time.Millisecond

// Run runs the plan to its verdict. The error is brunt's own failure; all that the
// target or the scenario did is in the result.
func (p *Plan) Run(ctx context.Context, o Options) (*scenarios.Result, error) {
	r := &runner{Plan: p, o: o, log: o.Log, began: time.Now(), t0: time.Now(), gate: newGate(p.Scenario.Guard, &scenarios.Mistakes{})}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.o.ID == "" {
		r.o.ID = newID()
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	res, err := r.run(ctx)
	if err != nil {
		return res, err
	}
	res.Ended = time.Now()
	return res, nil
}

func newID() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	b := make([]byte, 8)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return time.Now().UTC().Format("20060102-150405-") + string(b)
}

func (r *runner) run(ctx context.Context) (*scenarios.Result, error) {
	sc := r.Scenario
	r.env = &scenarios.Env{Salt: [2]uint64{rand.Uint64(), rand.Uint64()}, Units: map[string]string{}, Tables: sc.Tables}
	for _, t := range sc.Tables {
		t.Start(sc.Seed)
	}
	r.env.Fill = func() { r.cancel(ErrUsedUp) }
	r.env.Now = r.now
	r.samples = &measure.Samples{Mask: sc.Secrets.Mask}
	base := r.base()
	r.vars = make([]scenarios.Value, len(sc.Symbols.Vars()))
	if err := r.once(ctx, "setup", r.Setup, base); err != nil {
		return r.unstarted(err), nil
	}
	limits := measure.LimitsOf(sc.SLO, sc.Steady, sc.Stop)
	timeout := time.Duration(0)
	for i := range r.Loads {
		timeout = max(timeout, r.Loads[i].Timeout.D())
	}
	var err error
	shards := runtime.GOMAXPROCS(0)
	r.rec, err = measure.New(measure.Config{Series: r.Series, Limits: limits, Timeout: timeout, Shards: shards, Now: r.now, InFlight: r.inFlight, Dir: r.o.Dir})
	if err != nil {
		return nil, err
	}
	defer r.rec.Close()
	r.t0 = time.Now().Add(sc.Warmup + lead)
	for i := range r.Loads {
		if err := r.prepare(i, base, shards); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, c := range r.clients {
			_ = c.Close()
		}
	}()
	r.mon = newMonitor(r.now, r.t0)
	if err := r.drive(ctx); err != nil {
		return nil, err
	}
	if err := r.once(context.WithoutCancel(ctx), "teardown", r.Teardown, base); err != nil {
		r.note("%v", err)
	}
	return r.result(ctx)
}

// base is the URL that relative paths go to.
func (r *runner) base() string {
	it := &scenarios.Iter{Env: r.env}
	b, err := r.Scenario.Target.URL.Append(nil, it)
	if err != nil {
		return ""
	}
	return string(b)
}

// client makes a client for one load, or for setup and teardown.
func (r *runner) client(base string, l *scenarios.Load) (targets.Client, error) {
	return r.protocol.Client(targets.Options{
		Base: base, TLS: r.Scenario.Target.TLS, Connections: l.Connections, Resolve: l.Resolve, Timeout: l.Timeout.D(),
		T0: r.t0, Gate: r.gate.check, Sampler: r.samples, Agent: "brunt",
	})
}

// once runs the steps of setup or teardown; the first that fails ends it.
func (r *runner) once(ctx context.Context, what string, steps []load.Step, base string) error {
	if len(steps) == 0 {
		return nil
	}
	l := scenarios.Load{Timeout: scenarios.Duration(scenarios.DefaultTimeout)}
	client, err := r.client(base, &l)
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.Open(0)
	if err != nil {
		return err
	}
	defer session.Close()
	rnd := rand.New(rand.NewPCG(r.Scenario.Seed, 0x5e7))
	it := &scenarios.Iter{Rand: rnd, Vars: r.vars, Env: r.env}
	it.Reset()
	for _, s := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.Call == nil {
			time.Sleep(s.Think.Min)
			continue
		}
		it.Intended = r.now()
		it.Deadline = it.Intended + l.Timeout.D()
		out := scenarios.Outcome{Step: -2, Intended: it.Intended, Ready: it.Intended}
		session.Do(it, s.Call, &out)
		if out.Kind != scenarios.OK {
			why := out.Cause.Name(r.Checks)
			if sm := r.samples.First(-2, out.Cause); sm != nil && sm.Message+sm.Body != "" {
				why += ": " + sm.Message + sm.Body
			}
			return fmt.Errorf("%w: %s step %q: %s", ErrSetup, what, s.Call.Name(), why)
		}
	}
	return nil
}

// prepare readies load i.
func (r *runner) prepare(i int, base string, shards int) error {
	lp := &r.Loads[i]
	client, err := r.client(base, &lp.Load)
	if err != nil {
		return err
	}
	r.clients = append(r.clients, client)
	most := lp.MaxInFlight
	if most == 0 {
		most = scenarios.DefaultMaxInFlight
	}
	warm := r.Scenario.Warmup
	if lp.Start != 0 {
		warm = 0
	}
	r.runs = append(r.runs, &load.Run{
		Name: lp.Name, Index: int32(i), Plan: lp.Schedule, Warmup: warm, Flows: lp.Flows, Init: lp.Prelude,
		Timeout: lp.Timeout.D(), Grace: lp.Grace.D(), MaxInFlight: most, Seed: r.Scenario.Seed, Pacing: r.Scenario.Pacing,
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

// drive runs all loads to their end and watches them.
func (r *runner) drive(ctx context.Context) error {
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
	done := make(chan struct{})
	go func() { loads.Wait(); close(done) }()
	err := r.watch(done)
	<-done
	return errors.Join(append(errs, err)...)
}

// foldEvery is how often samples are sorted into cells.
const foldEvery = 200 * time.Millisecond

// watch folds and tells those who watch, until the loads are done.
func (r *runner) watch(done <-chan struct{}) error {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	next := r.now().Truncate(time.Second) + time.Second
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
		if r.now() < next {
			continue
		}
		next += time.Second
		iv, _ := r.rec.Interval()
		iv.End, iv.Phase = r.End(), "run"
		if iv.At < 0 {
			iv.Phase = "warmup"
		} else if iv.At > iv.End {
			iv.Phase = "grace"
		}
		r.mon.tick(iv.InFlight)
		if r.o.Live != nil {
			r.o.Live(iv)
		}
	}
}

// note adds to what the report says besides.
func (r *runner) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
