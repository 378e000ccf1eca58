package compare

import (
	"errors"

	"brunt/scenarios/result"
)

// LeastHistory is how many runs a history needs before a new one is held to it: fewer do not tell
// how much days differ.
const LeastHistory = 8

// mostHistory is how many records a run is held to: the newest. More make the bound no narrower, and older ones tell
// of a system that is no more.
const mostHistory = 200

// ErrLearning says that a history is too short to judge by.
var ErrLearning = errors.New("the history is too short")

// Gate holds new runs to a history: to the bound under which a further run of it would lie
// but for once in 1/alpha times, over all rows together. A baseline of one day is no
// control, since days differ by themselves; a history of single runs has that in its spread. The
// records of the history are the measure that [Measure] gives, the oldest first. Where a metric got better in
// it, the run is held to what came after.
func Gate(history, now []*Record, o Options) (*Comparison, error) {
	if len(history) < LeastHistory {
		return nil, ErrLearning
	}
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	history = history[max(0, len(history)-mostHistory):]
	c := &Comparison{Design: Past, Alpha: o.Alpha, history: history, margins: o.Margins}
	var past, new []values
	for _, r := range history {
		c.Base = append(c.Base, r.Run)
		past = append(past, r.values())
	}
	for _, r := range now {
		c.Cand = append(c.Cand, r.Run)
		new = append(new, r.values())
	}
	tests := c.tests(now[0].places(append(past[:len(past):len(past)], new...)), past, new, o)
	if len(tests) == 0 {
		return nil, errors.New("the history and this run share no metric with enough requests")
	}
	c.judge(tests)
	return c, nil
}

// Known refuses phases and steps of o that the record has nothing of.
func (r *Record) Known(o Options) error { return o.known(r.places([]values{r.values()})) }

// places lists where every run has something, in the record's order.
func (r *Record) places(all []values) []place {
	cells := &result.Result{}
	for _, k := range r.Values {
		cells.Cells = append(cells.Cells, result.Cell{Phase: k.Phase, Load: k.Load, Step: k.Step})
	}
	return places(cells, all)
}
