package h2

import (
	"errors"
	"os"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// A Held is a request whose body stays open, so that both sides send on the stream until one of them ends it. One
// goroutine reads with Answer and Read, and calls Finish when no more data comes. Meanwhile another goroutine writes.
type Held struct{ s *Stream }

// held holds the fields of a stream whose body stays open.
type held struct {
	open bool // more may be written, so no frame ends the request yet
	// signals that the given part is written, or that nothing more can be written; holds one token, may be spurious;
	// nil: the whole body is given at once
	written chan struct{}
	wrote   time.Duration // when the last part was written
	pending bool          // a part is not written yet
	batched bool          // all of that part is in the writer's batch, whose write decides its fate
	broken  error         // why the write of that batch failed
}

// errEnded means that the other side has ended a stream on which more was to be written.
var errEnded = error(&targets.Error{Cause: scenarios.Closed, Text: "the server ended the stream"})

// Open sends the head of a request whose body stays open, and returns when it is written. It records the times in
// out. It resends the request like [Line.Ask]. The stream times out at the deadline of the request, unless Extend
// sets another time.
func (l *Line) Open(r Request, out *scenarios.Outcome) (*Held, error) {
	for tries := 1; ; tries++ {
		now := l.o.Now()
		if now >= r.Deadline {
			if tries == 1 {
				out.Slot = now
			}
			return nil, os.ErrDeadlineExceeded
		}
		s := newStream(r.Bytes, nil, r.Deadline, r.Deadline-now)
		s.held = held{open: true, written: make(chan struct{}, 1)}
		err := l.join(s)
		if tries == 1 {
			out.Slot, out.Opening = s.slot, s.opening
		}
		if err != nil {
			s.abandon()
			return nil, err
		}
		if err = s.mux.submit(s); err == nil {
			err = s.flushed(s.timer.C)
		}
		s.mu.Lock()
		sent, wasSent, untouched := s.sent, s.wasSent, s.untouched
		s.mu.Unlock()
		if wasSent {
			out.Attempts++
			out.Sent, out.WasSent = sent, true
		}
		if err == nil {
			return &Held{s}, nil
		}
		s.finish(errors.Is(err, os.ErrDeadlineExceeded))
		if !untouched || !again(tries, err) {
			return nil, err
		}
	}
}

// flushed waits until the head, and the part of the body that was given, are written.
func (s *Stream) flushed(late <-chan time.Time) error {
	for {
		s.mu.Lock()
		done, err := s.wasSent && !s.pending, s.err
		switch {
		case s.pending && s.batched:
			err = s.broken
		case !done && err == nil && (s.ended || s.over):
			err = errEnded
		}
		s.mu.Unlock()
		switch {
		case done:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-s.written:
		case <-late:
			return os.ErrDeadlineExceeded
		}
	}
}

// flush wakes the goroutine that waits for a write. The caller holds the mutex of the stream.
func (s *Stream) flush() {
	if s.written == nil {
		return
	}
	select {
	case s.written <- struct{}{}:
	default:
	}
}

// Write writes b by the deadline, and returns when it was written. If it fails, a part of b may be written, so that
// the stream can't be used any longer.
func (h *Held) Write(b []byte, deadline time.Duration, timer *time.Timer) (at time.Duration, err error) {
	s := h.s
	m := s.mux
	s.mu.Lock()
	if s.err != nil || s.ended || s.over || !s.open {
		err := s.err
		s.mu.Unlock()
		if err == nil {
			err = errEnded
		}
		return 0, err
	}
	s.body, s.pending, s.batched = b, true, false
	s.mu.Unlock()
	m.more(s, false)
	timer.Reset(max(0, deadline-m.line.o.Now()))
	err = s.flushed(timer.C)
	timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.body = nil // b belongs to the caller again
	}
	return s.wrote, err
}

// more lets the writer continue with the body of a stream. Ends means that nothing follows.
func (m *mux) more(s *Stream, ends bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.ends = s.ends || ends
	m.halves = append(m.halves, s)
	m.work.Signal()
}

// End tells the server that nothing more will be written.
func (h *Held) End() {
	s := h.s
	s.mu.Lock()
	open := s.open && s.err == nil && !s.ended && !s.over
	s.open = false
	s.mu.Unlock()
	if open {
		s.mux.more(s, true)
	}
}

// Answer waits until the answer has begun, and returns its head. The caller releases it.
func (h *Held) Answer() (*h1.Answer, error) {
	if err := h.s.begun(); err != nil {
		return nil, err
	}
	return h.s.progress(nil).answer, nil
}

// Read implements [io.Reader] for the body of the answer.
func (h *Held) Read(b []byte) (int, error) { return h.s.Read(b) }

// Came returns when the last bytes that Read returned had arrived.
func (h *Held) Came() time.Duration { return h.s.Came() }

// AddTrailers adds the trailers of a stream that was read to its end to its answer.
func (h *Held) AddTrailers(a *h1.Answer) { h.s.AddTrailers(a) }

// Extend sets the time until the stream times out.
func (h *Held) Extend(left time.Duration) { h.s.Extend(left) }

// Cancel ends the stream at once. The server is told, and Read fails.
func (h *Held) Cancel() {
	s := h.s
	s.mu.Lock()
	id := s.id
	s.mu.Unlock()
	s.mux.cancel(s, id)
	s.fail(errCancelled, false)
}

var errCancelled = error(&targets.Error{Cause: scenarios.Unfinished, Text: "brunt ended the stream"})

// Finish frees the place of a stream that is no longer read. Err is the reason.
func (h *Held) Finish(err error) { h.s.finish(errors.Is(err, os.ErrDeadlineExceeded)) }
