package targetstest

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Backend is what the servers in the tests of protocols have in common. Such a server embeds it, reads the requests
// of its protocol, and asks Behave what to do with each:
//
//	Accept --serve--> request --Behave--> answer it, or end the connection
//
// With its Base it is a [Server].
type Backend struct {
	net.Listener

	opened, requests, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu    sync.Mutex
	marks []string
}

// SlowTime is how long the answer to a slow request takes.
const SlowTime = 200 * time.Millisecond

// Listen makes a Backend that does not accept yet, so that its address is known.
func Listen(t testing.TB) *Backend {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &Backend{Listener: l, release: make(chan struct{})}
}

// Serve calls serve for each connection, in its own goroutine, and closes the connection after it. It ends with the
// test.
func (b *Backend) Serve(t testing.TB, serve func(net.Conn)) {
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := b.Accept()
			if err != nil {
				return
			}
			b.opened.Add(1)
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = b.Close()
		b.Release()
		all.Wait()
	})
}

// Certificate returns the configuration of a server of TLS, whose authority no client knows.
func Certificate() *tls.Config {
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	return &tls.Config{Certificates: h.TLS.Certificates}
}

// Behave counts a request, and does what its name says: slow waits, hold notes the mark and waits for Release, cut and
// reset end the connection. Every other request is answered at once. It returns false if the connection is to be closed
// without an answer.
func (b *Backend) Behave(raw net.Conn, name, mark string) (answers bool) {
	b.requests.Add(1)
	switch name {
	case "slow":
		time.Sleep(SlowTime) // simulates work
	case "hold":
		if mark != "" {
			b.mu.Lock()
			b.marks = append(b.marks, mark)
			b.mu.Unlock()
		}
		b.held.Add(1)
		<-b.release
	case "cut":
		return false
	case "reset":
		_ = raw.(*net.TCPConn).SetLinger(0)
		return false
	}
	return true
}

// Requests implements [Server].
func (b *Backend) Requests() int64 { return b.requests.Load() }

// Connections implements [Server].
func (b *Backend) Connections() int64 { return b.opened.Load() }

// Held implements [Server].
func (b *Backend) Held() int64 { return b.held.Load() }

// Release implements [Server].
func (b *Backend) Release() { b.once.Do(func() { close(b.release) }) }

// Marks implements [Server].
func (b *Backend) Marks() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.marks)
}
