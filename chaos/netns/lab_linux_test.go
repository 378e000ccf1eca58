package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must come. It is no measure.
const patience = 30 * time.Second

// A lab is two namespaces on one wire. Faults are set in b.
type lab struct{ a, b *Namespace }

// The addresses of a lab.
var (
	addr4a, addr4b = netip.MustParseAddr("10.231.0.1"), netip.MustParseAddr("10.231.0.2")
	addr6a, addr6b = netip.MustParseAddr("fd00:231::1"), netip.MustParseAddr("fd00:231::2")
)

// newLab makes one. It takes root.
func newLab(t testing.TB) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("to make network namespaces takes root, and CI is to have it")
		}
		t.Skip("to make network namespaces takes root: run the tests as root")
	}
	l := &lab{a: newNamespace(t), b: newNamespace(t)}
	err := l.a.Do(func() error {
		at := netlink.NewLinkAttrs()
		at.Name, at.TxQLen = "eth0", 0 // as Docker has it
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: at, PeerName: "eth0", PeerNamespace: netlink.NsFd(l.b.file.Fd())})
	})
	if err != nil {
		t.Fatalf("laying a wire: %v", err)
	}
	for n, addrs := range map[*Namespace][2]netip.Addr{l.a: {addr4a, addr6a}, l.b: {addr4b, addr6b}} {
		if err := n.Do(func() error { return address(addrs) }); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func newNamespace(t testing.TB) *Namespace {
	t.Helper()
	var n *Namespace
	err := aside(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		n, err = Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatalf("making a network namespace: %v", err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// address brings up the links of the namespace that the thread is in.
func address(addrs [2]netip.Addr) error {
	for _, name := range []string{"lo", "eth0"} {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return err
		}
		if name == "lo" {
			continue
		}
		for i, bits := range []int{24, 64} {
			ip := net.IPNet{IP: addrs[i].AsSlice(), Mask: net.CIDRMask(bits, addrs[i].BitLen())}
			if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: &ip, Flags: unix.IFA_F_NODAD}); err != nil {
				return err
			}
		}
	}
	return nil
}

// in runs f inside of n.
func in(t testing.TB, n *Namespace, f func() error) {
	t.Helper()
	if err := n.Do(f); err != nil {
		t.Fatal(err)
	}
}

// set sets a fault, and takes it back at the end unless the test has.
func set(t testing.TB, n *Namespace, s Spec) Held {
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

func met(t testing.TB, h Held) Met {
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
func box(t testing.TB, n *Namespace, at netip.AddrPort) *mailbox {
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
func post(t testing.TB, n *Namespace, to netip.AddrPort) *sender {
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
