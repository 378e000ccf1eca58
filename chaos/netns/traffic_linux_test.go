package netns_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
)

// patience is how long a test waits for what must come. It is no measure.
const patience = 30 * time.Second

// in runs f inside of n.
func in(t testing.TB, n *netnstest.Node, f func() error) {
	t.Helper()
	if err := n.Do(f); err != nil {
		t.Fatal(err)
	}
}

// set sets a fault, and takes it back at the end unless the test has.
func set(t testing.TB, n *netnstest.Node, s netns.Spec) netns.Held {
	t.Helper()
	h, err := n.Set(s)
	if err != nil {
		t.Fatalf("setting %+v: %v", s, err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("taking %s back: %v", s.Do, err)
		}
	})
	return h
}

func met(t testing.TB, h netns.Held) netns.Met {
	t.Helper()
	m, err := h.Met()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// waitFor waits until f tells that it is so.
func waitFor(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// A datagram is one that came.
type datagram struct {
	n    int           // its number
	took time.Duration // since it was sent
}

// A mailbox collects datagrams in a namespace.
type mailbox struct {
	conn *net.UDPConn
	done chan struct{}

	mu  sync.Mutex
	got []datagram
}

// box opens one. It holds many, however slow its reader.
func box(t testing.TB, n *netnstest.Node, at netip.AddrPort) *mailbox {
	t.Helper()
	b := &mailbox{done: make(chan struct{})}
	in(t, n, func() (err error) {
		if b.conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)); err != nil {
			return err
		}
		return roomy(b.conn)
	})
	go func() {
		defer close(b.done)
		buf := make([]byte, 2048)
		for {
			k, err := b.conn.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil || k < 16 {
				continue
			}
			now := clock()
			b.mu.Lock()
			b.got = append(b.got, datagram{n: int(binary.BigEndian.Uint64(buf)), took: now - time.Duration(binary.BigEndian.Uint64(buf[8:]))})
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		b.conn.Close()
		<-b.done
	})
	return b
}

// roomy makes room for bursts.
func roomy(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = errors.Join(
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20),
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 64<<20),
		)
	})
	return errors.Join(err, failed)
}

var began = time.Now()

// clock is the time since some start, the same for all of a test.
func clock() time.Duration { return time.Since(began) }

func (b *mailbox) mail() []datagram {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// expect waits for so many datagrams.
func (b *mailbox) expect(t testing.TB, n int) []datagram {
	t.Helper()
	waitFor(t, fmt.Sprintf("%d datagrams", n), func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.got) >= n
	})
	return b.mail()
}

// numbers are those of the datagrams, in the order that they came.
func numbers(got []datagram) []int {
	var out []int
	for _, d := range got {
		out = append(out, d.n)
	}
	return out
}

// A sender sends numbered datagrams.
type sender struct {
	conn *net.UDPConn
	buf  []byte
}

// post opens one in n. The address is resolved first: what is sent is not the first.
func post(t testing.TB, n *netnstest.Node, to netip.AddrPort) *sender {
	t.Helper()
	s := &sender{buf: make([]byte, 100)}
	in(t, n, func() (err error) {
		if s.conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)); err != nil {
			return err
		}
		return roomy(s.conn)
	})
	t.Cleanup(func() { s.conn.Close() })
	return s
}

func (s *sender) send(t testing.TB, n int) {
	t.Helper()
	binary.BigEndian.PutUint64(s.buf, uint64(n))
	binary.BigEndian.PutUint64(s.buf[8:], uint64(clock()))
	if _, err := s.conn.Write(s.buf); err != nil {
		t.Fatalf("sending a datagram: %v", err)
	}
}
