package http

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
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
	"brunt/targets/http/h3"
)

// An origin is a scheme, host and port, with the open connections to it.
type origin struct {
	host   string // for the Host header
	name   string // only the host
	port   string
	tls    *tls.Config
	url    *url.URL
	via    *dial.Proxy // nil: connects directly
	pool   *pool
	places *targets.Places[*h1.Conn] // of HTTP/1.1
	h2     targets.Connector[*h1.Conn]
	line   h2.Line     // of HTTP/2
	line3  *h3.Line    // of HTTP/3; nil: not spoken
	only   atomic.Bool // it is known to speak only HTTP/1.1
}

// pool is shared by the origins of an HTTP client.
type pool struct {
	*targets.Pool[*h1.Conn]
	o      targets.Options
	root   *tls.Config
	net    *dial.Network
	slack  time.Duration   // how late a connection's deadline may be
	spoken [3]atomic.Int64 // connections by version
	over3  *h3.Connections // those of HTTP/3; nil: not spoken

	mu      sync.RWMutex
	origins map[string]*origin
}

func newPool(o targets.Options) (*pool, error) {
	p := &pool{o: o, slack: h1.Slack(o.Timeout), origins: map[string]*origin{}}
	var err error
	if p.net, err = dial.NewNetwork(&o); err != nil {
		return nil, err
	}
	if p.root, err = dial.TLSConfig(o.TLS); err != nil {
		return nil, err
	}
	p.Pool = targets.NewPool[*h1.Conn](&p.o)
	p.Cut = func(c *h1.Conn) { _ = c.Raw.Close() } // TLS might wait for a write
	if o.Connections.HTTP == scenarios.HTTP3 {
		p.over3 = h3.New(&p.o, p.net)
	}
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
	var tls2 *tls.Config // offers HTTP/2 as well
	if u.Scheme == "https" {
		o.tls = p.root.Clone()
		if o.tls.ServerName == "" {
			o.tls.ServerName = o.name
		}
		tls2 = p.offers2(o.tls)
	}
	o.places = p.To(targets.Connector[*h1.Conn]{Dial: o.reach, Ready: func(ctx context.Context, c *h1.Conn) error {
		err := o.secure(ctx, c, o.tls)
		if err == nil {
			p.spoken[spoken1].Add(1)
		}
		return err
	}})
	o.h2 = targets.Connector[*h1.Conn]{Dial: o.reach, Ready: func(ctx context.Context, c *h1.Conn) error {
		if tls2 != nil {
			c.Watch = h1.NewWatched(c.Raw)
		}
		return o.secure(ctx, c, tls2)
	}}
	o.line.Init(o, &p.o, p.Over(), o.tls != nil)
	if o.via, err = dial.ProxyFor(&p.o, u); err != nil {
		return nil, err
	}
	if p.over3 != nil && o.tls != nil && o.via == nil {
		o.line3 = p.over3.To(net.JoinHostPort(o.name, o.port), o.tls)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// A server may be written in several ways, but has one set of connections.
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

// viaPlain reports whether requests to o go to a proxy that forwards them.
func (o *origin) viaPlain() bool { return o.via != nil && o.tls == nil }

// reach opens connection n to o, or to the proxy before it. For TLS it asks the proxy for a tunnel.
func (o *origin) reach(ctx context.Context, n uint64) (*h1.Conn, error) {
	if o.via == nil {
		raw, err := o.pool.net.DialTCP(ctx, o.name, o.port, n)
		if err != nil {
			return nil, err
		}
		return h1.NewConn(raw, o.pool.o.T0), nil
	}
	at := o.via.URL
	raw, err := o.pool.net.DialTCP(ctx, at.Hostname(), targets.PortOf(at), n)
	if err == nil && o.tls != nil {
		targets.StagesOf(ctx).Enter(scenarios.InLogin)
		if err = o.via.Tunnel(ctx, raw, net.JoinHostPort(o.name, o.port), o.pool.o.Agent); err != nil {
			_ = raw.Close()
		}
	}
	if err != nil {
		return nil, &targets.ProxyError{Proxy: at.Host, Err: err}
	}
	return h1.NewConn(raw, o.pool.o.T0), nil
}

// secure makes the TLS handshake on c. A nil by means that the origin uses no TLS.
func (o *origin) secure(ctx context.Context, c *h1.Conn, by *tls.Config) error {
	if by == nil {
		c.GoDirect()
		return nil
	}
	return c.Secure(ctx, by)
}
