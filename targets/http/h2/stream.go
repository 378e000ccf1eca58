package h2

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"
	"brunt/targets/http/h1"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Stream is one request on a shared connection, and its answer.
//
//	join -> in line -> place -> ask -> queued -> written -> head -> body -> end
//
// The connection's writer takes the bytes to send from req, and its reader stores received data in ans and buf. Both
// check under mu whether the request still waits.
type Stream struct {
	wake     chan struct{} // something changed; holds one token, may be spurious
	timer    *time.Timer   // fires at the deadline
	deadline time.Duration

	place

	mu        sync.Mutex
	on        *mux   // the connection that writes or has written it
	id        uint32 // its number there; zero: not written yet
	over      bool   // the request has abandoned the answer
	err       error  // why no more data comes
	untouched bool   // the server never began to process it, so it may be sent again
	outgoing
	incoming
	held

	came   time.Duration // when the last byte that was read had arrived; only the requester uses it
	credit int           // bytes read and not yet granted back; only the requester uses it

	// The connection's mutex guards the following fields.
	room int64 // bytes of the body that the server accepts now
	took int64 // bytes of the answer that the server may still send; negative: it sent too many
	ends bool  // of a body that stayed open: an empty data frame must end it
}

// place is the place of a stream in its line. The line's mutex guards it.
type place struct {
	mux     *mux          // the connection that has its place
	slot    time.Duration // when it got its place
	opening scenarios.Opening
	refused error // why it gets no place
	gone    bool  // it no longer waits
}

// outgoing is the part of a stream's request that is still to be written.
type outgoing struct {
	req     []byte        // in the form of HTTP/1.1
	body    []byte        // the next part of its body; empty: nothing is left
	tail    net.Buffers   // the parts after that
	framed  bool          // a data frame ends it in any case
	reused  bool          // its connection had carried an answer when it was written
	heard   time.Duration // when something had last come on the connection by then
	sent    time.Duration
	wasSent bool
}

// more continues with the next part of the body when one is written.
func (o *outgoing) more() {
	for len(o.body) == 0 && len(o.tail) > 0 {
		o.body, o.tail = o.tail[0], o.tail[1:]
	}
}

// incoming is the received part of a stream's answer.
type incoming struct {
	first    time.Duration // when the answer began
	last     time.Duration // when the last byte of the answer came
	at       time.Duration // when the last byte in buf came
	ans      *h1.Answer
	length   int64 // of the body according to the header; -1: not given
	began    bool  // the answer has begun
	ended    bool  // the answer is complete
	buf      []byte
	off      int          // bytes of buf that are read
	claim    budget.Claim // of buf
	trailers []hpack.HeaderField
	headSize int
}

var streamPool = sync.Pool{New: func() any {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &Stream{wake: make(chan struct{}, 1), timer: t}
}}

// newStream creates the stream of a request, which is req and tail in the form of HTTP/1.1. It times out after left;
// deadline is the same moment on the run's clock.
func newStream(req []byte, tail net.Buffers, deadline, left time.Duration) *Stream {
	s := streamPool.Get().(*Stream)
	s.req, s.tail, s.deadline = req, tail, deadline
	s.timer.Reset(left)
	return s
}

// release makes s available for the next request. No other goroutine may hold it.
func (s *Stream) release() {
	s.timer.Stop()
	select {
	case <-s.wake:
	default:
	}
	s.mu.Lock()
	s.on, s.id, s.over, s.err, s.untouched, s.came, s.credit, s.room, s.took, s.ends = nil, 0, false, nil, false, 0, 0, 0,
		0, false
	clear(s.trailers)
	s.outgoing, s.incoming = outgoing{}, incoming{buf: s.buf, trailers: s.trailers[:0]}
	s.mu.Unlock()
	s.place = place{}
	streamPool.Put(s)
}

// rouse wakes the request that waits for s.
func (s *Stream) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// abandon ends a stream that got no place. The line may still hold the stream, so it is not reused.
func (s *Stream) abandon() { s.timer.Stop() }

// Extend sets the time until the stream times out.
func (s *Stream) Extend(left time.Duration) { s.timer.Reset(left) }

// End returns when the last byte of the answer came.
func (s *Stream) End() time.Duration { return s.last }

// Came returns when the last bytes that were read had arrived.
func (s *Stream) Came() time.Duration { return s.came }

// progress says how far a stream came.
type progress struct {
	sent      time.Duration // when the request was written
	wasSent   bool
	first     time.Duration // when the answer began
	untouched bool          // the server has not begun to process it, so it may be sent again
	answer    *h1.Answer    // nil: it has not begun
}

// progress returns how far the stream came after ask returned err. The caller must release the
// answer.
func (s *Stream) progress(err error) progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := progress{sent: s.sent, wasSent: s.wasSent, first: s.first, untouched: s.untouched}
	if p.first != 0 { // the reader may see the answer before the writer records the time of the write
		p.sent = min(p.sent, p.first)
	}
	if err == nil {
		p.answer, s.ans = s.ans, nil
	}
	return p
}

// pause waits for a change or for the deadline.
func (s *Stream) pause() error {
	select {
	case <-s.wake:
		return nil
	case <-s.timer.C:
		return os.ErrDeadlineExceeded
	}
}

// ask sends the request and waits until its answer has begun.
func (s *Stream) ask() error {
	if err := s.mux.submit(s); err != nil {
		return err
	}
	return s.begun()
}

// begun waits until the answer has begun.
func (s *Stream) begun() error {
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
			n, s.came = copy(b, s.buf[s.off:]), s.at
			if s.off += n; s.off == len(s.buf) {
				s.drained()
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

// drained makes room for more of the answer when buf is read. It gives much memory back.
func (s *Stream) drained() {
	if s.buf, s.off = s.buf[:0], 0; cap(s.buf) > h1.KeptBody {
		s.buf = nil
		s.claim.Release()
	}
}

// finish ends s and frees its place. It cancels an unfinished request at the server. The connection stays open.
func (s *Stream) finish(timedOut bool) {
	m := s.mux
	s.mu.Lock()
	s.over = true
	whole := s.ended && len(s.body) == 0 && s.written == nil
	id, done, since := s.id, s.err != nil || s.ended && s.written != nil, s.slot
	if s.wasSent {
		since = s.sent
	}
	s.req, s.body, s.tail = nil, nil, nil
	s.drained()
	s.mu.Unlock()
	if !whole && !done {
		m.cancel(s, id)
	}
	if timedOut && id != 0 {
		m.doubt(since)
	}
	m.line.done(m)
	if whole {
		s.release()
	} else {
		s.timer.Stop() // the connection or a writer may still hold s, so it is not reused
	}
}

// errUntouched means that the server never began to process the request.
var errUntouched = error(&targets.Error{
	Cause: scenarios.Closed, Text: "the connection ended before the request was sent",
})

// mostTries is how often a request is sent if the server refuses it each time. A request whose connections ended
// before its turn is retried until its deadline, with short pauses after this number of attempts.
const (
	mostTries = 5
	tryAgain  = time.Millisecond
)

// again reports whether to resend a request that the server has certainly not begun. Tries is the number of tries,
// and err the error of the last one. It makes the pause before the next try.
func again(tries int, err error) bool {
	_, refused := errors.AsType[*streamReset](err)
	if refused && tries == mostTries || errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	if tries >= mostTries {
		time.Sleep(tryAgain)
	}
	return true
}

// streamReset means that the server ended a stream.
type streamReset struct{ code http2.ErrCode }

func (e *streamReset) Error() string {
	if e.code == http2.ErrCodeHTTP11Required {
		return "the server reset the stream: " + e.code.String() + "; connections: {http: 1.1} speaks that"
	}
	return "the server reset the stream: " + e.code.String()
}

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *streamReset) ErrorCause() scenarios.Cause {
	if e.code == http2.ErrCodeRefusedStream {
		return scenarios.Refused
	}
	return scenarios.Reset
}

// goneAway means that the server announced the end of a connection.
type goneAway struct {
	code http2.ErrCode
	text string
	err  error // why the connection ended; nil: it has not ended
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

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *goneAway) ErrorCause() scenarios.Cause {
	if e.err != nil {
		return scenarios.NoCause
	}
	return scenarios.Closed
}
