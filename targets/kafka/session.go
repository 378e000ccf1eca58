package kafka

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// session is a virtual user. A call borrows the buffers that it needs.
type session struct {
	client  *client
	routes  *calls.Routes[*conn]
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
		s.routes.Close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.Begin(&s.client.o, s.client, it, out)
	t.session, t.call = s, by.(*call)
	t.Progress.Do(t)
	t.end()
}

// Compose implements [calls.Maker].
func (t *exchange) Compose() (err error) {
	if t.topic, err = t.text(&t.call.topic); err != nil {
		return err
	}
	if t.call.kind == kindProduce {
		return t.compose()
	}
	t.group, err = t.text(&t.call.group)
	return err
}

// Run implements [calls.Maker].
func (t *exchange) Run() (err error) {
	defer scenarios.Recover(&err)
	t.Out.Slot = t.Now() // unless the call waits for a connection
	switch t.call.kind {
	case kindConsume:
		err = t.consume()
	case kindLag:
		err = t.lag()
	default:
		err = t.produce()
	}
	if err == nil && t.Out.End > t.It.Deadline {
		err = targets.ErrLate
	}
	return err
}

// exchange is a call in progress.
type exchange struct {
	calls.Progress
	*session
	call         *call
	topic, group string

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
	b, err := of.Append(t.mem[:0], t.It)
	t.mem = b
	return string(b), err
}

// until returns a context that ends at a time of the run's clock.
func (t *exchange) until(deadline time.Duration) (context.Context, context.CancelFunc) {
	return context.WithDeadline(t.client.Over(), t.client.o.T0.Add(deadline))
}
