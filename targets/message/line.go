package message

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// A Line is a connection to a broker. F is a frame of its protocol.
//
//	Dial -> Login: synchronous reads from Reader -> the goroutine of read: frames by arrived, one call at a time
type Line[F any] struct {
	targets.Lease
	net.Conn
	Reader  *bufio.Reader // for the login; afterwards only the line's own goroutine reads, or the call
	Address string        // host:port
	Number  uint64        // of the call that uses it; it makes replies to earlier calls recognisable
	Name    string        // the protocol's own, such as where replies come to
	Topic   string        // the subscription of the step that keeps the connection

	State any   // the protocol's own, set by the login
	User  *User // that alone uses the connection; nil: the users share it
	// Leave says goodbye before the connection is closed; nil: nothing is said. It must not wait
	Leave func()

	raw     net.Conn // below TLS
	asked   *h1.Conn // reads for each call; nil: a goroutine reads
	arrived chan arrived[F]
	ended   chan struct{} // closed by the goroutine that reads, after err is set
	closing atomic.Bool
	failed  atomic.Pointer[error]
	err     error
	timer   *time.Timer
}

// arrived is a frame, and when it was read on the run's clock.
type arrived[F any] struct {
	frame F
	at    time.Duration
}

const (
	readBuffer = 8 << 10 // bytes
	mostAhead  = 64      // frames
)

func newLine[F any](raw net.Conn, address string, buffer int) *Line[F] {
	return &Line[F]{
		Conn: raw, raw: raw, Address: address, Reader: bufio.NewReaderSize(raw, cmp.Or(buffer, readBuffer)),
	}
}

// Secure makes the TLS handshake. Nothing that the server sent may be unread.
func (l *Line[F]) Secure(ctx context.Context, by *tls.Config) error {
	if l.Reader.Buffered() > 0 {
		return &targets.Error{Cause: scenarios.Protocol, Text: "the server sent something before the TLS handshake"}
	}
	if by.ServerName == "" {
		by = by.Clone()
		by.ServerName, _, _ = net.SplitHostPort(l.Address)
	}
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	t := tls.Client(l.raw, by)
	if err := t.HandshakeContext(ctx); err != nil {
		return &targets.TLSError{Err: err}
	}
	l.Conn = t
	l.Reader.Reset(t)
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
	if l.Conn == l.raw {
		l.asked.GoDirect()
	} else {
		l.asked.Conn = l.Conn
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
	return l.raw.Close()
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

// read reads frames until the connection ends. Take handles those that no call waits for, and reports whether it did.
func (l *Line[F]) read(next func(*bufio.Reader) (F, error), take func(*Line[F], F) (bool, error),
	now func() time.Duration,
) {
	defer close(l.ended)
	for {
		f, taken, err := l.one(next, take)
		if err != nil {
			if l.err = err; l.failed.Load() != nil {
				l.err = *l.failed.Load()
			}
			return
		}
		if taken {
			continue
		}
		at := now()
		select {
		case l.arrived <- arrived[F]{f, at}:
			continue
		default:
		}
		if l.err = l.wait(arrived[F]{f, at}); l.err != nil {
			return
		}
	}
}

// wait waits until a call takes a frame, which it does unless the connection is given up.
func (l *Line[F]) wait(a arrived[F]) error {
	const look = 100 * time.Millisecond
	for timer := time.NewTimer(look); ; timer.Reset(look) {
		select {
		case l.arrived <- a:
			timer.Stop()
			return nil
		case <-timer.C:
			if l.closing.Load() {
				return net.ErrClosed
			}
		}
	}
}

// one reads a frame. A panic of a codec is an error of the connection.
func (l *Line[F]) one(next func(*bufio.Reader) (F, error), take func(*Line[F], F) (bool, error)) (f F, taken bool,
	err error,
) {
	defer scenarios.Recover(&err)
	if f, err = next(l.Reader); err == nil && take != nil {
		taken, err = take(l, f)
	}
	return f, taken, err
}

// ReadWhole reads n bytes, and takes no more memory than they need until they have come.
func ReadWhole(r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	b := make([]byte, min(n, step))
	for have := 0; ; {
		got, err := io.ReadFull(r, b[have:])
		if have += got; err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if have == n {
			return b, nil
		}
		b = append(b, make([]byte, min(n-have, have))...)
	}
}
