package stream

import (
	"context"
	"net/url"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// client is the client of one load. Its streams go to one endpoint.
type client struct {
	lines
	o  targets.Options
	at *url.URL
	lacks
}

func (c *client) Spoken() targets.Spoken {
	s := c.lines.Spoken()
	s.Dropped, s.Untimed = c.dropped.Load(), c.untimed.Load()
	return s
}

// lines are the connections of a client's streams.
type lines interface {
	targets.Transport
	Waiting() int          // calls that wait for a connection
	Over() context.Context // is done when the run is over
	Go(f func()) bool      // runs f until the client is closed; false: it is already closed

	// open opens a stream by a deadline. It records the times in out.
	open(st *stream, deadline time.Duration, out *scenarios.Outcome) (*conn, error)
	// put takes back a result of open. Keep says that it may carry another stream.
	put(on *conn, keep bool)
	// address returns the host:port of the endpoint.
	address() string
}

// newClient creates the client of one load.
func (all transports) newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, err := o.Endpoint(d)
	if err != nil {
		return nil, err
	}
	c := &client{o: o, at: u}
	if i := slices.IndexFunc(all, func(t Transport) bool { return slices.Contains(t.Schemes, u.Scheme) }); i >= 0 {
		by, err := all[i].Client(o)
		if err != nil {
			return nil, err
		}
		c.lines = &carried{Carrier: by, client: c}
		return c, nil
	}
	if c.lines, err = newSockets(c); err != nil {
		return nil, err
	}
	return c, nil
}

// secure reports whether connections begin with TLS.
func (c *client) secure() bool { return slices.Contains([]string{"https", "wss", "tls"}, c.at.Scheme) }

func (c *client) Open(int) (targets.Session, error) {
	return &session{client: c}, nil
}
