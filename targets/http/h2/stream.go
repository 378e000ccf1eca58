package h2

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Stream is one request on a connection of many, and its answer.
//
//	join -> in line -> place -> ask -> queued -> written -> head -> body -> end
//
// The connection's writer takes what is to be sent from req, its reader leaves what
// came in ans and buf; both check under mu whether the request still waits.
type Stream struct {
	wake     chan struct{} // something changed; holds one token, and may lie
	timer    *time.Timer   // runs out at the deadline
	deadline time.Duration

	// Under the line's mutex.
	mux     *mux          // on which it has its place
	slot    time.Duration // since when
	refused error         // why it gets none
	gone    bool          // it waits no more

	mu        sync.Mutex
	on        *mux        // that writes it or has written it
	id        uint32      // its number there; zero is not written yet
	over      bool        // the request has given the answer up
	req       []byte      // as HTTP/1.1 writes it
	body      []byte      // what comes next of its body; empty when nothing is left
	tail      net.Buffers // what follows that
	sent      time.Duration
	wasSent   bool
	first     time.Duration // when the answer began
	last      time.Duration // when the last byte of the answer came
	ans       *h1.Answer
	length    int64 // of the body as the header has it; -1 is not said
	began     bool  // ans is there
	ended     bool  // all of the answer is there
	buf       []byte
	off       int // of buf is read
	trailers  []hpack.HeaderField
	headSize  int
	err       error // why there will be no more
	untouched bool  // the server has never begun with it, so that it may go again

	credit int // bytes read that the server does not know of; the requester's own

	// Under the connection's mutex.
	room int64 // that the server has for more of the body
	took int64 // bytes of the answer that the server may still send; negative is too many
}

var streamPool = sync.Pool{New: func() any {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &Stream{wake: make(chan struct{}, 1), timer: t}
}}

// NewStream makes the stream of a request, which is req and tail as HTTP/1.1 writes it.
// It times out when left has passed; deadline is the same on the run's clock.
func NewStream(req []byte, tail net.Buffers, deadline, left time.Duration) *Stream {
	s := streamPool.Get().(*Stream)
	s.req, s.tail, s.deadline = req, tail, deadline
	s.timer.Reset(left)
	return s
}

// Release gives s back for the next request. No other goroutine may hold it.
func (s *Stream) release() {
	s.timer.Stop()
	buf := s.buf[:0]
	if cap(buf) > h1.KeptBody {
		buf = nil
	}
	select {
	case <-s.wake:
	default:
	}
	s.mu.Lock()
	s.on, s.id, s.over, s.req, s.body, s.tail, s.sent, s.wasSent, s.first, s.last = nil, 0, false, nil, nil, nil, 0, false, 0, 0
	s.ans, s.length, s.began, s.ended, s.buf, s.off, s.trailers, s.headSize = nil, 0, false, false, buf, 0, nil, 0
	s.err, s.untouched, s.credit, s.room, s.took = nil, false, 0, 0, 0
	s.mu.Unlock()
	s.mux, s.slot, s.refused, s.gone = nil, 0, nil, false
	streamPool.Put(s)
}

// rouse wakes the request that waits for s.
func (s *Stream) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Slot is when the stream got its place.
func (s *Stream) Slot() time.Duration { return s.slot }

// Abandon returns a stream up that got no place. The line may still hold it, so it is not
// Used again.
func (s *Stream) Abandon() { s.timer.Stop() }

// Extend sets the time until the stream times out.
func (s *Stream) Extend(left time.Duration) { s.timer.Reset(left) }

// End is when the last byte of the answer came.
func (s *Stream) End() time.Duration { return s.last }

// A Progress is how far a stream came.
type Progress struct {
	Sent      time.Duration // when the request was written
	WasSent   bool
	First     time.Duration // when the answer began
	Untouched bool          // the server has not begun with it, so it may be sent again
	Answer    *h1.Answer    // nil where it has not begun
}

// Progress tells how far the stream came after Ask returned err. The answer is the
// caller's to release.
func (s *Stream) Progress(err error) Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Progress{Sent: s.sent, WasSent: s.wasSent, First: s.first, Untouched: s.untouched}
	if p.First > 0 { // the answer may be read before the writer has noted when it wrote
		p.Sent = min(p.Sent, p.First)
	}
	if err == nil {
		p.Answer, s.ans = s.ans, nil
	}
	return p
}

// pause waits until something changes, or the deadline.
func (s *Stream) pause() error {
	select {
	case <-s.wake:
		return nil
	case <-s.timer.C:
		return os.ErrDeadlineExceeded
	}
}

// Ask sends the request and waits until its answer has begun.
func (s *Stream) Ask() error {
	if err := s.mux.submit(s); err != nil {
		return err
	}
	for {
		s.mu.Lock()
		began, err := s.began, s.err
		s.mu.Unlock()
		switch {
		case began:
			return nil
		case err != nil:
			return err
		}
		if err := s.pause(); err != nil {
			return err
		}
	}
}

// Read implements [io.Reader] for the body of the answer.
func (s *Stream) Read(b []byte) (n int, err error) {
	for {
		s.mu.Lock()
		switch {
		case s.off < len(s.buf):
			n = copy(b, s.buf[s.off:])
			if s.off += n; s.off == len(s.buf) {
				s.buf, s.off = s.buf[:0], 0
			}
			ended := s.ended
			s.mu.Unlock()
			if s.credit += n; !ended && s.credit >= streamWindow/2 {
				s.mux.grant(s, s.credit)
				s.credit = 0
			}
			return n, nil
		case s.ended:
			err = io.EOF
		default:
			err = s.err
		}
		s.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if err = s.pause(); err != nil {
			return 0, err
		}
	}
}

// Finish ends s, whatever became of it, and frees its place. What the server still
// works on is cancelled; the connection goes on.
func (s *Stream) Finish(timedOut bool) {
	m := s.mux
	s.mu.Lock()
	s.over = true
	whole := s.ended && len(s.body) == 0
	id, failed, since := s.id, s.err != nil, s.slot
	if s.wasSent {
		since = s.sent
	}
	s.req, s.body, s.tail = nil, nil, nil
	s.mu.Unlock()
	if !whole && !failed {
		m.cancel(s, id)
	}
	if timedOut && id != 0 {
		m.doubt(since)
	}
	m.line.done(m)
	if whole {
		s.release()
	} else {
		s.timer.Stop() // the connection may still hold s: it is not used again
	}
}

// errUntouched is a request that the server has never begun with.
var errUntouched = error(&targets.Error{Cause: scenarios.Closed, Text: "the connection ended before the request was sent"})

// StreamReset is a stream that the server ended.
type StreamReset struct{ code http2.ErrCode }

func (e *StreamReset) Error() string {
	if e.code == http2.ErrCodeHTTP11Required {
		return "the server reset the stream: " + e.code.String() + "; connections: {http: 1.1} speaks that"
	}
	return "the server reset the stream: " + e.code.String()
}

// ErrorCause is the cause for [CauseOf].
func (e *StreamReset) ErrorCause() scenarios.Cause {
	if e.code == http2.ErrCodeRefusedStream {
		return scenarios.Refused
	}
	return scenarios.Reset
}

// goneAway is a connection that the server has announced to end.
type goneAway struct {
	code http2.ErrCode
	text string
	err  error // by which it ended; nil is that it has not
}

func (e *goneAway) Error() string {
	s := "the server sent GOAWAY " + e.code.String()
	if e.text != "" {
		s += fmt.Sprintf(" (%q)", e.text)
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

func (e *goneAway) Unwrap() error { return e.err }

// ErrorCause is the cause for [CauseOf].
func (e *goneAway) ErrorCause() scenarios.Cause {
	if e.err != nil {
		return scenarios.NoCause
	}
	return scenarios.Closed
}
