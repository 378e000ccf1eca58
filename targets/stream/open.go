package stream

import (
	"net/url"
	"os"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// open opens a stream. A stream without a name is then closed, or left to the next step of its kind if a message was
// sent on it.
func (t *exchange) open() error {
	if t.kept() {
		return nil
	}
	st := &stream{call: t.call}
	t.used = st
	if err := t.fill(st); err != nil {
		return err
	}
	if t.call.stream == "" {
		return t.once(st)
	}
	if old := t.find(t.call.stream); old != nil && old.call.stream == t.call.stream {
		t.end(old, t.it)
	}
	on, err := t.client.open(st, t.deadline, t.out)
	if err != nil {
		return err
	}
	st.hold(on, t.out.End)
	t.streams = append(t.streams, st)
	return t.greet(on, st.call, t.out)
}

// kept reports whether the stream of the step has been open since an earlier iteration. Then the step has nothing to
// do.
func (t *exchange) kept() bool {
	if !t.call.kept {
		return false
	}
	st := t.find(t.call.stream)
	if st == nil || st.call != t.call {
		return false
	}
	t.taken(st)
	if t.notice(st); st.conn == nil {
		return false
	}
	now := t.client.o.Now()
	t.it.Idle = true
	t.out.Slot, t.out.Sent, t.out.First, t.out.End, t.out.Answered = now, now, now, now, true
	return true
}

// hold assigns a connection, opened at a time, to a stream.
func (st *stream) hold(on *conn, since time.Duration) {
	st.conn, st.lost, st.any, st.since, st.last = on, nil, false, since, since
}

// once sends one message on a connection that no stream keeps. The connection carries further messages if the answer
// came, or if none is expected on a socket of UDP.
func (t *exchange) once(st *stream) error {
	on, err := t.client.open(st, t.deadline, t.out)
	if err != nil {
		return err
	}
	err = t.greet(on, st.call, t.out)
	asks := t.call.send != nil && (t.call.expect != nil || t.call.framing.datagrams)
	keep := err == nil && asks && t.client.o.KeepsAlive()
	if on.clear(); !keep {
		_, _ = on.leave()
	}
	if err == nil && t.out.Kind == scenarios.Error {
		keep = false // a later message would be an answer to this one
	}
	t.client.put(on, keep)
	return err
}

// fill fills in the values with which a stream is opened.
func (t *exchange) fill(st *stream) error {
	c := t.call
	if c.opening != nil {
		var err error
		st.request, err = c.opening.Fill(t.it, t.client.lines.(*carried).Carrier)
		return err
	}
	if c.kind != kindWS {
		st.key = c.framing.String()
		if c.expect == nil { // a late answer would be taken for that of a step that awaits one
			st.key += ", unanswered"
		}
		return nil
	}
	path, err := c.path.Append(nil, t.it)
	if err != nil {
		return err
	}
	u, err := url.Parse(string(path))
	if err != nil {
		return &syntax.BadURL{Why: err.Error()}
	}
	to := *t.client.at
	to.User, to.Scheme = nil, "ws"
	if t.client.secure() {
		to.Scheme = "wss"
	}
	to.Path, to.RawPath, to.RawQuery = strings.TrimSuffix(to.Path, "/")+u.Path, "", u.RawQuery
	h := &st.with
	h.url = to.String()
	for i := range c.headers {
		value, err := c.headers[i].Append(nil, t.it)
		if err != nil {
			return err
		}
		if !targets.IsOneLine(string(value)) {
			return &targets.Error{
				Cause: scenarios.Other, Text: "the value of the header " + c.headers[i].name + " has control characters",
			}
		}
		h.headers = append(h.headers, c.headers[i].name+": "+string(value))
	}
	if st.key = named; c.stream == "" {
		st.key = h.url + "\n" + strings.Join(h.headers, "\n")
	}
	return nil
}

// named is the key of every stream with a name, which has its connection for itself.
const named = "named"

// greet sends the first message of a stream, and waits for the answer that its step expects.
func (t *exchange) greet(on *conn, c *call, out *scenarios.Outcome) error {
	from := int64(1)
	if c.send != nil {
		from = on.next()
		if err := t.say(on, c, out, c.stream == ""); err != nil {
			return err
		}
	}
	if c.expect == nil {
		return nil
	}
	return t.answer(on, c, from, out)
}

// live returns the connection of a stream. It opens a lost stream again if the step that opened it says so.
func (t *exchange) live(st *stream) (*conn, error) {
	t.notice(st)
	for st.conn == nil {
		if st.call.reconnect == nil {
			return nil, st.lost
		}
		if err := t.rest(t.client.o.Now() + st.call.reconnect.Draw(t.it.Rand)); err != nil {
			return nil, err
		}
		t.reopen(st)
	}
	t.out.Slot = max(t.out.Slot, t.client.o.Now())
	return st.conn, nil
}

// notice releases the connection of a stream that has ended.
func (t *exchange) notice(st *stream) {
	if st.conn == nil {
		return
	}
	if _, lost := st.conn.fault(); lost != nil {
		if t.call.kind == kindAwait && st.conn.unread() {
			return // messages from before the end can still be taken
		}
		st.lost = lost
		t.release(st, t.it)
	}
}

// rest waits until a time, but not longer than the step's deadline.
func (t *exchange) rest(until time.Duration) error {
	late := until > t.deadline
	timer := t.after(min(until, t.deadline) - t.client.o.Now())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.client.Over().Done():
		return targets.ErrAborted
	}
	if late {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// reopen tries once to open a lost stream again. The attempt is an outcome of the step that opened the stream.
func (t *exchange) reopen(st *stream) {
	now := t.client.o.Now()
	out := scenarios.Outcome{Intended: now, Ready: now, Slot: now}
	message, data, said := t.it.Message, t.data, t.said
	t.data = nil
	on, err := t.client.open(st, t.deadline, &out)
	if err == nil {
		since := out.End
		if err = t.greet(on, st.call, &out); err != nil || out.Kind == scenarios.Error {
			_, _ = on.leave()
			t.client.put(on, false)
		} else {
			st.hold(on, since)
		}
	}
	if err != nil {
		t.fail(&out, err)
	}
	t.it.Message, t.data, t.said = message, data, said
	if t.client.o.Emit != nil && !(err != nil && t.client.Over().Err() != nil) {
		t.client.o.Emit(t.it, st.call, scenarios.WholeCall, &out)
	}
}
