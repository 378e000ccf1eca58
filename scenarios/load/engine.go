package load

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios"
)

// An Engine makes the requests of an open load in place of [User]s: a separate load tool, whose
// requests follow the schedule of the load.
type Engine interface {
	// Attack calls next for each arrival; next returns when the arrival is due. Attack makes the request at once,
	// without waiting for earlier ones. It passes every outcome to record, from one goroutine, and returns when all
	// requests have ended. It does not set the load and the intended time of an outcome. full reports that requests
	// had to wait because the limit of requests in flight was reached.
	Attack(next func() (scenarios.Arrival, bool), record func(scenarios.Arrival, *scenarios.Outcome)) (full bool)
}

// attack runs an open load with an engine.
func (r *Run) attack(ctx context.Context) Stats {
	pacer := NewPacer(r.Pacing, r.Now, r.highest())
	end := r.Plan.End()
	s := r.schedule(pacer, func(at time.Duration) bool { return r.pause(ctx, at) })
	defer s.close()
	next := func() (scenarios.Arrival, bool) {
		j, ok := s.next(ctx)
		if !ok {
			return scenarios.Arrival{}, false
		}
		r.enter(1)
		r.owed.begin(j)
		return scenarios.Arrival{N: j.n, Intended: j.intended, Deadline: j.intended + r.Timeout}, true
	}
	sink := r.Sink(0)
	record := func(a scenarios.Arrival, o *scenarios.Outcome) {
		r.request(sink, a, o)
		r.enter(-1)
	}
	var engine sync.WaitGroup
	var full bool
	engine.Go(func() { full = r.Engine.Attack(next, record) })
	if !r.pause(ctx, end) {
		end = min(end, r.Now())
	}
	r.settle(ctx, r.Plan.End(), &engine)
	name := pacer.Name()
	if err := pacer.Close(); err != nil {
		r.fail(err)
	}
	return Stats{Pacing: name, Full: full, End: end}
}

// request records the only request of an iteration, and the iteration with the same outcome.
func (r *Run) request(sink Sink, a scenarios.Arrival, o *scenarios.Outcome) {
	o.Load, o.Intended = r.Index, a.Intended
	o.Ready = max(o.Ready, o.Intended)
	neverReady(o)
	o.Slot = min(max(o.Slot, o.Ready), o.End)
	sink.Record(o)
	o.Step = scenarios.IterationStep
	sink.Record(o)
}
