package stream

import (
	"bufio"
	"errors"
	"io"
	"sync"

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

// reading says how long a connection has a reader.
type reading struct {
	park.Conn
	parks bool // the connection may be without a reader
	woken bool // woken up because something came
}

// wait is called before a message is read. An error means that the reader must end.
func (s *socket) wait() error {
	r := &s.reading
	switch {
	case !r.parks || s.br.Buffered() > 0:
	case r.woken:
		r.woken = false
	case !r.Wait(s.o.Now()):
		return errIdle
	}
	return nil
}

// rest gives back the reader's buffer while the connection has no reader.
func (s *socket) rest() {
	s.reading.woken = true
	s.reading.Rest()
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
