package run

import (
	"brunt/scenarios/observe"
)

// observedRun describes this run for the observer.
func (r *runner) observedRun() observe.Run {
	return observe.Run{T0: r.T0(), Now: r.Now, Mask: r.Scenario.Secrets.Mask, Note: r.Note, Event: r.Event, Addresses: r.env.Units}
}
