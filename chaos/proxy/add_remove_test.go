package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

func TestLatencyHoldsBack(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic toxics.Latency
		least time.Duration // of a round trip
	}{
		{"forward", toxics.Latency{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}, 15 * time.Millisecond},
		{"back", toxics.Latency{Delay: 20 * time.Millisecond, Direction: proxy.Back}, 20 * time.Millisecond},
		{"both", toxics.Latency{Delay: 20 * time.Millisecond, Direction: proxy.Both}, 40 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{})
			c := dial(t, p)
			ask(t, c, "x")
			x := add(t, p, tc.toxic)
			for range 5 {
				began := time.Now()
				ask(t, c, "hello")
				if d := time.Since(began); d < tc.least {
					t.Errorf("a round trip took %v, at least %v was due", d, tc.least)
				}
			}
			remove(t, x)
			ask(t, c, "hello")
			want := proxy.Traffic{Connections: 1, Forward: 25, Back: 25}
			if !tc.toxic.Direction.Or(proxy.Forward).Has(proxy.Forward) {
				want.Forward = 0
			}
			if !tc.toxic.Direction.Or(proxy.Forward).Has(proxy.Back) {
				want.Back = 0
			}
			if s := x.Seen(); s != want {
				t.Errorf("it met %+v, want %+v", s, want)
			}
		})
	}
}

func TestRemoveReleasesWhatWaits(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
	}{
		{"latency", toxics.Latency{Delay: time.Hour}},
		{"bandwidth", toxics.Bandwidth{Rate: 1}},
		{"stall", toxics.Stall{}},
		{"drop", toxics.Partition{Mode: toxics.Drop}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{})
			old := dial(t, p)
			ask(t, old, "before")
			x := add(t, p, tc.toxic)
			young := dial(t, p)
			for _, c := range []net.Conn{old, young} {
				for i := range 100 {
					fmt.Fprintf(c, "%03d", i)
				}
				silent(t, c)
			}
			remove(t, x)
			for _, c := range []net.Conn{old, young} {
				got := make([]byte, 300)
				if _, err := io.ReadFull(c, got); err != nil {
					t.Fatal(err)
				}
				for i := range 100 {
					if s := string(got[i*3 : i*3+3]); s != fmt.Sprintf("%03d", i) {
						t.Fatalf("number %d is %q", i, s)
					}
				}
				ask(t, c, "after")
			}
			want := int64(600)
			if _, wire := tc.toxic.(toxics.Bandwidth); wire {
				want = 0 // it counts the connections that wait
			}
			if s := x.Seen(); s.Connections != 2 || s.Forward != want {
				t.Errorf("it met %+v", s)
			}
		})
	}
}

// TestRemoveBehindAStalledReader checks that Remove returns while a reader is stalled, and that no
// byte is lost.
func TestRemoveBehindAStalledReader(t *testing.T) {
	for _, tc := range []struct {
		name  string
		toxic proxy.Toxic
	}{
		{"latency", toxics.Latency{Delay: time.Millisecond, Direction: proxy.Both}},
		{"bandwidth", toxics.Bandwidth{Rate: 1 << 30}},
		{"stall", toxics.Stall{}},
		{"drop", toxics.Partition{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent := make([]byte, 8<<20)
			_, _ = rand.NewChaCha8([32]byte{2}).Read(sent)
			p := start(t, serve(t, func(c *net.TCPConn) {
				_, _ = c.Write(sent)
			}), proxy.Config{})
			for _, early := range []bool{true, false} { // added before and after the reader stalls
				var x proxy.Toxicity
				if early {
					x = add(t, p, tc.toxic)
				}
				c := dial(t, p)
				_ = c.SetReadBuffer(64 << 10)
				base := p.Stats().Back
				last := stops(t, "the proxy is stuck behind the reader", 0, func() int64 { return p.Stats().Back })
				if last-base >= int64(len(sent)) {
					t.Fatal("the system's buffers took it all")
				}
				if !early {
					x = add(t, p, tc.toxic)
				}
				done := make(chan error)
				go func() { done <- x.Remove() }()
				select {
				case err := <-done: // no byte has been read yet
					if err != nil {
						t.Fatal(err)
					}
				case <-time.After(patience):
					t.Fatal("removing waits for the reader")
				}
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, sent) {
					t.Fatalf("got %d of %d bytes, %v", len(got), len(sent), err)
				}
			}
		})
	}
}

// TestAddHoldsAtOnce checks that no data leaves the proxy after Add has returned, in the middle of
// a bulk transfer.
func TestAddHoldsAtOnce(t *testing.T) {
	for _, toxic := range []proxy.Toxic{
		toxics.Stall{}, toxics.Blackhole{}, toxics.Partition{}, toxics.Latency{Delay: time.Hour, Direction: proxy.Both},
	} {
		t.Run(fmt.Sprintf("%T", toxic), func(t *testing.T) {
			p := start(t, serve(t, func(c *net.TCPConn) {
				for b := make([]byte, 64<<10); ; {
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			}), proxy.Config{})
			for range 4 {
				c := dial(t, p)
				go func() { _, _ = io.Copy(io.Discard, c) }()
			}
			for range 8 {
				was := p.Stats().Back
				eventually(t, "bytes flow", func() bool { return p.Stats().Back > was+1<<20 })
				x := add(t, p, toxic)
				at := p.Stats()
				time.Sleep(3 * time.Millisecond) // simulates time: in it, a flow that a toxic does not stop would pass bytes
				most := int64(0)
				if runtime.GOOS == "windows" { // a write in progress can't be interrupted on Windows
					most = 4 * proxy.BufferSize
				}
				if left := p.Stats().Back - at.Back; left > most {
					t.Fatalf("%d bytes left after the toxic was in", left)
				}
				remove(t, x)
				if _, hole := toxic.(toxics.Blackhole); hole {
					return // the connections are reset
				}
			}
		})
	}
}

func TestStallKeepsNewConnections(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	x := add(t, p, toxics.Stall{})
	ended, gone := dial(t, p), dial(t, p)
	_, _ = io.WriteString(ended, "and goodbye")
	_ = ended.CloseWrite()
	_, _ = io.WriteString(gone, "x")
	eventually(t, "both are held", func() bool { return x.Seen().Connections == 2 })
	_ = gone.SetLinger(0)
	_ = gone.Close()
	eventually(t, "the one that was reset is forgotten", func() bool { return p.Open() == 1 })
	remove(t, x)
	if b, err := io.ReadAll(ended); err != nil || string(b) != "and goodbye" {
		t.Errorf("got %q, %v", b, err)
	}
	counts(t, "the upstream got 11 bytes", p, func(s proxy.Traffic) bool { return s.Forward == 11 })
}

func TestBlackhole(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	hit, idle := dial(t, p), dial(t, p)
	ask(t, hit, "before")
	ask(t, idle, "before")
	x := add(t, p, toxics.Blackhole{})
	young, waiting, leaving := dial(t, p), dial(t, p), dial(t, p)
	for _, c := range []*net.TCPConn{hit, young, leaving} {
		if _, err := io.WriteString(c, "gone"); err != nil {
			t.Fatal(err)
		}
		silent(t, c)
	}
	_ = leaving.Close()
	eventually(t, "the one that was closed is dropped", func() bool { return p.Open() == 4 })
	remove(t, x)
	isReset(t, hit)
	isReset(t, young)
	ask(t, idle, "after")
	ask(t, waiting, "after")
	if s, want := x.Seen(), (proxy.Traffic{Connections: 4, Forward: 12}); s != want {
		t.Errorf("it met %+v, want %+v", s, want)
	}
	counts(t, "the upstream got 22 bytes", p, func(s proxy.Traffic) bool { return s.Forward == 22 })
}

func TestBlackholeSwallowsTheEnd(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	c := dial(t, p)
	ask(t, c, "before")
	x := add(t, p, toxics.Blackhole{})
	_ = c.CloseWrite()
	silent(t, c)
	remove(t, x)
	isReset(t, c)
}

func TestPartition(t *testing.T) {
	type outcome uint8
	const (
		works outcome = iota
		held
		cut
		refused
	)
	for _, tc := range []struct {
		name        string
		toxic       toxics.Partition
		old, young  outcome
		connections int64 // connections
	}{
		{"drop", toxics.Partition{}, held, held, 2},
		{"drop, keep", toxics.Partition{Existing: toxics.Keep}, works, held, 1},
		{"reject", toxics.Partition{Mode: toxics.Reject}, cut, refused, 1},
		{"reject, keep", toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep}, works, refused, 0},
		{"reset", toxics.Partition{Mode: toxics.ResetNew}, cut, cut, 2},
		{"reset, keep", toxics.Partition{Mode: toxics.ResetNew, Existing: toxics.Keep}, works, cut, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			broken := make(chan error, 100)
			p := start(t, serve(t, func(c *net.TCPConn) {
				if _, err := io.Copy(c, c); err != nil {
					broken <- err
				}
			}), proxy.Config{})
			for round := range 3 {
				old := dial(t, p)
				ask(t, old, "before")
				x := add(t, p, tc.toxic)
				if tc.old == cut { // the connection is closed by now
					if n := p.Open(); n != 0 {
						t.Errorf("%d connections are open", n)
					}
					isReset(t, old)
					if err := <-broken; proxy.OutcomeOf(err) != proxy.WasReset {
						t.Errorf("the upstream saw %v", err)
					}
				} else if tc.old == works {
					ask(t, old, "meanwhile")
				} else {
					_, _ = io.WriteString(old, "a")
					silent(t, old)
				}
				nc, err := net.Dial("tcp", p.Addr())
				if got := proxy.OutcomeOf(err) == proxy.Refused; got != (tc.young == refused) {
					t.Fatalf("round %d: connecting gave %v", round, err)
				}
				if err == nil {
					defer nc.Close()
					_ = nc.SetDeadline(time.Now().Add(patience))
				}
				switch tc.young {
				case cut: // the connection may fail while connecting
					if err == nil {
						_, err = io.Copy(io.Discard, nc)
					}
					if proxy.OutcomeOf(err) != proxy.WasReset {
						t.Fatalf("want a reset, got %v", err)
					}
				case held:
					_, _ = io.WriteString(nc, "b")
					silent(t, nc)
				}
				remove(t, x)
				if tc.young == held {
					wants(t, nc, "b")
				}
				if tc.old == held {
					wants(t, old, "a")
				}
				if tc.old != cut {
					ask(t, old, "after")
				}
				_ = old.Close()
				young := dial(t, p)
				ask(t, young, "after")
				_ = young.Close()
				if nc != nil {
					_ = nc.Close()
				}
				eventually(t, "all are closed", func() bool { return p.Open() == 0 })
				if s := x.Seen(); s.Connections != tc.connections {
					t.Errorf("it met %+v, want %d connections", s, tc.connections)
				}
			}
		})
	}
	t.Run("drop forgets a client that gave up", func(t *testing.T) {
		p := start(t, serve(t, echo), proxy.Config{})
		x := add(t, p, toxics.Partition{})
		for range 10 {
			c := dial(t, p)
			_, _ = io.WriteString(c, "anybody?")
			_ = c.Close()
		}
		eventually(t, "all are forgotten", func() bool { return p.Open() == 0 })
		remove(t, x)
		if s := p.Stats(); s.Forward != 0 {
			t.Errorf("%d bytes of them reached the upstream", s.Forward)
		}
	})
	t.Run("rejects until the last is removed", func(t *testing.T) {
		p := start(t, serve(t, echo), proxy.Config{})
		a, b := add(t, p, toxics.Partition{Mode: toxics.Reject}), add(t, p, toxics.Partition{Mode: toxics.Reject})
		remove(t, a)
		remove(t, a)
		if c, err := net.Dial("tcp", p.Addr()); proxy.OutcomeOf(err) != proxy.Refused {
			if c != nil {
				_ = c.Close()
			}
			t.Errorf("connecting gave %v", err)
		}
		remove(t, b)
		ask(t, dial(t, p), "after")
	})
	t.Run("keeps its port while rejecting", func(t *testing.T) {
		if !keepsPort {
			t.Skip("only Linux lets a socket stop listening and stay bound")
		}
		p := start(t, serve(t, echo), proxy.Config{})
		x := add(t, p, toxics.Partition{Mode: toxics.Reject})
		d := net.Dialer{LocalAddr: p.TCPAddr()}
		if c, err := d.Dial("tcp", serve(t, echo).addr()); err == nil {
			_ = c.Close()
			t.Error("another connection got the port")
		}
		remove(t, x)
	})
}

// wants checks that s arrives.
func wants(t *testing.T, c net.Conn, s string) {
	t.Helper()
	b := make([]byte, len(s))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != s {
		t.Fatalf("got %q, %v, want %q", b, err, s)
	}
}

func TestReset(t *testing.T) {
	broken := make(chan error, 10)
	p := start(t, serve(t, func(c *net.TCPConn) {
		_, err := io.Copy(c, c)
		broken <- err
	}), proxy.Config{})
	var conns []*net.TCPConn
	for range 10 {
		c := dial(t, p)
		ask(t, c, "before")
		conns = append(conns, c)
	}
	x := add(t, p, toxics.Reset{})
	if n := p.Open(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
	if n := len(p.Toxics()); n != 0 {
		t.Errorf("%d toxics are in after it was over", n)
	}
	for _, c := range conns {
		isReset(t, c)
		if err := <-broken; proxy.OutcomeOf(err) != proxy.WasReset {
			t.Errorf("the upstream saw %v", err)
		}
	}
	ask(t, dial(t, p), "after")
	remove(t, x)
	if s := x.Seen(); s.Connections != 10 {
		t.Errorf("it met %+v", s)
	}
}

func TestToxicsCombine(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	c := dial(t, p)
	ask(t, c, "x")
	slow := add(t, p, toxics.Latency{Delay: 20 * time.Millisecond})
	slower := add(t, p, toxics.Latency{Delay: 30 * time.Millisecond})
	began := time.Now()
	ask(t, c, "x")
	if d := time.Since(began); d < 50*time.Millisecond {
		t.Errorf("both delays took %v", d)
	}
	stall := add(t, p, toxics.Stall{})
	_, _ = io.WriteString(c, "1")
	silent(t, c)
	remove(t, slow)
	remove(t, slower)
	silent(t, c)
	_, _ = io.WriteString(c, "2")
	remove(t, stall)
	wants(t, c, "12")
	// Data that the first toxic drops never reaches the second.
	hole, after := add(t, p, toxics.Blackhole{}), add(t, p, toxics.Stall{})
	_, _ = io.WriteString(c, "3")
	eventually(t, "the first met it", func() bool { return hole.Seen().Forward == 1 })
	if s := after.Seen(); s.Any() {
		t.Errorf("the second met %+v", s)
	}
}

const keepsPort = proxy.CanSplice // both exist on Linux only
