package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

func TestPassesBytes(t *testing.T) {
	for _, http := range []bool{false, true} {
		t.Run(fmt.Sprintf("http=%v", http), func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{HTTP: http})
			c := dial(t, p)
			ask(t, c, "\x00hello")
			sent := make([]byte, 3<<20)
			r := rand.NewChaCha8([32]byte{1})
			_, _ = r.Read(sent)
			sent[0] = 0
			go func() {
				_, _ = c.Write(sent)
				_ = c.CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("got %d of %d bytes back, equal %v: %v", len(got), len(sent), bytes.Equal(got, sent), err)
			}
			want := proxy.Traffic{Connections: 1, Forward: int64(len(sent)) + 6, Back: int64(len(sent)) + 6}
			if http { // the bytes are of no protocol that it reads
				want.Unread = 1
			}
			counts(t, "all that passed", p, func(s proxy.Traffic) bool { return s == want })
		})
	}
}

func TestHalfClose(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
	}{
		{"clean", nil},
		{"late", toxics.Latency{Delay: 5 * time.Millisecond, Direction: proxy.Both}},
		{"shaped", toxics.Bandwidth{Rate: 1 << 20}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			release := make(chan struct{})
			p := start(t, serve(t, func(c *net.TCPConn) {
				b, err := io.ReadAll(c) // the client's end of stream
				if err != nil {
					t.Errorf("upstream: %v", err)
				}
				<-release
				_, _ = c.Write(b)
			}), proxy.Config{})
			if tc.toxic != nil {
				add(t, p, tc.toxic)
			}
			c := dial(t, p)
			_, _ = io.WriteString(c, "all of it")
			_ = c.CloseWrite()
			silent(t, c)
			close(release)
			if b, err := io.ReadAll(c); err != nil || string(b) != "all of it" {
				t.Fatalf("got %q, %v", b, err)
			}
		})
		t.Run(tc.name+" from upstream", func(t *testing.T) {
			got := make(chan string, 1)
			p := start(t, serve(t, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "bye")
				_ = c.CloseWrite()
				b, _ := io.ReadAll(c)
				got <- string(b)
			}), proxy.Config{})
			if tc.toxic != nil {
				add(t, p, tc.toxic)
			}
			c := dial(t, p)
			if b, err := io.ReadAll(c); err != nil || string(b) != "bye" {
				t.Fatalf("got %q, %v", b, err)
			}
			_, _ = io.WriteString(c, "still here")
			_ = c.Close()
			if b := <-got; b != "still here" {
				t.Errorf("upstream got %q after its half-close", b)
			}
		})
	}
}

func TestResetPassesThrough(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
		http  bool
	}{
		{"clean", nil, false},
		{"parsed", nil, true},
		{"late", toxics.Latency{Delay: 5 * time.Millisecond, Direction: proxy.Both}, false},
		{"shaped", toxics.Bandwidth{Rate: 1 << 20}, false},
	} {
		t.Run("from upstream, "+tc.name, func(t *testing.T) {
			p := start(t, serve(t, func(c *net.TCPConn) {
				b := make([]byte, 1)
				_, _ = c.Read(b)
				_, _ = c.Write(b)
				_, _ = c.Read(b)
				_ = c.SetLinger(0)
			}), proxy.Config{HTTP: tc.http})
			if tc.toxic != nil {
				add(t, p, tc.toxic)
			}
			for range 20 {
				c := dial(t, p)
				ask(t, c, "\x00")
				_, _ = io.WriteString(c, "x")
				isReset(t, c)
			}
		})
		t.Run("from the client, "+tc.name, func(t *testing.T) {
			errs := make(chan error, 1)
			p := start(t, serve(t, func(c *net.TCPConn) {
				_, err := io.Copy(c, c)
				errs <- err
			}), proxy.Config{HTTP: tc.http})
			if tc.toxic != nil {
				add(t, p, tc.toxic)
			}
			for range 20 {
				c := dial(t, p)
				ask(t, c, "\x00")
				_ = c.SetLinger(0)
				_ = c.Close()
				if err := <-errs; proxy.OutcomeOf(err) != proxy.WasReset {
					t.Fatalf("upstream saw %v, not a reset", err)
				}
			}
		})
	}
	t.Run("while the client sends", func(t *testing.T) {
		// The reset then arrives during the proxy's write as often as during its read, and is
		// reported only once. The client has sent all its data, so that it does not get its own
		// reset.
		p := start(t, serve(t, func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 64<<10))
			_ = c.SetLinger(0)
		}), proxy.Config{})
		add(t, p, toxics.Latency{Delay: time.Millisecond})
		for range 200 {
			c := dial(t, p)
			if _, err := c.Write(make([]byte, 512<<10)); err == nil {
				isReset(t, c)
			} else if proxy.OutcomeOf(err) != proxy.WasReset {
				t.Fatal(err)
			}
		}
	})
	t.Run("after a half-close", func(t *testing.T) {
		p := start(t, serve(t, func(c *net.TCPConn) {
			_ = c.CloseWrite()
			_, _ = c.Read(make([]byte, 1))
			_ = c.SetLinger(0)
		}), proxy.Config{})
		c := dial(t, p)
		isEnded(t, c)
		eventually(t, "a write fails", func() bool {
			_, err := io.WriteString(c, "x")
			return proxy.OutcomeOf(err) == proxy.WasReset
		})
	})
}

func TestUpstream(t *testing.T) {
	t.Run("that refuses resets the client", func(t *testing.T) {
		u := serve(t, echo)
		p := start(t, u, proxy.Config{})
		_ = u.l.Close()
		c, err := net.Dial("tcp", p.Addr())
		if err == nil {
			defer c.Close()
			_, err = io.Copy(io.Discard, c)
		}
		if proxy.OutcomeOf(err) != proxy.WasReset {
			t.Errorf("want a reset, got %v", err)
		}
	})
	t.Run("may move", func(t *testing.T) {
		name := func(s string) *upstream {
			return serve(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, s) })
		}
		a, b := name("a"), name("b")
		var mu sync.Mutex
		at := a
		p, err := proxy.Start(proxy.Config{Upstream: func() string {
			mu.Lock()
			defer mu.Unlock()
			return at.addr()
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, want := range []*upstream{a, b} {
			mu.Lock()
			at = want
			mu.Unlock()
			got, err := io.ReadAll(dial(t, p))
			if wanted := map[*upstream]string{a: "a", b: "b"}[want]; err != nil || string(got) != wanted {
				t.Errorf("got %q, %v, want %q", got, err, wanted)
			}
		}
	})
}

func TestStartRefuses(t *testing.T) {
	if _, err := proxy.Start(proxy.Config{}); err == nil {
		t.Error("a proxy without an upstream started")
	}
	u := serve(t, echo)
	if _, err := proxy.Start(proxy.Config{Listen: u.addr(), Upstream: u.addr}); !errors.Is(err, syscall.EADDRINUSE) &&
		runtime.GOOS != "windows" {
		t.Errorf("starting on a taken port: %v", err)
	}
}

// TestClose checks that no goroutine, connection or listener remains, for any toxic.
func TestClose(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
	}{
		{"clean", nil},
		{"late", toxics.Latency{Delay: time.Hour}},
		{"shaped", toxics.Bandwidth{Rate: 1}},
		{"stalled", toxics.Stall{}},
		{"swallowed", toxics.Blackhole{}},
		{"dropped", toxics.Partition{}},
		{"rejected", toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep}},
		{"delayed", toxics.HTTPDelay{Delay: time.Hour}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := serve(t, echo)
			before := runtime.NumGoroutine()
			p, err := proxy.Start(proxy.Config{Upstream: u.addr, HTTP: true})
			if err != nil {
				t.Fatal(err)
			}
			var conns []*net.TCPConn
			for i := range 10 {
				c := dial(t, p)
				conns = append(conns, c)
				if i%2 == 0 {
					ask(t, c, "\x00works")
				}
			}
			var x proxy.Toxicity
			if tc.toxic != nil {
				x = add(t, p, tc.toxic)
			}
			for _, c := range conns {
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\nabandoned")
			}
			conns[0].Close()
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Errorf("closing again: %v", err)
			}
			if x != nil {
				remove(t, x)
			}
			if _, err := p.Add(toxics.Stall{}); !errors.Is(err, proxy.ErrClosed) {
				t.Errorf("adding to a closed proxy: %v", err)
			}
			if _, err := p.Probe(context.Background(), proxy.ProbeRequest{}); !errors.Is(err, proxy.ErrClosed) {
				t.Errorf("probing a closed proxy: %v", err)
			}
			if c, err := net.Dial("tcp", p.Addr()); err == nil {
				c.Close()
				t.Error("it still listens")
			}
			for _, c := range conns[1:] {
				if _, err := io.Copy(io.Discard, c); err != nil && proxy.OutcomeOf(err) != proxy.WasReset {
					t.Errorf("a connection stayed: %v", err)
				}
			}
			eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
			if n := p.Open(); n != 0 {
				t.Errorf("%d connections are still counted", n)
			}
		})
	}
}

func TestOpenCounts(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	var conns []*net.TCPConn
	for range 5 {
		c := dial(t, p)
		ask(t, c, "x")
		conns = append(conns, c)
	}
	if n := p.Open(); n != 5 {
		t.Errorf("%d are open, want 5", n)
	}
	for _, c := range conns {
		c.Close()
	}
	eventually(t, "all are closed", func() bool { return p.Open() == 0 })
	if s := p.Stats(); s.Connections != 5 {
		t.Errorf("%d connections counted, want 5", s.Connections)
	}
}

func TestKeepsBytesBounded(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
		block []byte
	}{
		{"stalled", toxics.Stall{}, make([]byte, 64<<10)},
		{"stalled, byte by byte", toxics.Stall{}, []byte{0}},
		{"late", toxics.Latency{Delay: time.Hour}, make([]byte, 64<<10)},
		{"swallowed", toxics.Blackhole{}, make([]byte, 64<<10)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{})
			c := dial(t, p)
			ask(t, c, "x")
			add(t, p, tc.toxic)
			_ = c.SetWriteBuffer(16 << 10)
			_ = c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
			for sent := 0; sent < 32<<20; {
				n, err := c.Write(tc.block)
				if sent += n; err != nil {
					break
				}
			}
			forward, _ := p.Held()
			for _, held := range forward {
				if held > 1<<20 {
					t.Errorf("it holds %d bytes", held)
				}
			}
		})
	}
}
