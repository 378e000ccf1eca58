package run

import (
	"context"
	"errors"
	"sync"

	"brunt/chaos/timeline"
	"brunt/scenarios/load"
	"brunt/scenarios/result"
)

// drive runs all loads to their end, with the timeline of faults, and watches them.
func (r *runner) drive(ctx context.Context) error {
	r.log.Event(result.Event{Event: "load.start"})
	r.loads.stats = make([]load.Stats, len(r.loads.jobs))
	errs := make([]error, len(r.loads.jobs))
	if !r.session.o.NoChaos && len(r.plan.Faults) > 0 { // set before a script can request a fault
		r.faults.timeline.Store(r.faults.newTimeline())
	}
	var loads sync.WaitGroup
	for i, l := range r.loads.jobs {
		loads.Go(func() {
			if r.loads.stats[i], errs[i] = l.Go(ctx); errs[i] != nil {
				r.session.cancel(errs[i])
			}
		})
	}
	release := r.holdLate(ctx)
	injecting, over := context.WithCancel(ctx)
	defer over()
	var played sync.WaitGroup
	if t := r.faults.timeline.Load(); t != nil {
		r.faults.estimate = timeline.Estimate(r.plan.Faults, r.plan.End())
		played.Go(func() { r.faults.records = t.Play(injecting) })
	}
	var escaped error
	loads.Go(func() {
		if escaped = r.escape(ctx); escaped != nil {
			r.session.cancel(escaped)
		}
	})
	done := make(chan struct{})
	go func() {
		loads.Wait()
		r.log.Event(result.Event{Event: "load.end"})
		over()
		played.Wait()
		release()
		close(done)
	}()
	suspender := make(chan struct{})
	go func() {
		defer close(suspender)
		select {
		case <-r.session.o.Suspend:
			over()
			played.Wait()
			r.session.cancel(errSuspend)
			if r.loads.crew != nil {
				r.loads.crew.Quiet(load.LastGrace)
			}
			r.session.o.Stop()
		case <-done:
		}
	}()
	err := r.live.watch(done)
	<-done
	<-suspender
	r.faults.stillDown()
	return errors.Join(append(errs, escaped, err)...)
}
