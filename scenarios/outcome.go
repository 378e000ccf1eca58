package scenarios

import "time"

// A Kind is the outcome class of a request.
type Kind uint8

const (
	OK      Kind = iota // answered and every check held
	Shed                // load shed on purpose, as the step allows: neither good nor an error
	Error               // no answer, or a check failed
	Skipped             // not reached, because a step before it failed
	Kinds               // number of kinds
)

// String returns the name that result.json uses.
func (k Kind) String() string { return [...]string{"ok", "shed", "error", "skipped"}[k] }

// An Outcome is the course of one request. All times are offsets from t0.
//
//	intended -lag-> ready -queue-> slot -------service-------> end
//	                                     sent ---> first     see [RequestPhase]
//	intended ----------------response time-------------------> end
type Outcome struct {
	Load   int32 // number of the load
	Step   int32 // number of the step in the plan, or [IterationStep]
	Kind   Kind
	Closed bool   // of a closed executor: response time is service time
	Checks uint16 // checks evaluated
	Failed uint16 // checks that failed
	// times that the request was written, as again where a server did not take it, and behind a redirect; 0: not known
	Attempts uint16
	Status   int32
	// of an error; of a skipped request, that of the step before it where it is [Cause.Own] or a timeout
	Cause    Cause
	Intended time.Duration // the schedule asks for the request
	Ready    time.Duration // the generator is ready to send; of an unsent request it may lie after End
	Slot     time.Duration // a connection is free
	Sent     time.Duration // the request is written; 0 with WasSent false means never
	First    time.Duration // its first byte is received
	End      time.Duration // its last byte is received, or the request is given up
	// of an iteration: its think time, which does not count as response time; from a session, that of a call within an
	// iteration
	Think    time.Duration
	Bytes    int64   // of the answer
	Trace    uint64  // the low half of the id of its trace; 0 is none
	Opening  Opening // of the connection, between Slot and Sent
	WasSent  bool
	Answered bool // an answer was received, whatever its content
	Wants    bool // it is good, and its step says what a whole answer has
	Partial  bool // it lacks some of that
}

// Response is the response time: from intended to the last byte.
func (o *Outcome) Response() time.Duration { return o.End - o.Intended - o.Think }

// Written is how often the request was written: once where only that is known.
func (o *Outcome) Written() int64 {
	if o.Attempts == 0 && o.WasSent {
		return 1
	}
	return int64(o.Attempts)
}

// Service is the service time: from a free slot to the last byte.
func (o *Outcome) Service() time.Duration { return o.End - o.Slot - o.Think }

// Took is the response time of a request that has its answer, or its service time under a closed executor, which asks
// for a request when it can be sent.
func (o *Outcome) Took() time.Duration {
	if o.Closed {
		return o.End - o.Slot
	}
	return o.End - o.Intended
}

// Lag is the generator's own lateness.
func (o *Outcome) Lag() time.Duration { return max(0, o.Ready-o.Intended) }

// Queue is the wait for a slot.
func (o *Outcome) Queue() time.Duration { return max(0, o.Slot-o.Ready) }

// An Arrival is an iteration that is due.
type Arrival struct {
	N        int64         // number of the iteration within its load, from 0; that of a warm-up is negative
	Intended time.Duration // an offset from t0
	Deadline time.Duration // when it times out, an offset from t0
}
