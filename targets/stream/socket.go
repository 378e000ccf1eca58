package stream

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"brunt/targets"

	"github.com/gobwas/ws"
)

// socket is a TCP connection. Its messages are those of a WebSocket, or are told apart by a framing.
type socket struct {
	raw net.Conn // TCP
	net net.Conn // TLS over raw, or raw itself
	o   *targets.Options

	framing   *framing
	webSocket *webSocket    // nil: TCP
	br        *bufio.Reader // nil: it is not read yet
	began     time.Duration // of the message that is read

	writing sync.Mutex
	buf     []byte // of a control frame
	broken  error  // why a write failed; nil: none did
}

// use makes the connection one of messages. Br has what came behind a handshake; nil is nothing.
func (s *socket) use(br *bufio.Reader) {
	from := io.Reader(s.net)
	if br != nil && br.Buffered() > 0 {
		rest, _ := br.Peek(br.Buffered())
		from = io.MultiReader(bytes.NewReader(slices.Clone(rest)), s.net)
	}
	s.br = bufio.NewReaderSize(from, readBuffer)
	if s.webSocket != nil {
		s.webSocket.began = s.begins
		s.webSocket.answer = func(op ws.OpCode, data []byte) { _ = s.control(op, data) }
	}
}

// readBuffer is the size in bytes of the buffer of a connection: thousands are held at once.
const readBuffer = 2 << 10

// begins notes when a message begins.
func (s *socket) begins() { s.began = s.o.Now() }

// Read implements [Wire].
func (s *socket) Read() (a *Message, err error) {
	a = new(Message)
	if s.webSocket != nil {
		a.Data, _, err = s.webSocket.read(s.br)
	} else {
		a.Data, err = s.framing.read(s.br, s.begins)
	}
	if err != nil {
		_ = s.raw.Close()
		s.writing.Lock()
		defer s.writing.Unlock()
		if s.broken != nil { // it came first
			err = s.broken
		}
		return nil, err
	}
	a.First, a.End = s.began, s.o.Now()
	return a, nil
}

// Append implements [Wire].
func (s *socket) Append(dst, data []byte, binary bool) ([]byte, error) {
	if s.webSocket == nil {
		return s.framing.append(dst, data)
	}
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	if s.webSocket.compressed {
		small, err := deflate(data)
		if err != nil {
			return dst, err
		}
		return appendMasked(dst, op, compressedBit, small), nil
	}
	return appendMasked(dst, op, 0, data), nil
}

// Write implements [Wire].
func (s *socket) Write(b []byte, deadline time.Duration) (at time.Duration, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.net.SetWriteDeadline(s.o.T0.Add(deadline))
	err = s.write(b)
	return s.o.Now(), err
}

// write writes b. What could not be written as a whole ends the connection.
func (s *socket) write(b []byte) error {
	_, err := s.net.Write(b)
	if err != nil {
		s.broken = err
		_ = s.raw.Close()
	}
	return err
}

// control sends a control frame.
func (s *socket) control(op ws.OpCode, data []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.buf = appendMasked(s.buf[:0], op, 0, data)
	_ = s.net.SetWriteDeadline(time.Now().Add(CloseTime))
	return s.write(s.buf)
}

// Leave implements [Wire].
func (s *socket) Leave() (answers bool, err error) {
	if s.webSocket != nil {
		return true, s.control(ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))
	}
	if half, ok := s.net.(interface{ CloseWrite() error }); ok {
		return false, half.CloseWrite()
	}
	return false, nil
}

// Close implements [Wire].
func (s *socket) Close(left bool) error {
	if left && s.br != nil {
		return s.net.SetReadDeadline(time.Now().Add(CloseTime))
	}
	return s.raw.Close()
}
