package result

import (
	"time"

	"brunt/scenarios"
)

// An Interval is the last second of a run that goes on, for those who watch it.
type Interval struct {
	At       time.Duration // offset from t0, negative during warm-up
	Span     time.Duration // how long the interval was; zero is 1s
	End      time.Duration // when the judged load ends
	Phase    string        // warmup, run, grace
	Offered  int64
	Sent     int64
	Ended    int64
	OK       int64
	Shed     int64
	Errors   int64
	P50      time.Duration
	P95      time.Duration
	P99      time.Duration
	InFlight int64
	Lag      time.Duration
	Total    int64    // requests so far
	Bad      int64    // errors and skipped so far
	Faults   []string // that are in
	Next     string
	NextAt   time.Duration
	Asked    int64 // writes of the ledger that were asked for so far, after the load
	ToAsk    int64 // in all; zero is that the ledger is not being read
	Last     bool  // the loads are over: what ended since the interval before, and none comes after it

	Steps []StepInterval // by load and step, where they were asked for

	Objectives []Standing // in the order of the scenario
	Timetable  []Foreseen // every occurrence of a fault that is foreseen, by its time; not to be changed
}

// A StepInterval is what became of the requests of one step that ended in an interval.
// Those of the warm-up are left out, so that the sums over all intervals are those of
// the phase run in result.json.
type StepInterval struct {
	Load, Step string
	Kinds      [scenarios.Kinds]int64 // requests by what became of them
	Causes     map[string]int64       // those that are errors, by their cause
	Took       []TimeBucket           // response times of all that came to an end, good or not; ascending
	Total      time.Duration          // sum of them
}

// A TimeBucket is how many times lie in [Low, High].
type TimeBucket struct {
	Low, High time.Duration
	N         int64
}

// A Foreseen is an occurrence of a fault as it is planned. Times are offsets from t0.
type Foreseen struct {
	Name  string
	Kind  string
	At    time.Duration
	Clear time.Duration // about when it is to be cleared
}

// A Standing is how an objective would be answered if the run ended now, by what was
// counted so far.
type Standing struct {
	Text     string
	Phase    string
	Verdict  scenarios.Verdict // pass, fail or pending
	Measured Num               // NaN for percentiles, of which only the requests beyond are counted
	Left     Num               // share of the requests it allows to be bad that is left; negative is overdrawn, NaN where it allows no share
}
