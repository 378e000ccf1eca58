package targets

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"

	"golang.org/x/net/http2"

	"brunt/scenarios"
)

// Errors of a request that never reached the target or came back too late.
var (
	errAborted = errors.New("the run is over")
	errLate    = errors.New("the answer came after the timeout")
)

// causeOf says why a request had no answer.
func causeOf(err error) scenarios.Cause {
	var (
		dns    *net.DNSError
		denied *notAllowed
		hand   *tlsError
		proxy  *proxyError
		ne     net.Error
		cut    *streamReset
		away   *goneAway
	)
	switch {
	case errors.As(err, &denied):
		return scenarios.NotAllowed
	case errors.Is(err, errAborted), errors.Is(err, context.Canceled):
		return scenarios.Unfinished
	case errors.Is(err, errLate), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return scenarios.Timeout
	case errors.As(err, &proxy) && !isAny(err, noSocket) && !isAny(err, noPort):
		return scenarios.ProxyRefused
	case errors.As(err, &dns):
		return scenarios.NameNotFound
	case errors.As(err, &hand), alerted(err):
		return scenarios.TLSFailed
	case isAny(err, refused):
		return scenarios.Refused
	case isAny(err, reset):
		return scenarios.Reset
	case isAny(err, unreachable):
		return scenarios.Unreachable
	case isAny(err, noSocket): // this machine, not the target, had no room
		return scenarios.NoSocket
	case isAny(err, noPort):
		return scenarios.NoPort
	case errors.As(err, &cut):
		if cut.code == http2.ErrCodeRefusedStream {
			return scenarios.Refused
		}
		return scenarios.Reset
	case errors.As(err, &away) && away.err == nil, errors.Is(err, errUntouched), errors.Is(err, errStale):
		return scenarios.Closed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return scenarios.Closed
	case errors.As(err, &ne) && ne.Timeout():
		return scenarios.Timeout
	}
	return scenarios.Protocol
}

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(e error) bool { return errors.Is(err, e) })
}
