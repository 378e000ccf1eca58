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
)

// Config configures a proxy.
type Config struct {
	Listen   string        // host:port; empty is 127.0.0.1:0. The proxy keeps the port while it lives
	Upstream func() string // host:port; called for every connection, concurrently; must not block
	Seed     uint64        // of every random choice

	// HTTP says that the connections carry HTTP/1.x, or HTTP/2 without TLS, and that toxics on requests or calls
	// may be added. The proxy then parses every connection from its first byte and does not use
	// splice(2), because the end of a request can't be found from the middle of a stream. Data that
	// is not HTTP passes unchanged, out of reach of those toxics.
	HTTP bool

	// Datagrams says that the proxy relays datagrams of UDP too, at the same port.
	Datagrams bool

	// InNamespace runs do in the network where the proxy listens and connects, such as another network
	// namespace; nil is the current one. Control is called with each upstream socket before it
	// connects; nil is none.
	InNamespace func(do func() error) error
	Control     func(network, address string, c syscall.RawConn) error

	// Ineffective is for tests: toxics can be added and are listed, but have no effect. A check of
	// the fault must detect that.
	Ineffective bool
}

// A Proxy listens on loopback, forwards every connection to its upstream, and applies its toxics.
// All methods are safe for concurrent use.
type Proxy struct {
	c        Config
	listener *portListener
	pipes    pipes
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	leaving  atomic.Bool // see Leave
	relay    *relay      // nil: it relays no datagrams

	stats                  counters
	connections, requests  atomic.Uint64 // the number of the next one
	probes, probesRequests atomic.Uint64

	change sync.Mutex // one Add or Remove at a time
	added  uint64     // guarded by change

	mu             sync.Mutex
	closed         bool
	toxics         []*toxicity // in the order in which they were added
	broken         error       // the first failure of a codec or the relay while there was no toxic
	links          map[*link]struct{}
	expectedProbes map[netip.AddrPort]*rendezvous // expected probes by their local address
}

// Start starts a proxy.
func Start(c Config) (*Proxy, error) {
	if c.Upstream == nil {
		return nil, errors.New("starting a proxy: it has no upstream")
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.InNamespace == nil {
		c.InNamespace = func(do func() error) error { return do() }
	}
	p := &Proxy{c: c, links: map[*link]struct{}{}, expectedProbes: map[netip.AddrPort]*rendezvous{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	err := c.InNamespace(p.listen)
	if err != nil {
		p.cancel()
		return nil, fmt.Errorf("starting a proxy: %w", err)
	}
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

// listen opens the port of the proxy: for TCP, and for UDP if it relays datagrams.
func (p *Proxy) listen() (err error) {
	const tries = 20
	for range tries {
		if p.listener, err = listenPort(p.c.Listen); err != nil || !p.c.Datagrams {
			return err
		}
		if p.relay, err = startRelay(p); err == nil {
			return nil
		}
		_ = p.listener.Close() // another program has the port of that number for UDP
	}
	return err
}

// Addr returns the host:port where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Stats counts all accepted connections, the bytes that left the proxy (with a short delay), and on
// an HTTP proxy the requests: the proxy answered those in Hit itself, and not those in Passed.
func (p *Proxy) Stats() Traffic {
	t := p.stats.traffic()
	t.Passed -= t.Hit
	return t
}

// Traffic returns [Proxy.Stats]; it never fails.
func (p *Proxy) Traffic(context.Context) (Traffic, error) { return p.Stats(), nil }

// Broken returns the first failure of the proxy itself while there was no toxic; nil means that there was none. The
// failure ended a connection, or lost datagrams, that no fault was to hit. A failure under a toxic is in the toxic's
// [Status].
func (p *Proxy) Broken(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// noteBroken records the failure of a codec or the relay for the active toxics, or else for the proxy.
func (p *Proxy) noteBroken(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.toxics {
		x.broken.CompareAndSwap(nil, &err)
	}
	if len(p.toxics) == 0 && p.broken == nil {
		p.broken = err
	}
}

// Open returns the number of open connections, without probes.
func (p *Proxy) Open() int {
	n := 0
	for _, l := range p.live() {
		if !l.isProbe() {
			n++
		}
	}
	return n
}

// Toxics returns the active toxics in the order in which they were added.
func (p *Proxy) Toxics() []Toxic {
	p.mu.Lock()
	defer p.mu.Unlock()
	ts := make([]Toxic, len(p.toxics))
	for i, x := range p.toxics {
		ts[i] = x.toxic
	}
	return ts
}

// Close ends the listener, all connections and all goroutines. It resets connections that still
// hold data.
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
	err := p.listener.Close()
	if p.relay != nil {
		err = errors.Join(err, p.relay.close())
	}
	for _, l := range p.live() {
		l.shut(l.holds())
	}
	p.wg.Wait()
	p.pipes.close()
	return err
}

// live returns the open links.
func (p *Proxy) live() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	ls := make([]*link, 0, len(p.links))
	for l := range p.links {
		ls = append(ls, l)
	}
	return ls
}

// Add adds a toxic after those that are active. When it returns, the toxic applies to every
// connection and to all data that had not left the proxy by then, and connections that it resets
// are reset. On Windows, one write in progress on each connection is excepted.
func (p *Proxy) Add(t Toxic) (Toxicity, error) {
	if err := t.Check(p.c.HTTP); err != nil {
		return nil, fmt.Errorf("adding %T: %w", t, err)
	}
	p.change.Lock()
	defer p.change.Unlock()
	x := &toxicity{p: p, toxic: t, n: p.added, effect: t.Begin()}
	if p.c.Ineffective {
		x.effect = Effect{Once: x.effect.Once}
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if !x.effect.Once {
		p.toxics = append(p.toxics, x) // from here on it applies to new links
	}
	p.mu.Unlock()
	p.added++
	if x.effect.CloseListener {
		if err := p.listener.Shut(); err != nil {
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

// abort resets links, all at once, and waits for their end.
func abort(links []*link) {
	var all sync.WaitGroup
	for _, l := range links {
		all.Go(func() { l.shut(true) }) // closing a socket waits for the goroutine that reads it
	}
	all.Wait()
	for _, l := range links {
		<-l.done
	}
}

// drop removes x from the list. It makes a new list, because datagrams on their way hold the old one.
func (p *Proxy) drop(x *toxicity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toxics = slices.DeleteFunc(slices.Clone(p.toxics), func(o *toxicity) bool { return o == x })
}

// remove removes x from the proxy and every link.
func (p *Proxy) remove(x *toxicity) error {
	p.change.Lock()
	defer p.change.Unlock()
	p.drop(x)
	x.off.Store(true)
	if p.relay != nil {
		p.relay.release(x)
	}
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
	if err := p.c.InNamespace(func() error { return p.listener.Reopen(p.ctx) }); err != nil && p.ctx.Err() == nil {
		return fmt.Errorf("opening the listener again: %w", err)
	}
	return nil
}

// accept accepts connections until the proxy is closed.
func (p *Proxy) accept() {
	defer p.wg.Done()
	for {
		c, err := p.listener.Accept(p.ctx)
		switch {
		case p.ctx.Err() != nil:
			if err == nil {
				_ = CloseSocket(c)
			}
			return
		case err != nil: // no free descriptors, or the client has already left
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

// serveProbe serves a connection of a probe, unless another client used its port just before.
func (p *Proxy) serveProbe(c *net.TCPConn, rv *rendezvous) {
	if rv.waitDialed(p.ctx) {
		p.serve(c, p.probes.Add(1)-1|1<<63, rv) // outside the range of connection numbers
	} else {
		p.serve(c, p.connections.Add(1)-1, nil)
	}
}

// serve makes connection n a link and returns after its end.
func (p *Proxy) serve(c *net.TCPConn, n uint64, rv *rendezvous) {
	defer p.wg.Done()
	l := p.welcome(c, n, rv)
	if l == nil {
		_ = CloseSocket(c)
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	close(l.done)
}

// welcome makes the link of a new connection; nil if the proxy is closed.
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
