package netns

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"

	"brunt/chaos/netns/kernel"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A qdisc is a queueing discipline for the outgoing packets of each link. A link has one root
// discipline, which stays until it is removed. Therefore a qdisc comes with an Undo and never
// replaces a foreign discipline. Links that are added later have none.
//
// If only some peers or ports are selected, it is a child of a prio with two bands:
//
//	prio HANDLE: -> band 1: everything
//	             -> band 2: packets that u32 filters select -> the discipline
type qdisc struct {
	kind string
	// make builds the discipline with the attributes.
	make func(s Spec, a netlink.QdiscAttrs) netlink.Qdisc
}

// rootKind returns the kind of the discipline at the root of a link for s.
func (q qdisc) rootKind(s Spec) string {
	if s.Match.all() {
		return q.kind
	}
	return "prio"
}

func (m Match) all() bool { return len(m.Peers) == 0 && len(m.Ports) == 0 }

// mechanism wraps the discipline. can returns an error for a Spec that the discipline does not
// support, apart from its direction.
func (q qdisc) mechanism(can func(s Spec) error, fix string) mechanism {
	return mechanism{
		name: q.kind,
		can: func(s Spec) error {
			if err := can(s); err != nil {
				return err
			}
			if n := len(filters(s.Match)); n > mostFilters {
				return fmt.Errorf("it takes at most %d filters, and these peers and ports are %d: name networks", mostFilters, n)
			}
			return nil
		},
		probe: func() error {
			l, err := netlink.LinkByName("probe0")
			if err != nil {
				return fmt.Errorf("finding the link to try it on: %w", err)
			}
			s := Spec{Do: Latency, Delay: 1e6, Rate: 1e6, Handle: 1}
			if err := q.add(s, l); err != nil {
				return err
			}
			return q.remove(s, l)
		},
		fits: func(n *Namespace, s Spec) error {
			return n.Do(func() error {
				_, err := q.prior(s)
				return err
			})
		},
		undo: func(n *Namespace, s *Spec) (*Undo, error) {
			if s.Handle == 0 {
				s.Handle = newHandle()
			}
			u := &Undo{Kind: q.rootKind(*s), Handle: s.Handle}
			err := n.Do(func() (err error) {
				if u.Namespace, err = n.name(); err != nil {
					return err
				}
				u.Links, err = q.prior(*s)
				return err
			})
			return u, err
		},
		set: func(n *Namespace, s Spec) (Held, error) {
			if s.Handle == 0 {
				s.Handle = newHandle()
			}
			h := &disciplines{qdisc: q, spec: s, in: n}
			if err := n.Do(h.set); err != nil {
				return nil, err
			}
			return h, nil
		},
		fix: fix,
	}
}

// newHandle returns a random handle that identifies brunt's disciplines: the kernel's own start at
// 0x8001, and administrators usually count from 1.
func newHandle() uint16 {
	var b [2]byte
	rand.Read(b[:]) // never fails
	return 0x4000 | binary.NativeEndian.Uint16(b[:])&0x3fff
}

// prior returns the state of the links, or an error if another discipline is in the way.
func (q qdisc) prior(s Spec) ([]LinkUndo, error) {
	ls, err := links()
	if err != nil {
		return nil, err
	}
	var was []LinkUndo
	for _, l := range ls {
		root, err := rootOf(l)
		if err != nil {
			return nil, err
		}
		if root != nil {
			whose := "another program's"
			if major, _ := netlink.MajorMinor(root.Attrs().Handle); ofHandles(major) {
				whose = "brunt's, of another fault,"
			}
			return nil, fmt.Errorf("there is a queueing discipline on %s (%s %s, %s) and no place for a second: "+
				"take another mechanism, or have one fault after the other",
				l.Attrs().Name, root.Type(), netlink.HandleStr(root.Attrs().Handle), whose)
		}
		was = append(was, LinkUndo{Index: l.Attrs().Index, Name: l.Attrs().Name, QueueLen: l.Attrs().TxQLen})
	}
	return was, nil
}

// rootOf returns the discipline at the root of a link, or nil if it is the kernel's own, which has
// no handle.
func rootOf(l netlink.Link) (netlink.Qdisc, error) {
	all, err := listed(func() ([]netlink.Qdisc, error) { return netlink.QdiscList(l) })
	if err != nil {
		return nil, fmt.Errorf("listing the queueing disciplines of %s: %w", l.Attrs().Name, err)
	}
	for _, q := range all {
		if a := q.Attrs(); a.Parent == netlink.HANDLE_ROOT && a.Handle != 0 {
			return q, nil
		}
	}
	return nil, nil
}

// add puts the discipline on a link.
func (q qdisc) add(s Spec, l netlink.Link) error {
	a := netlink.QdiscAttrs{
		LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(s.Handle, 0), Parent: netlink.HANDLE_ROOT,
	}
	failed := func(what string, err error) error {
		return kernel.Hint(fmt.Errorf("putting %s on %s: %w", what, l.Attrs().Name, err))
	}
	if s.Match.all() {
		if err := netlink.QdiscAdd(q.make(s, a)); err != nil {
			return failed(q.kind, err)
		}
		return nil
	}
	if err := netlink.QdiscAdd(&netlink.Prio{QdiscAttrs: a, Bands: 2}); err != nil {
		return failed("prio, to select by peers and ports,", err)
	}
	band := netlink.MakeHandle(s.Handle, 2)
	inner := netlink.QdiscAttrs{LinkIndex: a.LinkIndex, Handle: netlink.MakeHandle(s.Handle+1, 0), Parent: band}
	err := netlink.QdiscAdd(q.make(s, inner))
	if err != nil {
		err = failed(q.kind, err)
	}
	for _, f := range filters(s.Match) {
		if err != nil {
			break
		}
		f.LinkIndex, f.Parent, f.ClassId = a.LinkIndex, a.Handle, band
		if err = netlink.FilterAdd(f); err != nil {
			err = failed("a u32 filter", err)
		}
	}
	if err != nil {
		return errors.Join(err, q.remove(s, l))
	}
	return nil
}

// remove removes from a link the discipline that add put there, if it is still there.
func (q qdisc) remove(s Spec, l netlink.Link) error {
	return undoLink(q.rootKind(s), s.Handle, l, l.Attrs().TxQLen)
}

// undoLink restores a link: it removes the discipline if it is the one that was added, and restores
// the queue length if the discipline changed it.
func undoLink(kind string, handle uint16, l netlink.Link, queueLen int) error {
	name := l.Attrs().Name
	root, err := rootOf(l)
	if err != nil {
		return err
	}
	if root != nil {
		if root.Type() != kind || root.Attrs().Handle != netlink.MakeHandle(handle, 0) {
			return nil // a foreign discipline
		}
		if err := netlink.QdiscDel(root); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			return kernel.Hint(fmt.Errorf("removing %s from %s: %w", kind, name, err))
		}
	}
	now, err := netlink.LinkByIndex(l.Attrs().Index)
	if err != nil {
		return fmt.Errorf("finding %s: %w", name, err)
	}
	const byKernel = 1000 // DEFAULT_TX_QUEUE_LEN, which replaces 0
	if queueLen == 0 && now.Attrs().TxQLen == byKernel {
		if err := netlink.LinkSetTxQLen(now, 0); err != nil {
			return kernel.Hint(fmt.Errorf("giving %s its queue length back: %w", name, err))
		}
	}
	return nil
}

// Undo restores the state that u describes, as far as it is still changed, and nothing else.
// Calling it again has no effect. It returns [ErrOther] if n is not the namespace that u describes.
func (n *Namespace) Undo(u Undo) error {
	return n.Do(func() error {
		name, err := n.name()
		if err != nil {
			return err
		}
		if name != u.Namespace {
			return ErrOther
		}
		var errs []error
		for _, was := range u.Links {
			l, err := netlink.LinkByIndex(was.Index)
			if errors.As(err, new(netlink.LinkNotFoundError)) || err == nil && l.Attrs().Name != was.Name {
				continue
			}
			if err == nil {
				err = undoLink(u.Kind, u.Handle, l, was.QueueLen)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// name returns a name for the thread's namespace, which is n, that is unique until the machine
// restarts.
func (n *Namespace) name() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("reading which start of the machine this is: %w", err)
	}
	id, err := n.ID()
	if err != nil {
		return "", err
	}
	parts := []string{strings.TrimSpace(string(boot)), id}
	// The kernel reuses inode numbers, but never cookies.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("opening a socket: %w", err)
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == nil {
		parts = append(parts, fmt.Sprintf("%x", cookie))
	} else if !errors.Is(err, unix.ENOPROTOOPT) { // before Linux 5.14
		return "", fmt.Errorf("reading the namespace's cookie: %w", err)
	}
	return strings.Join(parts, "/"), nil
}

// disciplines is a Spec that is active through disciplines.
type disciplines struct {
	qdisc
	spec Spec
	in   *Namespace

	mu  sync.Mutex
	was []LinkUndo // links that have the discipline; nil when it is removed
}

func (d *disciplines) set() error {
	was, err := d.prior(d.spec)
	if err != nil {
		return err
	}
	for _, w := range was {
		l, err := netlink.LinkByIndex(w.Index)
		if err == nil {
			err = d.add(d.spec, l)
		}
		if err != nil {
			return errors.Join(err, d.unset())
		}
		d.was = append(d.was, w)
	}
	return nil
}

// unset removes the discipline from its links. The thread is in the namespace.
func (d *disciplines) unset() error {
	var errs []error
	for i := len(d.was) - 1; i >= 0; i-- {
		l, err := netlink.LinkByIndex(d.was[i].Index)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			continue
		}
		if err == nil {
			err = undoLink(d.rootKind(d.spec), d.spec.Handle, l, d.was[i].QueueLen)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.was = nil
	return nil
}

func (d *disciplines) Via() string { return d.kind }

func (d *disciplines) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.was == nil {
		return nil
	}
	return d.in.Do(d.unset)
}

// Affected implements [Held]. The kernel counts packets that a discipline passed or dropped, but not
// those that it changed; for these, Hit is computed from the share.
func (d *disciplines) Affected() (m Affected, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	handle := d.spec.Handle
	if !d.spec.Match.all() {
		handle++
	}
	err = d.in.Do(func() error {
		for _, w := range d.was {
			l, err := netlink.LinkByIndex(w.Index)
			if err != nil {
				return fmt.Errorf("finding %s: %w", w.Name, err)
			}
			all, err := listed(func() ([]netlink.Qdisc, error) { return netlink.QdiscList(l) })
			if err != nil {
				return fmt.Errorf("listing the queueing disciplines of %s: %w", w.Name, err)
			}
			there := false
			for _, q := range all {
				a := q.Attrs()
				if a.Handle != netlink.MakeHandle(handle, 0) {
					continue
				}
				if there = true; a.Statistics == nil {
					continue
				}
				sent, dropped := a.Statistics.Basic, a.Statistics.Queue
				packets := int64(sent.Packets) + int64(dropped.Drops) + int64(dropped.Qlen)
				m.Packets += packets
				m.Bytes += int64(sent.Bytes) + int64(dropped.Backlog)
				switch {
				case d.spec.Do == Loss:
					m.Hit += int64(dropped.Drops)
				case d.spec.Share > 0:
					m.Hit += int64(d.spec.Share * float64(packets))
				default:
					m.Hit += packets
				}
			}
			if !there {
				return RemovedError{"the " + d.kind + " of " + w.Name}
			}
		}
		return nil
	})
	return m, err
}

// mostFilters limits the comparisons for each packet.
const mostFilters = 500

// filters returns the u32 filters that select outgoing packets by the remote end: one for each
// peer, port, and end of the port. They find ports only behind headers without options, and not in
// later fragments.
func filters(m Match) []*netlink.U32 {
	if m.all() {
		return nil
	}
	var all []*netlink.U32
	for _, v6 := range []bool{false, true} {
		var peers [][]nl.TcU32Key
		for _, p := range m.Peers {
			p = netip.PrefixFrom(p.Addr().Unmap(), bitsOf(p)).Masked()
			if p.Addr().Is6() == v6 {
				peers = append(peers, u32Peer(p))
			}
		}
		if len(m.Peers) == 0 {
			peers = [][]nl.TcU32Key{nil}
		}
		for _, peer := range peers {
			for _, port := range u32Ports(m.Ports, v6) {
				keys := append(append([]nl.TcU32Key(nil), peer...), port...)
				if len(keys) == 0 {
					keys = []nl.TcU32Key{{}} // matches everything
				}
				f := &netlink.U32{Sel: &nl.TcU32Sel{Flags: nl.TC_U32_TERMINAL, Keys: keys}}
				f.Protocol, f.Priority = unix.ETH_P_IP, 1
				if v6 {
					f.Protocol, f.Priority = unix.ETH_P_IPV6, 2
				}
				all = append(all, f)
			}
		}
	}
	return all
}

// u32Peer compares the destination address.
func u32Peer(p netip.Prefix) []nl.TcU32Key {
	at := int32(ip4Target)
	if p.Addr().Is6() {
		at = ip6Target
	}
	var keys []nl.TcU32Key
	b := p.Addr().AsSlice()
	for i := 0; i*8 < p.Bits(); i += 4 {
		mask := ^uint32(0)
		if rest := p.Bits() - i*8; rest < 32 {
			mask <<= 32 - rest
		}
		keys = append(keys, nl.TcU32Key{Mask: mask, Val: binary.BigEndian.Uint32(b[i:]), Off: at + int32(i)})
	}
	return keys
}

// u32Ports compares the protocol and a port, in each possible combination.
func u32Ports(ports []uint16, v6 bool) [][]nl.TcU32Key {
	if len(ports) == 0 {
		return [][]nl.TcU32Key{nil}
	}
	var all [][]nl.TcU32Key
	for _, p := range ports {
		for _, l4 := range []uint32{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			for _, k := range []nl.TcU32Key{{Mask: 0xffff0000, Val: uint32(p) << 16}, {Mask: 0xffff, Val: uint32(p)}} {
				if v6 {
					k.Off = ip6Length
					all = append(all, []nl.TcU32Key{{Mask: 0xff00, Val: l4 << 8, Off: 4}, k})
					continue
				}
				k.Off = 20
				all = append(all, []nl.TcU32Key{
					{Mask: 0x0f000000, Val: 0x05000000},
					{Mask: 0x1fff, Off: 4},
					{Mask: 0x00ff0000, Val: l4 << 16, Off: 8},
					k,
				})
			}
		}
	}
	return all
}
