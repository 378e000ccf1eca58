package h3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// Codes of errors (RFC 9114, section 8.1).
const (
	codeNone      = 0x100
	codeProtocol  = 0x101
	codeRejected  = 0x10b
	codeCancelled = 0x10c
)

// Types of frames (RFC 9114, section 7.2).
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameSettings = 0x4
	frameGoAway   = 0x7
)

// settingMaxHead is the setting of the largest header that brunt reads.
const settingMaxHead = 0x6

// conn is an HTTP/3 connection, which carries many requests at once.
type conn struct {
	line   *Line
	began  time.Duration // when opening began
	opened chan struct{} // closed when opening ended
	failed error         // why it could not be opened; valid once opened is closed
	quic   *quic.Conn    // valid once opened is closed without an error

	transport *quic.Transport
	udp       net.Conn
	ending    sync.Once

	active   int          // places taken; the line's mutex guards it
	leaving  atomic.Bool  // it accepts no more requests
	left     atomic.Int64 // requests until it accepts no more; negative: no limit
	born     time.Duration
	answered atomic.Int64 // when the last answer ended; zero: none has come
	last     atomic.Int64 // streams from this number on were not begun by the server, which ends the connection
}

func newConn(l *Line, began time.Duration) *conn {
	c := &conn{line: l, began: began, opened: make(chan struct{})}
	c.last.Store(math.MaxInt64)
	c.left.Store(-1)
	return c
}

// isOpen reports whether the connection was opened.
func (c *conn) isOpen() bool {
	select {
	case <-c.opened:
		return c.failed == nil
	default:
		return false
	}
}

// isClosed reports whether an open connection has ended.
func (c *conn) isClosed() bool { return c.quic.Context().Err() != nil }

// worn reports whether the connection accepts no more requests.
func (c *conn) worn(now time.Duration) bool {
	o := &c.line.of.o.Connections
	age, idle := o.MaxAge.D(), o.MaxIdle.D()
	return c.leaving.Load() || age > 0 && c.isOpen() && now-c.born >= age ||
		idle > 0 && c.answered.Load() > 0 && now-time.Duration(c.answered.Load()) >= idle
}

// Windows that brunt grants to the server. They are so large that the server never waits for brunt.
const (
	streamWindow = 1 << 20
	connWindow   = 1 << 24
)

// Times of a connection on which nothing comes.
const (
	idleTime  = 5 * time.Minute  // after which it is over
	keepAlive = 15 * time.Second // between packets that keep it, as an intermediary forgets an idle one
)

// open opens the connection.
func (c *conn) open(ctx context.Context) (err error) {
	defer scenarios.Recover(&err)
	o := c.line.of.o
	if c.udp, err = c.line.of.net.DialUDP(ctx, c.line.address, c.line.of.begun.Add(1)-1); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.end()
		}
	}()
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	udp, ok := c.udp.(*net.UDPConn)
	if !ok {
		return fmt.Errorf("the network opened a %T, and UDP is wanted", c.udp)
	}
	c.transport = &quic.Transport{Conn: connected{udp}}
	c.quic, err = c.transport.Dial(ctx, udp.RemoteAddr(), c.line.tls, &quic.Config{
		HandshakeIdleTimeout: max(time.Second, 2*o.Timeout), MaxIdleTimeout: idleTime, KeepAlivePeriod: keepAlive,
		InitialStreamReceiveWindow: streamWindow, MaxStreamReceiveWindow: streamWindow,
		InitialConnectionReceiveWindow: connWindow, MaxConnectionReceiveWindow: connWindow,
		MaxIncomingStreams: -1,
	})
	if err != nil {
		return handshakeError(err)
	}
	if err := c.greet(); err != nil {
		return err
	}
	n := c.line.of.opened.Add(1)
	c.born = o.Now()
	c.left.Store(int64(o.Reuse(n)))
	if !o.KeepsAlive() {
		c.left.Store(1)
	}
	if !c.line.of.Go(c.accept) {
		return targets.ErrAborted
	}
	return nil
}

// handshakeError marks an error of TLS as one.
func handshakeError(err error) error {
	if t, ok := errors.AsType[*quic.TransportError](err); ok && t.ErrorCode.IsCryptoError() {
		return &targets.TLSError{Err: err}
	}
	return err
}

// greet opens brunt's control stream.
func (c *conn) greet() error {
	s, err := c.quic.OpenUniStream()
	if err != nil {
		return err
	}
	setting := quicvarint.Append(quicvarint.Append(nil, settingMaxHead), h1.MaxHead)
	b := quicvarint.Append([]byte{0, frameSettings}, uint64(len(setting)))
	_, err = s.Write(append(b, setting...))
	return err
}

// close ends the connection in order.
func (c *conn) close() {
	select {
	case <-c.opened:
		c.end()
	default: // open ends it
	}
}

func (c *conn) end() {
	c.ending.Do(func() {
		if c.quic != nil {
			_ = c.quic.CloseWithError(codeNone, "")
		}
		if c.transport != nil {
			_ = c.transport.Close()
		}
		if c.udp != nil {
			_ = c.udp.Close()
		}
	})
}

// silent reports whether nothing has come on the connection since the request of the place was sent.
func (p *place) silent() bool { return p.on.quic.ConnectionStats().PacketsReceived == p.before }

// accept reads the streams that the server opens, until the connection ends.
func (c *conn) accept() {
	ctx := c.quic.Context()
	for {
		s, err := c.quic.AcceptUniStream(ctx)
		if err != nil || !c.line.of.Go(func() {
			if err := c.control(s); err != nil {
				_ = c.quic.CloseWithError(codeProtocol, "")
			}
		}) {
			c.line.leave(c)
			return
		}
	}
}

// errControl means that the server violates the protocol on a stream of its own.
var errControl = errors.New("the server's control stream is not HTTP/3")

// control reads a stream that the server has opened. Brunt's header tables are empty, so that it only watches for
// GOAWAY.
func (c *conn) control(s *quic.ReceiveStream) (err error) {
	defer scenarios.Recover(&err)
	br := bufio.NewReaderSize(s, 256)
	kind, err := quicvarint.Read(br)
	switch {
	case err != nil:
		return nil // the connection is over
	case kind == 1: // pushes, which brunt does not allow
		return errControl
	case kind != 0: // of the header tables, or unknown
		_, _ = io.Copy(io.Discard, br)
		return nil
	}
	for first := true; ; first = false {
		kind, length, err := frame(br)
		switch {
		case err != nil:
			if c.isClosed() {
				return nil
			}
			return err
		case first && kind != frameSettings, kind == frameData, kind == frameHeaders:
			return errControl
		case kind != frameGoAway:
			if _, err := io.CopyN(io.Discard, br, int64(length)); err != nil {
				return nil
			}
			continue
		}
		id, err := quicvarint.Read(br)
		if err != nil || int(length) != quicvarint.Len(id) {
			return errControl
		}
		c.last.Store(int64(id))
		c.line.leave(c)
	}
}

// frame reads the type and the length of a frame.
func frame(br *bufio.Reader) (kind, length uint64, err error) {
	if kind, err = quicvarint.Read(br); err != nil {
		return 0, 0, err
	}
	if length, err = quicvarint.Read(br); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return kind, length, err
}

// stream opens a stream for a request. If the server allows no more at the moment, the wait is queue time.
func (c *conn) stream(r *Request, out *scenarios.Outcome) (*quic.Stream, error) {
	s, err := c.quic.OpenStream()
	if _, limited := errors.AsType[*quic.StreamLimitReachedError](err); !limited {
		return s, err
	}
	c.line.of.waits.Add(1)
	o := c.line.of.o
	ctx, cancel := context.WithDeadline(c.line.of.Over(), o.T0.Add(r.Deadline))
	defer cancel()
	s, err = c.quic.OpenStreamSync(ctx)
	if !r.Follows {
		out.Slot = o.Now()
	}
	return s, err
}

// errRejected means that the server refused a request before it began to process it.
var errRejected = error(&targets.Error{Cause: scenarios.Refused, Text: "the server rejected the request"})

// untouched reports whether the server has certainly not begun to process the request on a stream that failed.
func (c *conn) untouched(s *quic.Stream, err error) bool {
	if err == nil || errors.Is(err, errRejected) {
		return err != nil
	}
	reset, ok := errors.AsType[*quic.StreamError](err)
	return ok && reset.Remote && reset.ErrorCode == codeRejected || int64(s.StreamID()) >= c.last.Load()
}

// streamReset means that the server ended a stream.
type streamReset struct{ code quic.StreamErrorCode }

func (e *streamReset) Error() string {
	return fmt.Sprintf("the server reset the stream: code %#x", uint64(e.code))
}

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *streamReset) ErrorCause() scenarios.Cause { return scenarios.Reset }

// explain turns an error of QUIC into one with its cause.
func (c *conn) explain(err error) error {
	reset, ok := errors.AsType[*quic.StreamError](err)
	switch {
	case ok && reset.Remote && reset.ErrorCode == codeRejected:
		return errRejected
	case ok && reset.Remote:
		return &streamReset{reset.ErrorCode}
	case err != nil:
		return handshakeError(err)
	}
	return nil
}

// connected is a socket that is connected to the server, which the system demands to write to without an address.
type connected struct{ *net.UDPConn }

func (c connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

func (c connected) WriteMsgUDP(b, oob []byte, _ *net.UDPAddr) (n, oobn int, err error) {
	return c.UDPConn.WriteMsgUDP(b, oob, nil)
}
