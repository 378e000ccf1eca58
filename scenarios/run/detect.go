package run

import (
	"math"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"

	"brunt/chaos"
	"brunt/scenarios/judge"
)

// detection is what the judge is told of a sighting.
func (r *runner) detection(s *chaos.Sighting) judge.Detection {
	d := judge.Detection{At: s.At, NotYet: s.NotYet}
	if s.Err != nil {
		d.Why = r.Scenario.Secrets.Mask(s.Err.Error())
	}
	return d
}

// fillDetect tells what the monitoring noticed of an occurrence.
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
