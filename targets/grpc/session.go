package grpc

import (
	"errors"
	"os"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/http/h2"
)

// session is a virtual user. It holds no memory: a call borrows the buffers that it needs.
type session struct{ client *client }

func (s *session) Close() error { return nil }

func (s *session) Do(it *template.Iter, call scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.client, t.call, t.it, t.out = s.client, call.(*grpcCall), it, out
	t.deadline = it.Deadline
	if own := t.call.deadline; own > 0 {
		t.deadline = min(t.deadline, out.Ready+own)
	}
	err := t.ready()
	if err != nil {
		out.Slot = t.client.o.Now()
	} else if err = t.ask(); err == nil {
		t.judge()
	}
	if err != nil {
		now := t.client.o.Now()
		targets.Fail(out, err, max(now, out.Slot), t.deadline, t.client.Over().Err() != nil)
	}
	t.sample(err)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	client   *client
	call     *grpcCall
	it       *template.Iter
	out      *scenarios.Outcome
	deadline time.Duration
	binding  *binding

	mem  []byte // of the request, if the call has placeholders
	text []byte // the message as JSON, if it has placeholders
	in   []byte // of the messages of a stream
	send []byte // the request
	answer
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostKept is the maximum size in bytes of a request's buffer that is kept for the next request.
const mostKept = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	t.Forget()
	t.claim.Release()
	for _, b := range []*[]byte{&t.mem, &t.text, &t.in} {
		if *b = (*b)[:0]; cap(*b) > mostKept {
			*b = nil
		}
	}
	t.client, t.call, t.it, t.out, t.binding, t.send, t.answer = nil, nil, nil, nil, nil, nil, answer{}
	exchanges.Put(t)
}

var errUnbound = error(&targets.Error{
	Cause: scenarios.Other, Text: "the method is not known: the server was not asked for its services", Final: true,
})

// ready renders the request.
func (t *exchange) ready() (err error) {
	c := t.call
	if t.binding = c.bound.Load(); t.binding == nil {
		return errUnbound
	}
	if r := c.ready.Load(); r != nil && r.client == t.client {
		t.send = r.bytes
		return nil
	}
	if t.mem, t.text, err = c.compose(t.mem[:0], t.text, t.it, t.client, t.binding); err != nil {
		return err
	}
	t.send = t.mem
	if c.fixed {
		c.ready.Store(&request{client: t.client, bytes: []byte(string(t.mem))})
	}
	return nil
}

// ask sends the request and reads the answer.
func (t *exchange) ask() error {
	stay := t.call.end.stay
	err := t.client.line.Ask(h2.Request{Bytes: t.send, Deadline: t.deadline, Within: stay, Framed: true}, t, t.out)
	if stay > 0 && errors.Is(err, os.ErrDeadlineExceeded) && t.client.o.Now() < t.deadline { // not even a header came
		err = t.call.end.none()
	}
	if err != nil {
		return err
	}
	if t.out.End > t.deadline {
		return targets.ErrLate
	}
	t.out.Status, t.out.Answered = int32(t.status), true
	t.out.Bytes += t.size
	return nil
}

func (t *exchange) Receive(s *h2.Stream, a *h1.Answer, sent time.Duration) error {
	t.raw, t.of = a, t.binding.output
	if t.binding.gives && a.Status() == 200 {
		return t.readMessages(s, sent)
	}
	most := 0
	if t.call.decodes {
		most = h1.MaxBody
	}
	if err := s.ReadAnswer(a, "POST", most); err != nil {
		return err
	}
	t.out.End = s.End()
	if err := t.readStatus(); err != nil {
		return err
	}
	return t.readMessage()
}

func (t *exchange) Forget() {
	if t.raw != nil {
		t.raw.Release()
		t.raw = nil
	}
}
