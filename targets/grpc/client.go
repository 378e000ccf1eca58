package grpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
)

// client is the gRPC client of one load. Its connections go to one endpoint.
type client struct {
	*targets.Pool[*h1.Conn]
	o      targets.Options
	host   string // host:port
	tls    *tls.Config
	places *targets.Places[*h1.Conn]
	by     targets.Connector[*h1.Conn]
	line   h2.Line
	spoken atomic.Int64 // connections that spoke HTTP/2

	mu        sync.Mutex
	reflected map[string]*registry // by service
}

// newClient creates the client of one load.
func newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	at, err := o.Endpoint(d)
	if err != nil {
		return nil, err
	}
	if o.Network == nil {
		if o.Network, err = dial.NewNetwork(&o); err != nil {
			return nil, err
		}
	}
	o.Connections.HTTP = scenarios.HTTP2
	c := &client{o: o, host: at.Host, reflected: map[string]*registry{}}
	if at.Scheme == "grpcs" || at.Scheme == "https" {
		if c.tls, err = dial.TLSConfig(o.TLS); err != nil {
			return nil, err
		}
		if c.tls.ServerName == "" {
			c.tls.ServerName = at.Hostname()
		}
		c.tls.NextProtos = []string{"h2"}
	}
	c.Pool = targets.NewPool[*h1.Conn](&c.o)
	c.Cut = func(conn *h1.Conn) { _ = conn.Raw.Close() } // TLS might wait for a write
	c.by = targets.Connector[*h1.Conn]{Dial: c.dial, Ready: c.secure}
	c.places = c.To(c.by)
	c.line.Init(c, &c.o, c.Over(), c.tls != nil)
	return c, nil
}

// dial opens connection n.
func (c *client) dial(ctx context.Context, n uint64) (*h1.Conn, error) {
	raw, err := c.o.Network.Dial(ctx, c.host, n)
	if err != nil {
		return nil, err
	}
	t, ok := raw.(*net.TCPConn)
	if !ok {
		_ = raw.Close()
		return nil, fmt.Errorf("the network opened a %T, and gRPC wants TCP", raw)
	}
	return h1.NewConn(t, c.o.T0), nil
}

// secure makes the TLS handshake, if the endpoint wants one.
func (c *client) secure(ctx context.Context, conn *h1.Conn) error {
	if c.tls == nil {
		return nil
	}
	conn.Watch = h1.NewWatched(conn.Raw)
	return conn.Secure(ctx, c.tls)
}

// Connect implements [h2.Host].
func (c *client) Connect(deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	return c.places.Open(c.by, deadline, stages)
}

// Adopt implements [h2.Host]: a client that offers HTTP/2 alone gets no connection of HTTP/1.1.
func (c *client) Adopt(conn *h1.Conn) { c.Drop(conn) }

// Speaks implements [h2.Host].
func (c *client) Speaks() { c.spoken.Add(1) }

// Waiting counts the calls that wait for a stream.
func (c *client) Waiting() int { return c.line.Waiting() }

// Spoken implements [targets.Transport].
func (c *client) Spoken() (s targets.Spoken) {
	if c.spoken.Load() > 0 {
		s.Versions = []string{"gRPC"}
	}
	s.Waits, s.Streams = c.line.Streams()
	return s
}

// Open implements [targets.Client].
func (c *client) Open(int) (targets.Session, error) { return &session{client: c}, nil }

// roundTrip sends a request and reads its answer, which the caller releases. It keeps a body of up to most bytes
// whole; with 0 it keeps the beginning of any. The times are in out. A request that the server certainly has not
// begun is sent again.
func (c *client) roundTrip(send []byte, deadline time.Duration, most int, out *scenarios.Outcome) (*h1.Answer, error) {
	for tries := 1; ; tries++ {
		now := c.o.Now()
		if now >= deadline {
			if tries == 1 {
				out.Slot = now
			}
			return nil, os.ErrDeadlineExceeded
		}
		s := h2.NewStream(send, nil, deadline, deadline-now)
		err := c.line.Join(s)
		if tries == 1 {
			out.Slot, out.Opening = s.Slot(), s.Opening()
		}
		if err != nil {
			s.Abandon()
			return nil, err
		}
		a, untouched, err := c.converse(s, most, out)
		if err == nil {
			if out.End > deadline {
				err = targets.ErrLate
			}
			return a, err
		}
		if !untouched || !h2.Again(tries, err) {
			return a, err
		}
		if a != nil {
			a.Release()
		}
	}
}

// converse sends the request on s, reads its answer and ends s.
func (c *client) converse(s *h2.Stream, most int, out *scenarios.Outcome) (a *h1.Answer, untouched bool, err error) {
	err = s.Ask()
	p := s.Progress(err)
	if p.WasSent {
		out.Sent, out.WasSent = p.Sent, true
		out.Attempts++
	}
	if err == nil {
		a, out.First = p.Answer, p.First
		if err = s.ReadAnswer(a, "POST", most); err == nil {
			out.End = s.End()
		}
	}
	s.Finish(errors.Is(err, os.ErrDeadlineExceeded))
	return a, p.Untouched, err
}
