package slo

import (
	"math"
	"slices"
)

// A Row describes one metric, or one family of them, such as the percentiles. The rows of
// [Metrics] are the only place that lists metrics: the parser, the judge, the reference and the
// reports read them.
//
// To add a metric, add a row to [Metrics]. A metric that is counted over requests says in Count
// how its value follows from the counts; nothing else is needed.
type Row struct {
	Name    string            // as objectives write it, without prefix, arguments and percentile
	Unit    Unit              // of its value
	Better  Direction         // which values are better
	Needs   Need              // what it is measured by
	Args    []Arg             // the arguments in parentheses, in their order
	Bare    bool              // it can be written without its arguments
	Written []string          // examples, as lists of metrics show them
	Aliases map[string]string // what other tools call it, with how it is written here
	Late    bool              // it is known only after the run, so that steady and stop can't have it
	Lasts   bool              // of a fault: it adds up over the fault, so that it takes a lower bound too
	Count   CountFunc         // how it is taken from counted requests; nil: the judge measures it by what Needs says
	Meaning string            // one sentence
}

// Direction says which values of a metric are better.
type Direction uint8

// The directions.
const (
	LowerIsBetter Direction = iota
	HigherIsBetter
	NeitherIsBetter // what is better depends on the metric's source
)

// Need says what a metric is measured by.
type Need uint8

// What metrics are measured by.
const (
	NeedsRequests Need = iota // requests of the load in a phase
	NeedsFault                // a fault, named by `after`
	NeedsDetect               // a fault, and the team's own monitoring that was asked about it
	NeedsAlert                // a fault, and an alert of the team's own monitoring
	NeedsLedger               // the ledger, which is read after the load
	NeedsSeries               // a series of values: a unit's own figures, or one named under `metrics:`
)

// Arg says what an argument in parentheses is.
type Arg uint8

// What arguments are.
const (
	argPercentile Arg = iota // 95
	argSpan                  // 200ms
	argShare                 // 99.9%
	argAlert                 // the name of an alert
)

// A CountFunc takes a metric from counted requests. The value of a share is bad/n, or 1 - bad/n where
// a higher value is better; the value of a number is bad.
type CountFunc func(Counts) (bad, n int64)

// Counts are the requests that an objective is about.
type Counts struct {
	OK       int64
	Shed     int64
	Error    int64
	Skipped  int64
	Timeouts int64
	Over     int64 // good answers slower than the objective's limit
	Checks   int64 // checks made, and one for each request whose checks could not be made
	Failed   int64 // of Checks, those that did not hold
}

// Offered is the number of all requests that were to be made.
func (c Counts) Offered() int64 { return c.OK + c.Shed + c.Error + c.Skipped }

// Bad is the number of requests that were neither good nor shed.
func (c Counts) Bad() int64 { return c.Error + c.Skipped }

// A Table lists metrics. [Metrics] is the one that objectives are read by.
type Table []Row

// Row returns the row of a name.
func (t Table) Row(name string) (r *Row, known bool) {
	for i := range t {
		if t[i].Name == name {
			return &t[i], true
		}
	}
	return nil, false
}

// Names lists what an objective can measure, as an author writes it.
func (t Table) Names() []string {
	var out []string
	for i := range t {
		out = append(out, t[i].Written...)
	}
	return out
}

// alias returns how a metric is written that other tools call name; empty: no tool does.
func (t Table) alias(name string) string {
	for i := range t {
		if written := t[i].Aliases[name]; written != "" {
			return written
		}
	}
	return ""
}

// has reports whether the metric takes an argument.
func (r *Row) has(arg Arg) bool { return slices.Contains(r.Args, arg) }

// Of returns the value of the metric for counted requests: NaN where there are none, or where the
// metric is not taken from counts.
func (r *Row) Of(c Counts) float64 {
	if r.Count == nil {
		return math.NaN()
	}
	bad, n := r.Count(c)
	switch {
	case r.Unit != ShareOf:
		return float64(bad)
	case n == 0:
		return math.NaN()
	case r.Better == HigherIsBetter:
		bad = n - bad
	}
	return float64(bad) / float64(n)
}

// ofFault reports whether the metric is measured from a fault, by `after`.
func (r *Row) ofFault() bool {
	return r.Needs == NeedsFault || r.Needs == NeedsDetect || r.Needs == NeedsAlert
}
