package kafka

import (
	"context"
	"crypto/tls"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/http/h1"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// client is the Kafka client of one load.
type client struct {
	*targets.Pool[*conn]
	o       targets.Options
	at      location
	tls     *tls.Config // nil: without TLS
	cluster *cluster
	shared  *calls.Routes[*conn]
	turn    atomic.Uint32 // for records without a key
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
	c.Pool = targets.NewPool[*conn](&c.o)
	c.Cut = func(on *conn) { _ = on.Raw.Close() } // TLS might wait for a write
	c.cluster = newCluster(c)
	c.shared = c.routes()
	return c, nil
}

// routes creates places for connections to the brokers.
func (c *client) routes() *calls.Routes[*conn] {
	return calls.NewRoutes(func(address string) *targets.Places[*conn] { return c.To(c.connector(address)) })
}

// connector opens connections to a broker.
func (c *client) connector(address string) targets.Connector[*conn] {
	return targets.Connector[*conn]{
		Dial: func(ctx context.Context, n uint64) (*conn, error) {
			raw, err := h1.Dial(ctx, &c.o, address, n)
			if err != nil {
				return nil, err
			}
			return &conn{Conn: raw}, nil
		},
		Ready: c.ready,
	}
}

// open opens a connection to a broker for the time until ctx ends. It takes no place of a call.
func (c *client) open(ctx context.Context, address string) (*conn, error) {
	until, bounded := ctx.Deadline()
	if !bounded {
		until = time.Now().Add(c.wait())
	}
	on, err := c.shared.To(address).Open(c.connector(address), until.Sub(c.o.T0), targets.NewStages(c.o.Now))
	if err != nil {
		return nil, err
	}
	return on, nil
}

// ready makes the TLS handshake and the login.
func (c *client) ready(ctx context.Context, on *conn) error {
	if err := calls.Secure(ctx, on.Conn, c.tls); err != nil {
		return err
	}
	return c.login(ctx, on)
}

// wait returns how long a request of brunt's own may take.
func (c *client) wait() time.Duration { return max(time.Second, c.o.Timeout) }

// patience returns a context for requests of brunt's own.
func (c *client) patience(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(parent, c.wait())
}

// ask sends a request on a connection of its own.
func (c *client) ask(ctx context.Context, address string, req kmsg.Request) (kmsg.Response, error) {
	raw, err := h1.Dial(ctx, &c.o, address, 0)
	if err != nil {
		return nil, err
	}
	on := &conn{Conn: raw}
	defer on.Close()
	defer context.AfterFunc(ctx, func() { _ = on.Raw.Close() })()
	if err := c.ready(ctx, on); err != nil {
		return nil, either(ctx, err)
	}
	resp, err := on.call(ctx, req)
	return resp, either(ctx, err)
}

// either returns why ctx ended, if it did, instead of the error of the connection that was closed for it.
func either(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *client) Open(int) (targets.Session, error) {
	if c.o.Connections.Per == scenarios.PerUser {
		return &session{client: c, routes: c.routes(), own: true}, nil
	}
	return &session{client: c, routes: c.shared}, nil
}

// bind checks that the endpoint of a call accepts the load, and that its topic exists if the topic is known.
func bind(ctx context.Context, of scenarios.Call, by targets.Client) error {
	topic, static := of.(*call).topic.Static()
	if !static {
		return nil
	}
	_, err := by.(*client).cluster.leadersOf(ctx, topic)
	return err
}
