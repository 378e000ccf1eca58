package http

import (
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/http/h3"
)

// Errors of requests that HTTP/3 can't carry.
var (
	errPlain3 = &targets.Error{
		Cause: scenarios.Other, Final: true,
		Text: "HTTP/3 always has TLS, and the URL is one of http://; another load with connections: {http: auto} asks it",
	}
	errProxy3 = &targets.Error{
		Cause: scenarios.Other, Final: true,
		Text: "proxies don't pass HTTP/3 on; connections: {proxy: none} reaches the target directly",
	}
)

// roundTrip3 sends one request by HTTP/3 and reads its answer.
func (t *exchange) roundTrip3() error {
	o := t.wire.origin
	if o.line3 == nil {
		if t.out.Slot == 0 {
			t.out.Slot = t.client.now()
		}
		if o.via != nil {
			return errProxy3
		}
		return errPlain3
	}
	r := h3.Request{Bytes: t.send, Tail: t.tail, Deadline: t.it.Deadline, Follows: t.begun, Repeats: t.repeats()}
	if err := o.line3.Ask(r, t, t.out); err != nil {
		return err
	}
	t.begun = true
	return t.answered()
}

// Receive3 implements [h3.Receiver].
func (t *exchange) Receive3(b *h3.Body, a *h1.Answer, sent time.Duration) (err error) {
	t.ans = a
	if t.call.stream != nil && a.Status() < 300 {
		err := t.readEvents(b, sent, b.Until)
		t.streamed(t.out)
		return err
	}
	t.out.End, err = b.ReadAnswer(a, t.wire.method, t.call.keeps())
	return err
}

// Abort implements [targets.Transport].
func (p *pool) Abort() {
	p.Pool.Abort()
	if p.over3 != nil {
		p.over3.Abort()
	}
}

// Opened implements [targets.Transport].
func (p *pool) Opened() int64 {
	if p.over3 != nil {
		return p.over3.Opened() + p.Pool.Opened()
	}
	return p.Pool.Opened()
}

// Close implements [targets.Transport].
func (p *pool) Close() error {
	err := p.Pool.Close()
	if p.over3 != nil {
		if failed := p.over3.Close(); err == nil {
			err = failed
		}
	}
	return err
}
