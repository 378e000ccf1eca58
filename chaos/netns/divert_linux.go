package netns

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A Diversion redirects connections that are opened from inside a namespace. It is a table that the
// kernel removes with its owner.
type Diversion struct {
	mark  uint32
	table *nft.Table
}

// NewDiversion makes a Diversion that redirects nothing until [Diversion.Set]. It never redirects
// sockets that were passed to [Diversion.Spare].
func (n *Namespace) NewDiversion() (*Diversion, error) {
	d := &Diversion{mark: kernel.NewMark()}
	err := n.Do(func() (err error) {
		d.table, err = nft.NewTable()
		return err
	})
	return d, err
}

// Spare marks a socket so that its connections are not redirected. It fits [net.Dialer.Control].
func (d *Diversion) Spare(_, _ string, c syscall.RawConn) error {
	return kernel.SetMark(c, d.mark)
}

// Set redirects new TCP connections over IPv4 from the keys to the values, all at the same instant.
// It is called once.
func (d *Diversion) Set(from map[netip.AddrPort]netip.AddrPort) error {
	t := d.table
	chain := t.BaseChain("divert", nftables.ChainTypeNAT, nftables.ChainHookOutput, -110)
	t.Rule(chain, nft.Meta(expr.MetaKeyMARK, expr.CmpOpEq, binary.NativeEndian.AppendUint32(nil, d.mark)...), nft.Verdict(expr.VerdictAccept))
	for there, local := range from {
		t.Rule(chain,
			nft.Family(unix.NFPROTO_IPV4), nft.Proto(unix.IPPROTO_TCP), nft.Field(expr.PayloadBaseNetworkHeader, 16, there.Addr().AsSlice()),
			nft.Port(nft.DestPort, there.Port()),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: local.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, local.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
			})
	}
	return t.Commit()
}

// Close removes the table: new connections are no longer redirected. Connections that were
// redirected stay so.
func (d *Diversion) Close() error { return d.table.Close() }
