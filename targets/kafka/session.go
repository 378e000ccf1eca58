package kafka

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// session is a virtual user. A call borrows the buffers that it needs.
type session struct {
	client  *client
	routes  *routes
	own     bool               // the connections belong to this user only
	readers map[string]*reader // by topic, group and beginning
	idempotence
}

func (s *session) Close() error {
	for _, r := range s.readers {
		r.close()
	}
	s.readers = nil
	if s.own {
		s.routes.close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.session, t.call, t.it, t.out = s, by.(*call), it, out
	err := t.run()
	if err == nil && out.End > it.Deadline {
		err = targets.ErrLate
	}
	if err == nil {
		t.judge()
	} else {
		targets.Fail(out, err, max(s.client.o.Now(), out.Slot), it.Deadline, s.client.Over().Err() != nil)
	}
	t.sample(err)
	t.end()
}

// run makes the call.
func (t *exchange) run() (err error) {
	defer scenarios.Recover(&err)
	t.out.Slot = t.client.o.Now() // unless the call waits for a connection
	if t.topic, err = t.text(&t.call.topic); err != nil {
		return err
	}
	switch t.call.kind {
	case kindConsume:
		return t.consume()
	case kindLag:
		return t.lag()
	}
	return t.produce()
}

// exchange is a call in progress.
type exchange struct {
	*session
	call  *call
	it    *template.Iter
	out   *scenarios.Outcome
	topic string

	mem    []byte // what was rendered
	batch  []byte
	send   []byte
	memory []byte // for the answer
	count  int    // of messages
	answer
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostKept is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostKept = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	t.claim.Release()
	mem, batch, send, memory := t.mem[:0], t.batch[:0], t.send[:0], t.memory[:0]
	for _, b := range []*[]byte{&mem, &batch, &send, &memory} {
		if cap(*b) > mostKept {
			*b = nil
		}
	}
	*t = exchange{mem: mem, batch: batch, send: send, memory: memory}
	exchanges.Put(t)
}

// text renders a text.
func (t *exchange) text(of *template.Text) (string, error) {
	if text, static := of.Static(); static {
		return text, nil
	}
	b, err := of.Append(t.mem[:0], t.it)
	t.mem = b
	return string(b), err
}

// until returns a context that ends at a time of the run's clock.
func (t *exchange) until(deadline time.Duration) (context.Context, context.CancelFunc) {
	return context.WithDeadline(t.client.Over(), t.client.o.T0.Add(deadline))
}
