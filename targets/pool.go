package targets

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
)

// A Pool holds the connections of one client, for protocols that use a connection for one call at a time. It counts
// connections, replaces those that are too old, and closes all of them when the run is over. A client that embeds a
// pool is a [Transport].
//
//	NewPool -> To(connector) -> Places --Get--> connection --call--> Put
//
// Pool and [Places] give the connections their type. Their code is in pool and places, which are compiled once and not
// for each protocol.
type Pool[C Pooled] struct {
	// Cut closes a connection at once although another goroutine uses it. Nil means Close.
	Cut func(c C)
	*pool
}

// pool is a [Pool] of connections of any type.
type pool struct {
	cut    func(c Pooled)
	o      *Options
	opened atomic.Int64
	group  sync.WaitGroup
	over   context.Context // ends with the run
	end    context.CancelFunc

	mu     sync.Mutex
	live   map[Pooled]struct{}
	places []*places
}

// Pooled is a connection in a pool: a pointer to a struct that embeds a [Lease].
type Pooled interface {
	// Close ends the connection in order.
	Close() error
	Terms() *Lease
}

// A Lease says how long a connection of a pool may be used. The pool fills it in.
type Lease struct {
	Left int           // calls until the connection is closed; negative: no limit
	Used bool          // it has carried an answer
	born time.Duration // on the run's clock
	rest time.Duration // when the last call ended, if Connections.MaxIdle limits that
}

// Terms returns the lease itself. It implements [Pooled] for a connection that embeds the lease.
func (l *Lease) Terms() *Lease { return l }

// A Connector opens connections to one address.
type Connector[C Pooled] struct {
	// Dial opens connection n by the deadline of ctx, with Options.Network. A network with several addresses or
	// sources takes them in turn, by n.
	Dial func(ctx context.Context, n uint64) (C, error)
	// Ready prepares an open connection for calls, by a TLS handshake or a login, and records the time in the stages
	// of ctx. Nil means that an open connection needs no preparation.
	Ready func(ctx context.Context, c C) error
}

// plain returns a connector of connections of any type. It turns a panic into an error.
func (by Connector[C]) plain() connector {
	out := connector{dial: func(ctx context.Context, n uint64) (_ Pooled, err error) {
		defer scenarios.Recover(&err)
		c, err := by.Dial(ctx, n)
		if err != nil {
			return nil, err
		}
		return c, nil
	}}
	if by.Ready != nil {
		out.ready = func(ctx context.Context, c Pooled) (err error) {
			defer scenarios.Recover(&err)
			return by.Ready(ctx, c.(C))
		}
	}
	return out
}

// connector is a [Connector] of connections of any type.
type connector struct {
	dial  func(ctx context.Context, n uint64) (Pooled, error)
	ready func(ctx context.Context, c Pooled) error
}

// NewPool creates the pool of a client. The options stay in use.
func NewPool[C Pooled](o *Options) *Pool[C] {
	p := &Pool[C]{pool: &pool{o: o, live: map[Pooled]struct{}{}}}
	p.cut = func(c Pooled) {
		if p.Cut != nil {
			p.Cut(c.(C))
		} else {
			_ = c.Close()
		}
	}
	p.over, p.end = context.WithCancel(context.Background())
	return p
}

// To returns the places for connections to one address.
func (p *Pool[C]) To(by Connector[C]) *Places[C] { return &Places[C]{p.to(by.plain())} }

func (p *pool) to(by connector) *places {
	one := &places{pool: p, by: by}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, one)
	return one
}

// Over returns a context that is done when the run is over.
func (p *pool) Over() context.Context { return p.over }

func (p *pool) Opened() int64 { return p.opened.Load() }

// Spoken implements [Transport] for a protocol with one version.
func (p *pool) Spoken() Spoken { return Spoken{} }

// Waiting counts the calls that wait for a connection.
func (p *pool) Waiting() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.places {
		n += one.waits()
	}
	return n
}

// Abort implements [Transport]. It ends every dial and wait, and closes every connection.
func (p *pool) Abort() {
	p.end()
	p.mu.Lock()
	live := make([]Pooled, 0, len(p.live))
	for c := range p.live {
		live = append(live, c)
	}
	p.mu.Unlock()
	for _, c := range live {
		p.cut(c)
	}
}

// Close implements [Transport]. It waits for the functions of Go.
func (p *pool) Close() error {
	p.Abort()
	p.group.Wait()
	return nil
}

// Go runs f in a goroutine that Close waits for. It returns false if the run is over.
func (p *pool) Go(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over.Err() != nil {
		return false
	}
	p.group.Go(f)
	return true
}

// Drop closes a connection.
func (p *Pool[C]) Drop(c C) { p.drop(c) }

func (p *pool) drop(c Pooled) {
	p.mu.Lock()
	delete(p.live, c)
	p.mu.Unlock()
	_ = c.Close()
}

// add counts a new connection and registers it for Abort. If the run is over, it closes c and returns false.
func (p *pool) add(c Pooled) bool {
	n, born := p.opened.Add(1), p.o.Now()
	*c.Terms() = Lease{Left: p.o.Reuse(n), born: born}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over.Err() != nil {
		_ = c.Close()
		return false
	}
	p.live[c] = struct{}{}
	return true
}

// open opens a connection by deadline and records the time in stages.
func (p *pool) open(by connector, n uint64, deadline time.Duration, stages *Stages) (c Pooled, err error) {
	defer stages.Leave()
	ctx, cancel := context.WithDeadline(WithStages(p.over, stages), p.o.T0.Add(deadline))
	defer cancel()
	if c, err = by.dial(ctx, n); err != nil {
		return nil, err
	}
	if !p.add(c) {
		return nil, ErrAborted
	}
	if by.ready != nil {
		err = by.ready(ctx, c)
	}
	switch late := ctx.Err(); {
	case err != nil && late != nil:
		err = late
	case err == nil && p.o.Now() > deadline: // this thread had to wait for a processor
		err = context.DeadlineExceeded
	}
	if err != nil {
		p.drop(c)
		return nil, err
	}
	return c, nil
}

// idled reports whether a connection was unused for too long.
func (p *pool) idled(c Pooled, now time.Duration) bool {
	most := p.o.Connections.MaxIdle.D()
	return most > 0 && c.Terms().Used && now-c.Terms().rest >= most
}

// worn reports whether a connection may not be used again.
func (p *pool) worn(c Pooled) bool {
	l := c.Terms()
	return l.Left == 0 || p.o.Expired(l.born)
}
