package stream

import (
	"errors"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// say sends the message of a step. Counts means that it is the message of the step itself, and not part of the
// handshake.
func (t *exchange) say(on *conn, c *call, out *scenarios.Outcome, counts bool) (err error) {
	t.it.NewMessage()
	if t.data, err = c.send.Append(t.data[:0], t.it); err != nil {
		return err
	}
	t.said = true
	at, err := on.send(t.data, c.send.binary, t.deadline)
	if counts && err == nil { // a message that was not written completely does not count as sent
		out.Sent, out.WasSent = at, true
	}
	if err == nil {
		out.End = at
	}
	return err
}

// answer waits for the message that a step expects, beginning with number from, and judges it.
func (t *exchange) answer(on *conn, c *call, from int64, out *scenarios.Outcome) error {
	t.waits = true
	a, err := on.wait(from, t.deadline, t.after, c.answers(t.it))
	if err != nil {
		return err
	}
	t.got = a
	t.judge(c, a, out)
	return nil
}

// judge records the expected message in an outcome.
func (t *exchange) judge(c *call, a *Message, out *scenarios.Outcome) {
	out.First = max(a.First, out.Sent) // the message may have come before the step began
	out.End = max(a.End, out.First)
	out.Answered, out.Bytes = true, out.Bytes+int64(len(a.Data))
	if c.absent != nil && c.absent.holds(a, t.it) {
		out.Status = absent
	}
	c.rest.Judge(a, t.it, out)
}

// answers returns a function that reports whether a message is the answer of the step, also one that says that nothing
// is there.
func (c *call) answers(it *template.Iter) func(a *Message) bool {
	expected := c.expect.fits(it)
	if c.absent == nil {
		return expected
	}
	none := c.absent.fits(it)
	return func(a *Message) bool { return expected(a) || none(a) }
}

// send sends a message on a stream, and waits for the answer if the step expects one.
func (t *exchange) send(on *conn) error {
	from := on.next()
	if err := t.say(on, t.call, t.out, true); err != nil {
		return err
	}
	if t.call.expect == nil {
		t.out.First, t.out.Answered = t.out.Sent, true
		return nil
	}
	return t.answer(on, t.call, from, t.out)
}

// await waits for a message. It may have come after the last one that was taken, or come now. The step sends nothing,
// so its time begins with the step.
func (t *exchange) await(on *conn) error {
	t.out.Sent, t.out.WasSent = t.out.Slot, true
	return t.answer(on, t.call, 0, t.out)
}

// close closes a stream. The step ends when the other side has answered the close frame.
func (t *exchange) close(st *stream) error {
	on, now := st.conn, t.client.o.Now
	t.out.Sent, t.out.WasSent = now(), true
	answers, err := on.leave()
	if err != nil {
		t.end(st, t.it)
		return err
	}
	t.out.First, t.out.End, t.out.Answered = now(), now(), true
	if !answers {
		t.end(st, t.it)
		return nil
	}
	_, err = on.wait(on.next(), t.deadline, t.after, func(*Message) bool { return false })
	at, lost := on.fault()
	if lost == nil {
		t.end(st, t.it)
		return err
	}
	t.settle(st, t.it, nil, at)
	t.end(st, t.it)
	t.out.First, t.out.End = max(at, t.out.Sent), max(at, t.out.Sent)
	if answer, ok := errors.AsType[*StatusError](lost); ok {
		return answer
	}
	return nil
}
