package scenarios

import (
	"strconv"
	"time"
)

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

// A Cause says why a request is an error. Its low half carries a number: the status, or the
// number of the check. That of a SQLSTATE takes more.
type Cause uint32

const (
	NoCause         Cause = iota // of a request that is ok
	Timeout                      // the timeout passed, counted from the intended time
	Refused                      // the connection was refused
	Reset                        // the connection was reset
	Closed                       // the connection was closed before the answer was whole
	Unreachable                  // no route, or no answer to the connection attempt
	NameNotFound                 // DNS has no such name, or did not answer
	TLSFailed                    // the handshake failed
	Protocol                     // the answer is not valid in the protocol
	Unfinished                   // cut off when the run ended
	NotAllowed                   // the address lies outside the blast radius
	NoData                       // unique data is used up, or a variable was never extracted
	NoSocket                     // this machine has no more files or memory
	Redirects                    // more redirects than the step allows
	GraphQLErrors                // the answer contained errors of GraphQL
	Stream                       // not an event stream, or it ended before the expected events
	Other                        // none of these; the sample has the error
	NoPort                       // the ports of this machine's source addresses are used up
	ProxyRefused                 // the proxy refused the connection
	Dropped                      // an iteration of a script for which no virtual user was free
	Exception                    // an iteration of a script that ended with an exception
	Unsent                       // the timeout passed before brunt was ready to send: brunt's own lag used it up
	Panicked                     // what the server sent made the code that reads it panic
	fixedCauses                  // number of causes without a number of their own
	statusCause     Cause = 1 << 16
	checkCause      Cause = 2 << 16
	extractionCause Cause = 3 << 16
	grpcCause       Cause = 4 << 16
	redisCause      Cause = 5 << 16
	mysqlCause      Cause = 6 << 16
	closeCause      Cause = 7 << 16
	sqlStateCause   Cause = 1 << 30 // with a number of 26 bits
)

var causeNames = [fixedCauses]string{
	"", "timeout", "refused", "reset", "closed", "unreachable", "dns", "tls", "protocol", "unfinished", "not allowed",
	"no data",
	"no socket", "redirects", "graphql errors", "stream", "other", "no port", "proxy", "dropped", "exception", "unsent",
	"panic",
}

// Status is the cause of an answer whose status the step does not accept.
func Status(code int) Cause { return statusCause | Cause(code&0xffff) }

// Check is the cause of a failed check; n is its number in the plan.
func Check(n int) Cause { return checkCause | Cause(n&0xffff) }

// Extraction is the cause of an extraction that found nothing; n is its number in
// the plan.
func Extraction(n int) Cause { return extractionCause | Cause(n&0xffff) }

// GRPC is the cause of an answer whose gRPC status the step does not accept.
func GRPC(code int) Cause { return grpcCause | Cause(code&0xffff) }

// CloseCode is the cause of a WebSocket that the other side closed; code is that of its close frame.
func CloseCode(code int) Cause { return closeCause | Cause(code&0xffff) }

// Own reports whether brunt or its machine failed, and not the target.
func (c Cause) Own() bool { return c == NoSocket || c == NoPort || c == Unsent } // as OwnCauses

// OfAnswer reports whether the cause is what was answered: its status, or a check or an extraction of it.
func (c Cause) OfAnswer() bool { return c >= statusCause || c == GraphQLErrors }

// OwnCauses lists the causes that are [Cause.Own].
func OwnCauses() []Cause { return []Cause{NoSocket, NoPort, Unsent} }

// CauseNames lists the causes of errors that are no answer, as result.json names them.
func CauseNames() []string { return causeNames[1:] }

// Name returns the cause as result.json names it. Checks are the plan's checks and extractions by number.
func (c Cause) Name(checks []string) string {
	n := int(c & 0xffff)
	name := strconv.Itoa(n)
	if n < len(checks) {
		name = checks[n]
	}
	if c&sqlStateCause != 0 {
		return "error " + sqlState(int32(c&^sqlStateCause))
	}
	switch c &^ 0xffff {
	case statusCause:
		return "status " + strconv.Itoa(n)
	case grpcCause:
		return "status " + GRPCStatus(n)
	case redisCause:
		return "error " + redisWord(n)
	case mysqlCause:
		return "error " + strconv.Itoa(n)
	case closeCause:
		return "close " + strconv.Itoa(n)
	case checkCause:
		return "check " + name
	case extractionCause:
		return "extract " + name
	}
	if c < fixedCauses {
		return causeNames[c]
	}
	return causeNames[Other]
}

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
