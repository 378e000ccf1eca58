package proxy_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios/suite"
)

// patience is the timeout for expected events. It is no measurement.
const patience = 20 * time.Second

// An upstream is a test server.
type upstream struct {
	l     *net.TCPListener
	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []*net.TCPConn
}

// serve starts an upstream that passes each connection to f and closes it afterwards.
func serve(t testing.TB, f func(c *net.TCPConn)) *upstream {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{l: l}
	u.wg.Go(func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.conns = append(u.conns, c)
			u.mu.Unlock()
			u.wg.Go(func() {
				f(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		u.mu.Lock()
		for _, c := range u.conns {
			_ = c.Close()
		}
		u.mu.Unlock()
		u.wg.Wait()
	})
	return u
}

func (u *upstream) addr() string { return u.l.Addr().String() }

// start starts a proxy in front of u.
func start(t testing.TB, u *upstream, c proxy.Config) *proxy.Proxy {
	t.Helper()
	c.Upstream = u.addr
	p, err := proxy.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("closing the proxy: %v", err)
		}
	})
	return p
}

// dial connects to the proxy, with a deadline that only a hang reaches.
func dial(t testing.TB, p *proxy.Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

func add(t testing.TB, p *proxy.Proxy, x proxy.Toxic) proxy.Toxicity {
	t.Helper()
	tox, err := p.Add(x)
	if err != nil {
		t.Fatal(err)
	}
	return tox
}

func remove(t testing.TB, x proxy.Toxicity) {
	t.Helper()
	if err := x.Remove(); err != nil {
		t.Fatal(err)
	}
}

// ask sends s and expects it back.
func ask(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(s))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatalf("no answer to %q: %v", s, err)
	}
	if string(b) != s {
		t.Fatalf("got %q back for %q", b, s)
	}
}

// silent checks that no data arrives for a while.
func silent(t testing.TB, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	defer func() { _ = c.SetReadDeadline(time.Now().Add(patience)) }()
	n, err := c.Read(make([]byte, 64))
	var ne net.Error
	if n > 0 || !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("want silence, got %d bytes, %v", n, err)
	}
}

// isReset checks that the connection was reset.
func isReset(t testing.TB, c net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, c)
	if proxy.OutcomeOf(err) != proxy.WasReset {
		t.Fatalf("want a reset, got %v", err)
	}
}

// isEnded checks that the stream ended in order.
func isEnded(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		t.Fatalf("want the stream's end, got %d bytes, %v", n, err)
	}
}

// stops waits until a count is least at least and has not grown for a moment, as when a reader is stuck.
// It returns the count.
func stops(t testing.TB, what string, least int64, count func() int64) int64 {
	t.Helper()
	const moment = 20 * time.Millisecond
	last, since := count(), time.Now()
	eventually(t, what, func() bool {
		if now := count(); now != last {
			last, since = now, time.Now()
		}
		return last >= least && time.Since(since) >= moment
	})
	return last
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	suite.Until(t, what, f)
}

// counts checks the proxy's counts. It retries, because the proxy counts a moment after the bytes
// have left.
func counts(t testing.TB, what string, p *proxy.Proxy, f func(proxy.Traffic) bool) {
	t.Helper()
	if !suite.Within(patience, func() bool { return f(p.Stats()) }) {
		t.Fatalf("never: %s: %+v", what, p.Stats())
	}
}

// A checked stream is numbered blocks with a checksum, which reveal lost, repeated or reordered
// bytes.
func writeBlock(w io.Writer, r *rand.ChaCha8, n uint32) error {
	b := make([]byte, 12+r.Uint64()%3000)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	binary.BigEndian.PutUint32(b[4:], n)
	_, _ = r.Read(b[12:])
	binary.BigEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	_, err := w.Write(b)
	return err
}

var errBlock = errors.New("the stream is damaged")

func readBlock(r io.Reader, n uint32) error {
	var h [12]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return err
	}
	size, number, sum := binary.BigEndian.Uint32(h[:]), binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	if size < 12 || size > 4096 || number != n {
		return fmt.Errorf("%w: block %d of %d bytes, want %d", errBlock, number, size, n)
	}
	b := make([]byte, size-12)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	if crc32.ChecksumIEEE(b) != sum {
		return fmt.Errorf("%w: block %d", errBlock, n)
	}
	return nil
}

// echo sends back what it receives.
func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }
