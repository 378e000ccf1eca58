package responder

import (
	"encoding/binary"
	"net/netip"

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
	ports := r.config.Ports
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
	for _, s := range r.sockets {
		r.table.Rule(first, s.family(), nft.Proto(s.proto), s.source(), nft.Port(nft.SourcePort, s.at.Port()), into)
	}
	// Traffic on the loopback is not affected, except queries to Docker's resolver.
	there := nft.Field(expr.PayloadBaseNetworkHeader, 16, dockerDNS.AsSlice())
	there[1].(*expr.Cmp).Op = expr.CmpOpNeq
	r.table.Rule(first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV6), pass)
	r.table.Rule(first, nft.Loopback(expr.MetaKeyOIFTYPE), nft.Family(unix.NFPROTO_IPV4), there, pass)
	peers := [][]expr.Any{nil}
	if len(r.config.Resolvers) > 0 {
		peers = nil
		for _, p := range r.config.Resolvers {
			peers = append(peers, nft.Address(16, 24, p))
		}
	}
	for _, s := range r.sockets {
		for _, to := range peers {
			for _, p := range ports {
				r.table.Rule(first, s.family(), nft.Proto(s.proto), to, nft.Port(nft.DestPort, p), into)
			}
		}
	}

	nat := r.table.BaseChain("redirect", nftables.ChainTypeNAT, nftables.ChainHookOutput, -110)
	for _, s := range r.sockets {
		r.table.Rule(nat,
			[]expr.Any{&expr.Ct{Key: expr.CtKeyZONE, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: zone[:]}},
			s.family(), nft.Proto(s.proto),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: s.at.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, s.at.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(s.nfproto()), RegAddrMin: 1, RegProtoMin: 2},
			})
	}
}
