package result

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// A Phase is a span of the run for which cells are computed.
type Phase struct {
	Name  slo.Phase `json:"name" mask:"-"` // run, baseline, warmup, FAULT or recovery/FAULT
	Start Num       `json:"start"`         // an offset from t0
	End   Num       `json:"end"`           // an offset from t0
}

// A Cell holds the measurements of one load, step and outcome in one phase; "*" stands for all.
type Cell struct {
	Phase    slo.Phase `json:"phase" mask:"-"`   // name of the phase
	Load     string    `json:"load" mask:"-"`    // * is all loads
	Step     string    `json:"step" mask:"word"` // * is all steps; iteration is a whole iteration without think time
	Outcome  string    `json:"outcome" mask:"-"` // ok, shed, error, skipped; * is all outcomes
	Count    int64     `json:"count"`            // requests
	Rate     Num       `json:"rate"`             // per second
	Hist     int       `json:"hist"`             // number of its histogram; 0 means none
	Response Times     `json:"response"`         // from the intended time of the request
	Service  Times     `json:"service"`          // from the time at which a slot was free
	Bytes    int64     `json:"bytes,omitempty"`  // bytes received; only in rows of all outcomes
	// percentiles of the response time (p50, p90, p95, p99, p99.9) of which brunt's own lag is more than a tenth;
	// only in rows of all outcomes and of ok
	Lagged []string `json:"lagged,omitempty" mask:"-"`
	// where the time went, by phase of a request; only in rows of all outcomes of a step
	Timings *Timings `json:"timings,omitempty"`
	Resent  *Resent  `json:"syn_resent,omitempty"` // requests that waited for a SYN to be sent again
	// requests that brunt cut off at the end of the run; only in rows of all outcomes
	Cut *CutOff `json:"cut,omitempty"`
}

// CutOff tells of requests that brunt cut off at the end of the run. They count as errors, or as skipped, although it
// is unknown whether they would have been answered.
type CutOff struct {
	Count    int64 `json:"count"`    // requests
	Response Times `json:"response"` // response times of all other requests
}

// Times are percentiles of one distribution in seconds.
type Times struct {
	P50  Num `json:"p50"`   // the median
	P90  Num `json:"p90"`   // 90 % took at most this
	P95  Num `json:"p95"`   // 95 % took at most this
	P99  Num `json:"p99"`   // 99 % took at most this
	P999 Num `json:"p99.9"` // 99.9 % took at most this
	Max  Num `json:"max"`   // the longest
	Mean Num `json:"mean"`  // the mean
}

// NoTimes holds the percentiles of an empty distribution: all are unknown.
var NoTimes = Times{NaN, NaN, NaN, NaN, NaN, NaN, NaN}

// An ErrorGroup counts the errors of one cause at one step.
type ErrorGroup struct {
	Kind   string  `json:"kind" mask:"word"` // the cause: timeout, refused, status 503, or a check with its name
	Load   string  `json:"load" mask:"-"`    // the load of the requests
	Step   string  `json:"step" mask:"word"` // the step of the requests
	Count  int64   `json:"count"`            // requests
	First  Num     `json:"first"`            // time of the first, an offset from t0
	Last   Num     `json:"last"`             // time of the last, an offset from t0
	Sample *Sample `json:"sample,omitempty"` // one of the requests
	// these are errors of parts of requests, and the whole requests are counted separately
	Part bool `json:"part,omitempty"`
	// these are errors of a step of init, which count in no sum: the iterations that they prevent do
	Init bool `json:"init,omitempty"`
	// the answer tells that a balancer, or the target, waited in vain, as 504 of HTTP does
	TimedOut bool `json:"timed_out,omitempty"`
}

// Own reports whether brunt itself failed at the requests: see [scenarios.Cause.Own].
func (g *ErrorGroup) Own() bool {
	return slices.ContainsFunc(scenarios.OwnCauses(), func(c scenarios.Cause) bool { return c.String() == g.Kind })
}

// A SlowRequest is an answered request, among the slowest of its step.
type SlowRequest struct {
	Load     string   `json:"load" mask:"-"`             // the load of the request
	Step     string   `json:"step" mask:"word"`          // the step of the request
	At       Num      `json:"at"`                        // its intended time, an offset from t0
	Response Num      `json:"response"`                  // its response time
	Outcome  string   `json:"outcome" mask:"-"`          // ok, shed or error
	Status   int      `json:"status,omitempty"`          // status of the answer
	Faults   []string `json:"faults,omitempty" mask:"-"` // faults that were active during it
	Trace    string   `json:"trace,omitempty" mask:"-"`  // id of its trace
	// where its time went, by phase of a request
	Timings *RequestTimings `json:"timings,omitempty"`
	// the command that repeats it, with secrets masked; only for the slowest of the whole run
	Curl string `json:"curl,omitempty"`
}

// A Block is a span in which a load that switches between two sides went to this side. It does not include the first
// second after the switch.
type Block struct {
	Start Num    `json:"start"` // an offset from t0
	End   Num    `json:"end"`   // an offset from t0
	Cells []Cell `json:"cells"` // measurements by load, step and outcome
}

// A Window is one second of the run, or a part of a second if a fault was injected or cleared within it. In a long
// run with many steps, the windows of single loads and steps are longer, and empty ones are left out. The outcomes
// count the requests intended in the window; sent and answered count the requests sent and answered during it.
type Window struct {
	T    Num    `json:"t"`                // its beginning, an offset from t0
	D    Num    `json:"d"`                // its length, in seconds
	Load string `json:"load" mask:"-"`    // * is all loads
	Step string `json:"step" mask:"word"` // * is all steps
	// number of its histogram of response times; 0 means none
	Hist     int              `json:"hist"`
	Offered  int64            `json:"offered"`                     // requests intended in the window
	Sent     int64            `json:"sent"`                        // requests sent during the window
	Answered int64            `json:"answered"`                    // requests answered during the window
	OK       int64            `json:"ok"`                          // answered, and every check held
	Shed     int64            `json:"shed"`                        // load shed on purpose, as the step allows
	Error    int64            `json:"error"`                       // not answered, or a check failed
	Skipped  int64            `json:"skipped"`                     // not sent, because an earlier step failed
	Kinds    map[string]int64 `json:"kinds,omitempty" mask:"word"` // errors by their cause
	Lag      Num              `json:"lag"`                         // p99 of brunt's own lag, seconds
	// p99 of the time that requests waited for a slot, seconds
	Queue    Num   `json:"queue"`
	P50      Num   `json:"p50"`       // response time; null is infinite
	P95      Num   `json:"p95"`       // response time; null is infinite
	P99      Num   `json:"p99"`       // response time; null is infinite
	Max      Num   `json:"max"`       // response time; null is infinite
	InFlight int64 `json:"in_flight"` // iterations under way at its end
}
