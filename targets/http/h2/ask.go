package h2

import (
	"errors"
	"net"
	"os"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// A Request is a request in the form of HTTP/1.1.
type Request struct {
	Bytes    []byte
	Tail     net.Buffers   // sent after Bytes
	Deadline time.Duration // on the run's clock
	Within   time.Duration // limit until the answer begins, counted from the write of the request; zero: until Deadline
	Framed   bool          // a data frame ends it even without a body, because gRPC servers expect that
	Follows  bool          // it follows a redirect, so its first times are not those of the call
	Repeats  bool          // see [targets.Resend]
}

// A Receiver reads the answer to a request.
type Receiver interface {
	// Receive takes over an answer that has begun on s, and reads its body. Sent is when the request was written.
	Receive(s *Stream, a *h1.Answer, sent time.Duration) error
	// Forget drops the received data, because the request is sent again.
	Forget()
}

// Ask sends a request and lets by read its answer. It records the times in out. A request that the server has
// certainly not begun to process is sent again on another connection, and so, once, is one that [targets.Resend]
// allows.
func (l *Line) Ask(r Request, by Receiver, out *scenarios.Outcome) error {
	resend := targets.Resend{Repeats: r.Repeats}
	for tries := 1; ; tries++ {
		begins := tries == 1 && !r.Follows
		now := l.o.Now()
		if now >= r.Deadline {
			if begins {
				out.Slot = now
			}
			return os.ErrDeadlineExceeded
		}
		s := newStream(r.Bytes, r.Tail, r.Deadline, r.Deadline-now)
		s.framed = r.Framed
		err := l.join(s)
		if begins {
			out.Slot, out.Opening = s.slot, s.opening
		}
		if err != nil {
			s.abandon()
			return err
		}
		untouched, err := s.exchange(&r, by, out)
		switch {
		case err == nil:
			return nil
		case untouched:
			if !again(tries, err) {
				return err
			}
		case resend.Again(err):
			resend.Repeats = false
		default:
			return err
		}
		by.Forget()
	}
}

// exchange sends the request on s, lets by read its answer, and ends s.
func (s *Stream) exchange(r *Request, by Receiver, out *scenarios.Outcome) (untouched bool, err error) {
	if r.Within > 0 {
		s.Extend(min(r.Within, r.Deadline-s.mux.line.o.Now()))
	}
	err = s.ask()
	p := s.progress(err)
	if p.wasSent {
		out.Attempts++
		if !r.Follows {
			out.Sent, out.WasSent = p.sent, true
		}
	}
	if err == nil {
		out.First = p.first
		err = by.Receive(s, p.answer, p.sent)
	}
	s.finish(errors.Is(err, os.ErrDeadlineExceeded))
	return p.untouched, err
}
