package stream

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
)

// client is the client of one load. Its connections go to one endpoint.
type client struct {
	*targets.Pool[*conn]
	o      targets.Options
	at     *url.URL
	tls    *tls.Config // nil: none
	places *targets.Places[*conn]
}

// newClient creates the client of one load.
func newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, err := o.Endpoint(d)
	if err != nil {
		return nil, err
	}
	if o.Network == nil {
		if o.Network, err = dial.NewNetwork(&o); err != nil {
			return nil, err
		}
	}
	c := &client{o: o, at: u}
	if slices.Contains([]string{"https", "wss", "tls"}, u.Scheme) {
		if c.tls, err = dial.TLSConfig(o.TLS); err != nil {
			return nil, err
		}
		if c.tls.ServerName == "" {
			c.tls.ServerName = u.Hostname()
		}
		if u.Scheme == "tls" {
			c.tls.NextProtos = nil
		}
	}
	c.Pool = targets.NewPool[*conn](&c.o)
	c.Cut = func(one *conn) { _ = one.raw.Close() } // TLS might wait for a write
	c.places = c.To(targets.Connector[*conn]{Dial: c.dial, Ready: c.secure})
	return c, nil
}

// address returns the host:port of the endpoint.
func (c *client) address() string {
	port := c.at.Port()
	switch {
	case port != "":
	case c.tls != nil:
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(c.at.Hostname(), port)
}

// dial opens connection n.
func (c *client) dial(ctx context.Context, n uint64) (*conn, error) {
	raw, err := c.o.Network.Dial(ctx, c.address(), n)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, net: raw, client: c, inbox: inbox{now: c.o.Now, wake: make(chan struct{}, 1)}, stopped: make(chan struct{})}, nil
}

// secure makes the TLS handshake, if the endpoint wants one.
func (c *client) secure(ctx context.Context, on *conn) error {
	if c.tls == nil {
		return nil
	}
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	t := tls.Client(on.raw, c.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		return &targets.TLSError{Err: err}
	}
	on.net = t
	return nil
}

// Open implements [targets.Client].
func (c *client) Open(int) (targets.Session, error) {
	s := &session{client: c, timer: time.NewTimer(time.Hour)}
	s.timer.Stop()
	return s, nil
}
