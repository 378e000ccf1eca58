package slo

import (
	"math"
	"slices"
	"time"
)

// A Row describes one metric, or one family of metrics, such as the percentiles. The rows of [Metrics] are the only
// list of metrics: the parser, the judge, the reference and the reports read them.
//
// To add a metric, add a row to [Metrics] with the function that computes its value. A metric of [Times] that
// asks for
// the value at a quantile is Late, as a run that goes on has no quantiles, and has a Budget, which says how many
// requests decide.
type Row struct {
	Name    string            // name in objectives, without prefix, arguments and percentile
	Unit    Unit              // unit of the value
	Better  Direction         // which values are better
	Needs   Need              // source of its measurements
	Args    []Arg             // arguments in parentheses, in order
	Bare    bool              // the arguments are optional
	Written []string          // examples for lists of metrics
	Aliases map[string]string // names in other tools, with their form here
	Late    bool              // the metric is known only after the run, so steady and stop can't use it
	Lasts   bool              // the metric of a fault accumulates over the fault, so it may have a lower bound as well
	Meaning string            // one sentence

	// One of these computes the value. A row without any is measured as Needs says.
	Count CountFunc // from counted requests
	// from counted requests, over the time of the load; n is the number of requests that decide
	Rate   func(Counts) (v float64, n int64)
	Times  func(Metric, Times) float64              // from the times of requests
	Spans  func(Metric, Spans) (v float64, n int64) // over spans of time; n is the number of spans or of their requests
	Effect func(Effect) Value                       // from the effect of a fault on the load
	// from the ledger, as two values: as if every write that was not read back were correct, and as if none were
	Writes func(Writes) (low, high float64)
	// from the messages of a delivery, named by `of`, as two values: as if every one that may be right were so, and as if
	// none were
	Deliveries func(Deliveries) (low, high float64)
	Registers  func(Registers) float64 // from the reads and writes of registers

	// Budget returns the share of requests that an objective allows to be bad; nil means that the value of a share is
	// that share.
	Budget func(Objective) float64

	// Allows returns the error budget that an objective sets: the share of requests that may be bad, 0 for none. If
	// it is nil, objectives on the metric set no error budget.
	Allows func(Objective) float64
	// Missed returns a sentence, without a full stop, that says by how much an objective was missed. If it is nil,
	// reports quote the objective and the value.
	Missed func(Miss) string

	CountsBad  bool // a bad request counts against an objective on the metric
	CountsShed bool // a shed request counts against an objective on the metric
	TimesOut   bool // a request that timed out counts against an objective on the metric, and another bad one does not
	NeedsWant  bool // the metric counts answers of steps with `want`
	NeedsKey   bool // the delivery must say by `key` to which sequence a message belongs
	NeedsCount bool // the ledger must say by `count` how often a write is there
	UntilGood  bool // the metric of a fault is measured until requests are good again
	ByTime     bool // for a closed load, whose users send less while they wait, a pass also needs the value by time
	// share of failed requests: for a closed load, a pass also needs the value with the requests that users did not
	// send
	Fails     bool
	OfReads   bool // the metric of a ledger is measured by the reads during the load, not by the reading after it
	OfLosses  bool // an objective on the metric limits lost writes
	UpperOnly bool // an objective on the metric must have an upper bound

	// For metrics of a fault:
	Recovers bool   // the value is the time until recovery
	Healing  bool   // the metric is measured from the clearing, not from the injection
	From, To Moment // moments between which the metric is measured
	Sums     string // description of the sum, for a metric that is not measured between two moments
	// if a fault has several objectives, the one with the highest rank determines the requests that the fault's
	// record is about
	Rank int
}

// Direction says which values of a metric are better.
type Direction uint8

// The directions.
const (
	LowerIsBetter Direction = iota
	HigherIsBetter
	NeitherIsBetter // the better direction depends on the metric's source
)

// A Moment is an instant in the life of a fault.
type Moment uint8

// The moments.
const (
	NoMoment      Moment = iota
	Injection            // just before the injecting call
	FirstHarm            // the first visible effect
	GoodAgain            // requests are good again while the fault is still active
	Clearing             // the fault was taken back
	Recovery             // the target has recovered
	Noticing             // the team's own monitoring has noticed
	Seeing               // a person has marked the fault as seen
	Understanding        // a person has marked it as understood
	Acting               // a person has marked it as acted on
)

// Need is the source of a metric's measurements.
type Need uint8

// The sources of measurements.
const (
	NeedsRequests Need = iota // requests of the load in a phase
	NeedsFault                // a fault, named by `after`
	NeedsDetect               // a fault, and the team's own monitoring
	NeedsAlert                // a fault, and an alert of the team's own monitoring
	NeedsReach                // a fault, and a series of values
	NeedsMark                 // a fault, and the marks of people at the run
	NeedsLedger               // the ledger, which is read after the load
	NeedsTraces               // the traces of requests, from the spans that brunt receives
	NeedsRegister             // the reads and writes of registers, which are checked after the load
	NeedsSeries               // a series of values: a figure of a unit, or a metric named under `metrics:`
)

// Arg is the type of an argument in parentheses.
type Arg uint8

// The types of arguments.
const (
	argPercentile Arg = iota // 95
	argSpan                  // 200ms
	argShare                 // 99.9%
	argAlert                 // the name of an alert
	argLedger                // the name of a ledger
	argRegister              // the name of registers
)

// A CountFunc computes a metric from counted requests. The value of a share is bad/n, or 1 - bad/n if a higher value
// is better. The value of a number is bad.
type CountFunc func(Counts) (bad, n int64)

// Counts are the counted requests of an objective.
type Counts struct {
	OK       int64
	Shed     int64
	Error    int64
	Skipped  int64
	Timeouts int64
	Wants    int64 // good answers of steps that say what a complete answer contains
	Partial  int64 // good answers that lack a part of that
	Sent     int64
	Attempts int64 // how often those requests were sent
	Over     int64 // good answers slower than the objective's limit
	Checks   int64 // checks made, plus one for each request whose checks could not be made
	Failed   int64 // checks that failed

	Iterations int64         // iterations begun within Span
	Span       time.Duration // time in which the load could begin iterations
}

// Offered returns the number of all intended requests.
func (c Counts) Offered() int64 { return c.OK + c.Shed + c.Error + c.Skipped }

// Bad returns the number of requests that were neither good nor shed.
func (c Counts) Bad() int64 { return c.Error + c.Skipped }

// A Table lists metrics. Objectives are parsed with the table [Metrics].
type Table []Row

// Row returns the row with a name.
func (t Table) Row(name string) (r *Row, known bool) {
	for i := range t {
		if t[i].Name == name {
			return &t[i], true
		}
	}
	return nil, false
}

// Names lists the metrics of the table, as an author writes them.
func (t Table) Names() []string {
	var out []string
	for i := range t {
		out = append(out, t[i].Written...)
	}
	return out
}

// alias returns the form here of a metric that other tools call name; empty means unknown.
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

// Of returns the value of the metric for counted requests: NaN if there are none, or if the
// metric is not computed from counts.
func (r *Row) Of(c Counts) float64 {
	if r.Count == nil {
		return math.NaN()
	}
	bad, n := r.Count(c)
	switch {
	case r.Unit == Count:
		return float64(bad)
	case n == 0:
		return math.NaN()
	case r.Better == HigherIsBetter:
		bad = n - bad
	}
	return float64(bad) / float64(n)
}

// named returns what the argument of the metric names; empty if its argument is no name.
func (r *Row) named() string {
	switch {
	case r.has(argLedger):
		return "a ledger"
	case r.has(argRegister):
		return "an entry of `consistency`"
	}
	return ""
}

// example returns a name for the argument of a metric with a name.
func (r *Row) example() string {
	if r.has(argRegister) {
		return "users"
	}
	return "events"
}

// ofFault reports whether the metric is measured from a fault, named by `after`.
func (r *Row) ofFault() bool {
	return r.Needs == NeedsFault || r.Needs >= NeedsDetect && r.Needs <= NeedsMark
}
