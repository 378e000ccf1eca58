package http_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"

	"golang.org/x/sys/unix"
)

// TestHTTP_Resent: a request whose SYN got no answer, because the queue of connections to accept was full, and was sent
// again by the system says so: when it connected in the end, and when it timed out.
func TestHTTP_Resent(t *testing.T) {
	fd, url, held := fullQueue(t)
	r := newFixture(t, targets.Options{Base: url}, "get: /")
	early := r.user(0).Do(0, 1300*time.Millisecond)
	r.want(early, "timeout")
	if p := early.Opening; p.Resent != 1 || p.Connect < 1200*time.Millisecond {
		t.Errorf("timed out: %+v", p)
	}
	done := make(chan scenarios.Outcome, 1)
	go func() { done <- r.user(1).Do(0, long) }()
	time.Sleep(300 * time.Millisecond) // simulates a target that answers no SYN for this long
	for _, c := range held {
		_ = c.Close()
	}
	go serveAll(fd)
	out := <-done
	r.want(out, "ok 200")
	if p := out.Opening; p.Resent < 1 || p.Connect < 900*time.Millisecond ||
		out.Timings()[scenarios.InConnect] != p.Connect {
		t.Errorf("connected: %+v", p)
	}
	if p := r.user(2).Do(0, long).Opening; p.Resent != 0 {
		t.Errorf("later: %+v", p)
	}
}

// fullQueue listens without accepting, until its queue is full. The connections in it are held.
func fullQueue(t *testing.T) (l net.Listener, url string, held []net.Conn) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err := errors.Join(err, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
		unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	if l, err = net.FileListener(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for range 20 {
		c, err := net.DialTimeout("tcp4", l.Addr().String(), 300*time.Millisecond)
		if err != nil {
			return l, "http://" + l.Addr().String(), held
		}
		held = append(held, c)
	}
	t.Fatal("the queue never was full")
	return nil, "", nil
}

// serveAll answers one request of each connection.
func serveAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 4096)
			if n, _ := c.Read(b); strings.HasPrefix(string(b[:n]), "GET") {
				_, _ = io.WriteString(c, hello)
			}
		}()
	}
}
