package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// TestSlowClose checks that data passes at once and the stream's end is late, in the selected
// directions, and on time after the removal.
func TestSlowClose(t *testing.T) {
	const delay = 40 * time.Millisecond
	for _, parsed := range []bool{false, true} {
		for _, tc := range []struct {
			dir   proxy.Direction
			least time.Duration
		}{{proxy.Forward, delay}, {proxy.Back, delay}, {proxy.Both, 2 * delay}, {0, 2 * delay}} {
			t.Run(fmt.Sprintf("http=%v,%d", parsed, tc.dir), func(t *testing.T) {
				p := start(t, serve(t, echo), proxy.Config{HTTP: parsed})
				c := dial(t, p)
				ask(t, c, "\x00x")
				x := add(t, p, toxics.SlowClose{Delay: delay, Direction: tc.dir})
				ask(t, c, "y")
				if traffic := x.Seen(); traffic.Any() {
					t.Errorf("no end has come, and it met %+v", traffic)
				}
				began := time.Now()
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				isEnded(t, c)
				if took := time.Since(began); took < tc.least {
					t.Errorf("it ended after %s, at least %s were due", took, tc.least)
				}
				if traffic := x.Seen(); traffic != (proxy.Traffic{Connections: 1}) {
					t.Errorf("it met %+v", traffic)
				}
				remove(t, x)
			})
		}
	}
}

// A held close continues when the toxic is removed.
func TestSlowCloseReleases(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	c := dial(t, p)
	ask(t, c, "x")
	x := add(t, p, toxics.SlowClose{Delay: time.Hour})
	_ = c.CloseWrite()
	silent(t, c)
	remove(t, x)
	isEnded(t, c)
	eventually(t, "it is closed", func() bool { return p.Open() == 0 })
}

// A reset is an end too, and stays a reset.
func TestSlowCloseOfAReset(t *testing.T) {
	const delay = 60 * time.Millisecond
	at := make(chan time.Time, 1)
	p := start(t, serve(t, func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		if proxy.OutcomeOf(err) != proxy.WasReset {
			t.Errorf("the upstream saw %v", err)
		}
		at <- time.Now()
	}), proxy.Config{})
	add(t, p, toxics.SlowClose{Delay: delay})
	c := dial(t, p)
	_, _ = io.WriteString(c, "x")
	counts(t, "it has passed", p, func(s proxy.Traffic) bool { return s.Forward == 1 })
	began := time.Now()
	_ = c.SetLinger(0)
	_ = c.Close()
	if took := (<-at).Sub(began); took < delay {
		t.Errorf("the reset came after %s", took)
	}
}

// TestLimit checks that exactly the limit passes and both sides then see the end of the connection,
// for any position of the limit among the pieces, before and after other toxics.
func TestLimit(t *testing.T) {
	sent := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{4}).Read(sent)
	sent[0] = 0 // not HTTP
	slow := toxics.Latency{Delay: 5 * time.Millisecond, Direction: proxy.Both}
	cut := toxics.Slicer{Size: 7000, Variation: 6000}
	for _, tc := range []struct {
		name         string
		below, above proxy.Toxic
		parsed       bool
	}{
		{"alone", nil, nil, false},
		{"HTTP", nil, nil, true},
		{"above latency", slow, nil, false},
		{"below latency", nil, slow, false},
		{"between pieces", cut, toxics.Slicer{Size: 11}, false},
	} {
		for _, limit := range []int64{1, 4096, 32 << 10, 100_001, 300<<10 - 1, 300 << 10} {
			t.Run(fmt.Sprintf("%s, %d", tc.name, limit), func(t *testing.T) {
				over := make(chan error, 1)
				p := start(t, serve(t, func(c *net.TCPConn) {
					_, _ = c.Write(sent)
					_, err := io.Copy(io.Discard, c) // until the proxy ends the connection: the client never does
					over <- err
				}), proxy.Config{HTTP: tc.parsed})
				if tc.below != nil {
					add(t, p, tc.below)
				}
				x := add(t, p, toxics.Limit{Bytes: limit})
				if tc.above != nil {
					add(t, p, tc.above)
				}
				c := dial(t, p)
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, sent[:limit]) {
					t.Errorf("%d bytes came, %v; want the first %d", len(got), err, limit)
				}
				select {
				case err := <-over:
					if o := proxy.OutcomeOf(err); err != nil && o != proxy.WasReset {
						t.Errorf("the upstream saw %v", err)
					}
				case <-time.After(patience):
					t.Fatal("the upstream never sees the end")
				}
				eventually(t, "it is closed", func() bool { return p.Open() == 0 })
				if traffic := x.Seen(); traffic != (proxy.Traffic{Connections: 1}) {
					t.Errorf("it met %+v", traffic)
				}
				remove(t, x)
			})
		}
	}
}

// TestLimitCounts checks that each connection and each direction has a separate count from the
// addition of the toxic, and that connections below the limit continue when it is removed.
func TestLimitCounts(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	old := dial(t, p)
	ask(t, old, "0123456789")
	x := add(t, p, toxics.Limit{Bytes: 10, Direction: proxy.Both})
	ask(t, old, "123456789")
	young := dial(t, p)
	ask(t, young, "123456789")
	ask(t, dial(t, p), "123456789")
	if traffic := x.Seen(); traffic.Any() {
		t.Errorf("no connection has reached the limit, and it met %+v", traffic)
	}
	_, _ = io.WriteString(young, "abc")
	if b, err := io.ReadAll(young); string(b) != "a" && len(b) != 0 ||
		err != nil && proxy.OutcomeOf(err) != proxy.WasReset {
		t.Errorf("the rest is %q, %v", b, err)
	}
	remove(t, x)
	ask(t, old, "and on and on")
}

// TestShareOfConnections checks that a share of connections is affected, and the same ones for the
// same seed.
func TestShareOfConnections(t *testing.T) {
	run := func(seed uint64) (hit string) {
		p := start(t, serve(t, echo), proxy.Config{Seed: seed})
		add(t, p, toxics.Limit{Bytes: 1, Share: .3})
		for range 200 {
			c := dial(t, p)
			_, _ = io.WriteString(c, "xy")
			b, _ := io.ReadAll(io.LimitReader(c, 2))
			hit += map[bool]string{true: ".", false: "#"}[len(b) == 2]
			_ = c.Close()
		}
		return hit
	}
	a, b, other := run(1), run(1), run(2)
	// Fewer than 30 or more than 90 of 200 at 30 % have a probability of less than one in a
	// million.
	if n := bytes.Count([]byte(a), []byte("#")); n < 30 || n > 90 {
		t.Errorf("%d of 200 connections are hit", n)
	}
	if a != b || a == other {
		t.Errorf("seed 1 hits\n%s\n%s\nseed 2\n%s", a, b, other)
	}
}

// TestSlicer checks that pieces have the requested sizes and intervals, and that every byte arrives
// in order.
func TestSlicer(t *testing.T) {
	const n, size, variation, delay = 4000, 100, 60, 2 * time.Millisecond
	type piece struct {
		n  int
		at time.Time
	}
	var pieces []piece
	got := make(chan []byte)
	p := start(t, serve(t, func(c *net.TCPConn) {
		var all []byte
		for b := make([]byte, n); len(all) < n; {
			m, err := c.Read(b)
			if err != nil {
				break
			}
			pieces = append(pieces, piece{m, time.Now()})
			all = append(all, b[:m]...)
		}
		got <- all
	}), proxy.Config{})
	sent := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{5}).Read(sent)
	x := add(t, p, toxics.Slicer{Size: size, Variation: variation, Delay: delay, Direction: proxy.Forward})
	c := dial(t, p)
	for i := range 2 { // the second one waits, and is whole
		_, _ = c.Write(sent[i*(size-variation)/2 : (i+1)*(size-variation)/2])
		counts(t, "a message of one piece has passed", p, func(s proxy.Traffic) bool {
			return s.Forward == int64(i+1)*(size-variation)/2
		})
	}
	if traffic := x.Seen(); traffic.Any() {
		t.Errorf("it cut nothing, and met %+v", traffic)
	}
	_, _ = c.Write(sent[size-variation:])
	if b := <-got; !bytes.Equal(b, sent) {
		t.Fatalf("%d bytes came, or not in order", len(b))
	}
	sizes := map[int]bool{}
	for _, p := range pieces[:len(pieces)-1] { // a busy machine may read several pieces at once
		sizes[p.n] = true
		if p.n < (size-variation)/2 {
			t.Errorf("a piece has %d bytes", p.n)
		}
	}
	if traffic := x.Seen(); traffic != (proxy.Traffic{Connections: 1}) {
		t.Errorf("it met %+v", traffic)
	}
	if len(sizes) < 5 || len(pieces) < n/(size+variation)/2 {
		t.Errorf("%d pieces of %d sizes", len(pieces), len(sizes))
	}
	// At least 25 pieces: 24 delays, less the lateness of the first.
	if took := pieces[len(pieces)-1].at.Sub(pieces[0].at); took < 20*delay {
		t.Errorf("they came within %s", took)
	}
}
