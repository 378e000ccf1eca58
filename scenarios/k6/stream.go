package k6

import (
	"io"
	"sync"
	"time"
)

// A Stream is the script's side of the wire. It encodes samples as frames, and writes them while the script runs. If
// the buffer is full, it drops and counts frames, so that the script never waits and memory stays bounded. Note and
// Exception are safe for concurrent use. All other methods must be called by one goroutine.
type Stream struct {
	begun time.Time
	w     io.Writer

	steps   map[string]int
	checks  map[string]int
	pending map[string]*pending // the last request of each virtual user, which waits for checks
	spare   []*pending
	swept   time.Duration
	latest  time.Duration

	mu     sync.Mutex
	buf    []byte // not yet written
	lost   int64
	others int64
	loose  int64
	wake   chan struct{}
	done   chan struct{}
	err    error
}

// pending is a request that may still get checks.
type pending struct{ Request }

// Limits of a stream. A request takes about 25 bytes, so the buffer holds more than half a million requests.
const (
	mostWaiting = 16 << 20 // bytes
	MostSteps   = 100      // of a script, plus one step for the rest
	mostChecks  = 1000
	checksWait  = time.Second // after its request; later checks belong to no request
	flushEvery  = 100 * time.Millisecond
)

// OtherSteps is the step of all requests beyond MostSteps.
const OtherSteps = "others"

// NewStream writes the header to w and starts the writer. It calls broken once if writing fails.
func NewStream(w io.Writer, broken func(error)) *Stream {
	now := time.Now()
	s := &Stream{
		begun: now, w: w, steps: map[string]int{}, checks: map[string]int{}, pending: map[string]*pending{},
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.buf = appendHello(s.buf, now)
	go s.write(broken)
	return s
}

// At returns the time on the stream's clock.
func (s *Stream) At(t time.Time) time.Duration { return t.Sub(s.begun) }

// write writes the buffer, a few times a second.
func (s *Stream) write(broken func(error)) {
	defer close(s.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var out []byte
	for {
		closing := false
		select {
		case <-tick.C:
		case _, open := <-s.wake:
			closing = !open
		}
		s.mu.Lock()
		out, s.buf = s.buf, out[:0]
		failed := s.err != nil
		s.mu.Unlock()
		if len(out) > 0 && !failed {
			if _, err := s.w.Write(out); err != nil {
				s.mu.Lock()
				s.err = err
				s.mu.Unlock()
				if broken != nil {
					broken(err)
				}
			}
		}
		if cap(out) > 1<<20 && len(out) < cap(out)/8 { // shrinks after a burst
			out = nil
		}
		if closing {
			return
		}
	}
}

// Close sends the rest and waits until it is written.
func (s *Stream) Close() error {
	for vu := range s.pending {
		s.release(vu)
	}
	close(s.wake)
	<-s.done
	return s.err
}

// put adds a frame. If mayBeLost is set and the buffer is full, it drops the frame.
func (s *Stream) put(mayBeLost bool, frame func(b []byte) []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mayBeLost && len(s.buf) > mostWaiting {
		s.lost++
		return false
	}
	s.buf = frame(s.buf)
	return true
}

// Step returns the number of a step.
func (s *Stream) Step(name string) int {
	if id, ok := s.steps[name]; ok {
		return id
	}
	if len(s.steps) >= MostSteps {
		if name != OtherSteps {
			return s.Step(OtherSteps)
		}
	}
	id := len(s.steps)
	s.steps[name] = id
	s.put(false, func(b []byte) []byte { return appendNamed(b, frameStep, int64(id), name) })
	return id
}

// StepOr returns the number of a step that is known, else that of the first one.
func (s *Stream) StepOr(name string) int {
	if id, ok := s.steps[name]; ok {
		return id
	}
	if len(s.steps) > 0 {
		return 0
	}
	return s.Step(name)
}

// check returns the number of a check.
func (s *Stream) check(name string) int {
	name = oneLine(name)
	if id, ok := s.checks[name]; ok {
		return id
	}
	if len(s.checks) >= mostChecks && name != OtherSteps {
		return s.check(OtherSteps)
	}
	id := len(s.checks)
	s.checks[name] = id
	s.put(false, func(b []byte) []byte { return appendNamed(b, frameCheck, int64(id), name) })
	return id
}

// Request records a request. It is held back until no more checks of its answer can come: until the virtual user's
// next request, or the end of the iteration.
func (s *Stream) Request(vu string, r *Request) {
	s.latest = max(s.latest, r.End)
	if other, ok := s.steps[OtherSteps]; ok && r.Step == other {
		s.mu.Lock()
		s.others++
		s.mu.Unlock()
	}
	if vu == "" {
		s.put(true, func(b []byte) []byte { return appendRequest(b, r) })
		return
	}
	s.release(vu)
	var p *pending
	if n := len(s.spare); n > 0 {
		p, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		p = new(pending)
	}
	p.Request = *r
	s.pending[vu] = p
}

// CheckMade counts a check for the last request of a virtual user. A check that comes long after its request, or
// without a request, belongs to no request.
func (s *Stream) CheckMade(vu, name string, held bool) {
	p := s.pending[vu]
	if p == nil {
		s.mu.Lock()
		s.loose++
		s.mu.Unlock()
		return
	}
	p.Checks++
	if held {
		return
	}
	if p.Wrong++; p.Wrong == 1 {
		p.Check = s.check(name)
	}
}

// release sends the request that is held back for a virtual user.
func (s *Stream) release(vu string) {
	p := s.pending[vu]
	if p == nil {
		return
	}
	delete(s.pending, vu)
	s.put(true, func(b []byte) []byte { return appendRequest(b, &p.Request) })
	s.spare = append(s.spare, p)
}

// Iteration reports that a virtual user has ended an iteration.
func (s *Stream) Iteration(vu string, end, duration time.Duration) {
	s.latest = max(s.latest, end)
	s.release(vu)
	s.put(true, func(b []byte) []byte { return appendIteration(b, end, duration) })
}

// Dropped reports iterations that did not begin because no virtual user was free.
func (s *Stream) Dropped(at time.Duration, n int64) {
	s.put(true, func(b []byte) []byte { return appendDropped(b, at, n) })
}

// Users reports how many virtual users are active.
func (s *Stream) Users(n int64) {
	s.put(true, func(b []byte) []byte { return appendUsers(b, n) })
}

// Exception reports that an exception ended an iteration.
func (s *Stream) Exception(at time.Duration, text string) {
	const most = 2000
	if len(text) > most {
		text = text[:most] + "…"
	}
	s.put(true, func(b []byte) []byte { return appendNamed(b, frameException, int64(at), text) })
}

// Note sends a note, with the number of messages lost so far.
func (s *Stream) Note(n Note) {
	s.mu.Lock()
	n.Lost, n.Others, n.Loose = s.lost, s.others, s.loose
	s.buf = appendNote(s.buf, &n)
	s.mu.Unlock()
	if n.Ready || n.Fault != nil || n.End != nil { // the receiver waits for these
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Sweep sends requests for which no more checks can come.
func (s *Stream) Sweep(now time.Time) {
	at := s.At(now)
	s.latest = max(s.latest, at)
	if at-s.swept < checksWait/4 {
		return
	}
	s.swept = at
	for vu, p := range s.pending {
		if at-p.End > checksWait {
			s.release(vu)
		}
	}
}
