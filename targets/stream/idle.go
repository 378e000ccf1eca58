package stream

import (
	"bufio"
	"errors"
	"io"
	"math"
	"os"
	"sync"
	"time"
)

// errIdle ends the reader of a connection on which nothing comes.
var errIdle = errors.New("nothing comes")

// idleTime is for how long nothing comes, about, before a connection has no reader until something does.
const idleTime = time.Second

// readBuffer is the size in bytes of the buffer of a connection that is read.
const readBuffer = 2 << 10

// readers are the buffers of connections that are read.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}

// reading is how long a connection is read. Thousands of streams are held at once, and a reader each would keep a stack
// and a buffer.
//
//	parked --something comes--> a message --nothing for idleTime--> parked
//	                             '- the one before came within idleTime: wait for the next
type reading struct {
	parks  bool          // it may have no reader
	plain  bool          // what came and was not read is in the kernel
	woken  bool          // something came while it had no reader
	waits  bool          // for a message, of which nothing came yet
	last   time.Duration // the last message or control frame came
	armed  time.Duration // the deadline of a wait was set; never: there is none
	mu     sync.Mutex
	leaves time.Time // until then the other side may end the connection; zero: brunt does not leave
}

// never is before any other time.
const never = time.Duration(math.MinInt64)

// wait is called before a message is read. The error says that the reader is to end.
func (s *socket) wait() error {
	r := &s.reading
	if !r.parks || s.br.Buffered() > 0 {
		return nil
	}
	if r.woken {
		r.woken, r.waits = false, true
		return nil
	}
	now := s.o.Now()
	gap := now - r.last
	r.last, r.waits = now, true
	switch {
	case r.plain && gap >= idleTime:
		return errIdle
	case r.armed == never || now-r.armed >= idleTime/2:
		r.armed = now
		s.readUntil(time.Now().Add(idleTime))
	}
	return nil
}

// readUntil sets the deadline of reads, unless brunt leaves; zero: none.
func (s *socket) readUntil(at time.Time) {
	s.reading.mu.Lock()
	defer s.reading.mu.Unlock()
	if s.reading.leaves.IsZero() {
		_ = s.net.SetReadDeadline(at)
	}
}

// leaveBy gives the other side until a time to end the connection.
func (s *socket) leaveBy(at time.Time) error {
	s.reading.mu.Lock()
	defer s.reading.mu.Unlock()
	s.reading.leaves = at
	return s.net.SetReadDeadline(at)
}

// rested reports whether a read failed because nothing came in time, and no other deadline is over.
func (s *socket) rested(err error) bool {
	if !s.reading.parks || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.reading.mu.Lock()
	defer s.reading.mu.Unlock()
	return s.reading.leaves.IsZero()
}

// patient reads a socket. Within a message it goes on where the wait for one would end.
type patient struct{ *socket }

func (p patient) Read(b []byte) (int, error) {
	for {
		n, err := p.net.Read(b)
		if n > 0 || p.reading.waits || !p.rested(err) {
			return n, err
		}
		p.reading.armed = never
		p.readUntil(time.Time{})
	}
}

// rest gives the buffer of the reader back, for a time without one.
func (s *socket) rest() {
	s.reading.woken = true
	if s.reading.armed != never {
		s.reading.armed = never
		s.readUntil(time.Time{})
	}
	if s.br != nil {
		s.br.Reset(nil)
		readers.Put(s.br)
		s.br = nil
	}
}

// takeBuffer takes a buffer for what comes from a source.
func (s *socket) takeBuffer(from io.Reader) {
	s.br = readers.Get().(*bufio.Reader)
	s.br.Reset(from)
}
