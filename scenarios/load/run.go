package load

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
)

// A User is a virtual user: a session with the target. It is used by one
// goroutine at a time.
type User interface {
	// Do makes the call for it and fills out from Slot on. It returns by
	// it.Deadline, or at once when the run is aborted.
	Do(it *scenarios.Iter, c scenarios.Call, out *scenarios.Outcome)
	Close() error
}

// A Sink takes what became of every request. It must not keep o.
type Sink interface{ Record(o *scenarios.Outcome) }

// A Flow is what one iteration does.
type Flow struct {
	Weight float64
	Steps  []Step
}

// A Step is a call, or a pause.
type Step struct {
	Call  scenarios.Call // nil is a pause
	Index int32          // number of the step in the plan
	Think scenarios.Range
}

// A Run is one load, ready to go. All times are offsets from t0 on the clock Now.
type Run struct {
	Name        string
	Index       int32 // number of the load
	Plan        Plan
	Warmup      time.Duration // begins so much before t0, at the first rate; 0 is none
	Flows       []Flow
	Init        []Step // once per virtual user, never recorded
	Timeout     time.Duration
	Grace       time.Duration
	MaxInFlight int
	Seed        uint64
	Pacing      string // auto, precise or efficient
	Now         func() time.Duration
	Env         *scenarios.Env
	Vars        []scenarios.Value // as setup left them
	Open        func(vu int) (User, error)
	Sink        func(shard int) Sink // a sink for each of Shards
	Shards      int
	Abort       func() // makes every Do return at once; called when the grace is over

	weights  []float64
	seed     uint64
	inFlight atomic.Int64
	peak     atomic.Int64
	aborted  atomic.Bool
	failed   atomic.Pointer[error]
	stop     context.CancelCauseFunc
}

// Stats is what a load has to say beside its requests.
type Stats struct {
	Pacing      string
	VirtualUser int           // virtual users that were opened
	PeakFlight  int64         // iterations in flight at most
	Full        bool          // max_in_flight was reached
	End         time.Duration // when the last iteration could begin
}

// InFlight is the number of iterations under way, those that wait for a slot
// included.
func (r *Run) InFlight() int64 { return r.inFlight.Load() }

// Go runs the load to its end and returns when the last iteration is over. When
// ctx ends, no further iteration begins and those under way get a second.
func (r *Run) Go(ctx context.Context) (Stats, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.Name))
	r.seed = r.Seed ^ h.Sum64()
	sum := 0.0
	for _, f := range r.Flows {
		sum += f.Weight
		r.weights = append(r.weights, sum)
	}
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	var stats Stats
	if r.Plan.Closed() {
		stats = r.closed(ctx)
	} else {
		stats = r.open(ctx)
	}
	stats.PeakFlight = r.peak.Load()
	if err := r.failed.Load(); err != nil {
		return stats, *err
	}
	return stats, nil
}

// fail ends the load for a reason that is brunt's or the machine's.
func (r *Run) fail(err error) {
	r.failed.CompareAndSwap(nil, &err)
	r.stop(err)
}

func (r *Run) enter(n int64) {
	now := r.inFlight.Add(n)
	for {
		p := r.peak.Load()
		if now <= p || r.peak.CompareAndSwap(p, now) {
			return
		}
	}
}

// lastGrace is how long iterations may go on once the run is told to stop.
const lastGrace = time.Second

// settle waits for all workers, for as long as the grace after end allows, then
// aborts what is left.
func (r *Run) settle(ctx context.Context, end time.Duration, workers *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	timer := time.NewTimer(max(0, end+r.Grace-r.Now()))
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	case <-ctx.Done():
		select {
		case <-done:
			return
		case <-time.After(lastGrace):
		}
	}
	r.aborted.Store(true)
	r.stop(context.DeadlineExceeded) // wakes those who think
	if r.Abort != nil {
		r.Abort()
	}
	<-done
}

// pause waits until at; false means that ctx ended first.
func (r *Run) pause(ctx context.Context, at time.Duration) bool {
	d := at - r.Now()
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// vu is one virtual user with all that its iterations reuse.
type vu struct {
	run   *Run
	id    int
	user  User
	sink  Sink
	pcg   *rand.PCG
	it    scenarios.Iter
	base  []scenarios.Value // variables as setup and init left them
	out   scenarios.Outcome
	ready bool // init is done
}

func (r *Run) newVU(id int) (*vu, error) {
	user, err := r.Open(id)
	if err != nil {
		return nil, err
	}
	v := &vu{run: r, id: id, user: user, sink: r.Sink(id % r.Shards), pcg: rand.NewPCG(r.seed, ^uint64(id))}
	v.it = scenarios.Iter{VU: id, Load: int(r.Index), Rand: rand.New(v.pcg), Env: r.Env, Vars: make([]scenarios.Value, len(r.Vars))}
	v.base = make([]scenarios.Value, len(r.Vars))
	scenarios.CopyVars(v.base, r.Vars)
	return v, nil
}

// prepare runs init once. A failed init is tried again by the next iteration.
func (v *vu) prepare() bool {
	if v.ready || len(v.run.Init) == 0 {
		v.ready = true
		return true
	}
	v.pcg.Seed(v.run.seed, ^uint64(v.id))
	v.it.N = -1
	v.it.Reset()
	scenarios.CopyVars(v.it.Vars, v.base)
	for _, s := range v.run.Init {
		if s.Call == nil {
			time.Sleep(s.Think.Min)
			continue
		}
		v.it.Intended = v.run.Now()
		v.it.Deadline = v.it.Intended + v.run.Timeout
		v.out = scenarios.Outcome{Load: v.run.Index, Step: s.Index, Intended: v.it.Intended, Ready: v.it.Intended}
		v.user.Do(&v.it, s.Call, &v.out)
		if v.out.Kind != scenarios.OK {
			return false
		}
	}
	scenarios.CopyVars(v.base, v.it.Vars)
	v.ready = true
	return true
}

// begin readies the iteration n and chooses its flow.
func (v *vu) begin(n int64) *Flow {
	v.pcg.Seed(v.run.seed, uint64(n))
	v.it.N = n
	v.it.Reset()
	if len(v.base) > 0 {
		scenarios.CopyVars(v.it.Vars, v.base)
	}
	return v.run.choose(v.it.Rand)
}

func (r *Run) choose(rnd *rand.Rand) *Flow {
	if len(r.Flows) == 1 {
		return &r.Flows[0]
	}
	x := rnd.Float64() * r.weights[len(r.weights)-1]
	for i, w := range r.weights {
		if x < w {
			return &r.Flows[i]
		}
	}
	return &r.Flows[len(r.Flows)-1]
}

// iterate runs iteration n from its arrival to its end. Ready is when the
// generator turned to it.
func (v *vu) iterate(ctx context.Context, n int64, intended, ready time.Duration) {
	r, closed := v.run, v.run.Plan.Closed()
	if !v.prepare() {
		v.failed(n, intended, ready)
		return
	}
	flow := v.begin(n)
	whole := scenarios.Outcome{
		Load: r.Index, Step: scenarios.IterationStep, Closed: closed, Intended: intended, Ready: ready, Slot: -1,
		WasSent: true, Answered: true,
	}
	at := intended
	requests := 0
	for i := range flow.Steps {
		s := &flow.Steps[i]
		if s.Call == nil {
			pause := s.Think.Min
			if s.Think.Max > s.Think.Min {
				pause += time.Duration(v.it.Rand.Int64N(int64(s.Think.Max - s.Think.Min + 1)))
			}
			whole.Think += pause
			at += pause
			if !r.pause(ctx, at) {
				return // the run ends: what was not begun is not offered
			}
			ready = r.Now()
			continue
		}
		if requests++; requests > 1 && ready < at {
			ready = r.Now()
		}
		v.it.Intended, v.it.Deadline = at, at+r.Timeout
		v.out = scenarios.Outcome{Load: r.Index, Step: s.Index, Closed: closed, Intended: at, Ready: ready}
		v.user.Do(&v.it, s.Call, &v.out)
		if closed {
			v.out.Intended, v.out.Ready = v.out.Slot, v.out.Slot
		}
		v.sink.Record(&v.out)
		if whole.Slot < 0 {
			whole.Slot = v.out.Slot
			if closed {
				whole.Intended, whole.Ready = whole.Slot, whole.Slot
			}
		}
		whole.End = v.out.End
		whole.Checks += v.out.Checks
		whole.Failed += v.out.Failed
		whole.Bytes += v.out.Bytes
		at, ready = v.out.End, v.out.End
		if v.out.Kind != scenarios.OK {
			whole.Kind, whole.Cause, whole.WasSent, whole.Answered = v.out.Kind, v.out.Cause, v.out.WasSent, v.out.Answered
			if v.out.Kind == scenarios.Error && v.out.Cause != scenarios.Unfinished {
				v.skip(flow.Steps[i+1:], at)
			}
			break
		}
	}
	if requests > 0 {
		v.sink.Record(&whole)
	}
}

// skip counts the steps that a failed one kept from being reached.
func (v *vu) skip(steps []Step, at time.Duration) {
	for i := range steps {
		if steps[i].Call == nil {
			continue
		}
		v.out = scenarios.Outcome{
			Load: v.run.Index, Step: steps[i].Index, Kind: scenarios.Skipped, Closed: v.run.Plan.Closed(),
			Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at,
		}
		v.sink.Record(&v.out)
	}
}

// failed counts an iteration whose virtual user could not be initialised: its
// first step carries the error of init.
func (v *vu) failed(n int64, intended, ready time.Duration) {
	cause, end := v.out.Cause, v.out.End
	if cause == scenarios.NoCause {
		cause = scenarios.Other
	}
	v.run.lost(v.sink, v.begin(n), intended, ready, max(end, intended), cause)
}

// lost counts an iteration that never sent a request: its first step is an error
// of the given cause, the others are skipped.
func (r *Run) lost(sink Sink, flow *Flow, intended, ready, end time.Duration, cause scenarios.Cause) {
	out := scenarios.Outcome{
		Load: r.Index, Kind: scenarios.Error, Cause: cause, Closed: r.Plan.Closed(),
		Intended: intended, Ready: min(ready, end), Slot: end, Sent: end, First: end, End: end,
	}
	for i := range flow.Steps {
		if flow.Steps[i].Call == nil {
			continue
		}
		out.Step = flow.Steps[i].Index
		sink.Record(&out)
		out.Kind, out.Cause = scenarios.Skipped, scenarios.NoCause
		out.Intended, out.Ready = end, end
	}
	out.Step, out.Kind, out.Cause = scenarios.IterationStep, scenarios.Error, cause
	out.Intended, out.Ready = intended, min(ready, end)
	sink.Record(&out)
}
