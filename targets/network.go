package targets

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

// A Network opens the connections of one client. It resolves names by the load's settings, uses its source addresses,
// and refuses addresses that the allowlist refuses. A protocol must also use it to dial addresses that a server
// announces.
type Network interface {
	// Dial opens TCP connection n to host:port.
	Dial(ctx context.Context, address string, n uint64) (net.Conn, error)
	// DialUDP opens socket n, connected to host:port.
	DialUDP(ctx context.Context, address string, n uint64) (net.Conn, error)
	// Listen accepts connections from the target at host:port of this machine.
	Listen(ctx context.Context, address string) (net.Listener, error)
}

// Endpoint returns the URL for a client of protocol d: the only endpoint with a scheme of the protocol, or else the
// target's own URL. A client for steps that name an endpoint has only that endpoint in its options.
func (o *Options) Endpoint(d *Descriptor) (*url.URL, error) {
	var found []*url.URL
	for _, text := range o.Endpoints {
		if u, err := url.Parse(text); err == nil && slices.Contains(d.Schemes, u.Scheme) {
			found = append(found, u)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%d endpoints speak %s; `at` in a step names one", len(found), d.Name)
	case o.Base == "":
		return nil, ErrNoBase
	}
	return url.Parse(o.Base)
}

// A Stamped is a connection that records the time of its last write, and of the first read after it. It is for
// protocols whose library does the input and output.
type Stamped struct {
	net.Conn
	now         func() time.Duration
	sent, first atomic.Int64
}

// Stamp wraps a connection. Now is the run's clock.
func Stamp(c net.Conn, now func() time.Duration) *Stamped { return &Stamped{Conn: c, now: now} }

func (s *Stamped) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	s.sent.Store(int64(s.now()))
	s.first.Store(0)
	return n, err
}

func (s *Stamped) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if n > 0 {
		s.first.CompareAndSwap(0, int64(s.now()))
	}
	return n, err
}

// Times returns the times of the last write and of the first read after it; zero: none yet.
func (s *Stamped) Times() (sent, first time.Duration) {
	return time.Duration(s.sent.Load()), time.Duration(s.first.Load())
}
