package stream

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Parts of a step that opens a stream.
const (
	firstMessage = iota
	nextMessage
	heldTime
	pingTime
)

// parts names the further measurements of a step: the first message, each message counted from the previous one, and
// how long the stream was held.
func parts(of scenarios.Call) []string {
	c := of.(*call)
	if !c.opens() || c.stream == "" {
		return nil
	}
	list := []string{"first message", "message", "held"}
	if c.ping > 0 {
		list = append(list, "ping")
	}
	return list
}

// mostSpare is the maximum number of messages whose times' memory is kept.
const mostSpare = 100

// measure passes on the messages that came on a stream.
func (s *session) measure(st *stream, on *conn, it *template.Iter) {
	emit := s.client.o.Emit
	if emit == nil {
		return
	}
	list := on.arrivals(s.spare)
	for _, a := range list {
		part := nextMessage
		if !st.any {
			part = firstMessage
		}
		if s.part == nil {
			s.part = new(scenarios.Outcome)
		}
		*s.part = scenarios.Outcome{
			Intended: st.last, Ready: st.last, Slot: st.last, Sent: st.last, WasSent: true, Answered: true,
			First: max(a.first, st.last), End: max(a.end, st.last), Bytes: int64(a.bytes),
		}
		st.any, st.last = true, s.part.End
		emit(it, st.call, part, s.part)
	}
	if s.spare = list; cap(list) > mostSpare {
		s.spare = nil
	}
	s.pings(st, on, it)
}

// held passes on how long a stream was held. It is an error if the other side ended the stream.
func (s *session) held(st *stream, it *template.Iter, lost error, at time.Duration) {
	if s.client.o.Emit == nil {
		return
	}
	at = max(at, st.since)
	out := scenarios.Outcome{
		Intended: st.since, Ready: st.since, Slot: st.since, Sent: st.since, First: at, End: at, WasSent: true,
		Answered: true,
	}
	if lost != nil && s.client.Over().Err() == nil {
		out.Kind, out.Cause = scenarios.Error, targets.CauseOf(lost)
	}
	s.client.o.Emit(it, st.call, heldTime, &out)
}

// taken passes on the messages that have come on a stream so far.
func (t *exchange) taken(st *stream) {
	if st.conn != nil {
		t.measure(st, st.conn, t.it)
	}
}

// until returns the time at which message n is due.
func until(begin time.Duration, n int64, rate float64) time.Duration {
	return begin + time.Duration(float64(n)/rate*float64(time.Second))
}
