package targets

import (
	"errors"
	"fmt"
	"io"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// ErrStale is the error of a call on a connection that proved to be closed before anything of the call was sent.
var ErrStale = error(&Error{Cause: scenarios.Closed, Text: "the connection was closed while it was idle"})

// An EndedError is the error of a call that was sent on a connection that had carried an answer before, and that ended
// before a byte of the call's own answer came. The server may have closed the connection while it was idle, at the
// moment at which the call was sent: no client can tell that from a server that ends while it works on the call.
type EndedError struct {
	Err   error
	Sent  time.Duration // when the call was written, on the run's clock
	Idle  time.Duration // how long nothing had come on the connection when the call was sent
	After time.Duration // how long after that the connection ended
}

// Ended returns the error of a call that failed with err: an [EndedError] if err is the end of the connection.
func Ended(err error, sent, idle, after time.Duration) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || IsReset(err) {
		return &EndedError{Err: err, Sent: sent, Idle: idle, After: after}
	}
	return err
}

// Limits of an end that looks like that of an idle connection. Servers leave connections idle for seconds, and the end
// comes as fast as a packet. A server that dies with the call in hand looks the same only in its last milliseconds.
const (
	leastIdle = 500 * time.Millisecond
	mostAfter = 10 * time.Millisecond
)

// idle reports whether the server probably closed the connection because it was idle.
func (e *EndedError) idle() bool { return e.Idle >= leastIdle && e.After <= mostAfter }

func (e *EndedError) Error() string {
	if !e.idle() {
		return e.Err.Error()
	}
	return fmt.Sprintf("the server closed the connection, which had been idle for %s, just as the request was sent: %v; "+
		"`connections: {max_idle: …}` of the load, below the server's own limit, closes it first",
		quantity.FormatDuration(e.Idle.Round(time.Millisecond)), e.Err)
}

func (e *EndedError) Unwrap() error { return e.Err }

// A Resend decides when a call is sent again on a new connection. Its zero value is for a call that must not be sent
// twice.
//
//	ErrStale     always: nothing of the call was sent
//	EndedError   once, if the call repeats (RFC 9110, section 9.2.2), as browsers and Go's net/http do
//
// The second attempt goes to a new connection, so that a server that is gone refuses it.
type Resend struct {
	Repeats bool // see [scenarios.CallTraits]
}

// Again reports whether to send the call again after err.
func (r Resend) Again(err error) bool {
	if err == nil {
		return false
	}
	_, ended := errors.AsType[*EndedError](err)
	return ended && r.Repeats || errors.Is(err, ErrStale)
}

// After is Again for a call that has not recorded the attempt that failed: it records it in out.
func (r Resend) After(err error, out *scenarios.Outcome) bool {
	if !r.Again(err) {
		return false
	}
	if ended, ok := errors.AsType[*EndedError](err); ok {
		out.Attempts++
		if !out.WasSent {
			out.Sent, out.WasSent = ended.Sent, true
		}
	}
	return true
}
