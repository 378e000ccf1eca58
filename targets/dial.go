package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"brunt/scenarios"
)

const defaultDNSTTL = 30 * time.Second

// notAllowed is an address outside the blast radius.
type notAllowed struct {
	addr string
	err  error
}

func (e *notAllowed) Error() string { return fmt.Sprintf("%s is not allowed: %v", e.addr, e.err) }
func (e *notAllowed) Unwrap() error { return e.err }

// control makes a gate a check of the address that a connection really goes to,
// names resolved and redirects followed.
func (g Gate) control(host string) func(network, address string, c syscall.RawConn) error {
	if g == nil {
		return nil
	}
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &notAllowed{address, err}
		}
		if err := g(ap.Addr().Unmap(), address, host); err != nil {
			return &notAllowed{address, err}
		}
		return nil
	}
}

// resolver looks names up and remembers the answer for ttl, so that a name that
// moves is followed and one that is asked for with every connection costs nothing.
type resolver struct {
	fixed map[string]string // host or host:port to an address used instead
	ttl   time.Duration
	now   func() time.Time

	mu    sync.Mutex
	known map[string]resolved
}

type resolved struct {
	addrs []string
	until time.Time
}

// lookup gives the addresses of host:port. Fixed tells that they come from the
// scenario's own resolve.
func (r *resolver) lookup(ctx context.Context, hostport string) (addrs []string, fixed bool, err error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, false, err
	}
	for _, key := range []string{hostport, host} {
		if to, ok := r.fixed[key]; ok {
			if _, _, err := net.SplitHostPort(to); err == nil {
				return []string{to}, true, nil
			}
			return []string{net.JoinHostPort(to, port)}, true, nil
		}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{hostport}, false, nil
	}
	r.mu.Lock()
	k, ok := r.known[hostport]
	r.mu.Unlock()
	if ok && r.now().Before(k.until) {
		return k.addrs, false, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, false, err
	}
	k = resolved{until: r.now().Add(r.ttl)}
	for _, ip := range ips {
		k.addrs = append(k.addrs, net.JoinHostPort(ip.Unmap().String(), port))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]resolved{}
	}
	r.known[hostport] = k
	return k.addrs, false, nil
}

// causeOf says why a request had no answer. Sent tells that it was on its way.
func causeOf(err error) scenarios.Cause {
	var (
		dns    *net.DNSError
		denied *notAllowed
		hand   *tlsError
		ne     net.Error
	)
	switch {
	case errors.As(err, &denied):
		return scenarios.NotAllowed
	case errors.Is(err, errAborted):
		return scenarios.Unfinished
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return scenarios.Timeout
	case errors.As(err, &dns):
		return scenarios.NameNotFound
	case errors.As(err, &hand):
		return scenarios.TLSFailed
	case errors.Is(err, syscall.ECONNREFUSED):
		return scenarios.Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return scenarios.Reset
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return scenarios.Unreachable
	case isNoSocket(err):
		return scenarios.NoSocket
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return scenarios.Closed
	case errors.As(err, &ne) && ne.Timeout():
		return scenarios.Timeout
	}
	return scenarios.Protocol
}

// isNoSocket tells that this machine, not the target, had no room for a connection.
func isNoSocket(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
