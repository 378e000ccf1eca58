package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run/target"
	"brunt/scenarios/run/workers"
)

// ServeWorker makes a part of the load of the run at the other end of in and out, until in ends. compile compiles its
// scenario.
func ServeWorker(
	ctx context.Context, in io.Reader, out io.Writer, compile func(workers.Source) (*plan.Plan, error),
) error {
	w := &worker{compile: compile, over: make(chan struct{})}
	defer w.close()
	return (&rpc.Server{Operations: w.operations(), Patient: true}).Serve(ctx, in, out)
}

// A worker makes a part of the load of a run. The run sends it one request at a time.
type worker struct {
	session *session
	compile func(workers.Source) (*plan.Plan, error)
	loads   *loads
	drop    func()                      // ends the renewal of tokens
	probe   func(context.Context) error // begins to read writes back; nil if the scenario has no ledger
	mon     *generatorMonitor
	ticked  time.Duration
	jobs    sync.WaitGroup
	over    chan struct{} // closed when all loads are over
	news    workers.News
	ear     *workers.Ear
	patient time.Duration // how long it makes load without contact to the run

	mu       sync.Mutex
	end      context.CancelCauseFunc // ends the loads
	stats    []load.Stats
	failures []string // by load
	usedUp   bool
	quit     string        // why it ended the loads itself; empty if it did not
	quitAt   time.Duration // when it did
}

// operations returns the operations that a run can request of the worker.
func (w *worker) operations() rpc.Operations {
	return rpc.Join(
		workers.OpPlan.By(func(_ context.Context, j workers.Joined) (workers.Planned, error) { return w.planned(j) }),
		workers.OpClock.By(func(context.Context, rpc.None) (int64, error) { return time.Now().UnixNano(), nil }),
		workers.OpReach.By(func(ctx context.Context, hostport string) (rpc.None, error) {
			return rpc.None{}, target.Accepts(ctx, w.session.plan, hostport)
		}),
		workers.OpReady.By(func(ctx context.Context, r workers.Ready) (rpc.None, error) {
			return rpc.None{}, w.ready(ctx, r)
		}),
		workers.OpStart.By(func(_ context.Context, s workers.Start) (time.Duration, error) { return w.start(s) }),
		workers.OpTurn.By(func(_ context.Context, t workers.Turn) (workers.Report, error) { return w.turn(t) }),
		workers.OpEnd.By(func(_ context.Context, p measure.Promise) (workers.Ended, error) { return w.finish(p) }),
	)
}

// planned compiles the plan and takes its part of it.
func (w *worker) planned(j workers.Joined) (workers.Planned, error) {
	p, err := w.compile(j.Source)
	if err != nil {
		return workers.Planned{}, err
	}
	planned := workers.Planned{Digest: workers.Digest(p), Version: machine.Version()}
	w.patient = j.Patience
	w.session = newSession(p, Options{ID: j.Run})
	w.loads = newLoads(newRequester(w.session))
	w.loads.part, w.loads.follows = j.Part, true
	w.loads.raiseFileLimit()
	workers.Split(p, j.Part)
	return planned, nil
}

// ready prepares everything that needs no t0. Tokens are renewed until the end.
func (w *worker) ready(ctx context.Context, r workers.Ready) (err error) {
	s, p := w.session, w.session.plan
	s.o.NoChaos = r.Control
	s.prepare()
	s.sys = target.Reached(r.Base, r.Links)
	s.env.Salt, s.env.Units = r.Salt, r.Units
	for i, t := range s.env.Tables {
		t.Split(r.Rows[i], w.loads.part.Index, w.loads.part.Of)
	}
	s.vars = r.Vars
	s.hideSetUp()
	p.LoadAllowlist.Own.Add(r.Own...)
	secrets := p.Scenario.Secrets
	w.loads.samples = &samples.Set{Mask: secrets.Mask, Learn: secrets.Learn, Steps: len(p.Series.Steps)}
	secrets.Watch(w.news.Secret)
	loading, end := context.WithCancelCause(context.WithoutCancel(ctx))
	w.setEnd(end)
	s.cancel = w.fail
	if w.drop, err = w.loads.requests.tokens(loading); err != nil {
		return err
	}
	if err := p.Bind(ctx, w.loads.requests.reach); err != nil {
		return err
	}
	w.openLedgers(r.Read)
	w.loads.rec, err = w.loads.recorder(runtime.GOMAXPROCS(0), func() []measure.Freeze { return w.mon.Freezes() })
	w.ear = workers.NewEar(w.patient)
	w.stats, w.failures = make([]load.Stats, len(p.Loads)), make([]string, len(p.Loads))
	return err
}

// openLedgers prepares to record writes. read has, for each ledger, the URLs from which it reads, by unit.
func (w *worker) openLedgers(read []map[string]string) {
	specs := w.session.plan.Ledgers
	if len(specs) == 0 {
		return
	}
	w.loads.ledgers = ledger.Collect(specs, int(w.loads.part.Of), runtime.GOMAXPROCS(0))
	w.probe = func(ctx context.Context) error {
		return w.loads.ledgers.Probe(ctx, func(of *ledger.Spec) ledger.Run {
			r, i := w.loads.reading(of), slices.Index(specs, of)
			r.URL = func(unit string) string { return read[i][unit] }
			return r
		})
	}
}

// setEnd sets the function that ends the loads.
func (w *worker) setEnd(end context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = end
}

// endLoads ends the loads.
func (w *worker) endLoads(why error) {
	w.mu.Lock()
	end := w.end
	w.mu.Unlock()
	if end != nil {
		end(why)
	}
}

// fail ends the loads because of an error, such as unique data that is used up.
func (w *worker) fail(why error) {
	w.mu.Lock()
	w.usedUp = w.usedUp || errors.Is(why, errUsedUp)
	w.mu.Unlock()
	w.endLoads(why)
}

// start begins the loads at t0, and returns the time of the run's clock.
func (w *worker) start(s workers.Start) (time.Duration, error) {
	now := time.Now()
	w.session.log.Begin(now.Add(s.T0.Sub(now.Round(0)))) // from now on by the monotonic clock of this process
	w.mon = newGeneratorMonitor(w.session.log.Now, w.session.log.T0(), nil)
	ctx, end := context.WithCancelCause(context.Background())
	w.mu.Lock()
	renewals := w.end
	w.end = func(why error) { renewals(why); end(why) }
	w.mu.Unlock()
	var loads sync.WaitGroup
	for i := range w.session.plan.Loads {
		if w.session.plan.Loads[i].Script != nil {
			w.loads.clients, w.loads.jobs = append(w.loads.clients, nil), append(w.loads.jobs, nil)
			continue
		}
		if err := w.loads.prepare(i, runtime.GOMAXPROCS(0)); err != nil {
			return 0, err
		}
	}
	if w.probe != nil {
		if err := w.probe(ctx); err != nil {
			return 0, err
		}
	}
	if w.session.log.Now() > -w.session.plan.Scenario.Warmup-workers.Lead {
		return 0, errors.New("it learned of the begin of the load too late")
	}
	for i, job := range w.loads.jobs {
		if job == nil {
			continue
		}
		loads.Go(func() {
			stats, err := job.Go(ctx)
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.stats[i] = stats; err != nil && !errors.Is(err, errUsedUp) {
				w.failures[i] = fmt.Sprintf("load %q: %v", w.session.plan.Loads[i].Name, err)
			}
		})
	}
	w.jobs.Go(func() { loads.Wait(); close(w.over) })
	w.jobs.Go(w.listen)
	return w.session.log.Now(), nil
}

// listen ends the loads if the run is silent for too long.
func (w *worker) listen() {
	if !w.ear.Listen(w.over) {
		return
	}
	w.mu.Lock()
	w.quit, w.quitAt = fmt.Sprintf("it heard nothing from its run for %s, and ended its load",
		quantity.FormatDuration(w.patient)), w.session.log.Now()
	w.mu.Unlock()
	w.endLoads(errors.New("the run is silent"))
}

// turn accepts the run's promise about faults, and reports the new measurements.
func (w *worker) turn(t workers.Turn) (workers.Report, error) {
	w.ear.Hear()
	if t.Stop {
		w.endLoads(context.Canceled)
	}
	out := workers.Report{InFlight: make([]int64, len(w.loads.jobs))}
	select {
	// checked before the batch is made, so that the batch then holds everything that a later promise does not change
	case <-w.over:
		out.Over = true
	default:
	}
	w.loads.rec.Follow(t.Promise)
	out.Batch, out.Samples = w.loads.rec.Ship(), w.loads.samples.Export()
	more := false
	out.Writes, more = w.loads.ledgers.Take()
	out.Over = out.Over && !more
	all := int64(0)
	for i, job := range w.loads.jobs {
		if job != nil {
			out.InFlight[i] = job.InFlight()
			all += out.InFlight[i]
		}
	}
	if now := w.session.log.Now(); now-w.ticked >= time.Second {
		w.ticked = now
		w.mon.Tick(all, 0)
	}
	health := w.mon.SoFar()
	out.Health = workers.HealthOf(&health)
	out.Freezes, out.Secrets = w.news.Take(w.mon.Freezes())
	w.mu.Lock()
	defer w.mu.Unlock()
	out.UsedUp, out.Now = w.usedUp, w.session.log.Now()
	return out, nil
}

// finish reports the rest when all loads are over.
func (w *worker) finish(p measure.Promise) (workers.Ended, error) {
	w.loads.rec.Follow(p)
	out := workers.Ended{
		Batch: w.loads.rec.Ship(), Samples: w.loads.samples.Export(), Stats: w.stats, Failures: w.failures,
		Spoken: []string{}, Peers: w.loads.peers.Opened(),
		Quit: w.quit, QuitAt: w.quitAt,
	}
	w.loads.ledgers.EndProbe()
	out.Writes, _ = w.loads.ledgers.Take()
	for _, c := range w.loads.clients {
		n := int64(0)
		if c != nil {
			n, out.Spoken = c.Opened(), append(out.Spoken, c.Spoken().Versions...)
		}
		out.Opened = append(out.Opened, n)
	}
	slices.Sort(out.Spoken)
	out.Spoken = slices.Compact(out.Spoken)
	health := w.mon.Finish()
	out.Health = workers.HealthOf(&health)
	out.Freezes, out.Secrets = w.news.Take(w.mon.Freezes())
	w.loads.stats = w.stats
	w.loads.noteProtocols()
	out.Notes = w.session.log.Noted()
	return out, nil
}

// close ends the loads and frees what they hold.
func (w *worker) close() {
	w.endLoads(context.Canceled)
	if w.drop != nil {
		w.drop()
	}
	w.jobs.Wait()
	if w.loads != nil {
		w.loads.ledgers.EndProbe()
		_ = w.loads.close()
	}
}
