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
type Pool[C Pooled] struct {
	// Cut closes a connection at once although another goroutine uses it. Nil means Close.
	Cut func(c C)

	o      *Options
	opened atomic.Int64
	group  sync.WaitGroup
	over   context.Context // ends with the run
	end    context.CancelFunc

	mu     sync.Mutex
	live   map[C]struct{}
	places []*Places[C]
}

// Pooled is a connection in a pool: a pointer to a struct that embeds a [Lease].
type Pooled interface {
	comparable
	// Close ends the connection in order.
	Close() error
	Terms() *Lease
}

// A Lease says how long a connection of a pool may be used. The pool fills it in.
type Lease struct {
	Left int           // calls until the connection is closed; negative: no limit
	Used bool          // it has carried an answer
	born time.Duration // on the run's clock
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

// dial calls Dial and turns a panic into an error.
func (by *Connector[C]) dial(ctx context.Context, n uint64) (c C, err error) {
	defer scenarios.Recover(&err)
	return by.Dial(ctx, n)
}

// ready calls Ready and turns a panic into an error.
func (by *Connector[C]) ready(ctx context.Context, c C) (err error) {
	defer scenarios.Recover(&err)
	return by.Ready(ctx, c)
}

// NewPool creates the pool of a client. The options stay in use.
func NewPool[C Pooled](o *Options) *Pool[C] {
	p := &Pool[C]{o: o, live: map[C]struct{}{}}
	p.over, p.end = context.WithCancel(context.Background())
	return p
}

// To returns the places for connections to one address.
func (p *Pool[C]) To(by Connector[C]) *Places[C] {
	one := &Places[C]{pool: p, by: by}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, one)
	return one
}

// Over returns a context that is done when the run is over.
func (p *Pool[C]) Over() context.Context { return p.over }

func (p *Pool[C]) Opened() int64 { return p.opened.Load() }

// Spoken implements [Transport] for a protocol with one version.
func (p *Pool[C]) Spoken() Spoken { return Spoken{} }

// Waiting counts the calls that wait for a connection.
func (p *Pool[C]) Waiting() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.places {
		n += one.waits()
	}
	return n
}

// Abort implements [Transport]. It ends every dial and wait, and closes every connection.
func (p *Pool[C]) Abort() {
	p.end()
	p.mu.Lock()
	live := make([]C, 0, len(p.live))
	for c := range p.live {
		live = append(live, c)
	}
	p.mu.Unlock()
	for _, c := range live {
		if p.Cut != nil {
			p.Cut(c)
		} else {
			_ = c.Close()
		}
	}
}

// Close implements [Transport]. It waits for the functions of [Pool.Go].
func (p *Pool[C]) Close() error {
	p.Abort()
	p.group.Wait()
	return nil
}

// Go runs f in a goroutine that Close waits for. It returns false if the run is over.
func (p *Pool[C]) Go(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over.Err() != nil {
		return false
	}
	p.group.Go(f)
	return true
}

// Drop closes a connection.
func (p *Pool[C]) Drop(c C) {
	p.mu.Lock()
	delete(p.live, c)
	p.mu.Unlock()
	_ = c.Close()
}

// add counts a new connection and registers it for Abort. If the run is over, it closes c and returns false.
func (p *Pool[C]) add(c C) bool {
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
func (p *Pool[C]) open(by Connector[C], n uint64, deadline time.Duration, stages *Stages) (c C, err error) {
	var none C
	defer stages.Leave()
	ctx, cancel := context.WithDeadline(WithStages(p.over, stages), p.o.T0.Add(deadline))
	defer cancel()
	if c, err = by.dial(ctx, n); err != nil {
		return none, err
	}
	if !p.add(c) {
		return none, ErrAborted
	}
	if by.Ready != nil {
		err = by.ready(ctx, c)
	}
	switch late := ctx.Err(); {
	case err != nil && late != nil:
		err = late
	case err == nil && p.o.Now() > deadline: // this thread had to wait for a processor
		err = context.DeadlineExceeded
	}
	if err != nil {
		p.Drop(c)
		return none, err
	}
	return c, nil
}

// worn reports whether a connection may not be used again.
func (p *Pool[C]) worn(c C) bool {
	l := c.Terms()
	return l.Left == 0 || p.o.Expired(l.born)
}
