package rpc

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// keys are those of a conversation, always the same.
func keys() (ed25519.PublicKey, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), private
}

// pipes is a listener of connections in memory.
type pipes struct {
	ch   chan net.Conn
	once sync.Once
	done chan struct{}
}

func newPipes() *pipes { return &pipes{ch: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ch:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return nil }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	local, remote := net.Pipe()
	select {
	case p.ch <- remote:
		return local, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, errors.New("nothing listens")
	}
}

// A cut is a connection that breaks after some bytes, and then swallows what it may have been given.
type cut struct {
	net.Conn
	left atomic.Int64
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), 1+int(c.left.Load()&0xfff))])
	if c.left.Add(-int64(n)) < 0 {
		_ = c.Conn.Close()
	}
	return n, err
}

// TestConn_Cuts breaks the connection again and again at random places, in both directions: every byte arrives once.
func TestConn_Cuts(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		at := newPipes()
		dials := 0
		dial := func(ctx context.Context) (net.Conn, error) {
			conn, err := at.dial(ctx)
			if err != nil {
				return nil, err
			}
			dials++
			c := &cut{Conn: conn}
			c.left.Store(150 + random.Int64N(300_000))
			return c, nil
		}
		o := LastingOptions{Name: "run 1", Patience: time.Minute, First: time.Minute}
		remote := ListenLasting(at, public, o)
		local, err := DialLasting(t.Context(), dial, private, o)
		if err != nil {
			t.Fatal(err)
		}
		const size = 3 << 20
		texts := [2][]byte{make([]byte, size), make([]byte, size)}
		var got [2][]byte
		var all sync.WaitGroup
		for i, ends := range [][2]*LastingConn{{local, remote}, {remote, local}} {
			for j := range texts[i] {
				texts[i][j] = byte(random.Uint32())
			}
			all.Go(func() {
				for rest := texts[i]; len(rest) > 0; {
					n, err := ends[0].Write(rest[:min(len(rest), 10_000)])
					if err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
				_ = ends[0].CloseWrite()
			})
			all.Go(func() {
				text, err := io.ReadAll(ends[1])
				if got[i] = text; err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i := range texts {
			if !bytes.Equal(got[i], texts[i]) {
				t.Errorf("direction %d: %d bytes came of %d, or others", i, len(got[i]), size)
			}
		}
		if dials < 10 {
			t.Errorf("the connection was made only %d times", dials)
		}
		all.Go(func() { _ = remote.Close() })
		_ = local.Close()
		all.Wait()
	})
}

// TestConn_Silent has a connection that swallows everything: it is given up, and the next one goes on.
func TestConn_Silent(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		at := newPipes()
		var mute atomic.Bool
		dial := func(ctx context.Context) (net.Conn, error) {
			conn, err := at.dial(ctx)
			if err != nil {
				return nil, err
			}
			return &muted{Conn: conn, mute: &mute}, nil
		}
		o := LastingOptions{Name: "run", Patience: time.Minute, First: time.Minute}
		remote := ListenLasting(at, public, o)
		local, err := DialLasting(t.Context(), dial, private, o)
		if err != nil {
			t.Fatal(err)
		}
		mute.Store(true)
		time.AfterFunc(10*time.Second, func() { mute.Store(false) })
		if _, err := local.Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		word := make([]byte, 4)
		if _, err := io.ReadFull(remote, word); err != nil || string(word) != "word" {
			t.Errorf("%q, %v", word, err)
		}
		if took := time.Since(began); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("it came after %s", took)
		}
		var all sync.WaitGroup
		all.Go(func() { _ = remote.Close() })
		_ = local.Close()
		all.Wait()
	})
}

// muted swallows what is written while it is mute.
type muted struct {
	net.Conn
	mute *atomic.Bool
}

func (m *muted) Write(p []byte) (int, error) {
	if m.mute.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

// TestConn_Alone has an end that is never reached again: both ends say so after their patience.
func TestConn_Alone(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		at := newPipes()
		var conns []net.Conn
		dial := func(ctx context.Context) (net.Conn, error) {
			if len(conns) > 0 {
				return nil, errors.New("the API server does not answer")
			}
			conn, err := at.dial(ctx)
			conns = append(conns, conn)
			return conn, err
		}
		o := LastingOptions{Name: "run", Patience: 30 * time.Second, First: time.Minute}
		remote := ListenLasting(at, public, o)
		local, err := DialLasting(t.Context(), dial, private, o)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_ = conns[0].Close()
		for _, end := range []*LastingConn{local, remote} {
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, errAlone) || time.Since(began) != 30*time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		}
		if _, err := local.Write([]byte("x")); err == nil ||
			!strings.Contains(err.Error(), "the API server does not answer") {
			t.Errorf("the end that dials does not say why: %v", err)
		}
		_, _ = local.Close(), remote.Close()
		unheard := ListenLasting(newPipes(), public, o)
		began = time.Now()
		if _, err := unheard.Read(make([]byte, 1)); !errors.Is(err, errAlone) || time.Since(began) != time.Minute {
			t.Errorf("without a first connection: %v after %s", err, time.Since(began))
		}
		_ = unheard.Close()
	})
}

// TestConn_Gone has a dialing end that learns that the other end is gone for good: it does not wait for its patience.
func TestConn_Gone(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		at := newPipes()
		o := LastingOptions{Name: "run", Patience: 30 * time.Second, First: time.Minute}
		var gone atomic.Bool
		var conns []net.Conn
		dial := func(ctx context.Context) (net.Conn, error) {
			if gone.Load() {
				return nil, fmt.Errorf("%w: its pod was deleted", ErrGone)
			}
			conn, err := at.dial(ctx)
			conns = append(conns, conn)
			return conn, err
		}
		remote := ListenLasting(at, public, o)
		local, err := DialLasting(t.Context(), dial, private, o)
		if err != nil {
			t.Fatal(err)
		}
		gone.Store(true)
		began := time.Now()
		_ = conns[0].Close()
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, ErrGone) || time.Since(began) > time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if _, err := DialLasting(t.Context(), dial, private, o); !errors.Is(err, ErrGone) {
			t.Errorf("from the begin: %v", err)
		}
		remote.Abort(net.ErrClosed)
		_, _ = local.Close(), remote.Close()
	})
}

// TestConn_Strangers has others at the listener: they hear nothing, and disturb nothing.
func TestConn_Strangers(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		at := newPipes()
		o := LastingOptions{Name: "run", Patience: time.Minute, First: time.Minute}
		remote := ListenLasting(at, public, o)
		local, err := DialLasting(t.Context(), at.dial, private, o)
		if err != nil {
			t.Fatal(err)
		}
		other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
		if _, err := DialLasting(t.Context(), at.dial, other, o); !errors.Is(err, errRefused) {
			t.Errorf("another key: %v", err)
		}
		if _, err := DialLasting(t.Context(), at.dial, private,
			LastingOptions{Name: "another run", Patience: time.Minute}); !errors.Is(err, errRefused) {
			t.Errorf("another run: %v", err)
		}
		raw, err := at.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = raw.Write(bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 100)) }()
		if text, _ := io.ReadAll(raw); len(text) > 0 {
			t.Errorf("a stranger reads %q", text)
		}
		below, err := at.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		bare := tls.Client(below, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{lastingProtocol}})
		if text, err := io.ReadAll(bare); err == nil || len(text) > 0 {
			t.Errorf("without a certificate: %q, %v", text, err)
		}
		if _, err := local.Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		word := make([]byte, 4)
		if _, err := io.ReadFull(remote, word); err != nil || string(word) != "word" {
			t.Errorf("%q, %v", word, err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		none := func(context.Context) (net.Conn, error) { return nil, errors.New("no pod") }
		if _, err := DialLasting(short, none, private, o); err == nil || !strings.Contains(err.Error(), "no pod") {
			t.Errorf("without a first connection: %v", err)
		}
		var all sync.WaitGroup
		all.Go(func() { _ = remote.Close() })
		_ = local.Close()
		all.Wait()
	})
}

// TestConn_Impostor leads the second connection to one who knows the public half of the key as well: it hears nothing,
// and the conversation goes on once the first end is reached again.
func TestConn_Impostor(t *testing.T) {
	public, private := keys()
	synctest.Test(t, func(t *testing.T) {
		o := LastingOptions{Name: "run", Patience: time.Minute, First: time.Minute}
		owner, other := newPipes(), newPipes()
		remote, impostor := ListenLasting(owner, public, o), ListenLasting(other, public, o)
		var to atomic.Pointer[pipes]
		to.Store(owner)
		last := &cut{}
		local, err := DialLasting(t.Context(), func(ctx context.Context) (net.Conn, error) {
			conn, err := to.Load().dial(ctx)
			last = &cut{Conn: conn}
			last.left.Store(1 << 30)
			return last, err
		}, private, o)
		if err != nil {
			t.Fatal(err)
		}
		first := last
		to.Store(other)
		_ = first.Close()
		if _, err := local.Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second) // of the test's clock
		local.mu.Lock()
		why := local.why
		local.mu.Unlock()
		impostor.mu.Lock()
		heard := impostor.received
		impostor.mu.Unlock()
		if !errors.Is(why, errAnother) || heard > 0 {
			t.Errorf("the impostor heard %d bytes: %v", heard, why)
		}
		to.Store(owner)
		word := make([]byte, 4)
		if _, err := io.ReadFull(remote, word); err != nil || string(word) != "word" {
			t.Errorf("%q, %v", word, err)
		}
		var all sync.WaitGroup
		all.Go(func() { _ = remote.Close() })
		all.Go(func() { impostor.Abort(net.ErrClosed); _ = impostor.Close() })
		_ = local.Close()
		all.Wait()
	})
}

// TestConn_Counts: the other end may say that it has received what was written since the last ack, and the end of it. A
// connection to an end that says anything else is refused, and nothing is dropped.
func TestConn_Counts(t *testing.T) {
	const base, text = 10, "hello"
	for _, c := range []struct {
		name string
		has  uint64
		left string
		ok   bool
	}{
		{"less than it had", base - 1, text, false},
		{"what it had", base, text, true},
		{"some", base + 2, "llo", true},
		{"all", base + 5, "", true},
		{"all, and the end", base + 6, "", true},
		{"more than was written", base + 7, text, false},
		{"nonsense", 1<<64 - 1, text, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := newConn(time.Hour, time.Hour)
			defer conn.Abort(net.ErrClosed)
			conn.base, conn.out = base, []byte(text)
			local, remote := net.Pipe()
			_ = remote.Close()
			err := conn.attach(local, c.has)
			if refused := strings.Contains(err.Error(), "of 10 to 15"); refused == c.ok {
				t.Errorf("%d bytes of %d to %d: %v", c.has, base, base+len(text), err)
			}
			if string(conn.out) != c.left || conn.base+uint64(len(conn.out)) != base+uint64(len(text)) {
				t.Errorf("%q is left from %d on, want %q", conn.out, conn.base, c.left)
			}
		})
	}
}

// FuzzConn_Receive gives an end whatever bytes: it ends the connection, and never the program.
func FuzzConn_Receive(f *testing.F) {
	f.Add([]byte{packetData, 0, 0, 0, 1, 'x', packetAck, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, packetEnd, 0, 0, 0, 0})
	f.Add([]byte{packetAck, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{packetData, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, packets []byte) {
		c := newConn(time.Hour, time.Hour)
		local, remote := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, remote) }()
		go func() { _, _ = remote.Write(packets); _ = remote.Close() }()
		if err := c.attach(local, 0); err == nil {
			t.Error("the connection ended without an error")
		}
		if int(c.received) > len(packets) {
			t.Errorf("%d bytes of %d", c.received, len(packets))
		}
		c.end(net.ErrClosed)
	})
}
