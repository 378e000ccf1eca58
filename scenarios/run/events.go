package run

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
)

// note adds to what the report says besides.
func (r *runner) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// event notes what happened.
func (r *runner) event(e scenarios.Event) { r.eventAt(time.Now(), e) }

// eventAt notes what happened at a time that has passed.
func (r *runner) eventAt(at time.Time, e scenarios.Event) {
	e.Text = r.Scenario.Secrets.Mask(e.Text)
	r.mu.Lock()
	r.events = append(r.events, e)
	r.times = append(r.times, at)
	e.T = scenarios.Sec(at.Sub(r.t0))
	r.mu.Unlock()
	r.log.Info(e.Event, "t", float64(e.T), "fault", e.Fault, "unit", e.Unit, "text", e.Text)
	if len(r.scripts) > 0 {
		r.tellPhase(&e)
	}
	if r.o.Event != nil {
		r.o.Event(e)
	}
}

// onClock gives the events with their times on the run's clock, which those before
// the load could not know yet.
func (r *runner) onClock() []scenarios.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.events) // the lists go on as they were told
	for i := range out {
		out[i].T = scenarios.Sec(r.times[i].Sub(r.t0))
	}
	// What was told late stands where it happened.
	slices.SortStableFunc(out, func(a, b scenarios.Event) int { return cmp.Compare(a.T, b.T) })
	return out
}
