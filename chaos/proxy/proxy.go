package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"brunt/chaos/sockets"
)

// Config is what a proxy is started with.
type Config struct {
	Listen   string        // host:port; empty is 127.0.0.1:0. The port stays for the proxy's life
	Upstream func() string // host:port; asked for every connection, by several goroutines; must not block
	Seed     uint64        // of every random choice

	// HTTP says that the connections carry HTTP/1.x and that HTTPError, HTTPDelay or
	// HTTPRewrite may be added. Every connection is then parsed from its first byte, at the cost
	// of splice(2), because where a request ends can't be told from the middle of a
	// stream. What turns out not to be HTTP passes as it is, out of those toxics'
	// reach.
	HTTP bool

	// Inside has what it is given done where the proxy is to listen and to connect from, such as
	// another network namespace; nil is here. Control is called with the socket of each connection
	// to the upstream before that is made; nil is nothing.
	Inside  func(do func() error) error
	Control func(network, address string, c syscall.RawConn) error

	// Ineffective is for tests: toxics can be added and are listed, and do nothing.
	// Whoever verifies that a fault is there must notice.
	Ineffective bool
}

// A Proxy listens on loopback and passes every connection on to its upstream; on
// the way it does what its toxics say. All methods may be called at any time.
type Proxy struct {
	c        Config
	listener *listener
	pipes    pipes
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	stats                  counters
	connections, requests  atomic.Uint64 // the next one's number
	probes, probesRequests atomic.Uint64

	change sync.Mutex // one Add or Remove at a time
	added  uint64     // attachment change

	mu             sync.Mutex
	closed         bool
	toxics         []*Toxicity // in the order in which they were added
	links          map[*link]struct{}
	expectedProbes map[netip.AddrPort]*rendezvous // probes that are to come, by their address
}

// Start starts a proxy.
func Start(c Config) (*Proxy, error) {
	if c.Upstream == nil {
		return nil, errors.New("starting a proxy: it has no upstream")
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Inside == nil {
		c.Inside = func(do func() error) error { return do() }
	}
	var d *listener
	err := c.Inside(func() (err error) {
		d, err = newListener(c.Listen)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("starting a proxy: %w", err)
	}
	p := &Proxy{c: c, listener: d, links: map[*link]struct{}{}, expectedProbes: map[netip.AddrPort]*rendezvous{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

// Addr is the host:port where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.addr.String() }

// Stats counts all connections that were accepted, the bytes that left the proxy (a
// moment after they did), and on an HTTP proxy the requests: Hit were answered by it,
// Passed were not.
func (p *Proxy) Stats() Traffic {
	t := p.stats.traffic()
	t.Passed -= t.Hit
	return t
}

// Open is the number of connections that are open now, without probes.
func (p *Proxy) Open() int {
	n := 0
	for _, l := range p.live() {
		if !l.isProbe() {
			n++
		}
	}
	return n
}

// Toxics lists what is in, in the order in which it was added.
func (p *Proxy) Toxics() []Toxic {
	p.mu.Lock()
	defer p.mu.Unlock()
	ts := make([]Toxic, len(p.toxics))
	for i, x := range p.toxics {
		ts[i] = x.toxic
	}
	return ts
}

// Close ends the listener, all connections and all goroutines. A connection on
// which something is still held is reset.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.wg.Wait()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	err := p.listener.close()
	for _, l := range p.live() {
		l.shut(l.holds())
	}
	p.wg.Wait()
	p.pipes.close()
	return err
}

// live lists the links that are open.
func (p *Proxy) live() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	ls := make([]*link, 0, len(p.links))
	for l := range p.links {
		ls = append(ls, l)
	}
	return ls
}

// Add puts a toxic in, behind those that are in already. When it returns the toxic
// holds for every connection and for all that has not left the proxy by then, and
// what it resets is reset. On Windows one write of each connection, if it is under
// way, is excepted.
func (p *Proxy) Add(t Toxic) (*Toxicity, error) {
	if err := t.Check(p.c.HTTP); err != nil {
		return nil, fmt.Errorf("adding %T: %w", t, err)
	}
	p.change.Lock()
	defer p.change.Unlock()
	x := &Toxicity{p: p, toxic: t, n: p.added, effect: t.Begin()}
	if p.c.Ineffective {
		x.effect = Effect{Once: x.effect.Once}
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if !x.effect.Once {
		p.toxics = append(p.toxics, x) // from here on new links have it
	}
	p.mu.Unlock()
	p.added++
	if x.effect.CloseListener {
		if err := p.listener.shut(); err != nil {
			p.drop(x)
			return nil, fmt.Errorf("closing the listener: %w", err)
		}
	}
	if x.effect.SpareEstablished {
		return x, nil
	}
	var old []*link
	for _, l := range p.live() {
		if x.effect.ResetEstablished || l.attach(x) {
			old = append(old, l)
		}
	}
	if x.effect.ResetEstablished {
		for _, l := range old {
			if !l.isProbe() && !l.affectedBy(x) {
				x.seen.connections.Add(1)
			}
		}
		abort(old)
		return x, nil
	}
	for _, l := range old {
		l.install(x)
	}
	return x, nil
}

// abort resets links and waits until they are.
func abort(links []*link) {
	for _, l := range links {
		l.shut(true)
	}
	for _, l := range links {
		<-l.done
	}
}

// drop takes x off the list.
func (p *Proxy) drop(x *Toxicity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toxics = slices.DeleteFunc(p.toxics, func(o *Toxicity) bool { return o == x })
}

// remove takes x out of the proxy and of every link.
func (p *Proxy) remove(x *Toxicity) error {
	p.change.Lock()
	defer p.change.Unlock()
	p.drop(x)
	x.off.Store(true)
	var broken []*link
	for _, l := range p.live() {
		if l.detach(x) {
			broken = append(broken, l)
		}
	}
	abort(broken)
	if !x.effect.CloseListener {
		return nil
	}
	if err := p.c.Inside(func() error { return p.listener.reopen(p.ctx) }); err != nil && p.ctx.Err() == nil {
		return fmt.Errorf("opening the listener again: %w", err)
	}
	return nil
}

// accept takes connections in until the proxy is closed.
func (p *Proxy) accept() {
	defer p.wg.Done()
	for {
		c, err := p.listener.accept(p.ctx)
		switch {
		case p.ctx.Err() != nil:
			if err == nil {
				_ = sockets.Close(c)
			}
			return
		case err != nil: // out of files, or a client that is gone again
			select {
			case <-time.After(5 * time.Millisecond):
			case <-p.ctx.Done():
			}
			continue
		}
		p.wg.Add(1)
		if rv := p.expected(c); rv != nil {
			go p.serveProbe(c, rv)
		} else {
			go p.serve(c, p.connections.Add(1)-1, nil)
		}
	}
}

// serveProbe serves what is a probe, unless somebody else had its port just before.
func (p *Proxy) serveProbe(c *net.TCPConn, rv *rendezvous) {
	if rv.waitDialed(p.ctx) {
		p.serve(c, p.probes.Add(1)-1|1<<63, rv) // no connection's number
	} else {
		p.serve(c, p.connections.Add(1)-1, nil)
	}
}

// serve makes connection n a link and stays until it is over.
func (p *Proxy) serve(c *net.TCPConn, n uint64, rv *rendezvous) {
	defer p.wg.Done()
	l := p.welcome(c, n, rv)
	if l == nil {
		_ = sockets.Close(c)
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	close(l.done)
}

// welcome makes the link of a new connection; nil when the proxy is closed.
func (p *Proxy) welcome(c *net.TCPConn, n uint64, rv *rendezvous) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	l := newLink(p, c, n, rv)
	for _, x := range p.toxics {
		m := newAttachment(x, l)
		l.attachments = append(l.attachments, m)
		if x.effect.Admit != Admit {
			m.touch()
		}
		l.forward.add(newStage(m, Forward))
		l.back.add(newStage(m, Back))
	}
	p.links[l] = struct{}{}
	if rv == nil {
		p.stats.connections.Add(1)
	} else {
		rv.came(l)
	}
	return l
}
