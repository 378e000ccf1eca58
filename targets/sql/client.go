package sql

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
)

// client holds the connections of one load to one endpoint.
type client struct {
	*targets.Pool[Conn]
	o       targets.Options
	dialect *Dialect
	at      Location
	scheme  string
	connect func(ctx context.Context, n uint64) (Conn, error)
	shared  *targets.Places[Conn]
	checked sync.Once
	refused error // why the endpoint can't be used; valid after checked
}

// newClient creates the client of one load.
func (f family) newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, err := o.Endpoint(d)
	if err != nil {
		return nil, err
	}
	c := &client{o: o, dialect: f.dialect(u.Scheme), scheme: u.Scheme}
	if c.dialect == nil {
		return nil, fmt.Errorf("no database speaks %q", u.Scheme)
	}
	if err = dial.Complete(&c.o); err != nil {
		return nil, err
	}
	if c.at, err = c.dialect.locate(u); err != nil {
		return nil, err
	}
	if c.connect, err = c.dialect.Connect(&c.o, &c.at); err != nil {
		return nil, err
	}
	c.Pool = targets.NewPool[Conn](&c.o)
	c.Cut = Conn.Cut
	c.shared = c.places()
	return c, nil
}

// places creates places for connections to the endpoint.
func (c *client) places() *targets.Places[Conn] {
	return c.To(targets.Connector[Conn]{Dial: c.connect})
}

func (c *client) Open(int) (targets.Session, error) {
	if c.o.Connections.Per == scenarios.PerUser {
		return &session{client: c, places: c.places(), own: true}, nil
	}
	return &session{client: c, places: c.shared}, nil
}

// bind checks that the endpoint of a call accepts the load.
func bind(ctx context.Context, _ scenarios.Call, by targets.Client) error {
	c := by.(*client)
	c.checked.Do(func() {
		var conn Conn
		if conn, c.refused = c.connect(ctx, 0); c.refused == nil {
			_ = conn.Close()
		}
	})
	return c.refused
}

// dialect returns the dialect of a scheme, or nil.
func (f family) dialect(scheme string) *Dialect {
	for _, d := range f {
		if slices.Contains(d.Schemes, scheme) {
			return d
		}
	}
	return nil
}
