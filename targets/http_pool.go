package targets

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// An origin is a scheme, host and port, with the connections that are open to it.
type origin struct {
	host string // for the Host header
	addr string // host:port to dial
	name string // the host alone
	tls  *tls.Config
	url  *url.URL

	mu      sync.Mutex
	idle    []*conn // the one used last is taken first
	open    int
	waiting []chan *conn // those who wait for one, longest first; nil tells to open one
}

// conn is one connection.
type conn struct {
	net.Conn
	raw      *net.TCPConn
	br       *bufio.Reader // of the pool while the connection is idle
	born     time.Duration
	since    time.Duration // idle since
	deadline time.Duration // that is set on it
	used     bool          // answered before
}

// errAborted tells that the run is over.
var errAborted = errors.New("the run is over")

// pool is what an HTTP client's origins share.
type pool struct {
	o      Options
	root   *tls.Config
	dialer []net.Dialer // one for each source address
	turn   atomic.Uint64
	opened atomic.Int64
	names  resolver

	mu      sync.RWMutex
	origins map[string]*origin
	aborted bool
	live    map[*conn]struct{}
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}

func newPool(o Options) (*pool, error) {
	p := &pool{o: o, origins: map[string]*origin{}, live: map[*conn]struct{}{}}
	p.names = resolver{fixed: o.Resolve, ttl: o.Connections.DNSTTL.D(), now: time.Now}
	if p.names.ttl == 0 {
		p.names.ttl = defaultDNSTTL
	}
	p.dialer = []net.Dialer{{KeepAlive: -1}}
	if len(o.Connections.SourceAddresses) > 0 {
		p.dialer = nil
		for _, s := range o.Connections.SourceAddresses {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("source address: %w", err)
			}
			p.dialer = append(p.dialer, net.Dialer{KeepAlive: -1, LocalAddr: &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone()}})
		}
	}
	var err error
	p.root, err = tlsConfig(o.TLS)
	return p, err
}

func tlsConfig(o *tlsOptions) (*tls.Config, error) {
	c := &tls.Config{NextProtos: []string{"http/1.1"}}
	if o == nil {
		return c, nil
	}
	c.ServerName, c.InsecureSkipVerify = o.ServerName, o.InsecureSkipVerify
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the CA: %w", err)
		}
		if c.RootCAs, err = x509.SystemCertPool(); err != nil {
			c.RootCAs = x509.NewCertPool()
		}
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no PEM certificate", o.CA)
		}
	}
	return c, nil
}

// origin finds the origin of an absolute URL whose scheme and host are prefix.
func (p *pool) origin(prefix []byte) (*origin, error) {
	p.mu.RLock()
	o := p.origins[string(prefix)]
	p.mu.RUnlock()
	if o != nil {
		return o, nil
	}
	u, err := parseOrigin(string(prefix))
	if err != nil {
		return nil, err
	}
	o = &origin{host: u.Host, name: u.Hostname(), url: u}
	port := u.Port()
	switch {
	case u.Scheme == "https":
		o.tls = p.root.Clone()
		if o.tls.ServerName == "" {
			o.tls.ServerName = o.name
		}
		port = orElse(port, "443")
	default:
		port = orElse(port, "80")
	}
	o.addr = net.JoinHostPort(o.name, port)
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.origins[string(prefix)]; known != nil {
		return known, nil
	}
	p.origins[string(prefix)] = o
	return o, nil
}

func orElse(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

// now is the time on the run's clock.
func (p *pool) now() time.Duration { return time.Since(p.o.T0) }

// freshFor is how long an idle connection is trusted to be still open.
const freshFor = time.Millisecond

// get takes an idle connection to o, or opens one, or waits for one when as many
// as allowed are open. Slot is when the wait for one was over; what opening takes
// belongs to the service time.
func (p *pool) get(o *origin, deadline time.Duration) (c *conn, slot time.Duration, err error) {
	o.mu.Lock()
	for {
		k := len(o.idle)
		if k == 0 {
			break
		}
		c = o.idle[k-1]
		o.idle[k-1] = nil
		o.idle = o.idle[:k-1]
		slot = p.now()
		if p.tooOld(c, slot) || slot-c.since > freshFor && !stillOpen(c.raw) {
			o.open--
			o.mu.Unlock()
			p.drop(c)
			o.mu.Lock()
			continue
		}
		o.mu.Unlock()
		return c, slot, nil
	}
	if most := p.o.Connections.Max; most > 0 && o.open >= most {
		turn := make(chan *conn, 1)
		o.waiting = append(o.waiting, turn)
		o.mu.Unlock()
		c, err := p.wait(o, turn, deadline)
		slot = p.now()
		if c != nil || err != nil {
			return c, slot, err
		}
	} else {
		o.open++
		o.mu.Unlock()
	}
	slot = p.now()
	c, err = p.dial(o, deadline)
	if err != nil {
		p.leave(o)
	}
	return c, slot, err
}

// wait waits for a connection; nil without an error tells to open one.
func (p *pool) wait(o *origin, turn chan *conn, deadline time.Duration) (*conn, error) {
	timer := time.NewTimer(deadline - p.now())
	defer timer.Stop()
	select {
	case c, ok := <-turn:
		if !ok {
			return nil, errAborted
		}
		return c, nil
	case <-timer.C:
	}
	o.mu.Lock()
	for i, w := range o.waiting {
		if w == turn {
			o.waiting = append(o.waiting[:i], o.waiting[i+1:]...)
			o.mu.Unlock()
			return nil, os.ErrDeadlineExceeded
		}
	}
	o.mu.Unlock()
	if c, ok := <-turn; ok && c != nil { // it came at the last moment: pass it on
		p.put(o, c, true)
	} else if ok {
		p.leave(o)
	}
	return nil, os.ErrDeadlineExceeded
}

func (p *pool) tooOld(c *conn, now time.Duration) bool {
	age := p.o.Connections.MaxAge.D()
	return age > 0 && now-c.born >= age
}

// put gives a connection back, for reuse if keep says so.
func (p *pool) put(o *origin, c *conn, keep bool) {
	now := p.now()
	if !keep || p.tooOld(c, now) {
		p.drop(c)
		p.leave(o)
		return
	}
	c.since, c.used = now, true
	o.mu.Lock()
	if len(o.waiting) > 0 {
		turn := o.waiting[0]
		o.waiting = o.waiting[1:]
		o.mu.Unlock()
		turn <- c
		return
	}
	o.idle = append(o.idle, c)
	o.mu.Unlock()
}

// leave frees the place of a connection that is gone; the first who waits may
// open a new one in it.
func (p *pool) leave(o *origin) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) > 0 {
		turn := o.waiting[0]
		o.waiting = o.waiting[1:]
		turn <- nil
		return
	}
	o.open--
}

// drop closes a connection.
func (p *pool) drop(c *conn) {
	p.mu.Lock()
	delete(p.live, c)
	p.mu.Unlock()
	_ = c.Conn.Close()
}

// dial opens a connection by deadline.
func (p *pool) dial(o *origin, deadline time.Duration) (*conn, error) {
	ctx, cancel := context.WithDeadline(context.Background(), p.o.T0.Add(deadline))
	defer cancel()
	addrs, fixed, err := p.names.lookup(ctx, o.addr)
	if err != nil {
		return nil, err
	}
	host := o.name
	if fixed {
		host = ""
	}
	turn := p.turn.Add(1) - 1
	d := p.dialer[turn%uint64(len(p.dialer))]
	d.Control = p.o.Gate.control(host)
	var nc net.Conn
	for i := range addrs {
		nc, err = d.DialContext(ctx, "tcp", addrs[(int(turn)+i)%len(addrs)])
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	p.opened.Add(1)
	c := &conn{Conn: nc, born: p.now()}
	c.raw, _ = nc.(*net.TCPConn)
	if !p.keep(c) {
		return nil, errAborted
	}
	if o.tls != nil {
		t := tls.Client(nc, o.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			p.drop(c)
			if ctx.Err() != nil {
				return nil, os.ErrDeadlineExceeded
			}
			return nil, &tlsError{err}
		}
		c.Conn = t
	}
	return c, nil
}

// keep notes a live connection, so that an abort can close it.
func (p *pool) keep(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.aborted {
		_ = c.Conn.Close()
		return false
	}
	p.live[c] = struct{}{}
	return true
}

// abort closes every connection and sends those away who wait for one.
func (p *pool) abort() {
	p.mu.Lock()
	p.aborted = true
	for c := range p.live {
		_ = c.raw.Close()
	}
	origins := make([]*origin, 0, len(p.origins))
	for _, o := range p.origins {
		origins = append(origins, o)
	}
	p.mu.Unlock()
	for _, o := range origins {
		o.mu.Lock()
		for _, turn := range o.waiting {
			close(turn)
		}
		o.waiting = nil
		o.mu.Unlock()
	}
}

func (p *pool) over() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.aborted
}

// tlsError is a handshake that failed.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }
