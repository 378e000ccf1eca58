package compare

import (
	"errors"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// LeastHistory is the number of records that a history needs before a new run is compared with it. Fewer do not show
// how much results vary from day to day.
const LeastHistory = 8

// mostHistory is the number of records that a run is compared with, the newest ones. More would not narrow the bound,
// and older ones describe an older system.
const mostHistory = 200

// errLearning means that a history is too short for a verdict.
var errLearning = errors.New("the history is too short")

// gate compares new runs with a history. It uses the bound that a further run of the history exceeds only with
// probability alpha, over all rows together. A baseline of one day is not a control, because days differ; the spread
// of a history of single runs includes that. The records come from [Measure], the oldest first. If a metric improved
// within the history, the run is compared with the records after that.
func gate(history, now []*Record, o Options) (*Comparison, error) {
	if len(history) < LeastHistory {
		return nil, errLearning
	}
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	history = history[max(0, len(history)-mostHistory):]
	c := &Comparison{Design: Past, Alpha: o.Alpha, history: history, options: o}
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
	if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Hopeless && r.Verdict == scenarios.Inconclusive }) {
		c.advice = proposals(sights(history, o), float64(history[len(history)-1].Duration), o.runs, c.Alpha)
	}
	return c, nil
}

// Known returns an error for phases and steps of o that the record lacks.
func (r *Record) Known(o Options) error { return o.known(r.places([]values{r.values()})) }

// places lists the places at which every run has a value, in the record's order.
func (r *Record) places(all []values) []place {
	cells := &result.Result{}
	for _, k := range r.Values {
		cells.Cells = append(cells.Cells, result.Cell{Phase: k.Phase, Load: k.Load, Step: k.Step})
	}
	return places(cells, all)
}
