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

// dockerDNS is where Docker's own resolver is in a container. It is on the loopback, and
// rules of Docker's send what goes there to a port of the engine's.
var dockerDNS = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// redirect does what is done to DNS: what the namespace that the thread is in asks, is
// answered by a responder of brunt's, which has its sockets in there. Names that are not
// meant, the responder asks for where they were asked.
//
//	program -> resolver:53      -> responder -> meant: an answer, or none
//	           (ours, at -110)            `---> not:   resolver:53, its answer as it is
//
// A chain of Docker's does the same to the engine's resolver, at -100: ours is first.
//
// What is redirected is tracked in a zone of its own. So a client that asks from one
// Socket all the time is met too, though the kernel knows its flow already; and when the
// Table has gone, be it with brunt, that flow is again where it was.
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

// rules sends the namespace's questions to the responder.
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
	// The loopback is the unit's own affair, but for Docker's resolver.
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

// A door is a socket that questions are redirected to.
type door struct {
	proto byte
	at    netip.AddrPort
	udp   *net.UDPConn
	tcp   *net.TCPListener
	ask   *net.UDPConn // asks on, for udp
}

func (d *door) nfproto() byte {
	if d.at.Addr().Is6() {
		return unix.NFPROTO_IPV6
	}
	return unix.NFPROTO_IPV4
}

func (d *door) family() []expr.Any { return nft.Family(d.nfproto()) }

// source matches what comes from the door.
func (d *door) source() []expr.Any {
	at := uint32(12)
	if d.at.Addr().Is6() {
		at = 8
	}
	return nft.Field(expr.PayloadBaseNetworkHeader, at, d.at.Addr().AsSlice())
}

// openDoors opens those that the namespace of the thread can have: without IPv6 there
// are none of it. What they ask on carries a mark.
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

// ownMark is one for sockets that nobody else is likely to use.
func ownMark() uint32 { return 1<<30 | rand.Uint32()>>2 }

// ownZone is a zone of connection tracking that nobody else is likely to use.
func ownZone() uint16 { return 1<<15 | uint16(rand.Uint32()>>17) }
