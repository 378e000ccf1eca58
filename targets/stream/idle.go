package stream

import (
	"bufio"
	"errors"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"brunt/targets/park"
)

// errIdle ends the reader of an idle connection.
var errIdle = errors.New("nothing comes")

// readBuffer is the size in bytes of the buffer of a connection with a reader.
const readBuffer = 2 << 10

// readers holds the buffers of connections with a reader: without and with datagrams, of which the largest must fit.
var readers = [2]sync.Pool{
	{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }},
	{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }},
}

// buffers returns the pool of the buffers that fit a socket.
func (s *socket) buffers() *sync.Pool {
	if s.datagrams() {
		return &readers[1]
	}
	return &readers[0]
}

// reading says how long a connection has a reader. Thousands of streams are open at once, and a reader for each would
// need a stack and a buffer.
//
//	parked --something comes--> a message --nothing for IdleTime--> parked
//	                             '- if the one before came within IdleTime: wait for the next
type reading struct {
	parks  bool          // the connection may be without a reader
	plain  bool          // no data is buffered above the kernel, as it can be with TLS
	woken  bool          // woken up because something came
	waits  bool          // waits for the first byte of a message
	last   time.Duration // when the last message or control frame came
	armed  time.Duration // when the deadline of a wait was set; never if no deadline is set
	mu     sync.Mutex
	leaves time.Time // until when the other side may end the connection; zero: brunt does not leave
}

// never is before any other time.
const never = time.Duration(math.MinInt64)

// wait is called before a message is read. An error means that the reader must end.
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
	case r.plain && gap >= park.IdleTime:
		return errIdle
	case r.armed == never || now-r.armed >= park.IdleTime/2:
		r.armed = now
		s.readUntil(time.Now().Add(park.IdleTime))
	}
	return nil
}

// readUntil sets the deadline of reads, unless brunt leaves; zero means no deadline.
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

// rested reports whether a read failed only because the connection was idle, and not because of another deadline.
func (s *socket) rested(err error) bool {
	if !s.reading.parks || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.reading.mu.Lock()
	defer s.reading.mu.Unlock()
	return s.reading.leaves.IsZero()
}

// patient reads a socket. Within a message it continues to read when the idle wait would end.
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

// rest gives back the reader's buffer while the connection has no reader.
func (s *socket) rest() {
	s.reading.woken = true
	if s.reading.armed != never {
		s.reading.armed = never
		s.readUntil(time.Time{})
	}
	if s.br != nil {
		s.br.Reset(nil)
		s.buffers().Put(s.br)
		s.br = nil
	}
}

// takeBuffer takes a buffer to read from a source.
func (s *socket) takeBuffer(from io.Reader) {
	s.br = s.buffers().Get().(*bufio.Reader)
	s.br.Reset(from)
}
