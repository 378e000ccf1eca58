package responder

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"brunt/chaos/netns/nft"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// dockerDNS is the address of Docker's resolver in a container. It is on the loopback, and Docker's
// own rules redirect it to a port of the engine.
var dockerDNS = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// redirect writes the rules that redirect the namespace's queries to the responder, ahead of Docker's rules
// for the engine's resolver, which are at priority -100.
//
// Redirected flows are tracked in a separate zone. A client that keeps using one socket is therefore
// redirected too, although the kernel already tracks its flow, and the original flow continues when the
// table is removed.
func (r *Responder) redirect() {
	zone, into := r.intoZone()
	first := r.table.BaseChain("zone", nftables.ChainTypeFilter, nftables.ChainHookOutput, -300)
	r.first = first
	r.keepAnswers(into)
	r.takeQueries(into, unix.IPPROTO_UDP, unix.IPPROTO_TCP)

	nat := r.table.BaseChain("redirect", nftables.ChainTypeNAT, nftables.ChainHookOutput, -110)
	r.nat = nat
	for _, s := range r.sockets {
		r.table.Rule(nat,
			[]expr.Any{&expr.Ct{Key: expr.CtKeyZONE, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: zone}},
			s.family(), nft.Proto(s.proto), opens(s.proto),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: s.at.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, s.at.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(s.nfproto()), RegAddrMin: 1, RegProtoMin: 2},
			})
	}
}

// opens matches the packets that may begin a flow. A connection from before the fault is left alone: a packet from its
// middle would be answered with a reset.
func opens(proto byte) []expr.Any {
	const syn, ack = 0x02, 0x10
	if proto != unix.IPPROTO_TCP {
		return nil
	}
	return nft.Bits(expr.PayloadBaseTransportHeader, 13, []byte{syn | ack}, []byte{syn})
}

// intoZone returns the zone, and the expressions that put a packet into it.
func (r *Responder) intoZone() (zone []byte, into []expr.Any) {
	zone = binary.NativeEndian.AppendUint16(nil, r.zone)
	return zone, append([]expr.Any{
		&expr.Immediate{Register: 1, Data: zone},
		&expr.Ct{Key: expr.CtKeyZONE, Register: 1, SourceRegister: true},
	}, nft.Verdict(expr.VerdictAccept)...)
}

// takeQueries writes the rules that put queries over some protocols into the zone.
func (r *Responder) takeQueries(into []expr.Any, protocols ...byte) {
	ports := r.config.Ports
	if len(ports) == 0 {
		ports = []uint16{53}
	}
	pass := nft.Verdict(expr.VerdictAccept)
	// Traffic on the loopback is not affected, except queries to Docker's resolver.
	there := nft.Field(expr.PayloadBaseNetworkHeader, 16, dockerDNS.AsSlice())
	there[1].(*expr.Cmp).Op = expr.CmpOpNeq
	r.table.Rule(r.first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV6), pass)
	r.table.Rule(r.first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV4), there, pass)
	peers := [][]expr.Any{nil}
	if len(r.config.Resolvers) > 0 {
		peers = nil
		for _, p := range r.config.Resolvers {
			peers = append(peers, nft.Address(16, 24, p))
		}
	}
	for _, s := range r.sockets {
		if !slices.Contains(protocols, s.proto) {
			continue
		}
		for _, to := range peers {
			for _, p := range ports {
				r.table.Rule(r.first, s.family(), nft.Proto(s.proto), to, nft.Port(nft.DestPort, p), into)
			}
		}
	}
}

// keepAnswers writes the rules that route packets of the responder back, and keep all others from its sockets.
func (r *Responder) keepAnswers(into []expr.Any) {
	r.table.Rule(r.first, nft.Meta(expr.MetaKeyMARK, expr.CmpOpEq, binary.NativeEndian.AppendUint32(nil, r.mark)...),
		nft.Verdict(expr.VerdictAccept))
	for _, s := range r.sockets {
		r.table.Rule(r.first, s.family(), nft.Proto(s.proto), s.source(), nft.Port(nft.SourcePort, s.at.Port()), into)
	}
}

// straight ends the redirection of new queries. Answers to queries in flight, and open connections, keep their path:
// the kernel translates addresses as long as there is a chain for that, even an empty one.
//
// subtle: the responder does not know a connection that waits to be accepted. TCP packets therefore keep their zone
// until all connections are accepted; new connections in that zone pass unredirected.
func (r *Responder) straight() error {
	_, into := r.intoZone()
	r.table.Empty(r.nat)
	r.table.Empty(r.first)
	r.keepAnswers(into)
	r.takeQueries(into, unix.IPPROTO_TCP)
	if err := r.table.Commit(); err != nil {
		return err
	}
	r.accepted()
	r.table.Empty(r.first)
	r.keepAnswers(into)
	r.mu.Lock()
	for c := range r.conns {
		client := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		family := byte(unix.NFPROTO_IPV4)
		if client.Addr().Unmap().Is6() {
			family = unix.NFPROTO_IPV6
		}
		r.table.Rule(r.first, nft.Family(family), nft.Proto(unix.IPPROTO_TCP), nft.Port(nft.SourcePort, client.Port()), into)
	}
	r.mu.Unlock()
	return r.table.Commit()
}

// accepted waits until the redirected connections are accepted: it opens one of its own, which comes after them.
func (r *Responder) accepted() {
	for _, s := range r.sockets {
		if s.tcp == nil {
			continue
		}
		own, err := r.dial(s.at)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(r.ctx, readWithin)
		for !r.has(own.LocalAddr()) && ctx.Err() == nil {
			time.Sleep(drainEvery / 10) // its Accept has no event to wait for
		}
		cancel()
		_ = own.Close()
	}
}

// has reports whether a connection of a client was accepted.
func (r *Responder) has(client net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if c.RemoteAddr().String() == client.String() {
			return true
		}
	}
	return false
}
