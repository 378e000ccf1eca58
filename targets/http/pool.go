package http

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
)

// origin is a scheme, host and port, with the open connections to it.
type origin struct {
	host string // for the Host header
	name string // the host alone
	port string
	tls  *tls.Config
	tls2 *tls.Config // offers HTTP/2 as well
	url  *url.URL
	via  *dial.Proxy // nil: connects directly
	pool *pool
	line h2.Line       // of HTTP/2
	only atomic.Bool   // it is known to speak HTTP/1.1
	turn atomic.Uint64 // number of the next connection

	mu      sync.Mutex
	idle    []*h1.Conn // the last used one is taken first
	open    int
	waiting []*waiter // longest first
}

// waiter is a request that waits for a connection.
type waiter struct {
	turn chan *h1.Conn // nil: open a new one
	gone bool          // it gave up; guarded by the origin's mutex
}

// pool is shared by the origins of an HTTP client.
type pool struct {
	o      targets.Options
	root   *tls.Config
	net    *dial.Network
	slack  time.Duration // how late a connection's deadline may be
	opened atomic.Int64
	spoken [3]atomic.Int64 // connections by version
	group  sync.WaitGroup  // of HTTP/2 connections
	over   context.Context // ends with the run
	end    context.CancelFunc

	mu      sync.RWMutex
	origins map[string]*origin
	live    map[*h1.Conn]struct{}
}

// Bounds on how late the deadline of a connection may be.
const (
	slackShare = 100 // of the timeout
	slackMost  = 10 * time.Millisecond
)

func newPool(o targets.Options) (*pool, error) {
	p := &pool{o: o, slack: min(slackMost, o.Timeout/slackShare), origins: map[string]*origin{}, live: map[*h1.Conn]struct{}{}}
	var err error
	if p.net, err = dial.NewNetwork(&o); err != nil {
		return nil, err
	}
	if p.root, err = dial.TLSConfig(o.TLS); err != nil {
		return nil, err
	}
	p.over, p.end = context.WithCancel(context.Background())
	return p, nil
}

// origin returns the origin of an absolute URL whose scheme and host are prefix.
func (p *pool) origin(prefix []byte) (*origin, error) {
	p.mu.RLock()
	o := p.origins[string(prefix)]
	p.mu.RUnlock()
	if o != nil {
		return o, nil
	}
	u, err := syntax.ParseURL(string(prefix))
	if err != nil {
		return nil, err
	}
	o = &origin{pool: p, host: u.Host, name: u.Hostname(), port: targets.PortOf(u), url: u}
	if u.Scheme == "https" {
		o.tls = p.root.Clone()
		if o.tls.ServerName == "" {
			o.tls.ServerName = o.name
		}
		o.tls2 = p.offers2(o.tls)
	}
	o.line.Init(o, &p.o, p.over, o.tls != nil)
	if o.via, err = dial.ProxyFor(&p.o, u); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// A server may be written in several ways; it has one set of connections.
	key := u.Scheme + "://" + net.JoinHostPort(strings.ToLower(o.name), o.port)
	for _, k := range []string{string(prefix), key} {
		if known := p.origins[k]; known != nil {
			o = known
		}
	}
	p.origins[string(prefix)], p.origins[key] = o, o
	return o, nil
}

// now returns the time on the run's clock.
func (p *pool) now() time.Duration { return p.o.Now() }

// get takes an idle connection to o, opens one, or waits for one if the limit is reached. Slot
// is when the wait ended; the time to open a connection belongs to the service time and is added to
// spent. Waited reports that there was a wait.
func (p *pool) get(o *origin, deadline time.Duration, spent *scenarios.Opening) (c *h1.Conn, slot time.Duration, waited bool, err error) {
	o.mu.Lock()
	if k := len(o.idle); k > 0 {
		c = o.idle[k-1]
		o.idle[k-1] = nil
		o.idle = o.idle[:k-1]
		o.mu.Unlock()
	} else if most := p.o.Connections.Max; most > 0 && o.open >= most {
		w := &waiter{turn: make(chan *h1.Conn, 1)}
		o.waiting = append(o.waiting, w)
		o.mu.Unlock()
		waited = true
		if c, err = p.wait(o, w, deadline); err != nil {
			return nil, p.now(), waited, err
		}
	} else {
		o.open++
		o.mu.Unlock()
	}
	slot = p.now()
	switch {
	case slot >= deadline:
		p.back(o, c)
		return nil, slot, waited, os.ErrDeadlineExceeded
	case c == nil || p.o.Expired(c.Born):
		c, err = p.replace(o, c, deadline, spent)
	}
	return c, slot, waited, err
}

// wait waits for a connection; nil without an error: open a new one.
func (p *pool) wait(o *origin, w *waiter, deadline time.Duration) (*h1.Conn, error) {
	timer := time.NewTimer(deadline - p.now())
	defer timer.Stop()
	err := os.ErrDeadlineExceeded
	select {
	case c := <-w.turn:
		return c, nil
	case <-timer.C:
	case <-p.over.Done():
		err = targets.ErrAborted
	}
	o.mu.Lock()
	w.gone = true
	for len(o.waiting) > 0 && o.waiting[0].gone {
		o.waiting = o.waiting[1:]
	}
	o.mu.Unlock()
	select {
	case c := <-w.turn: // it came at the last moment
		p.back(o, c)
	default:
	}
	return nil, err
}

// back returns what get or wait took, unused.
func (p *pool) back(o *origin, c *h1.Conn) {
	if c == nil {
		p.leave(o)
		return
	}
	p.put(o, c, true)
}

// next removes the waiter that has waited longest from the line; nil: none.
func (o *origin) next() *waiter {
	for len(o.waiting) > 0 {
		w := o.waiting[0]
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
		if !w.gone {
			return w
		}
	}
	return nil
}

// put returns a connection, for reuse if keep is true.
func (p *pool) put(o *origin, c *h1.Conn, keep bool) {
	if !keep || c.Left == 0 || p.o.Expired(c.Born) {
		p.drop(c)
		p.leave(o)
		return
	}
	c.Used = true
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.next(); w != nil {
		w.turn <- c
		return
	}
	o.idle = append(o.idle, c)
}

// leave frees the place of a closed connection; the first waiter may open a new one in it.
func (p *pool) leave(o *origin) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.next(); w != nil {
		w.turn <- nil
		return
	}
	o.open--
}

// drop closes a connection.
func (p *pool) drop(c *h1.Conn) {
	p.mu.Lock()
	delete(p.live, c)
	p.mu.Unlock()
	c.End()
}

// replace opens a connection in the place of c, which is closed; nil: the place is still free. It adds
// the time to spent, also when it fails.
func (p *pool) replace(o *origin, c *h1.Conn, deadline time.Duration, spent *scenarios.Opening) (*h1.Conn, error) {
	if c != nil {
		p.drop(c)
	}
	stages, began := targets.NewStages(p.now), p.now()
	c, err := p.dial(o, deadline, stages)
	spent.Add(stages.Between(began, p.now()))
	if err != nil {
		p.leave(o)
	}
	return c, err
}

// dial opens a connection for HTTP/1.1 by deadline.
func (p *pool) dial(o *origin, deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	c, err := p.connect(o, o.tls, deadline, stages)
	if err == nil {
		p.spoken[spoken1].Add(1)
	}
	return c, err
}

// viaPlain reports whether requests to o go to a proxy that forwards them.
func (o *origin) viaPlain() bool { return o.via != nil && o.tls == nil }

// reach opens a connection to o, or to the proxy before it. For TLS it asks the proxy for a
// tunnel.
func (p *pool) reach(ctx context.Context, o *origin, stages *targets.Stages) (*net.TCPConn, error) {
	n := o.turn.Add(1) - 1
	if o.via == nil {
		return p.net.DialTCP(ctx, o.name, o.port, n)
	}
	at := o.via.URL
	raw, err := p.net.DialTCP(ctx, at.Hostname(), targets.PortOf(at), n)
	if err == nil && o.tls != nil {
		stages.Enter(scenarios.InLogin)
		if err = o.via.Tunnel(ctx, raw, net.JoinHostPort(o.name, o.port), p.o.Agent); err != nil {
			_ = raw.Close()
		}
	}
	if err != nil {
		return nil, &targets.ProxyError{Proxy: at.Host, Err: err}
	}
	return raw, nil
}

// connect opens a connection by deadline, with secure if o uses TLS. It records the time in stages.
func (p *pool) connect(o *origin, secure *tls.Config, deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	defer stages.Leave()
	ctx, cancel := context.WithDeadline(targets.WithStages(p.over, stages), p.o.T0.Add(deadline))
	defer cancel()
	raw, err := p.reach(ctx, o, stages)
	if err != nil {
		return nil, err
	}
	c := h1.NewConn(raw, p.o.T0)
	c.Left = p.o.Reuse(p.opened.Add(1))
	if !p.keep(c) {
		return nil, targets.ErrAborted
	}
	if o.tls == nil {
		c.GoDirect()
		return c, nil
	}
	var under net.Conn = raw
	if secure == o.tls2 {
		if c.Watch = h1.NewWatched(raw); c.Watch != nil {
			under = c.Watch
		}
	}
	stages.Enter(scenarios.InTLS)
	t := tls.Client(under, secure)
	if err := t.HandshakeContext(ctx); err != nil {
		p.drop(c)
		if cerr := ctx.Err(); cerr != nil {
			return nil, cerr
		}
		return nil, &targets.TLSError{Err: err}
	}
	c.Conn = t
	return c, nil
}

// keep registers a live connection, so that abort can close it.
func (p *pool) keep(c *h1.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over.Err() != nil {
		_ = c.Raw.Close()
		return false
	}
	p.live[c] = struct{}{}
	return true
}

// abort ends every dial and wait, and closes every connection.
func (p *pool) abort() {
	p.end()
	p.mu.Lock()
	live := make([]*h1.Conn, 0, len(p.live))
	for c := range p.live {
		live = append(live, c)
	}
	p.mu.Unlock()
	for _, c := range live {
		_ = c.Raw.Close()
	}
}
