package h2

import (
	"errors"
	"net"
	"os"
	"time"

	"brunt/scenarios"
	"brunt/targets/http/h1"
)

// A Request is a request in the form of HTTP/1.1.
type Request struct {
	Bytes    []byte
	Tail     net.Buffers   // sent after Bytes
	Deadline time.Duration // on the run's clock
	Within   time.Duration // until the answer begins, from when the request is about to be written; zero: until Deadline
	Framed   bool          // a frame of data ends it even if it has no body, as servers of gRPC want it
	Follows  bool          // it follows a redirect, so that the times of its beginning are not those of the call
}

// A Receiver reads the answer to a request.
type Receiver interface {
	// Receive takes over an answer that has begun on s, and reads its body. Sent is when the request was written.
	Receive(s *Stream, a *h1.Answer, sent time.Duration) error
	// Forget drops what was received: the request is sent again.
	Forget()
}

// Ask sends a request and has its answer read. The times are in out. A request that the server certainly has not begun
// to process is sent again on another connection, as after an idle connection of HTTP/1.1 was closed.
func (l *Line) Ask(r Request, by Receiver, out *scenarios.Outcome) error {
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
		if err == nil || !untouched || !again(tries, err) {
			return err
		}
		by.Forget()
	}
}

// exchange sends the request on s, has its answer read and ends s.
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
