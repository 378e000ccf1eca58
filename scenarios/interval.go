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
	Total    int64    // requests so far
	Bad      int64    // errors and skipped so far
	Faults   []string // that are in
	Next     string
	NextAt   time.Duration
	Asked    int64 // writes of the ledger that were asked for so far, after the load
	ToAsk    int64 // in all; zero is that the ledger is not being read

	Objectives []Standing // in the order of the scenario
	Timetable  []Foreseen // every occurrence of a fault that is foreseen, by its time; not to be changed
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
	Verdict  Verdict // pass, fail or pending
	Measured Num     // NaN for percentiles, of which only the requests beyond are counted
	Left     Num     // share of the requests it allows to be bad that is left; negative is overdrawn, NaN where it allows no share
}
