package load

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
)

// A User is a virtual user: a session with the target. It is used by one goroutine at a time.
type User interface {
	// Do makes the call for it and fills out from Slot on. It returns by it.Deadline, within 1 % of
	// the timeout, or at once when the run is aborted.
	Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome)
	Close() error
}

// An EndIteration closes connections and other resources that an iteration of a user opened. The goroutine of Do
// calls it after the last step of each iteration. It may be nil.
type EndIteration func(it *template.Iter)

// A Sink takes the outcome of every request. It must not keep o.
type Sink interface{ Record(o *scenarios.Outcome) }

// A Flow is the steps of one iteration.
type Flow struct {
	Weight float64
	Steps  []Step
}

// A Step is a call, or a pause.
type Step struct {
	Call  scenarios.Call // nil is a pause
	Index int32          // number of the step in the plan
	Parts []int32        // numbers of the steps that measure its parts
	Think quantity.Range
}

// Settings are the settings of one load. All times are offsets from t0 on the clock Now.
type Settings struct {
	Name        string
	Index       int32 // number of the load
	Plan        Plan
	Part        Part          // the part of the load that this run makes; zero is all of it
	Warmup      time.Duration // length of the warm-up before t0, at the first rate; 0 means none
	Flows       []Flow
	InTurn      bool   // iterations take the flows in turn, not by weight
	Init        []Step // once per virtual user; in an open load the arrival waits for it
	Timeout     time.Duration
	Grace       time.Duration
	MaxInFlight int
	Seed        uint64
	Pacing      string // a mode of [NewPacer]
	Now         func() time.Duration
	Env         *template.Env
	Vars        []template.Value // values set by setup
	Open        func(vu int) (User, EndIteration, error)
	Engine      Engine               // makes the requests of an open load; nil means that the users of Open do
	Sink        func(shard int) Sink // returns the sink of each of Shards
	Shards      int
	Abort       func() // makes every Do return at once; called at the end of the grace
	// Late is called by any goroutine before a request of an open load is sent by leastLate or more after it was due;
	// may be nil
	Late func(intended, lag time.Duration)
}

// leastLate is the least lag that [Settings].Late is told.
const leastLate = time.Millisecond

// Calls returns the calls of steps, without the pauses.
func Calls(steps []Step) []scenarios.Call {
	var out []scenarios.Call
	for _, s := range steps {
		if s.Call != nil {
			out = append(out, s.Call)
		}
	}
	return out
}

// A Run is one load, ready to run.
type Run struct {
	Settings

	steps    map[scenarios.Call]*Step // of the flows
	weights  []float64
	seed     uint64
	isClosed bool
	owed     owed
	parts    parts
	inFlight atomic.Int64
	peak     atomic.Int64
	aborted  atomic.Bool
	failed   atomic.Pointer[error]
	stop     context.CancelCauseFunc
}

// Stats describes a load as a whole, in addition to its requests.
type Stats struct {
	Pacing      string
	VirtualUser int           // virtual users opened
	PeakFlight  int64         // maximum of iterations in flight
	Full        bool          // max_in_flight was reached
	PartsLeft   int64         // parts of calls that were not recorded, as there were more than MostParts in a second
	Owed        int64         // number of recorded iterations, without the warm-up
	End         time.Duration // when the last iteration could begin
}

// highest returns the highest rate of an open load.
func (r *Run) highest() float64 {
	most, _ := Peak([]*Profile{r.Plan.Rate})
	return most
}

// source returns the seed of the load's arrivals and iterations.
func (s *Settings) source() uint64 { return s.Seed ^ Hash(s.Name) }

// Begun returns how many iterations have begun so far, without the warm-up and without iterations that the end of the
// run cut off.
func (r *Run) Begun() int64 { return r.owed.n() }

// InFlight returns the number of iterations in flight, including those that wait for a slot.
func (r *Run) InFlight() int64 { return r.inFlight.Load() }

// Go runs the load to its end and returns when the last iteration is over. When ctx ends, no
// further iteration begins, and iterations in flight get a second to finish.
func (r *Run) Go(ctx context.Context) (Stats, error) {
	r.Shards = max(1, r.Shards)
	r.seed = r.source()
	sum := 0.0
	for _, f := range r.Flows {
		sum += f.Weight
		r.weights = append(r.weights, sum)
	}
	r.steps = stepsOf(r.sequences())
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	var stats Stats
	r.isClosed = r.Plan.Closed()
	if r.isClosed {
		stats = r.closed(ctx)
	} else if r.Engine != nil {
		stats = r.attack(ctx)
	} else {
		stats = r.open(ctx)
	}
	stats.PeakFlight, stats.Owed, stats.PartsLeft = r.peak.Load(), r.owed.n(), r.parts.left.Load()
	if err := r.failed.Load(); err != nil {
		return stats, *err
	}
	return stats, nil
}

// stepsOf returns the steps of flows by their calls.
func stepsOf(flows []Flow) map[scenarios.Call]*Step {
	out := map[scenarios.Call]*Step{}
	for _, f := range flows {
		for i := range f.Steps {
			if s := &f.Steps[i]; s.Call != nil {
				out[s.Call] = s
			}
		}
	}
	return out
}

// sequences returns the flows, and init as one more.
func (r *Run) sequences() []Flow { return append(slices.Clip(r.Flows), Flow{Steps: r.Init}) }

// HasParts reports whether a step of the load has parts, which its users pass to Emit.
func (r *Run) HasParts() bool {
	return slices.ContainsFunc(r.sequences(), func(f Flow) bool {
		return slices.ContainsFunc(f.Steps, func(s Step) bool { return len(s.Parts) > 0 })
	})
}

// Emit records a part of a call that user it.VU makes, or for [scenarios.WholeCall] an additional outcome of the call
// itself. The goroutine of Do calls it. out has the times and the outcome of the part; Emit sets the rest.
func (r *Run) Emit(it *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome) {
	s := r.steps[c]
	switch {
	case s == nil: // the step is not measured
		return
	case part == scenarios.WholeCall:
		out.Step = s.Index
	case part < len(s.Parts):
		if !r.parts.take(r.Now()) {
			return
		}
		out.Step = s.Parts[part]
	default:
		return
	}
	out.Load, out.Closed = r.Index, r.isClosed
	if r.isClosed {
		out.Intended, out.Ready = out.Slot, out.Slot
	}
	r.Sink(it.VU % r.Shards).Record(out)
}

// fail ends the load because of an error of brunt or of the machine.
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

// LastGrace is how long iterations may go on after the run is cancelled.
const LastGrace = time.Second

// settle waits for all workers until the grace after end is over, then aborts the rest.
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
		case <-time.After(LastGrace):
		}
	}
	r.aborted.Store(true)
	r.stop(context.DeadlineExceeded) // wakes pausing virtual users
	if r.Abort != nil {
		r.Abort()
	}
	<-done
}

// pause waits until at. It returns false if ctx ends first.
func (r *Run) pause(ctx context.Context, at time.Duration) bool { return r.await(ctx, at, nil) }

// await waits until at, or for a message. It returns false if ctx ends first.
func (r *Run) await(ctx context.Context, at time.Duration, message <-chan struct{}) bool {
	d := at - r.Now()
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-message:
		return true
	case <-ctx.Done():
		return false
	}
}

// Hash returns the hash of a name (64-bit FNV-1a), which is used to derive the seed of a part of a run.
func Hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}
