package calls

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/park"
)

// A Line is a connection to a broker. F is a frame of its protocol.
//
//	Dial -> Login: synchronous reads from Reader -> reader.go: frames by arrived, one call at a time
type Line[F any] struct {
	targets.Lease
	park.Conn
	Reader  *bufio.Reader // for the login; afterwards only the line's own goroutine reads, or the call
	Address string        // host:port
	Number  uint64        // of the call that uses it; it makes replies to earlier calls recognisable
	Name    string        // the protocol's own, such as where replies come to
	Topic   string        // the subscription of the step that keeps the connection

	State any   // the protocol's own, set by the login
	User  *User // that alone uses the connection; nil: the users share it
	// Leave says goodbye before the connection is closed; nil: nothing is said. It must not wait
	Leave func()

	last    time.Duration // when the last call ended
	read    int64         // bytes that came, of which Reader has some
	queued  atomic.Int64  // bytes of the frames in arrived
	room    chan struct{} // receives a value when a call takes a frame
	raw     net.Conn      // below TLS
	asked   *h1.Conn      // reads for each call; nil: a goroutine reads
	arrived chan arrived[F]
	ended   chan struct{} // closed by end, after err is set
	closing atomic.Bool
	open    atomic.Bool // the login is over
	writing sync.Mutex  // for one write at a time, each with a deadline of its own
	failed  atomic.Pointer[error]
	err     error
	timer   *time.Timer

	lot   *park.Lot // nil: each call reads
	place park.Place
}

// freshTime is how long after an answer a call sends without a look whether the connection is open.
const freshTime = time.Millisecond

// arrived is a frame, and when it was read on the run's clock.
type arrived[F any] struct {
	frame F
	at    time.Duration
	size  int64 // bytes
	claim budget.Claim
}

// Read implements [net.Conn].
func (l *Line[F]) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.read += int64(n)
	return n, err
}

// answerTime is how long a write outside of a call may take.
const answerTime = time.Second

// Write writes bytes that belong to no call, such as the answer to a ping: the deadlines of calls, which
// [Exchange.Send] sets, do not bound it. During the login, that of the login does.
func (l *Line[F]) Write(b []byte) (int, error) {
	if !l.open.Load() {
		return l.Conn.Write(b)
	}
	n, err := l.write(b, time.Now().Add(answerTime))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &targets.Error{Cause: scenarios.Closed, Text: "brunt closed the connection: the server does not read"}
	}
	return n, err
}

// write writes bytes until a time.
func (l *Line[F]) write(b []byte, until time.Time) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	_ = l.SetWriteDeadline(until)
	return l.Conn.Write(b)
}

// queue queues a frame for a call. It returns false if there is no room.
func (l *Line[F]) queue(a arrived[F]) bool {
	if have := l.queued.Load(); have > 0 && have+a.size > mostQueued {
		return false
	}
	l.queued.Add(a.size) // before a call can take it
	select {
	case l.arrived <- a:
		return true
	default:
		l.queued.Add(-a.size)
		return false
	}
}

// taken notes that a call has taken a frame.
func (l *Line[F]) taken(a arrived[F]) {
	l.queued.Add(-a.size)
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// Secure makes the TLS handshake. Nothing that the server sent may be unread.
func (l *Line[F]) Secure(ctx context.Context, by *tls.Config) error {
	if l.Reader.Buffered() > 0 {
		return &targets.Error{Cause: scenarios.Protocol, Text: "the server sent something before the TLS handshake"}
	}
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	t := tls.Client(l.raw, naming(by, l.Address))
	if err := t.HandshakeContext(ctx); err != nil {
		return &targets.TLSError{Err: err}
	}
	l.Conn.Conn, l.Plain = t, false
	return nil
}

// ask ends the login of a connection that each call reads itself.
func (l *Line[F]) ask(t0 time.Time) error {
	raw, ok := l.raw.(*net.TCPConn)
	if !ok {
		return fmt.Errorf("the network opened a %T, and TCP is wanted", l.raw)
	}
	if l.Reader.Buffered() > 0 {
		return &targets.Error{Cause: scenarios.Protocol, Text: "the server sent something before it was asked"}
	}
	l.Reader, l.asked = nil, h1.NewConn(raw, t0)
	l.asked.Fresh = freshTime
	if l.Plain {
		l.asked.GoDirect()
	} else {
		l.asked.Conn = l.Conn.Conn
	}
	return nil
}

// Close closes the connection at once. A close alert of TLS might wait for a server that does not read.
func (l *Line[F]) Close() error {
	if l.closing.Swap(true) {
		return nil
	}
	if l.Leave != nil {
		l.Leave()
	}
	err := l.raw.Close()
	if l.lot != nil && l.lot.Take(&l.place) { // the kernel does not report a connection that brunt closes
		l.end(net.ErrClosed)
	}
	return err
}

// Fail closes the connection, and says why to the call that finds it closed.
func (l *Line[F]) Fail(err error) {
	l.failed.CompareAndSwap(nil, &err)
	_ = l.Close()
}

// over reports whether the connection has ended.
func (l *Line[F]) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// ReadWhole reads n bytes, and takes no more memory than they need until they have come. It reads them in parts, as
// memory that grows would leave five times as much garbage.
func ReadWhole(r io.Reader, n int) ([]byte, error) {
	const least, most = 64 << 10, 1 << 20
	var parts [][]byte
	for have := 0; ; {
		part := make([]byte, min(n-have, max(least, min(have, most))))
		got, err := io.ReadFull(r, part)
		if have += got; err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if parts = append(parts, part); have == n {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return slices.Concat(parts...), nil
}
