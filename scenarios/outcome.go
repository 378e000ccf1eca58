package scenarios

import "time"

// A Kind is the outcome class of a request.
type Kind uint8

const (
	OK      Kind = iota // answered and every check held
	Shed                // load shed on purpose, as the step allows: neither good nor an error
	Error               // no answer, or a check failed
	Skipped             // not sent, because a step before it failed
	Kinds               // number of kinds
)

// String returns the name that result.json uses.
func (k Kind) String() string { return [...]string{"ok", "shed", "error", "skipped"}[k] }

// An Outcome records one request: its result and its times. All times are offsets from t0.
//
//	intended -lag-> ready -queue-> slot -------service-------> end
//	                                     sent ---> first     see [RequestPhase]
//	intended ----------------response time-------------------> end
type Outcome struct {
	Load   int32 // number of the load
	Step   int32 // number of the step in the plan, or [IterationStep]
	Kind   Kind
	Closed bool   // the executor is closed: response time is service time
	Checks uint16 // number of checks evaluated
	Failed uint16 // number of checks that failed
	// how often the request was written: more than once if a server did not accept it, or after a redirect; 0 means
	// unknown
	Attempts uint16
	Status   int32
	// cause of an error; for a skipped request, the cause of the failed step before it if that is [Cause.Own], a
	// timeout or [Unfinished]
	Cause    Cause
	Intended time.Duration // the schedule's time for the request
	Ready    time.Duration // the generator is ready to send; for an unsent request it may be after End
	Slot     time.Duration // a connection is free
	Sent     time.Duration // the request is written; 0, with WasSent false, means never
	First    time.Duration // the first byte of the answer is received
	End      time.Duration // the last byte of the answer is received, or the request is given up
	// think time of an iteration, which does not count as response time; in the outcome of a call, the call's own
	// think time
	Think    time.Duration
	Bytes    int64   // size of the answer
	Trace    uint64  // low half of the trace id; 0 means no trace
	Opening  Opening // time to open the connection, between Slot and Sent
	WasSent  bool
	Answered bool // an answer was received, whatever its content
	Wants    bool // the request is good, and its step says what a complete answer contains
	Partial  bool // the answer lacks some of that
}

// Response returns the response time: from Intended to the last byte, without think time.
func (o *Outcome) Response() time.Duration { return o.End - o.Intended - o.Think }

// Written returns how often the request was written. Where Attempts is unknown, a request that was sent counts once.
func (o *Outcome) Written() int64 {
	if o.Attempts == 0 && o.WasSent {
		return 1
	}
	return int64(o.Attempts)
}

// Service returns the service time: from a free slot to the last byte, without think time.
func (o *Outcome) Service() time.Duration { return o.End - o.Slot - o.Think }

// Took returns the time of an answered request, think time included: its response time, or its service time under a
// closed executor, which asks for a request only when it can be sent.
func (o *Outcome) Took() time.Duration {
	if o.Closed {
		return o.End - o.Slot
	}
	return o.End - o.Intended
}

// Lag returns the generator's own lateness.
func (o *Outcome) Lag() time.Duration { return max(0, o.Ready-o.Intended) }

// Queue returns the wait for a slot.
func (o *Outcome) Queue() time.Duration { return max(0, o.Slot-o.Ready) }

// An Arrival is an iteration that is due.
type Arrival struct {
	N        int64         // number of the iteration within its load, from 0; negative in the warm-up
	Intended time.Duration // an offset from t0
	Deadline time.Duration // the time at which it times out, an offset from t0
}
