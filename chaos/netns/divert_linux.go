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
	in    *Namespace
	claim *claim // of the run, while it redirects new connections
	mark  uint32
	table *nft.Table
	chain *nftables.Chain // nil until Set
}

// NewDiversion makes a Diversion that redirects nothing until [Diversion.Set]. It never redirects
// sockets that were passed to [Diversion.Spare].
func (n *Namespace) NewDiversion() (*Diversion, error) {
	d := &Diversion{in: n, mark: kernel.NewMark()}
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
//
// With first, connections come to this diversion before they come to any other, and those of the proxies of the others
// are not redirected. So a program's connection passes the proxies of the first diversion, and then those of one other.
//
// If the namespace names its run, Set fails while another run has an effect there; the error names that run.
//
// The rules match only the first segment of a connection. Otherwise open connections would be redirected too if only
// this table makes the kernel track connections, as in most pods: their next segment is the first one that the kernel
// tracks.
func (d *Diversion) Set(from map[netip.AddrPort]netip.AddrPort, first bool) (err error) {
	if d.claim, err = d.in.claim(); err != nil {
		return err
	}
	t := d.table
	// the kernel tracks connections for as long as a rule asks for it, see Lift
	t.Rule(t.Chain("track"), nft.Opened(false))
	spared, priority := nft.Meta(expr.MetaKeyMARK, expr.CmpOpEq, binary.NativeEndian.AppendUint32(nil, d.mark)...), -110
	if first {
		spared, priority = marked(), priority-1
	}
	d.chain = t.BaseChain("divert", nftables.ChainTypeNAT, nftables.ChainHookOutput, priority)
	t.Rule(d.chain, spared, nft.Verdict(expr.VerdictAccept))
	for there, local := range from {
		t.Rule(d.chain,
			nft.Family(unix.NFPROTO_IPV4), nft.Proto(unix.IPPROTO_TCP), opens(),
			nft.Field(expr.PayloadBaseNetworkHeader, 16, there.Addr().AsSlice()),
			nft.Port(nft.DestPort, there.Port()),
			[]expr.Any{
				&expr.Immediate{Register: 1, Data: local.Addr().AsSlice()},
				&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, local.Port())},
				&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
			})
	}
	return t.Commit()
}

// marked matches a mark of [kernel.NewMark], whoever made it.
func marked() []expr.Any {
	bits := func(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyMARK, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: bits(kernel.MarkBits), Xor: bits(0)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: bits(kernel.Marked)},
	}
}

// opens matches the first segment of a TCP connection: SYN without ACK, RST or FIN.
func opens() []expr.Any {
	return nft.Bits(expr.PayloadBaseTransportHeader, 13, []byte{0x17}, []byte{0x02})
}

// Lift ends the redirection of new connections. Redirected connections stay redirected until Close: if nothing else in
// the namespace makes the kernel track connections and translate addresses, it does so only while the table exists.
func (d *Diversion) Lift() error {
	if d.chain == nil {
		return nil
	}
	if err := d.table.Clear([]*nftables.Chain{d.chain}); err != nil {
		return err
	}
	return d.claim.release()
}

// Close removes the table.
func (d *Diversion) Close() error {
	if err := d.table.Close(); err != nil {
		return err
	}
	return d.claim.release()
}
