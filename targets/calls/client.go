package calls

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/park"
)

// A Protocol is the protocol of a broker. F is one of its frames.
type Protocol[F any] struct {
	Causes scenarios.CauseFamily
	// Login prepares an open connection. Config is nil without TLS.
	Login func(ctx context.Context, l *Line[F], to *url.URL, config *tls.Config) error
	// Read reads a frame. It may panic: that is an error of the connection.
	Read func(*bufio.Reader) (F, error)
	// Take handles a frame that no call waits for, in the goroutine that reads, and reports whether it is one; nil: a call
	// waits for each
	Take func(l *Line[F], f F) (bool, error)

	// Asked says that the server sends only answers, so that each call reads its own connection, without a goroutine. It
	// then sends once
	Asked bool
	// Single says that all steps of a virtual user share one connection, which has its [User]
	Single bool
	// Buffer is the size in bytes of the buffer of a connection that is being read; zero: 8 KiB
	Buffer int
	// Ahead is how many frames wait for a call, of 4 MiB together; then the connection is not read; zero: 64
	Ahead int
}

// client has the connections of one load.
type client[F any] struct {
	*targets.Pool[*Line[F]]
	o      targets.Options
	p      *Protocol[F]
	at     *url.URL
	list   []string
	tls    *tls.Config // nil: without TLS
	first  atomic.Int64
	shared *targets.Places[*Line[F]]

	buffers   sync.Pool        // of connections that are being read
	exchanges sync.Pool        // for calls
	parking   func() *park.Lot // creates the lot when the first connection is opened
}

// Prepare completes the options of a client. It returns the URL of the endpoint, and the configuration of TLS, which is
// nil without TLS.
func Prepare(o *targets.Options, d *targets.Descriptor) (u *url.URL, config *tls.Config, err error) {
	if u, err = o.Endpoint(d); err != nil {
		return nil, nil, err
	}
	if err = dial.Complete(o); err != nil {
		return nil, nil, err
	}
	if d.Wires[u.Scheme].TLS {
		if config, err = dial.TLSConfig(o.TLS); err != nil {
			return nil, nil, err
		}
		config.NextProtos = nil
	}
	return u, config, nil
}

// NewClient creates the client of one load.
func NewClient[F any](o targets.Options, d *targets.Descriptor, p *Protocol[F]) (targets.Client, error) {
	u, config, err := Prepare(&o, d)
	if err != nil {
		return nil, err
	}
	c := &client[F]{o: o, p: p, at: u, list: Addresses(u), tls: config}
	c.Pool = targets.NewPool[*Line[F]](&c.o)
	c.buffers.New = func() any { return bufio.NewReaderSize(nil, cmp.Or(p.Buffer, readBuffer)) }
	c.exchanges.New = func() any { return new(Exchange[F]) }
	c.parking = sync.OnceValue(func() *park.Lot { return park.NewLot(c.Over(), c.Go) })
	c.shared = c.places(nil)
	return c, nil
}

// places has the connections of a user; nil: those that the users share.
func (c *client[F]) places(user *User) *targets.Places[*Line[F]] {
	return c.To(targets.Connector[*Line[F]]{Dial: c.dial(user), Ready: c.ready})
}

// dial returns the function that opens connection n of a user, to the server that accepted the last one, or else to the
// next that accepts the login. A nil user means that the users share it.
func (c *client[F]) dial(user *User) func(context.Context, uint64) (*Line[F], error) {
	return func(ctx context.Context, n uint64) (*Line[F], error) {
		return targets.TryEach(ctx, c.list, &c.first, func(ctx context.Context, address string) (*Line[F], error) {
			raw, err := c.o.Network.Dial(ctx, address, n)
			if err != nil {
				return nil, err
			}
			l := &Line[F]{Conn: park.Conn{Conn: raw, Plain: true}, raw: raw, Address: address, User: user}
			if c.lend(l); !c.p.Asked {
				l.lot = c.parking()
			}
			if err := c.login(ctx, l); err != nil {
				_ = l.Close()
				return nil, err
			}
			return l, nil
		})
	}
}

// login makes the login by the deadline of ctx.
func (c *client[F]) login(ctx context.Context, l *Line[F]) (err error) {
	defer context.AfterFunc(ctx, func() { _ = l.raw.Close() })()
	defer scenarios.Recover(&err)
	if until, bounded := ctx.Deadline(); bounded {
		_ = l.SetDeadline(until)
	}
	if err := c.p.Login(ctx, l, c.at, c.tls); err != nil {
		return err
	}
	l.Claim.Release()
	return l.SetDeadline(time.Time{})
}

// ready begins to read, unless the calls do.
func (c *client[F]) ready(_ context.Context, l *Line[F]) error {
	if c.p.Asked {
		return l.ask(c.o.T0)
	}
	l.arrived, l.ended = make(chan arrived[F], cmp.Or(c.p.Ahead, mostAhead)), make(chan struct{})
	l.room = make(chan struct{}, 1)
	l.open.Store(true)
	l.Last = c.o.Now()
	l.place.Wake = func() {
		if !c.startReader(l) {
			l.end(targets.ErrAborted)
		}
	}
	if !c.startReader(l) {
		return targets.ErrAborted
	}
	return nil
}

func (c *client[F]) Open(int) (targets.Session, error) {
	if c.p.Single {
		s := &session[F]{client: c, own: true}
		s.places = c.places(&s.user)
		return s, nil
	}
	if c.o.Connections.Per == scenarios.PerUser {
		return &session[F]{client: c, places: c.places(nil), own: true}, nil
	}
	return &session[F]{client: c, places: c.shared}, nil
}

// session is a virtual user.
type session[F any] struct {
	client *client[F]
	places *targets.Places[*Line[F]]
	own    bool                  // the connections belong to this user only
	held   map[*Call[F]]*Line[F] // connections that steps keep
	user   User
}

// A User is the virtual user that has a connection for itself.
type User struct {
	Number int          // of the user within its load, from 0
	Flow   targets.Flow // of its steps
	State  any          // what the protocol keeps of the user from one connection to the next
}

func (s *session[F]) Close() error {
	for _, l := range s.held {
		s.places.Put(l, false)
	}
	s.held = nil
	if s.own {
		s.places.Close()
	}
	return nil
}

func (s *session[F]) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	x := s.client.exchanges.Get().(*Exchange[F])
	x.Begin(&s.client.o, s.client, it, out)
	x.session, x.call = s, by.(*Call[F])
	s.user.Flow, s.user.Number = x.call.flow, it.VU
	x.Progress.Do(x)
	x.end()
}

// Bind opens and closes a connection, so that an endpoint that refuses the load's login is known before the load.
func Bind[F any](ctx context.Context, _ scenarios.Call, by targets.Client) error {
	l, err := by.(*client[F]).dial(nil)(ctx, 0)
	if err != nil {
		return err
	}
	return l.Close()
}
