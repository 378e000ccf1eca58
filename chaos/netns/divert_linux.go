package netns

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"brunt/chaos/netns/nft"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A Diversion has connections that are made from inside a namespace go to other places than they
// are made to. It is a table that the kernel takes away with its maker.
type Diversion struct {
	mark  uint32
	table *nft.Table
}

// NewDiversion makes one that diverts nothing yet. The sockets that [Diversion.Spare] was called
// with it will never divert.
func (n *Namespace) NewDiversion() (*Diversion, error) {
	d := &Diversion{mark: ownMark()}
	err := n.Do(func() (err error) {
		d.table, err = nft.NewTable()
		return err
	})
	return d, err
}

// Spare marks a socket whose connections go where they are made to, as [net.Dialer] calls it.
func (d *Diversion) Spare(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(d.mark)) })
	if err == nil {
		err = set
	}
	return err
}

// Set has new connections of TCP over IPv4 go from the keys to the values, all from the same
// instant on. It is called once.
func (d *Diversion) Set(from map[netip.AddrPort]netip.AddrPort) error {
	t := d.table
	chain := t.BaseChain("divert", nftables.ChainTypeNAT, nftables.ChainHookOutput, -110)
	t.Rule(chain, nft.Meta(expr.MetaKeyMARK, expr.CmpOpEq, binary.NativeEndian.AppendUint32(nil, d.mark)...), nft.Verdict(expr.VerdictAccept))
	for there, here := range from {
		t.Rule(chain,
			nft.Family(unix.NFPROTO_IPV4), nft.Proto(unix.IPPROTO_TCP), nft.Field(expr.PayloadBaseNetworkHeader, 16, there.Addr().AsSlice()), nft.Port(nft.DestPort, there.Port()),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: here.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, here.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
			})
	}
	return t.Commit()
}

// Close takes the table away: new connections go where they are made to. Those that were
// diverted stay so.
func (d *Diversion) Close() error { return d.table.Close() }
