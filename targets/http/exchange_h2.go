package http

import (
	"crypto/tls"
	"errors"
	"os"
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

// Connect implements [Host].
func (o *origin) Connect(deadline time.Duration, stages *targets.Stages) (*h1.Conn, error) {
	return o.places.Open(o.h2, deadline, stages)
}

// Adopt implements [Host]. Later requests to the origin use HTTP/1.1.
func (o *origin) Adopt(c *h1.Conn) {
	o.pool.spoken[spoken1].Add(1)
	o.only.Store(true)
	o.places.Adopt(c)
}

// Drop implements [Host].
func (o *origin) Drop(c *h1.Conn) { o.pool.Drop(c) }

// Speaks implements [Host].
func (o *origin) Speaks() {
	if o.tls != nil {
		o.pool.spoken[spoken2].Add(1)
	} else {
		o.pool.spoken[spokenH2C].Add(1)
	}
}

// Go implements [Host].
func (o *origin) Go(f func()) bool { return o.pool.Go(f) }

// Spoken implements [targets.Transport].
func (c *client) Spoken() (s targets.Spoken) {
	for i, name := range []string{"HTTP/1.1", "HTTP/2", "h2c"} {
		if c.spoken[i].Load() > 0 {
			s.Versions = append(s.Versions, name)
		}
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

// roundTrip2 sends one request by HTTP/2 and reads its answer. A request that the server has
// certainly not begun to process is sent again on another connection, as after an idle
// HTTP/1.1 connection was closed.
func (t *exchange) roundTrip2() error {
	p, o, out, deadline := t.client.pool, t.wire.origin, t.out, t.it.Deadline
	for tries := 1; ; tries++ {
		now := p.now()
		if now >= deadline {
			if !t.begun && tries == 1 {
				out.Slot = now
			}
			return os.ErrDeadlineExceeded
		}
		s := h2.NewStream(t.send, t.tail, deadline, deadline-now)
		err := o.line.Join(s)
		if !t.begun && tries == 1 {
			out.Slot, out.Opening = s.Slot(), s.Opening()
		}
		if err != nil {
			s.Abandon()
			return err
		}
		untouched, err := t.converse(s)
		if err == nil {
			t.begun = true
			return t.answered()
		}
		if !untouched || !h2.Again(tries, err) {
			return err
		}
		t.dropAnswer()
	}
}

// converse sends the request on s, reads its answer and ends s.
func (t *exchange) converse(s *h2.Stream) (untouched bool, err error) {
	err = s.Ask()
	p := s.Progress(err)
	if p.WasSent {
		t.out.Attempts++
		if !t.begun {
			t.out.Sent, t.out.WasSent = p.Sent, true
		}
	}
	if err == nil {
		t.out.First, t.ans = p.First, p.Answer
	}
	switch {
	case err != nil:
	case t.call.stream != nil && t.ans.Status() < 300:
		err = t.readEvents(s, p.Sent, func(deadline time.Duration) { s.Extend(deadline - t.client.now()) })
		t.streamed(t.out)
	default:
		if err = s.ReadAnswer(t.ans, t.wire.method, t.call.keeps()); err == nil {
			t.out.End = s.End()
		}
	}
	s.Finish(errors.Is(err, os.ErrDeadlineExceeded))
	return p.Untouched, err
}
