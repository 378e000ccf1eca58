package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/targets"
	"brunt/targets/park"
	"brunt/targets/stream/websocket"

	"github.com/gobwas/ws"
)

// socket is a TCP connection, or a socket of UDP that is connected to the server. Its messages are those of a
// WebSocket, or separated by a framing.
type socket struct {
	raw net.Conn // TCP or UDP
	net net.Conn // TLS over raw, or raw itself
	o   *targets.Options

	framing   *framing
	webSocket *websocket.Reader // nil: TCP
	used      bool              // it carries messages
	br        *bufio.Reader     // nil: it has no reader
	began     time.Duration     // when the message that is being read began
	reading   reading
	place     park.Place            // while it has no reader
	unread    atomic.Pointer[error] // why a read failed; nil: none failed

	writing sync.Mutex
	buf     []byte // of a control frame
	broken  error  // why a write failed; nil: none failed
}

// use prepares the connection for messages. Br has the bytes after a handshake; nil means none.
func (s *socket) use(br *bufio.Reader) {
	s.reading.Conn.Conn = s.net
	from := io.Reader(&s.reading)
	if br != nil && br.Buffered() > 0 {
		rest, _ := br.Peek(br.Buffered())
		from = io.MultiReader(bytes.NewReader(slices.Clone(rest)), from)
	} else {
		s.reading.Plain = s.net == s.raw
	}
	s.used = true
	s.takeBuffer(from)
	if s.webSocket != nil {
		s.webSocket.Wait, s.webSocket.Began, s.webSocket.Claim = s.wait, s.begins, &s.reading.Claim
		s.webSocket.Answer = func(op ws.OpCode, data []byte) { _ = s.control(op, data) }
	}
}

// begins records when a message begins.
func (s *socket) begins() { s.began, s.reading.Waits = s.o.Now(), false }

// Read implements [Wire]. After errIdle the connection must be parked.
func (s *socket) Read() (a *Message, err error) {
	a = messages.Get().(*Message)
	if s.br == nil {
		s.takeBuffer(&s.reading)
	}
	if s.webSocket != nil {
		a.Data, _, err = s.webSocket.Read(s.br, a.Data)
	} else if err = s.wait(); err == nil {
		a.Data, err = s.framing.read(s.br, a.Data, s.begins)
	}
	if err == errIdle || s.reading.Idle(err) {
		return nil, errIdle
	}
	if err != nil {
		s.reading.Claim.Release()
		failed := err // err itself stays off the heap, as each message has one
		s.unread.Store(&failed)
		_ = s.raw.Close()
		s.writing.Lock()
		defer s.writing.Unlock()
		if s.broken != nil { // the failed write came first
			err = s.broken
		}
		return nil, err
	}
	a.First, a.End, a.Claim = s.began, s.o.Now(), s.reading.Claim.Move()
	return a, nil
}

func (s *socket) Append(dst, data []byte, binary bool) ([]byte, error) {
	if s.webSocket == nil {
		return s.framing.append(dst, data)
	}
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	if s.webSocket.Compressed {
		small, err := websocket.Deflate(data)
		if err != nil {
			return dst, err
		}
		return websocket.AppendMasked(dst, op, websocket.CompressedBit, small), nil
	}
	return websocket.AppendMasked(dst, op, 0, data), nil
}

func (s *socket) Write(b []byte, deadline time.Duration) (at time.Duration, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.net.SetWriteDeadline(s.o.T0.Add(deadline))
	err = s.write(b)
	return s.o.Now(), err
}

// write writes b. If b can't be written completely, the connection ends.
func (s *socket) write(b []byte) error {
	_, err := s.net.Write(b)
	if err != nil {
		if unread := s.unread.Load(); unread != nil && errors.Is(err, net.ErrClosed) { // the failed read came first
			err = *unread
		}
		s.broken = err
		_ = s.raw.Close()
	}
	return err
}

// control sends a control frame.
func (s *socket) control(op ws.OpCode, data []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.buf = websocket.AppendMasked(s.buf[:0], op, 0, data)
	_ = s.net.SetWriteDeadline(time.Now().Add(CloseTime))
	return s.write(s.buf)
}

func (s *socket) Leave() (answers bool, err error) {
	if s.webSocket != nil {
		return true, s.control(ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))
	}
	if half, ok := s.net.(interface{ CloseWrite() error }); ok {
		return false, half.CloseWrite()
	}
	return false, nil
}

func (s *socket) Close(left bool) error {
	if left && s.used && !s.datagrams() {
		return s.reading.LeaveBy(time.Now().Add(CloseTime))
	}
	return s.raw.Close()
}

// datagrams reports whether the messages are datagrams, whose other side does not end anything.
func (s *socket) datagrams() bool { return s.framing != nil && s.framing.datagrams }
