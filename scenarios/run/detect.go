package run

import (
	"math"

	"brunt/chaos"
	"brunt/scenarios/judge"
	"brunt/scenarios/observe"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// detection converts a sighting for the judge.
func (r *runner) detection(s *chaos.Sighting) judge.Detection {
	return observe.DetectionOf(s, r.Scenario.Secrets.Mask)
}

// observedRun describes this run for the observer.
func (r *runner) observedRun() observe.Run {
	return observe.Run{T0: r.t0, Now: r.now, Mask: r.Scenario.Secrets.Mask, Note: r.note, Event: r.event, Addresses: r.env.Units}
}

// fillDetect adds what the monitoring detected of an occurrence.
func (r *runner) fillDetect(rec *result.FaultRecord, c *chaos.Record) {
	s := c.Detect
	switch least := max(0, s.NotYet-c.Injected); {
	case s.Err != nil:
		rec.DetectNote = s.Err.Error()
	case s.Noticed:
		rec.Detect, rec.DetectResolution, rec.DetectNote = result.Sec(s.At-c.Injected), result.Sec(s.At-max(s.NotYet, c.Injected)), s.Text
	default:
		rec.Detect = result.Num(math.Inf(1))
		rec.DetectNote = "not noticed: > " + quantity.FormatSeconds(least.Seconds())
	}
	rec.DetectNote = r.Scenario.Secrets.Mask(rec.DetectNote)
}
