package targets_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"
)

func TestCauseOf(t *testing.T) {
	op := func(err error) error {
		return fmt.Errorf("reading: %w", &net.OpError{Op: "read", Err: os.NewSyscallError("read", err)})
	}
	for _, c := range []struct {
		err  error
		want scenarios.Cause
	}{
		{op(syscall.ECONNREFUSED), scenarios.Refused},
		{op(syscall.ECONNRESET), scenarios.Reset},
		{op(syscall.EPIPE), scenarios.Reset},
		{op(syscall.EHOSTUNREACH), scenarios.Unreachable},
		{op(syscall.ENETUNREACH), scenarios.Unreachable},
		{op(syscall.ETIMEDOUT), scenarios.Unreachable},
		{op(syscall.EMFILE), scenarios.NoSocket},
		{op(syscall.EADDRNOTAVAIL), scenarios.NoPort},
		{op(syscall.EADDRINUSE), scenarios.NoPort},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, scenarios.TLSFailed},
		{op(os.ErrDeadlineExceeded), scenarios.Timeout},
		{op(io.EOF), scenarios.Closed},
		{io.ErrUnexpectedEOF, scenarios.Closed},
		{op(net.ErrClosed), scenarios.Closed},
		{&net.DNSError{Err: "no such host"}, scenarios.NameNotFound},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, scenarios.NameNotFound},
		{&targets.TLSError{errors.New("bad certificate")}, scenarios.TLSFailed},
		{&targets.TLSError{op(syscall.ECONNRESET)}, scenarios.TLSFailed},
		{&net.OpError{Op: "dial", Err: &targets.NotAllowedError{"a", errors.New("no")}}, scenarios.NotAllowed},
		{targets.ErrAborted, scenarios.Unfinished},
		{targets.ErrLate, scenarios.Timeout},
		{errors.New("not HTTP"), scenarios.Protocol},
		{fmt.Errorf("reading: %w", &budget.Error{Text: "over the bound"}), scenarios.TooLarge},
		{fmt.Errorf("reading: %w", &budget.Error{Text: "no room", Beside: true}), scenarios.NoRoom},
		{targets.Ended(io.EOF, 0, time.Second, time.Millisecond), scenarios.ClosedIdle},
		{
			fmt.Errorf("asking: %w", targets.Ended(op(syscall.ECONNRESET), 0, time.Second, time.Millisecond)),
			scenarios.ClosedIdle,
		},
		{targets.Ended(op(syscall.ECONNRESET), 0, time.Second, 20*time.Millisecond), scenarios.Reset}, // it had the request
		{targets.Ended(io.EOF, 0, 100*time.Millisecond, time.Millisecond), scenarios.Closed},          // too soon
		{targets.Ended(errors.New("not HTTP"), 0, time.Second, time.Millisecond), scenarios.Protocol},
		{targets.Ended(op(net.ErrClosed), 0, time.Second, time.Millisecond), scenarios.Closed}, // by brunt
	} {
		if got := targets.CauseOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
