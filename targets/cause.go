package targets

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Errors of a request that was never sent, or whose answer came too late.
var (
	ErrAborted = errors.New("the run is over")
	ErrLate    = errors.New("the answer came after the timeout")
)

// An Error is an error with a cause that its protocol sets.
type Error struct {
	Cause scenarios.Cause
	Text  string
	Final bool // the cause and the end hold even if the deadline passed or the run ended meanwhile
}

func (e *Error) Error() string { return e.Text }

// StreamError is the error for an answer that is not a stream, or for a stream without the part that its step waits
// for.
func StreamError(format string, args ...any) error {
	return &Error{Cause: scenarios.Stream, Text: fmt.Sprintf(format, args...), Final: true}
}

// ErrorCause implements the interface that [CauseOf] uses.
func (e *Error) ErrorCause() scenarios.Cause { return e.Cause }

// caused is implemented by errors that know their cause. NoCause means that the wrapped errors decide.
type caused interface {
	error
	ErrorCause() scenarios.Cause
}

// TLSError is a TLS handshake that failed.
type TLSError struct{ Err error }

func (e *TLSError) Error() string { return "TLS handshake: " + e.Err.Error() }
func (e *TLSError) Unwrap() error { return e.Err }

// ProxyError is a connection that a proxy did not open.
type ProxyError struct {
	Proxy string // host:port
	Err   error
}

func (e *ProxyError) Error() string { return "the proxy " + e.Proxy + ": " + e.Err.Error() }
func (e *ProxyError) Unwrap() error { return e.Err }

// Oversized returns the cause of an answer that is over a bound of brunt's, or over that of a step.
func Oversized(err error) scenarios.Cause {
	if budget.Beside(err) {
		return scenarios.NoRoom
	}
	return scenarios.TooLarge
}

// CauseOf classifies the error of a request without an answer.
func CauseOf(err error) scenarios.Cause {
	var (
		dns       *net.DNSError
		denied    *NotAllowedError
		handshake *TLSError
		proxy     *ProxyError
		ne        net.Error
		own       caused
		ended     *EndedError
	)
	switch {
	case budget.Over(err) != nil:
		return Oversized(err)
	case errors.As(err, &denied):
		return scenarios.NotAllowed
	case errors.Is(err, ErrAborted), errors.Is(err, context.Canceled):
		return scenarios.Unfinished
	case errors.Is(err, ErrLate), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return scenarios.Timeout
	case errors.As(err, &ended) && ended.idle():
		return scenarios.ClosedIdle
	case errors.As(err, &proxy) && !isAny(err, noSocket) && !isAny(err, noPort):
		return scenarios.ProxyRefused
	case errors.As(err, &dns):
		return scenarios.NameNotFound
	case errors.As(err, &handshake), isAlert(err):
		return scenarios.TLSFailed
	case isAny(err, refused):
		return scenarios.Refused
	case isAny(err, reset):
		return scenarios.Reset
	case isAny(err, unreachable):
		return scenarios.Unreachable
	case isAny(err, noSocket): // this machine ran out of sockets, not the target
		return scenarios.NoSocket
	case isAny(err, noPort):
		return scenarios.NoPort
	case errors.As(err, &own) && own.ErrorCause() != scenarios.NoCause:
		return own.ErrorCause()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return scenarios.Closed
	case errors.As(err, &ne) && ne.Timeout():
		return scenarios.Timeout
	}
	return scenarios.Protocol
}

// IsReset reports whether err means that the other side reset the connection.
func IsReset(err error) bool { return isAny(err, reset) }

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(e error) bool { return errors.Is(err, e) })
}

// Fail records in out that a request ended at end with err. Over reports that the run had ended before. A timeout ends
// at the deadline, unless err is final.
func Fail(out *scenarios.Outcome, err error, end, deadline time.Duration, over bool) {
	out.Kind, out.Cause = scenarios.Error, CauseOf(err)
	out.Status, out.Answered = 0, false
	out.End = end
	if own, ok := errors.AsType[*Error](err); ok && own.Final {
		out.Cause = own.Cause
		return
	}
	if out.Cause == scenarios.TooLarge || out.Cause == scenarios.NoRoom {
		return
	}
	_, bad := errors.AsType[*syntax.BadURL](err)
	switch {
	case errors.Is(err, template.ErrUnset), errors.Is(err, template.ErrUsedUp), errors.Is(err, template.ErrNotStart):
		out.Cause = scenarios.NoData
	case bad:
		out.Cause = scenarios.Other
	case out.Cause == scenarios.NotAllowed:
	case out.End >= deadline:
		out.Cause = scenarios.Timeout
	case over:
		out.Cause = scenarios.Unfinished
	}
	if out.Cause == scenarios.Timeout {
		for _, at := range []*time.Duration{&out.Slot, &out.Sent, &out.First} {
			*at = min(*at, deadline)
		}
		out.End = deadline
	}
}

// Explain returns the text of an error for a sample, with a remedy if one is known.
func Explain(err error) string {
	if isAny(err, noPort) {
		return err.Error() + "; this machine has no port left to reach the target from"
	}
	return err.Error() + tlsRemedy(err)
}

// isAlert reports whether the other side ended TLS by an alert. A TLS 1.3 server refuses a
// client certificate that way, after the client's part of the handshake.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// tlsRemedy returns the setting that fixes a TLS error. It is empty if none is known.
func tlsRemedy(err error) string {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return "; a CA of your own goes under target: {tls: {ca: FILE}}"
	}
	if _, other := errors.AsType[x509.HostnameError](err); other {
		return "; the name in the certificate goes under target: {tls: {server_name: NAME}}"
	}
	if isAlert(err) && strings.Contains(err.Error(), "certificate required") {
		return "; a certificate for the load goes under target: {tls: {cert: FILE, key: FILE}}"
	}
	return ""
}
