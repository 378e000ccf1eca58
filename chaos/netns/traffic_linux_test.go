package netns_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// patience is the timeout for expected events. It is no measurement.
const patience = 30 * time.Second

// in runs f in n.
func in(t testing.TB, n *netnstest.Node, f func() error) {
	t.Helper()
	if err := n.Do(f); err != nil {
		t.Fatal(err)
	}
}

// set sets a fault, and closes it at the end unless the test has.
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

func affected(t testing.TB, h netns.Held) netns.Affected {
	t.Helper()
	m, err := h.Affected()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// waitFor waits until f returns true.
func waitFor(t testing.TB, what string, f func() bool) {
	t.Helper()
	suite.Until(t, what, f)
}

// A datagram is a received datagram.
type datagram struct {
	n    int           // its number
	took time.Duration // since it was sent
}

// An inbox collects datagrams in a namespace.
type inbox struct {
	conn *net.UDPConn
	done chan struct{}

	mu  sync.Mutex
	got []datagram
}

// box opens an inbox. It holds many datagrams, however slow its reader.
func box(t testing.TB, n *netnstest.Node, at netip.AddrPort) *inbox {
	t.Helper()
	b := &inbox{done: make(chan struct{})}
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
			b.got = append(b.got, datagram{
				n: int(binary.BigEndian.Uint64(buf)), took: now - time.Duration(binary.BigEndian.Uint64(buf[8:])),
			})
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		b.conn.Close()
		<-b.done
	})
	return b
}

// roomy enlarges the socket buffers for bursts.
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

// clock returns the time since a start that is the same for all of a test.
func clock() time.Duration { return time.Since(began) }

func (b *inbox) mail() []datagram {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// expect waits for n datagrams.
func (b *inbox) expect(t testing.TB, n int) []datagram {
	t.Helper()
	waitFor(t, fmt.Sprintf("%d datagrams", n), func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.got) >= n
	})
	return b.mail()
}

// numbers returns the numbers of the datagrams, in the order of arrival.
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

// post opens a sender in n. It resolves the address first, so that the test's packets are not the
// first.
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

// A way is a path from one node to another.
type route struct {
	from, to *netnstest.Node
	at       netip.AddrPort
	box      *inbox
	sender   *sender
}

// newRoute returns the path between a victim and its first peer: outgoing or incoming.
func newRoute(t testing.TB, w *netnstest.World, dir netns.Direction, port uint16) *route {
	t.Helper()
	k := &route{from: w.Peers[0], to: w.Victim, at: netip.AddrPortFrom(w.Near[0], port)}
	if dir == netns.Out {
		k.from, k.to, k.at = w.Victim, w.Peers[0], netip.AddrPortFrom(w.Peers[0].V4, port)
	}
	k.box = box(t, k.to, k.at)
	k.sender = post(t, k.from, k.at)
	k.last(t) // so that addresses are resolved
	k.box.forget()
	return k
}

// marker is the number of a datagram that marks the end.
const marker = 1 << 40

// last returns the received datagrams, up to a marker that is sent repeatedly until it arrives.
func (k *route) last(t testing.TB) []datagram {
	t.Helper()
	markers := func() (n int) {
		for _, d := range k.box.mail() {
			if d.n == marker {
				n++
			}
		}
		return n
	}
	before := markers()
	waitFor(t, "a datagram to get through", func() bool {
		if markers() > before {
			return true
		}
		k.sender.send(t, marker)
		return false
	})
	return slices.DeleteFunc(k.box.mail(), func(d datagram) bool { return d.n == marker })
}

// burst sends n datagrams in groups: the kernel queues a thousand between two namespaces, and drops
// the rest. done reports that the previous group has passed.
func (k *route) burst(t testing.TB, n int, done func(sent int)) {
	t.Helper()
	for i := range n {
		k.sender.send(t, i)
		if i%500 == 499 {
			done(i + 1)
		}
	}
}

func (b *inbox) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = nil
}

// sorted returns the sorted transit times of datagrams.
func sorted(got []datagram) []time.Duration {
	var all []time.Duration
	for _, d := range got {
		all = append(all, d.took)
	}
	slices.Sort(all)
	return all
}

// spread sends a thousand datagrams or more, and checks that their transit times spread evenly
// between from and to, as far as a slow machine allows: none is early, and the shortest and the
// longest occur.
func spread(t testing.TB, k *route, from, to time.Duration) (sent int) {
	t.Helper()
	var took []time.Duration
	tenth := (to - from) / 10
	waitFor(t, fmt.Sprintf("a datagram that is hardly later than %v", from), func() bool {
		for range 1000 {
			k.sender.send(t, sent)
			sent++
			time.Sleep(200 * time.Microsecond) // simulates the pace of a sender
		}
		took = sorted(k.box.expect(t, sent))
		return took[0] < from+tenth
	})
	n := len(took)
	t.Logf("%d took %v to %v, half of them %v", n, took[0], took[n-1], took[n/2])
	if took[0] < from || took[n-1] < to-tenth {
		t.Errorf("they should take %v to %v", from, to)
	}
	for i := 1; i < 10; i++ {
		// Delays only increase the times; the probability of a tenth too little is negligible.
		if at, least := took[i*n/10], from+time.Duration(i-1)*tenth; at < least {
			t.Errorf("%d0 %% take no more than %v, and should take at least %v", i, at, least)
		}
	}
	return sent
}

// share checks that a share of 10 000 is near the requested one: within five standard deviations,
// of which three are 1.5 points at most.
func share(t testing.TB, what string, n, of int, want float64) {
	t.Helper()
	got := float64(n) / float64(of)
	t.Logf("%s: %.2f %% of %d", what, 100*got, of)
	if off := 5 * math.Sqrt(want*(1-want)/float64(of)); math.Abs(got-want) > off {
		t.Errorf("%s: %.4f of %d, not %v ± %.4f", what, got, of, want, off)
	}
}

// seen counts how many of n arrived, how many copies, and how many arrived after one that was sent
// later.
func seen(got []datagram, n int) (came, copies, overtaken int) {
	times := make([]int, n)
	latest := -1
	for _, d := range got {
		times[d.n]++
		if times[d.n] > 1 {
			copies++
			continue
		}
		came++
		if d.n < latest {
			overtaken++
		}
		latest = max(latest, d.n)
	}
	return came, copies, overtaken
}

// inVM reports that the test runs in the virtual machine of .ci/vm: its kernel supports everything
// under test, and it has no tools.
func inVM() bool { return os.Getenv("BRUNT_VM") != "" }

// state returns the observable state of a namespace.
func state(t testing.TB, n *netnstest.Node) string {
	t.Helper()
	if !inVM() {
		return netnstest.State(t, n.Namespace)
	}
	var all strings.Builder
	in(t, n, func() error {
		ls, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for _, l := range ls {
			a := l.Attrs()
			fmt.Fprintf(&all, "%d %s %v queue %d\n", a.Index, a.Name, a.Flags, a.TxQLen)
			qs, err := netlink.QdiscList(l)
			if err != nil {
				return err
			}
			for _, q := range qs {
				fmt.Fprintf(&all, "  %s %s\n", q.Type(), netlink.HandleStr(q.Attrs().Handle))
			}
		}
		return nil
	})
	return all.String()
}
