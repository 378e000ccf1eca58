package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"brunt/chaos/netns/nft"
	"brunt/chaos/netns/sockdiag"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// cut keeps packets from getting through, by rules in the namespace that the thread is
// in: a partition, or one of the actions that are close to it.
//
//	in, out:  what is never touched    pass
//	          a connection from before act or pass
//	          a packet of a peer's     select
//	select:   by port and direction    act
//	act:      count; drop, reject, reset …
//
// Incoming packets are met at prerouting, outgoing ones at postrouting, behind whatever
// may have changed their addresses in here. There they are lost without a word: a plain
// drop would tell a sender of UDP, by EPERM.
//
// Who opened a connection, the kernel's tracking knows of those that began under its
// eyes. For the others the sockets are asked.
func cut(s Spec) (Held, error) {
	var live []sockdiag.Socket
	h := &rules{}
	t, err := nft.WithQueue(func(t *nft.Table, way int) (err error) {
		c := cutter{Spec: s, Table: t, way: way}
		if c.byConnection() {
			// Tracking begins with the first rule that needs it. Only after that are the
			// Connections listed, so that none is between the two.
			t.Rule(t.Chain("track"), nft.Opened(false))
			if err := t.Commit(); err != nil {
				return err
			}
		}
		if c.wantsLive() {
			if c.live, err = sockdiag.Connections(); err != nil {
				return err
			}
		}
		live, err = c.build()
		h.act = c.act // of the last try
		return err
	})
	if err != nil {
		return nil, err
	}
	h.table = t
	if s.Do == Reset || s.Do == HalfOpen || s.Mode == ModeReset && !s.Keep {
		// A kernel that can't end them leaves them to the rules, which answer the next
		// Packet of each with a reset. For a half-open connection that is no way.
		n, err := sockdiag.Destroy(slices.DeleteFunc(live, func(k sockdiag.Socket) bool { return k.Proto != unix.IPPROTO_TCP }))
		if err != nil && (s.Do == HalfOpen || !errors.Is(err, unix.EOPNOTSUPP)) {
			t.Close()
			return nil, err
		}
		h.ended = int64(n)
	}
	return h, nil
}

// rules are a cut that is in force.
type rules struct {
	table *nft.Table
	act   []*nftables.Chain
	ended int64 // connections, at once
}

// Via implements [Held].
func (r *rules) Via() string { return "nft" }

// Met implements [Held].
func (r *rules) Met() (Met, error) {
	m := Met{Packets: r.ended, Hit: r.ended}
	for _, c := range r.act {
		all, err := r.table.Counters(c)
		if err != nil {
			return Met{}, err
		}
		for i, k := range all {
			if i == 0 {
				m.Packets += int64(k.Packets)
				m.Bytes += int64(k.Bytes)
			} else {
				m.Hit += int64(k.Packets)
			}
		}
	}
	return m, nil
}

// Close implements [Held].
func (r *rules) Close() error { return r.table.Close() }

// A cutter writes the rules of a cut.
type cutter struct {
	Spec
	*nft.Table
	way  int // to queue
	live []sockdiag.Socket
	act  []*nftables.Chain
}

// byConnection tells whether it matters who opened a connection: for a direction, and
// for ports, which are those it was opened to. The direction of loss is that of packets.
func (c *cutter) byConnection() bool {
	return !c.onlyLive() && (c.Do != Loss && c.Direction != Both || len(c.Match.Ports) > 0)
}

// onlyLive tells whether new connections are left alone.
func (c *cutter) onlyLive() bool { return c.Do == Reset || c.Do == HalfOpen }

func (c *cutter) wantsLive() bool {
	return c.onlyLive() || c.Keep || c.byConnection() || c.Mode == ModeReset
}

// talks tells whether packets are answered rather than lost.
func (c *cutter) talks() bool { return c.Do == Reset || c.Mode == ModeReject || c.Mode == ModeReset }

// A side is where packets of one direction are met, and where their ends are found in
// their headers.
type side struct {
	name              string
	out               bool
	hooks             []*nftables.ChainHook
	priority          int
	link              expr.MetaKey
	near4, far4       uint32
	near6, far6       uint32
	nearPort, farPort uint32
}

func (c *cutter) sides() []side {
	in := side{
		name: "in", hooks: []*nftables.ChainHook{nftables.ChainHookPrerouting}, priority: -150, link: expr.MetaKeyIIFTYPE,
		near4: 16, far4: 12, near6: 24, far6: 8, nearPort: nft.DestPort, farPort: nft.SourcePort,
	}
	out := side{
		name: "out", out: true, hooks: []*nftables.ChainHook{nftables.ChainHookPostrouting}, priority: -150, link: expr.MetaKeyOIFTYPE,
		near4: 12, far4: 16, near6: 8, far6: 24, nearPort: nft.SourcePort, farPort: nft.DestPort,
	}
	if c.talks() {
		// The kernel answers no packet at postrouting.
		out.hooks, out.priority = []*nftables.ChainHook{nftables.ChainHookOutput, nftables.ChainHookForward}, 10
	}
	switch c.Do {
	case Loss, Latency, Reorder, Bandwidth: // the direction is that of packets
		var all []side
		for _, d := range c.ways(In) {
			if d == In {
				all = append(all, in)
			} else {
				all = append(all, out)
			}
		}
		return all
	}
	return []side{in, out}
}

// build writes all rules. It gives the connections of before that are hit.
func (c *cutter) build() (hit []sockdiag.Socket, err error) {
	var spared []sockdiag.Socket
	for _, s := range c.live {
		if !c.peers(s) {
			continue
		}
		if !c.Keep && c.selects(s) {
			hit = append(hit, s)
		} else {
			spared = append(spared, s)
		}
	}
	hits, err := c.sockets("hit", hit)
	if err != nil {
		return nil, err
	}
	spares, err := c.sockets("spared", spared)
	if err != nil {
		return nil, err
	}
	for _, d := range c.sides() {
		act := c.Chain("act_" + d.name)
		c.act = append(c.act, act)
		c.acts(act, d)
		sel := c.Chain("select_" + d.name)
		c.selection(sel, act, d)
		for i, hook := range d.hooks {
			name := d.name
			if i > 0 {
				name = "forward"
			}
			base := c.BaseChain(name, nftables.ChainTypeFilter, hook, d.priority)
			c.passes(base, d)
			for _, l := range hits {
				c.Rule(base, l.match(d), gotoChain(act))
			}
			for _, l := range spares {
				c.Rule(base, l.match(d), nft.Verdict(expr.VerdictAccept))
			}
			if c.onlyLive() {
				continue
			}
			for _, p := range c.Match.Peers {
				c.Rule(base, d.from(p), gotoChain(sel))
			}
			if len(c.Match.Peers) == 0 {
				c.Rule(base, gotoChain(sel))
			}
		}
	}
	return hit, nil
}

// passes lets through what is never touched: the loopback, the discovery of neighbours,
// which is IPv6's ARP, and the answers that a cut gives itself.
func (c *cutter) passes(base *nftables.Chain, d side) {
	pass := nft.Verdict(expr.VerdictAccept)
	c.Rule(base, nft.Loopback(d.link), pass)
	c.Rule(base, nft.Family(unix.NFPROTO_IPV6), nft.Proto(unix.IPPROTO_ICMPV6), icmpTypes(133, 137), pass)
	if !c.talks() || !d.out {
		return
	}
	c.Rule(base, nft.Proto(unix.IPPROTO_TCP), tcpReset(), pass)
	c.Rule(base, nft.Proto(unix.IPPROTO_ICMP), icmpTypes(3, 3), pass)
	c.Rule(base, nft.Proto(unix.IPPROTO_ICMPV6), icmpTypes(1, 1), pass)
}

// selection sends on what the ports and the direction select.
func (c *cutter) selection(sel, act *nftables.Chain, d side) {
	if !c.byConnection() {
		c.Rule(sel, gotoChain(act))
		return
	}
	for _, by := range []Direction{In, Out} { // connections that were opened from outside, from inside
		if c.Do != Loss && c.Direction != Both && c.Direction != by {
			continue
		}
		// Their packets go the way of the opening if it is this side's way.
		back := (by == Out) != d.out
		at := d.nearPort
		if by == Out {
			at = d.farPort
		}
		if len(c.Match.Ports) == 0 {
			c.Rule(sel, nft.Opened(back), gotoChain(act))
		}
		for _, p := range c.Match.Ports {
			for _, l4 := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
				c.Rule(sel, nft.Opened(back), nft.Proto(l4), nft.Port(at, p), gotoChain(act))
			}
		}
	}
}

// acts writes what is done to a packet: it is counted as selected, and counted as hit.
func (c *cutter) acts(act *nftables.Chain, d side) {
	c.Rule(act, nft.Count())
	lose := nft.Verdict(expr.VerdictDrop)
	if d.out && c.way != nft.QueueNone {
		// Nobody listens on the queue, so the packet is lost, and the sender is not told.
		lose = nft.Queue(c.way, uint16(0xc000+rand.IntN(0x3fff)), false)
	}
	refuse := []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}}
	reset := []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}
	switch {
	case c.Do == Loss:
		share := []expr.Any(nil)
		if c.Share > 0 && c.Share < 1 {
			share = nft.Chance(c.Share)
		}
		c.Rule(act, share, nft.Count(), lose)
	case c.Do == Stall:
		for _, carries := range payload() {
			c.Rule(act, nft.Proto(unix.IPPROTO_TCP), carries, nft.Count(), lose)
		}
		c.Rule(act, nft.Meta(expr.MetaKeyL4PROTO, expr.CmpOpNeq, unix.IPPROTO_TCP), nft.Count(), lose)
	case c.Do == Reset:
		c.Rule(act, nft.Proto(unix.IPPROTO_TCP), nft.Count(), reset)
	case c.Mode == ModeReset:
		c.Rule(act, nft.Proto(unix.IPPROTO_TCP), nft.Count(), reset)
		c.Rule(act, nft.Count(), refuse)
	case c.Mode == ModeReject:
		c.Rule(act, nft.Count(), refuse)
	default:
		c.Rule(act, nft.Count(), lose)
	}
}

// peers tells whether the other end of a connection is a peer.
func (c *cutter) peers(s sockdiag.Socket) bool {
	if s.Remote.Addr().IsLoopback() || s.Remote.Addr() == s.Local.Addr() {
		return false
	}
	return len(c.Match.Peers) == 0 || slices.ContainsFunc(c.Match.Peers, func(p netip.Prefix) bool {
		return p.Contains(s.Remote.Addr())
	})
}

// selects tells whether a connection with a peer is meant.
func (c *cutter) selects(s sockdiag.Socket) bool {
	if len(c.Match.Ports) > 0 && !slices.Contains(c.Match.Ports, s.Opened()) {
		return false
	}
	return c.Direction == Both || c.Do == Loss || s.Accepted == (c.Direction == In)
}

// from matches packets whose other end is in p.
func (d side) from(p netip.Prefix) []expr.Any {
	p = p.Masked()
	a := p.Addr()
	fam, at := byte(unix.NFPROTO_IPV4), d.far4
	if a.Is6() {
		fam, at = unix.NFPROTO_IPV6, d.far6
	}
	mask := make([]byte, a.BitLen()/8)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return append(nft.Family(fam), nft.Bits(expr.PayloadBaseNetworkHeader, at, mask, a.AsSlice())...)
}

// A living is a set of connections of one family of addresses.
type living struct {
	v6  bool
	set *nftables.Set
}

// sockets makes sets of connections, for the families that there are among them.
func (c *cutter) sockets(name string, all []sockdiag.Socket) ([]living, error) {
	var sets []living
	for _, v6 := range []bool{false, true} {
		var keys [][]byte
		for _, s := range all {
			if s.Local.Addr().Is6() == v6 {
				keys = append(keys, s.Key())
			}
		}
		if len(keys) == 0 {
			continue
		}
		kind, suffix := nftables.TypeIPAddr, "4"
		if v6 {
			kind, suffix = nftables.TypeIP6Addr, "6"
		}
		tuple, err := nftables.ConcatSetType(nftables.TypeInetProto, kind, nftables.TypeInetService, kind, nftables.TypeInetService)
		if err != nil {
			return nil, fmt.Errorf("naming a set: %w", err)
		}
		set, err := c.Set(name+suffix, tuple, keys)
		if err != nil {
			return nil, err
		}
		sets = append(sets, living{v6, set})
	}
	return sets, nil
}

// match matches packets of the set's connections.
func (l living) match(d side) []expr.Any {
	fam, near, far, n := byte(unix.NFPROTO_IPV4), d.near4, d.far4, uint32(4)
	if l.v6 {
		fam, near, far, n = unix.NFPROTO_IPV6, d.near6, d.far6, 16
	}
	const first = unix.NFT_REG32_00
	e := append(nft.Family(fam), &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: first})
	reg := uint32(first + 1)
	for _, f := range []struct {
		base    expr.PayloadBase
		at, len uint32
	}{
		{expr.PayloadBaseNetworkHeader, near, n},
		{expr.PayloadBaseTransportHeader, d.nearPort, 2},
		{expr.PayloadBaseNetworkHeader, far, n},
		{expr.PayloadBaseTransportHeader, d.farPort, 2},
	} {
		e = append(e, &expr.Payload{DestRegister: reg, Base: f.base, Offset: f.at, Len: f.len})
		reg += (f.len + 3) / 4
	}
	return append(e, &expr.Lookup{SourceRegister: first, SetName: l.set.Name, SetID: l.set.ID})
}

// payload matches segments of TCP that carry data, a rule for each length that the
// headers may have: those without (the handshake, acknowledgements, the end) keep a
// connection open. Options of IP and headers of IPv6 beyond the first are as data.
func payload() [][]expr.Any {
	var all [][]expr.Any
	for _, ip := range []struct {
		family byte
		len    uint32
	}{{unix.NFPROTO_IPV4, 20}, {unix.NFPROTO_IPV6, 40}} {
		for words := uint32(5); words <= 15; words++ {
			e := append(nft.Family(ip.family), nft.Bits(expr.PayloadBaseTransportHeader, 12, []byte{0xf0}, []byte{byte(words << 4)})...)
			all = append(all, append(e,
				&expr.Meta{Key: expr.MetaKeyLEN, Register: 1},
				&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
				&expr.Cmp{Op: expr.CmpOpGt, Register: 1, Data: binary.BigEndian.AppendUint32(nil, ip.len+4*words)}))
		}
	}
	return all
}

func tcpReset() []expr.Any {
	return nft.Bits(expr.PayloadBaseTransportHeader, 13, []byte{0x04}, []byte{0x04})
}

// icmpTypes matches messages of ICMP from one type to another.
func icmpTypes(from, to byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{from}, ToData: []byte{to}},
	}
}

func gotoChain(c *nftables.Chain) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: c.Name}}
}
