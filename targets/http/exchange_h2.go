package http

import (
	"crypto/tls"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
)

// Versions of HTTP on a connection.
const (
	spoken1   = iota // HTTP/1.1
	spoken2          // HTTP/2 over TLS
	spokenH2C        // HTTP/2 without TLS
)

// speaks2 reports whether requests to o use HTTP/2, as far as is known.
func (p *pool) speaks2(o *origin) bool {
	switch v := p.o.Connections.HTTP; {
	case v == scenarios.HTTP1:
		return false
	case v == scenarios.HTTP2:
		return true
	case o.tls == nil:
		return v == scenarios.H2C
	}
	return !o.only.Load()
}

// offers2 returns a TLS configuration that offers HTTP/2 to the server.
func (p *pool) offers2(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{"h2", "http/1.1"}
	if p.o.Connections.HTTP == scenarios.HTTP2 {
		c.NextProtos = c.NextProtos[:1]
	}
	return c
}

func (o *origin) Connect(deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	return o.places.Open(o.h2, deadline, stages)
}

// Adopt implements [h2.Host]. Later requests to the origin use HTTP/1.1. They begin when c has its place, so that they
// do not open one connection too many.
func (o *origin) Adopt(c *h1.Conn) {
	o.pool.spoken[spoken1].Add(1)
	o.places.Adopt(c)
	o.only.Store(true)
}

func (o *origin) Drop(c *h1.Conn) { o.pool.Drop(c) }

func (o *origin) Speaks() {
	if o.tls != nil {
		o.pool.spoken[spoken2].Add(1)
	} else {
		o.pool.spoken[spokenH2C].Add(1)
	}
}

func (o *origin) Go(f func()) bool { return o.pool.Go(f) }

func (c *client) Spoken() (s targets.Spoken) {
	for i, name := range []string{"HTTP/1.1", "HTTP/2", "h2c"} {
		if c.spoken[i].Load() > 0 {
			s.Versions = append(s.Versions, name)
		}
	}
	if c.over3 != nil {
		s.Waits, s.Streams = c.over3.Streams()
		if c.over3.Opened() > 0 {
			s.Versions = append(s.Versions, "HTTP/3")
		}
	}
	if why := c.refused.first.Load(); why != nil {
		s.Refused, s.FirstRefused = c.refused.n.Load(), *why
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	seen := map[*origin]bool{}
	for _, o := range c.origins {
		if seen[o] {
			continue
		}
		seen[o] = true
		if n, most := o.line.Streams(); n > 0 {
			s.Waits, s.Streams = s.Waits+n, most
		}
	}
	return s
}

// roundTrip2 sends one request by HTTP/2 and reads its answer.
func (t *exchange) roundTrip2() error {
	r := h2.Request{Bytes: t.send, Tail: t.tail, Deadline: t.it.Deadline, Follows: t.begun, Repeats: t.repeats()}
	if err := t.wire.origin.line.Ask(r, t, t.out); err != nil {
		return err
	}
	t.begun = true
	return t.answered()
}

func (t *exchange) Receive(s *h2.Stream, a *h1.Answer, sent time.Duration) error {
	t.ans = a
	if t.call.stream != nil && a.Status() < 300 {
		err := t.readEvents(s, sent, func(deadline time.Duration) { s.Extend(deadline - t.client.now()) })
		t.streamed(t.out)
		return err
	}
	err := s.ReadAnswer(a, t.wire.method, t.call.keeps())
	if err == nil {
		t.out.End = s.End()
	}
	return err
}

func (t *exchange) Forget() { t.dropAnswer() }
