package dns

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/http/h1"
)

// client is the DNS client of one load. It uses a socket for one query at a time, so a query waits for no other.
type client struct {
	o       targets.Options
	at      *url.URL
	tls     *tls.Config // nil: without TLS
	sockets *targets.Pool[*socket]
	streams *targets.Pool[*h1.Conn] // of TCP; with UDP, those for truncated answers
	shared  *lines
	spoken  [2]atomic.Bool // UDP, TCP or TLS
}

// newClient creates the client of one load.
func newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, config, err := calls.Prepare(&o, d)
	if err != nil {
		return nil, err
	}
	c := &client{o: o, at: u, tls: config}
	if c.tls != nil {
		c.tls.NextProtos = []string{"dot"}
		if c.tls.ServerName == "" {
			c.tls.ServerName = u.Hostname()
		}
	}
	c.sockets, c.streams = targets.NewPool[*socket](&c.o), targets.NewPool[*h1.Conn](&c.o)
	c.streams.Cut = func(conn *h1.Conn) { _ = conn.Raw.Close() } // TLS might wait for a write
	c.shared = c.lines()
	return c, nil
}

// lines are the places of sockets and connections, of a load or of a user.
type lines struct {
	sockets *targets.Places[*socket] // nil: queries go over TCP
	streams *targets.Places[*h1.Conn]
}

func (c *client) lines() *lines {
	l := &lines{streams: c.streams.To(targets.Connector[*h1.Conn]{Dial: c.dialStream, Ready: c.ready})}
	if c.at.Scheme == schemeUDP {
		l.sockets = c.sockets.To(targets.Connector[*socket]{Dial: c.dialSocket})
	}
	return l
}

func (l *lines) close() {
	if l.sockets != nil {
		l.sockets.Close()
	}
	l.streams.Close()
}

func (c *client) dialStream(ctx context.Context, n uint64) (*h1.Conn, error) {
	return h1.Dial(ctx, &c.o, c.at.Host, n)
}

// ready makes the TLS handshake, if the endpoint wants one.
func (c *client) ready(ctx context.Context, conn *h1.Conn) error {
	return calls.Secure(ctx, conn, c.tls)
}

func (c *client) dialSocket(ctx context.Context, n uint64) (*socket, error) {
	conn, err := c.o.Network.DialUDP(ctx, c.at.Host, n)
	if err != nil {
		return nil, err
	}
	return &socket{Conn: conn, number: uint16(c.o.Seed>>16) ^ uint16(n*0x9e37)}, nil
}

// socket is a UDP socket, connected to the server, so that the system drops datagrams of others.
type socket struct {
	targets.Lease
	net.Conn
	number   uint16 // of the last query
	deadline time.Duration
}

// until sets the deadline, unless it is set already or later by at most slack.
func (s *socket) until(deadline, slack time.Duration, t0 time.Time) {
	if s.deadline < deadline || s.deadline > deadline+slack {
		s.deadline = deadline + slack
		_ = s.SetDeadline(t0.Add(s.deadline))
	}
}

func (c *client) Open(int) (targets.Session, error) {
	if c.o.Connections.Per == scenarios.PerUser {
		return &session{client: c, lines: c.lines(), own: true}, nil
	}
	return &session{client: c, lines: c.shared}, nil
}

func (c *client) Abort() {
	c.sockets.Abort()
	c.streams.Abort()
}

func (c *client) Opened() int64 { return c.sockets.Opened() + c.streams.Opened() }

// Spoken implements [targets.Transport]. A load over UDP that has used TCP too had truncated answers.
func (c *client) Spoken() (s targets.Spoken) {
	for i, name := range [2]string{"UDP", "TCP"} {
		if c.spoken[i].Load() {
			s.Versions = append(s.Versions, name)
		}
	}
	return s
}

// Waiting counts the calls that wait for a socket or a connection.
func (c *client) Waiting() int { return c.sockets.Waiting() + c.streams.Waiting() }

func (c *client) Close() error {
	err := c.sockets.Close()
	if failed := c.streams.Close(); err == nil {
		err = failed
	}
	return err
}
