package child

import (
	"encoding/json"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// scarce is a listener that has no descriptor for its first connections. It counts those that it accepts.
type scarce struct {
	fails    int
	conns    chan net.Conn
	closed   chan struct{}
	accepted atomic.Int32
}

func (l *scarce) Accept() (net.Conn, error) {
	if l.fails > 0 {
		l.fails--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	select {
	case c := <-l.conns:
		l.accepted.Add(1)
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *scarce) Close() error   { close(l.closed); return nil }
func (l *scarce) Addr() net.Addr { return nil }

// TestControl_Scarce calls Clear of a process that had no descriptor left, by more calls than it answers at once.
func TestControl_Scarce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &scarce{fails: 3, conns: make(chan net.Conn, 3*mostCalls), closed: make(chan struct{})}
		s := newServer("token", "")
		for range 2 * mostCalls { // which say nothing
			_, remote := net.Pipe()
			l.conns <- remote
		}
		local, remote := net.Pipe()
		l.conns <- remote
		s.wg.Go(func() { s.control(l) })
		time.Sleep(10 * acceptPause)
		if n := l.accepted.Load(); n == 0 || n > mostCalls+1 {
			t.Fatalf("%d calls are accepted, want at most %d", n, mostCalls+1)
		}
		if err := json.NewEncoder(local).Encode(clearRequest{"token", "key"}); err != nil {
			t.Error(err)
		}
		var a clearResponse
		if err := json.NewDecoder(local).Decode(&a); err != nil || !s.effects.isCleared("key") {
			t.Error(err)
		}
		_ = l.Close()
		s.wg.Wait()
	})
}
