package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/http/h1"
)

// client is the Redis client of one load. Its connections go to one endpoint: a server, the nodes of a cluster, or the
// primary that sentinels name.
type client struct {
	*targets.Pool[*h1.Conn]
	o         targets.Options
	at        location
	tls       *tls.Config
	greeting  greeting
	shared    *routes
	cluster   *cluster               // nil: it is not a cluster
	sentinels sentinels              // unused if the URL has the address of the primary
	primaryAt atomic.Pointer[string] // host:port of the primary according to the last answer of a sentinel; nil: none yet
	checked   sync.Once
	refused   error // why the endpoint can't be used; valid after checked
}

// newClient creates the client of one load.
func newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, config, err := calls.Prepare(&o, d)
	if err != nil {
		return nil, err
	}
	c := &client{o: o, tls: config}
	if c.at, err = locate(u); err != nil {
		return nil, err
	}
	c.greeting.init(&c.at)
	c.Pool = targets.NewPool[*h1.Conn](&c.o)
	c.Cut = func(conn *h1.Conn) { _ = conn.Raw.Close() } // TLS might wait for a write
	if c.at.cluster {
		c.cluster = &cluster{client: c, loading: make(chan struct{}, 1)}
	}
	c.shared = c.routes()
	return c, nil
}

// routes holds the places for connections to the addresses of an endpoint.
type routes struct {
	*calls.Routes[*h1.Conn]
	only *targets.Places[*h1.Conn] // if the endpoint has one address; nil: it is a cluster
}

// routes creates places for connections.
func (c *client) routes() *routes {
	r := &routes{Routes: calls.NewRoutes(func(address string) *targets.Places[*h1.Conn] {
		by := targets.Connector[*h1.Conn]{Dial: c.dial, Ready: c.ready}
		if c.cluster != nil {
			by.Dial = func(ctx context.Context, n uint64) (*h1.Conn, error) { return h1.Dial(ctx, &c.o, address, n) }
		}
		return c.To(by)
	})}
	if c.cluster == nil {
		r.only = r.To("")
	}
	return r
}

// address returns the host:port of the server, or of the primary according to the sentinels.
func (c *client) address(ctx context.Context) (string, error) {
	if c.at.master == "" {
		return c.at.addresses[0], nil
	}
	address, err := c.primary(ctx)
	if err == nil {
		c.primaryAt.Store(&address)
	}
	return address, err
}

// dial opens connection n to that address. Sentinels that have not heard of a failover still name the lost server. If
// that can't be reached, the other sentinels are asked.
func (c *client) dial(ctx context.Context, n uint64) (*h1.Conn, error) {
	if c.at.master == "" {
		return h1.Dial(ctx, &c.o, c.at.addresses[0], n)
	}
	lost := map[string]error{}
	return targets.TryEach(ctx, c.at.addresses, &c.sentinels.first,
		func(ctx context.Context, sentinel string) (*h1.Conn, error) {
			address, err := c.named(ctx, sentinel)
			if err == nil {
				err = lost[address]
			}
			if err != nil {
				return nil, err
			}
			conn, err := h1.Dial(ctx, &c.o, address, n)
			if err != nil {
				lost[address] = err
				return nil, err
			}
			c.primaryAt.Store(&address)
			return conn, nil
		})
}

// ready makes the TLS handshake and the login.
func (c *client) ready(ctx context.Context, conn *h1.Conn) error {
	if err := c.secure(ctx, conn); err != nil {
		return err
	}
	return c.greeting.login(ctx, conn)
}

// secure makes the TLS handshake, if the endpoint wants one.
func (c *client) secure(ctx context.Context, conn *h1.Conn) error {
	return calls.Secure(ctx, conn, c.tls)
}

func (c *client) Spoken() (s targets.Spoken) {
	for i, name := range []string{"RESP2", "RESP3"} {
		if c.greeting.spoken[i].Load() > 0 {
			s.Versions = append(s.Versions, name)
		}
	}
	if c.cluster != nil {
		s.Elsewhere = c.cluster.others.Load()
	}
	return s
}

func (c *client) Open(int) (targets.Session, error) {
	if c.o.Connections.Per == scenarios.PerUser {
		return &session{client: c, routes: c.routes(), own: true}, nil
	}
	return &session{client: c, routes: c.shared}, nil
}

// bind checks that the endpoint of a call accepts the load, and asks a cluster for its slots.
func bind(ctx context.Context, _ scenarios.Call, by targets.Client) error {
	c := by.(*client)
	c.checked.Do(func() {
		if c.cluster != nil {
			c.refused = c.cluster.load(ctx, "")
			return
		}
		var address string
		if address, c.refused = c.address(ctx); c.refused == nil {
			_, c.refused = c.ask(ctx, address, c.ready)
		}
	})
	return c.refused
}

// ask sends a command on a connection of its own, and returns the value of the answer. Ready prepares the connection.
// Without words nothing else happens.
func (c *client) ask(
	ctx context.Context, address string, ready func(context.Context, *h1.Conn) error, words ...string,
) (any, error) {
	conn, err := h1.Dial(ctx, &c.o, address, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Raw.Close() })()
	if until, bounded := ctx.Deadline(); bounded {
		_ = conn.SetDeadline(until)
	}
	if err := ready(ctx, conn); err != nil || len(words) == 0 {
		return nil, err
	}
	br, err := conn.Ask(appendCommand(nil, words...), nil)
	if err != nil {
		return nil, err
	}
	defer h1.Release(br)
	r, p := reader{br: br, room: mostDecoded}, reply{}
	v, err := r.decode(&p)
	if err == nil && p.failed {
		err = p.refusal(words[0])
	}
	return v, err
}

// refusal is the error for a refused command that brunt sends for itself.
func (p *reply) refusal(what string) error {
	return &targets.Error{Cause: causes.Cause(p.number), Text: fmt.Sprintf("%s is refused: %s", what, p.text)}
}

// A greeting holds the commands with which a connection begins.
type greeting struct {
	hello  []byte // with a request for RESP3; nil: RESP3 is not requested
	plain  []byte // for RESP2
	hellos int    // number of commands in hello
	plains int
	old    atomic.Bool     // the server only knows RESP2
	spoken [2]atomic.Int64 // connections of RESP2 and RESP3
}
