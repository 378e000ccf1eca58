package series

import (
	"math"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// reached returns the first time from an instant on at which every series of a metric has met its condition, and the
// last reading before that at which one had not. at is 0 if they never did. unknown explains why there is no answer.
//
// A number of units or pods meets its condition until a fault takes some of them away. So if the number falls below
// it within the target of the objective, at is the time when enough are back.
func reached(
	m slo.Metric, from, within time.Duration, usage []result.UnitUsage, named []result.Series,
) (at, notYet time.Duration, unknown result.Notes) {
	all := seriesOf(m, usage, named)
	notYet = from
	for _, c := range all {
		first, last, known := c.reached(m.Until, from)
		if m.Figure().Whole && !m.Scaled() && known && first == from {
			if lost := c.lost(m.Until, from); lost > 0 && lost <= from+within {
				first, last, _ = c.reached(m.Until, lost)
				last = max(last, lost)
			}
		}
		switch {
		case !known:
			return 0, 0, result.Notes{{Kind: result.ValueUnknownThen, Of: c.of}}
		case first == 0:
			at, notYet = 0, max(notYet, last)
			return at, notYet, nil
		}
		at, notYet = max(at, first), max(notYet, last)
	}
	if len(all) == 0 {
		return 0, 0, result.Notes{{Kind: result.ValueUnknown, Of: m.Source}}
	}
	return at, notYet, nil
}

// reached returns the first time from an instant on at which a series meets a condition, and the last reading before
// that. first is 0 if it never does. A series that met the condition at the last reading before the instant meets it
// at once.
func (c series) reached(until slo.Condition, from time.Duration) (first, last time.Duration, known bool) {
	before := math.NaN()
	for _, p := range c.points {
		if math.IsNaN(float64(p.V)) {
			continue
		}
		if p.T.D() <= from {
			before = float64(p.V)
			continue
		}
		if !known && until.Holds(before) {
			return from, from, true
		}
		known = true
		if until.Holds(float64(p.V)) {
			return p.T.D(), last, true
		}
		last = p.T.D()
	}
	return 0, last, known
}

// lostAgain returns the first time after an instant at which a figure of pods no longer meets its condition; 0 means
// that it meets the condition to the end.
func lostAgain(m slo.Metric, at time.Duration, named []result.Series) time.Duration {
	for _, c := range seriesOf(m, nil, named) {
		if lost := c.lost(m.Until, at); lost > 0 {
			return lost
		}
	}
	return 0
}

// lost returns the time of the first reading after an instant that does not meet a condition; 0 means that all do.
func (c series) lost(until slo.Condition, at time.Duration) time.Duration {
	for _, p := range c.points {
		if p.T.D() > at && !math.IsNaN(float64(p.V)) && !until.Holds(float64(p.V)) {
			return p.T.D()
		}
	}
	return 0
}
