package stream

import (
	"errors"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// session is a virtual user with the streams that it holds.
type session struct {
	client  *client
	streams []*stream          // in the order in which they were opened
	timer   *time.Timer        // nil: the user has not waited yet
	spare   []arrival          // memory for later arrivals
	part    *scenarios.Outcome // memory for the outcome that is passed on; nil: not used yet
	t       exchange
}

// stream is a stream that a user holds.
type stream struct {
	call *call
	conn *conn // nil: it is lost
	lost error // why it is lost
	with handshake
	// for streams of another transport
	request Request
	key     string
	since   time.Duration // when it was opened
	last    time.Duration // when the last message came, or when it was opened
	any     bool          // a message came
}

// exchange is a step in progress.
type exchange struct {
	*session
	call     *call
	it       *template.Iter
	out      *scenarios.Outcome
	deadline time.Duration
	data     []byte   // data of the last message sent
	said     bool     // a message was sent
	waits    bool     // the stream is open and the step waits for a message
	used     *stream  // the stream of the step; nil: none
	got      *Message // the expected message; nil: none came
}

// after returns the timer of the user, which fires after d.
func (s *session) after(d time.Duration) *time.Timer {
	if s.timer == nil {
		s.timer = time.NewTimer(max(0, d))
	} else {
		s.timer.Reset(max(0, d))
	}
	return s.timer
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := &s.t
	*t = exchange{session: s, call: by.(*call), it: it, out: out, deadline: it.Deadline, data: t.data[:0]}
	if t.call.within > 0 {
		t.deadline = it.Intended + t.call.within
	}
	out.Slot = s.client.o.Now()
	err := t.do()
	it.Message = 0
	if err != nil {
		t.fail(out, err)
	}
	t.sample(err)
	t.got.release()
	t.got = nil
}

// fail records that a step, or a message of one, failed.
func (t *exchange) fail(out *scenarios.Outcome, err error) {
	if answer, ok := errors.AsType[*StatusError](err); ok {
		out.Answered, out.Status, out.End = true, answer.Status, max(t.client.o.Now(), out.Slot)
		targets.JudgeStatus(out, false, false, answer.Cause)
		return
	}
	targets.Fail(out, err, max(t.client.o.Now(), out.Slot), t.deadline, t.client.Over().Err() != nil)
}

// do makes the step.
func (t *exchange) do() error {
	c := t.call
	if c.opens() {
		return t.open()
	}
	st := t.find(c.stream)
	if st == nil {
		return targets.StreamError("no stream %s is open", c.stream)
	}
	t.used = st
	t.taken(st)
	if c.pace != nil {
		return t.paced(st)
	}
	on, err := t.live(st)
	if err != nil {
		return err
	}
	switch c.kind {
	case kindSend:
		return t.send(on)
	case kindAwait:
		return t.await(on)
	}
	return t.close(st)
}

// find returns the stream with a name, or the last opened one if name is empty. It is nil if there is none.
func (s *session) find(name string) *stream {
	for _, st := range slices.Backward(s.streams) {
		if name == "" || st.call.stream == name {
			return st
		}
	}
	return nil
}

// end closes a stream, unless it is closed, and forgets it.
func (s *session) end(st *stream, it *template.Iter) {
	s.streams = slices.DeleteFunc(s.streams, func(other *stream) bool { return other == st })
	if st.conn != nil {
		s.release(st, it)
	}
}

// release closes the connection of a stream and passes on how long it was held.
func (s *session) release(st *stream, it *template.Iter) {
	at, lost := st.conn.fault()
	if lost == nil {
		at = s.client.o.Now()
		_, _ = st.conn.leave()
	}
	s.settle(st, it, lost, at)
}

// settle closes the connection of a stream that ended at a time, and passes on the measurements on it. Lost is why
// the other side ended it; nil means that brunt did.
func (s *session) settle(st *stream, it *template.Iter, lost error, at time.Duration) {
	on := st.conn
	st.conn = nil
	s.measure(st, on, it)
	s.held(st, it, lost, at)
	s.client.put(on, false)
}

// endIteration closes the streams of an iteration, except those that the user keeps.
func (s *session) endIteration(it *template.Iter) {
	for _, st := range slices.Backward(slices.Clone(s.streams)) {
		switch {
		case !st.call.kept:
			s.end(st, it)
		case st.conn != nil:
			s.measure(st, st.conn, it)
		}
	}
}

func (s *session) Close() error {
	for _, st := range s.streams {
		switch {
		case st.conn == nil:
		case st.call.kept:
			s.release(st, s.t.it)
		default:
			_, _ = st.conn.leave()
			s.client.put(st.conn, false)
		}
	}
	s.streams, s.t = nil, exchange{} // its step may hold a stream with the messages that came
	return nil
}
