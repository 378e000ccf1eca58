package netnstest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/scenarios/suite"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Node is a namespace that stands for a container.
type Node struct {
	*netns.Namespace
	V4, V6 netip.Addr // of a peer; the victim has one address for each peer
}

// A World is a victim and its peers. A separate link joins each peer to the victim. The world is
// removed when the test ends.
type World struct {
	Victim *Node
	Peers  []*Node
	Near   []netip.Addr // the victim's own addresses, v4 and v6 of peer 0, of peer 1 …
}

// Need fails the test in CI, and skips it elsewhere, if brunt can't make namespaces, or has no programs for rules in
// them.
func Need(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		suite.Lack(t, "this needs root, to make network namespaces: run it with sudo")
	}
	suite.Needs(t, suite.Programs("nft", "tc"))
}

// New makes a world with the given number of peers.
func New(t testing.TB, peers int) *World {
	t.Helper()
	Need(t)
	w := &World{Victim: node(t)}
	for i := range peers {
		p := node(t)
		p.V4, p.V6 = addr(i, 2)
		v4, v6 := addr(i, 1)
		w.Near = append(w.Near, v4, v6)
		w.Peers = append(w.Peers, p)
		must(t, w.Victim.Do(func() error {
			a := netlink.NewLinkAttrs()
			a.Name = fmt.Sprint("eth", i)
			// Subtle: if both ends have the same index, the kernel needs a second to report the
			// link as up.
			a.Index = 100 + i
			err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "eth0", PeerNamespace: netlink.NsFd(p.File().Fd())})
			if err != nil {
				return fmt.Errorf("making a link to peer %d: %w", i, err)
			}
			return up(a.Name, v4, v6)
		}))
		must(t, p.Do(func() error { return up("eth0", p.V4, p.V6) }))
	}
	w.settle(t)
	return w
}

// settle waits until the kernel has configured the links, so that the state of the world does not
// change by itself.
func (w *World) settle(t testing.TB) {
	t.Helper()
	for _, n := range append([]*Node{w.Victim}, w.Peers...) {
		must(t, n.Do(func() error {
			var err error
			suite.Within(20*time.Second, func() bool {
				err = unsettled()
				return err == nil
			})
			return err
		}))
	}
}

// unsettled reports what is still missing in the namespace of the thread.
func unsettled() error {
	ls, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("listing links: %w", err)
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V6, &netlink.Route{Table: unix.RT_TABLE_LOCAL},
		netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	for _, l := range ls {
		a := l.Attrs()
		if a.Flags&net.FlagLoopback != 0 {
			continue
		}
		if a.OperState != netlink.OperUp {
			return fmt.Errorf("the link %s is %s", a.Name, a.OperState)
		}
		own, err := netlink.AddrList(l, netlink.FAMILY_V6)
		if err != nil {
			return fmt.Errorf("listing the addresses of %s: %w", a.Name, err)
		}
		ready := slices.DeleteFunc(own, func(a netlink.Addr) bool {
			return a.Flags&unix.IFA_F_TENTATIVE != 0 ||
				!slices.ContainsFunc(routes, func(r netlink.Route) bool { return r.Dst != nil && r.Dst.IP.Equal(a.IP) })
		})
		if len(ready) != 2 { // the assigned address and the link-local one
			return fmt.Errorf("the link %s can use the addresses %v", a.Name, ready)
		}
	}
	return nil
}

// addr returns the addresses of one end of the link to a peer.
func addr(peer, end int) (v4, v6 netip.Addr) {
	return netip.AddrFrom4([4]byte{10, 77, byte(peer), byte(end)}),
		netip.MustParseAddr(fmt.Sprintf("fd77:%x::%x", peer, end))
}

// up gives a link its addresses, which are usable at once.
func up(name string, addrs ...netip.Addr) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding %s: %w", name, err)
	}
	for _, a := range addrs {
		bits, flags := 24, 0
		if a.Is6() {
			bits, flags = 64, unix.IFA_F_NODAD
		}
		err := netlink.AddrAdd(l, &netlink.Addr{
			IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, a.BitLen())}, Flags: flags,
		})
		if err != nil {
			return fmt.Errorf("giving %s the address %s: %w", name, a, err)
		}
	}
	return netlink.LinkSetUp(l)
}

// node makes a namespace.
func node(t testing.TB) *Node {
	t.Helper()
	n, err := netns.New()
	must(t, err)
	t.Cleanup(func() { n.Close() })
	// Without duplicate address detection, addresses are usable at once and don't change during a
	// test.
	must(t, n.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0)
	}))
	return &Node{Namespace: n}
}

// Listen listens in the namespace. The kernel chooses the port if addr has port 0.
func (n *Node) Listen(t testing.TB, addr netip.AddrPort) net.Listener {
	t.Helper()
	var l net.Listener
	must(t, n.Do(func() (err error) {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
		return err
	}))
	t.Cleanup(func() { l.Close() })
	return l
}

// ListenUDP opens a UDP socket in the namespace.
func (n *Node) ListenUDP(t testing.TB, addr netip.AddrPort) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	must(t, n.Do(func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		return err
	}))
	t.Cleanup(func() { c.Close() })
	return c
}

// Dial connects from the namespace. It fails after the timeout.
func (n *Node) Dial(network string, to netip.AddrPort, timeout time.Duration) (net.Conn, error) {
	var c net.Conn
	err := n.Do(func() (err error) {
		c, err = net.DialTimeout(network, to.String(), timeout)
		return err
	})
	return c, err
}

// State returns the rules, queues, links and routes of a namespace as text. It omits counters,
// which change by themselves.
func State(t testing.TB, n *netns.Namespace) string {
	t.Helper()
	var all strings.Builder
	for _, c := range []string{
		"nft -s list ruleset",
		"tc qdisc show", "tc filter show", "tc class show",
		"ip -d link show", "ip address show",
		"ip -4 route show table all", "ip -6 route show table all", "ip -4 rule", "ip -6 rule",
	} {
		args := strings.Fields(c)
		path, err := exec.LookPath(args[0])
		if err != nil {
			t.Fatalf("%v: install nftables and iproute2", err)
		}
		var out []byte
		err = n.Do(func() (err error) {
			// A child starts in the namespace of the thread that starts it.
			out, err = exec.Command(path, args[1:]...).CombinedOutput()
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
		fmt.Fprintf(&all, "# %s\n%s\n", c, volatile.ReplaceAll(out, nil))
	}
	return all.String()
}

// volatile matches the parts of the tools' output that change by themselves.
var volatile = regexp.MustCompile(` expires \d+sec|valid_lft \d+sec|preferred_lft \d+sec`)

// Run runs a command in the namespace and fails the test if the command fails.
func (n *Node) Run(t testing.TB, command string) string {
	t.Helper()
	var out []byte
	err := n.Do(func() (err error) {
		out, err = exec.Command("sh", "-c", command).CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
