package targetstest

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// A turn is what a server does that stops to behave.
type turn int32

const (
	behaves  turn = iota
	stays         // it behaves, and ends no connection any more
	floods        // it sends its last bytes again and again
	deaf          // it reads nothing any more
	halfDone      // it ends its own direction and reads on
	turns         // their number
)

func (w turn) String() string {
	return [...]string{"behaves", "stays", "floods", "deaf", "half-closed"}[w]
}

// A turncoat passes bytes between clients and a server, until it turns. From then on it never ends a connection,
// whatever the client does.
type turncoat struct {
	net.Listener
	to     string
	over   chan struct{} // closed at the end of the test
	turn   atomic.Int32
	turned atomic.Int64 // connections on which it shows, or which the client has ended

	mu    sync.Mutex
	conns []*net.TCPConn // two of each client
	all   sync.WaitGroup
}

// startTurncoat starts a turncoat before host:port, which ends with the test.
func startTurncoat(t testing.TB, to string) *turncoat {
	l, err := net.Listen("tcp", net.JoinHostPort(hostOf("//"+to), "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &turncoat{Listener: l, to: to, over: make(chan struct{})}
	r.all.Go(func() {
		for {
			c, err := r.Accept()
			if err != nil {
				return
			}
			r.all.Go(func() { r.pass(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = r.Close()
		close(r.over)
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.all.Wait()
	})
	return r
}

// at returns the URL of a server with the turncoat's port in place of the server's.
func (r *turncoat) at(base string) string {
	return strings.Replace(base, portOf(base), portOf("//"+r.Addr().String()), 1)
}

// become turns, and waits until it shows on all connections.
func (r *turncoat) become(t testing.TB, how turn) {
	r.turn.Store(int32(how))
	if !suite.Within(long, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return how == stays || how == deaf || r.turned.Load() >= int64(len(r.conns)/2)
	}) {
		t.Errorf("%d connections are %v", r.turned.Load(), how)
	}
}

// keep keeps connections until the end of the test.
func (r *turncoat) keep(c ...*net.TCPConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c...)
}

// pass relays one connection.
func (r *turncoat) pass(c *net.TCPConn) {
	up, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = c.Close()
		return
	}
	s := up.(*net.TCPConn)
	r.keep(c, s)
	shown := sync.OnceFunc(func() { r.turned.Add(1) })
	defer shown()
	r.all.Go(func() { // what the client says
		b := make([]byte, 16<<10)
		for {
			n, err := c.Read(b)
			if turn(r.turn.Load()) == deaf {
				return
			}
			if _, bad := s.Write(b[:n]); err != nil || bad != nil {
				break
			}
		}
		if turn(r.turn.Load()) == behaves {
			_ = s.CloseWrite()
		}
	})
	said := make(chan []byte)
	r.all.Go(func() {
		defer close(said)
		b := make([]byte, 16<<10)
		for {
			n, err := s.Read(b)
			if n > 0 {
				said <- slices.Clone(b[:n])
			}
			if err != nil {
				return
			}
		}
	})
	const look = 5 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	last := []byte("x\r\n")
	for in := said; ; {
		select {
		case b, more := <-in:
			if !more {
				in = nil
				if turn(r.turn.Load()) == behaves {
					_ = c.Close()
					return
				}
				continue
			}
			last = b
			if _, err := c.Write(b); err != nil {
				_ = s.Close()
				for range said { // until its reader has ended
				}
				return
			}
			continue
		case <-tick.C:
		case <-r.over:
			_ = s.Close()
			for range said { // until its reader has ended
			}
			return
		}
		switch turn(r.turn.Load()) {
		case floods:
			_ = s.Close()
			for range said { // until its reader has ended
			}
			flood(c, last, shown)
			return
		case halfDone:
			_ = c.CloseWrite()
			shown()
			for range said { // until its reader has ended
			}
			return
		}
	}
}

// flood sends a text again and again until the connection ends. It calls shown when the other side has read much of it,
// or does not read.
func flood(c *net.TCPConn, text []byte, shown func()) {
	const much, patience = 16 << 20, 100 * time.Millisecond // more than the buffers of a connection
	all := bytes.Repeat(text, 1+(64<<10)/len(text))
	for sent := 0; ; {
		_ = c.SetWriteDeadline(time.Now().Add(patience))
		n, err := c.Write(all[sent%len(all):])
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !late {
			return
		}
		if sent += n; late || sent > much {
			shown()
		}
	}
}
