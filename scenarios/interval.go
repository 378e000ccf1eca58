package scenarios

import "time"

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
	Total    int64 // requests so far
	Bad      int64 // errors and skipped so far
	Faults   []string
	Next     string
	NextAt   time.Duration
	Asked    int64 // writes of the ledger that were asked for so far, after the load
	ToAsk    int64 // in all; zero is that the ledger is not being read
	Last     bool  // the loads are over: what ended since the interval before, and none comes after it

	Steps []StepInterval // by load and step, where they were asked for
}

// A StepInterval is what became of the requests of one step that ended in an interval.
// Those of the warm-up are left out, so that the sums over all intervals are those of
// the phase run in result.json.
type StepInterval struct {
	Load, Step string
	Kinds      [Kinds]int64     // requests by what became of them
	Causes     map[string]int64 // those that are errors, by their cause
	Took       []TimeBucket     // response times of all that came to an end, good or not; ascending
	Total      time.Duration    // sum of them
}

// A TimeBucket is how many times lie in [Low, High].
type TimeBucket struct {
	Low, High time.Duration
	N         int64
}
