package targets

import (
	"crypto/tls"
	"errors"
	"os"
	"time"

	"brunt/scenarios"
)

// What a connection speaks.
const (
	spoken1   = iota // HTTP/1.1
	spoken2          // HTTP/2 over TLS
	spokenH2C        // HTTP/2 without TLS
)

// speaks2 tells whether requests to o are to go by HTTP/2, as far as is known.
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

// offers2 is a TLS configuration that offers the server HTTP/2.
func (p *pool) offers2(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{"h2", "http/1.1"}
	if p.o.Connections.HTTP == scenarios.HTTP2 {
		c.NextProtos = c.NextProtos[:1]
	}
	return c
}

// spoke counts a connection of HTTP/2.
func (p *pool) spoke(secure bool) {
	if secure {
		p.spoken[spoken2].Add(1)
	} else {
		p.spoken[spokenH2C].Add(1)
	}
}

// adopt takes a connection over whose server chose HTTP/1.1. From now on o is spoken
// to by that.
func (p *pool) adopt(o *origin, c *conn) {
	p.spoken[spoken1].Add(1)
	o.only.Store(true)
	o.mu.Lock()
	o.open++
	o.mu.Unlock()
	p.put(o, c, true)
}

// goes runs f until the client is closed; false is that it is over already.
func (p *pool) goes(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over.Err() != nil {
		return false
	}
	p.group.Go(f)
	return true
}

// Speaks implements [Speaker].
func (c *httpClient) Speaks() []string {
	var list []string
	for i, name := range []string{"HTTP/1.1", "HTTP/2", "h2c"} {
		if c.spoken[i].Load() > 0 {
			list = append(list, name)
		}
	}
	return list
}

// Streams implements [Speaker].
func (c *httpClient) Streams() (waits int64, each int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	seen := map[*origin]bool{}
	for _, o := range c.origins {
		if seen[o] {
			continue
		}
		seen[o] = true
		o.line.mu.Lock()
		if n := c.streams(o.line.told); o.line.waits > 0 && n < unlimited { // else they waited for a connection to open
			waits, each = waits+o.line.waits, n
		}
		o.line.mu.Unlock()
	}
	return waits, each
}

// mostTries is how often a request goes out that the server refuses each time. One that
// was on connections which ended before its turn goes on until its deadline, after so
// many tries a little slower.
const (
	mostTries = 5
	tryAgain  = time.Millisecond
)

// exchange2 sends one request by HTTP/2 and reads its answer. What the server has
// certainly not begun with is sent again on another connection, as one would be that
// was closed while idle.
func (t *trip) exchange2() error {
	p, o, out, deadline := t.client.pool, t.wire.origin, t.out, t.it.Deadline
	for tries := 1; ; tries++ {
		if now := p.now(); now >= deadline {
			if !t.begun && tries == 1 {
				out.Slot = now
			}
			return os.ErrDeadlineExceeded
		}
		s := p.newStream(t.send, t.tail, deadline)
		err := p.join(o, s)
		if !t.begun && tries == 1 {
			out.Slot = s.slot
		}
		if err != nil {
			s.timer.Stop() // the line may still hold s: it is not used again
			return err
		}
		untouched, err := t.converse(s)
		if err == nil {
			t.begun = true
			return t.answered()
		}
		_, refused := errors.AsType[*streamReset](err)
		if !untouched || refused && tries == mostTries || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		t.dropAnswer()
		if tries >= mostTries {
			time.Sleep(tryAgain)
		}
	}
}

// converse sends the request on s, reads its answer and ends s.
func (t *trip) converse(s *stream) (untouched bool, err error) {
	err = s.ask()
	s.mu.Lock()
	if s.wasSent && !t.begun {
		t.out.Sent, t.out.WasSent = s.sent, true
	}
	if err == nil {
		t.out.First = s.first
		t.ans, s.ans = s.ans, nil
	}
	untouched = s.untouched
	sent := s.sent
	s.mu.Unlock()
	switch {
	case err != nil:
	case t.call.stream != nil && t.ans.head.StatusCode() < 300:
		err = t.readEvents(s, sent, func(deadline time.Duration) { s.timer.Reset(deadline - t.client.now()) })
		t.streamed(t.out)
	default:
		if err = t.ans.readMux(s, t.wire.method, t.call.whole); err == nil {
			t.out.End = s.end
		}
	}
	s.finish(errors.Is(err, os.ErrDeadlineExceeded))
	return untouched, err
}
