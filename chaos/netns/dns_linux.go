package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"

	"brunt/chaos/netns/nft"
	"brunt/chaos/sockets"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// dockerDNS is the address of Docker's resolver in a container. It is on the loopback, and Docker's
// own rules redirect it to a port of the engine.
var dockerDNS = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// redirect applies a DNS fault to the thread's namespace: a responder with sockets in the
// namespace answers its questions. The responder forwards questions for unaffected names to
// their original resolver.
//
//	program -> resolver:53      -> responder -> meant: an answer, or none
//	           (ours, at -110)            `---> not:   resolver:53, its answer as it is
//
// Docker redirects questions to the engine's resolver at priority -100, after this chain.
//
// Redirected flows are tracked in a separate zone. A client that keeps using one socket is
// therefore redirected too, although the kernel already tracks its flow, and the original flow
// continues when the table is removed.
func redirect(s Spec) (Held, error) {
	r, err := newResponder(s)
	if err != nil {
		return nil, err
	}
	t, err := nft.NewTable()
	if err != nil {
		r.close()
		return nil, err
	}
	r.table = t
	r.rules()
	if err := t.Commit(); err != nil {
		r.close()
		return nil, err
	}
	r.serve()
	return r, nil
}

// rules redirects the namespace's questions to the responder.
func (r *responder) rules() {
	ports := r.spec.Match.Ports
	if len(ports) == 0 {
		ports = []uint16{53}
	}
	var zone [2]byte
	binary.NativeEndian.PutUint16(zone[:], r.zone)
	into := append([]expr.Any{
		&expr.Immediate{Register: 1, Data: zone[:]},
		&expr.Ct{Key: expr.CtKeyZONE, Register: 1, SourceRegister: true},
	}, nft.Verdict(expr.VerdictAccept)...)
	pass := nft.Verdict(expr.VerdictAccept)

	first := r.table.BaseChain("zone", nftables.ChainTypeFilter, nftables.ChainHookOutput, -300)
	r.table.Rule(first, nft.Meta(expr.MetaKeyMARK, expr.CmpOpEq, binary.NativeEndian.AppendUint32(nil, r.mark)...), pass)
	for _, d := range r.doors {
		r.table.Rule(first, d.family(), nft.Proto(d.proto), d.source(), nft.Port(nft.SourcePort, d.at.Port()), into)
	}
	// Traffic on the loopback is not affected, except questions to Docker's resolver.
	there := nft.Field(expr.PayloadBaseNetworkHeader, 16, dockerDNS.AsSlice())
	there[1].(*expr.Cmp).Op = expr.CmpOpNeq
	r.table.Rule(first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV6), pass)
	r.table.Rule(first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV4), there, pass)
	peers := [][]expr.Any{nil}
	if len(r.spec.Match.Peers) > 0 {
		peers = nil
		for _, p := range r.spec.Match.Peers {
			peers = append(peers, side{far4: 16, far6: 24}.from(p))
		}
	}
	for _, d := range r.doors {
		for _, to := range peers {
			for _, p := range ports {
				r.table.Rule(first, d.family(), nft.Proto(d.proto), to, nft.Port(nft.DestPort, p), into)
			}
		}
	}

	nat := r.table.BaseChain("redirect", nftables.ChainTypeNAT, nftables.ChainHookOutput, -110)
	for _, d := range r.doors {
		r.table.Rule(nat,
			[]expr.Any{&expr.Ct{Key: expr.CtKeyZONE, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: zone[:]}},
			d.family(), nft.Proto(d.proto),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: d.at.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, d.at.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(d.nfproto()), RegAddrMin: 1, RegProtoMin: 2},
			})
	}
}

// A door is a socket to which questions are redirected.
type door struct {
	proto byte
	at    netip.AddrPort
	udp   *net.UDPConn
	tcp   *net.TCPListener
	ask   *net.UDPConn // sends forwarded questions, for udp
}

func (d *door) nfproto() byte {
	if d.at.Addr().Is6() {
		return unix.NFPROTO_IPV6
	}
	return unix.NFPROTO_IPV4
}

func (d *door) family() []expr.Any { return nft.Family(d.nfproto()) }

// source matches packets that the door sends.
func (d *door) source() []expr.Any {
	at := uint32(12)
	if d.at.Addr().Is6() {
		at = 8
	}
	return nft.Field(expr.PayloadBaseNetworkHeader, at, d.at.Addr().AsSlice())
}

// openDoors opens the doors that the thread's namespace supports; without IPv6 there are only those
// of IPv4. Sockets for forwarded questions carry the mark.
func openDoors(mark uint32) (doors []*door, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				d.close()
			}
		}
	}()
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		at := netip.AddrPortFrom(a, 0)
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			if a.Is6() && (errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT)) {
				break
			}
			return doors, fmt.Errorf("opening a responder in the namespace: %w", err)
		}
		d := &door{proto: unix.IPPROTO_UDP, at: u.LocalAddr().(*net.UDPAddr).AddrPort(), udp: u}
		doors = append(doors, d)
		network := "udp4"
		if a.Is6() {
			network = "udp6"
		}
		if d.ask, err = net.ListenUDP(network, nil); err == nil {
			err = setMark(d.ask, mark)
		}
		if err != nil {
			return doors, fmt.Errorf("opening a socket to ask on: %w", err)
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			return doors, fmt.Errorf("opening a responder in the namespace: %w", err)
		}
		doors = append(doors, &door{proto: unix.IPPROTO_TCP, at: l.Addr().(*net.TCPAddr).AddrPort(), tcp: l})
	}
	return doors, nil
}

func setMark(c syscall.Conn, mark uint32) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) })
	return errors.Join(err, set)
}

func (d *door) close() {
	if d.udp != nil {
		_ = sockets.Close(d.udp)
	}
	if d.ask != nil {
		_ = sockets.Close(d.ask)
	}
	if d.tcp != nil {
		_ = sockets.Close(d.tcp)
	}
}

// ownMark returns a random socket mark that other programs are unlikely to use.
func ownMark() uint32 { return 1<<30 | rand.Uint32()>>2 }

// ownZone returns a random connection tracking zone that other programs are unlikely to use.
func ownZone() uint16 { return 1<<15 | uint16(rand.Uint32()>>17) }
