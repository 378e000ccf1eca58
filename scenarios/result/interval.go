package result

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// PhaseDeliveries is the phase of an interval after the load in which messages are awaited.
const PhaseDeliveries = "deliveries"

// An Interval holds the figures of the last second of a run in progress, for live views.
type Interval struct {
	At       time.Duration // offset from t0, negative during warm-up
	Span     time.Duration // length of the interval; zero is 1s
	End      time.Duration // when the judged load ends
	Phase    string        `mask:"-"` // warmup, run, grace
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
	Faults   []string `mask:"-"` // active faults
	Next     string   `mask:"-"`
	NextAt   time.Duration
	// after the load: writes of the ledger read back so far, or messages of deliveries seen so far
	Asked int64
	// writes to read back in total, or acknowledged messages; zero: the load is not over
	ToAsk int64
	// the faults that wait for an operator, and those that people can mark, the last injected first
	Waiting []WaitingFault
	Marked  []MarkedFault
	Last    bool // this is the last interval, after the loads: everything that ended since the interval before

	Steps []StepInterval // figures by load and step; nil unless requested

	Objectives []RunningVerdict // in the order of the scenario
	Timetable  []PlannedFault   // every planned occurrence of a fault, ordered by time; read-only
}

// Made returns the number of requests that were made and ended in the interval: those of Ended that were not skipped.
func (iv *Interval) Made() int64 { return iv.OK + iv.Shed + iv.Errors }

// A StepInterval counts the requests of one step that ended in an interval. It excludes the
// warm-up, so the sums over all intervals equal those of the phase run in result.json.
type StepInterval struct {
	Load    string                                 `mask:"-"`
	Step    string                                 `mask:"word"`
	Kinds   [scenarios.Kinds]int64                 // requests by outcome
	Causes  map[string]int64                       `mask:"word"` // errors by cause
	Took    []TimeBucket                           // response times of all completed requests, good or not; ascending
	Total   time.Duration                          // sum of the response times
	Timings [scenarios.RequestPhases]time.Duration // sums of the times by phase of a request
	Resent  int64                                  // requests that waited for a SYN to be sent again
}

// A TimeBucket is the number of times in [Low, High].
type TimeBucket struct {
	Low, High time.Duration
	N         int64
}

// A PlannedFault is a planned occurrence of a fault. Times are offsets from t0.
type PlannedFault struct {
	Name  string `mask:"-"`
	Kind  string `mask:"-"`
	At    time.Duration
	Clear time.Duration // approximate time of its clearing
}

// A RunningVerdict is the verdict that an objective would have if the run ended now, from the counts so far.
type RunningVerdict struct {
	Asked    slo.Objective // the objective
	Text     string
	Phase    slo.Phase         `mask:"-"`
	Verdict  scenarios.Verdict // pass, fail or pending
	Measured Num               // NaN for percentiles, because only the requests above the target are counted
	// remaining share of the bad requests that the objective allows; negative if exceeded, NaN if it allows no share
	Left Num
}

// Names holds the names that occur in a run's figures.
type Names struct {
	Scenario string
	Steps    map[string][]string `mask:"word"` // names of steps, by load
}
