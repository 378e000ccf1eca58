package grpc

import (
	"context"
	"crypto/tls"
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
	if err = dial.Complete(&o); err != nil {
		return nil, err
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
	c.by = targets.Connector[*h1.Conn]{
		Dial:  func(ctx context.Context, n uint64) (*h1.Conn, error) { return h1.Dial(ctx, &c.o, c.host, n) },
		Ready: c.secure,
	}
	c.places = c.To(c.by)
	c.line.Init(c, &c.o, c.Over(), c.tls != nil)
	return c, nil
}

// secure makes the TLS handshake, if the endpoint wants one.
func (c *client) secure(ctx context.Context, conn *h1.Conn) error {
	if c.tls == nil {
		return nil
	}
	conn.Watch = h1.NewWatched(conn.Raw)
	return conn.Secure(ctx, c.tls)
}

func (c *client) Connect(deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	return c.places.Open(c.by, deadline, stages)
}

// Adopt implements [h2.Host]. The client offers only HTTP/2, so it does not use a connection of HTTP/1.1.
func (c *client) Adopt(conn *h1.Conn) { c.Drop(conn) }

func (c *client) Speaks() { c.spoken.Add(1) }

// Waiting counts the calls that wait for a stream.
func (c *client) Waiting() int { return c.line.Waiting() }

func (c *client) Spoken() (s targets.Spoken) {
	if c.spoken.Load() > 0 {
		s.Versions = []string{"gRPC"}
	}
	s.Waits, s.Streams = c.line.Streams()
	return s
}

func (c *client) Open(int) (targets.Session, error) { return &session{client: c}, nil }
