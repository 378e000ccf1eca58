package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

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
	var live []socket
	h := &rules{}
	t, err := withQueue(func(t *table, way int) (err error) {
		c := cutter{Spec: s, table: t, way: way}
		if c.byConnection() {
			// Tracking begins with the first rule that needs it. Only after that are the
			// connections listed, so that none is between the two.
			t.rule(t.chain("track"), opened(false))
			if err := t.commit(); err != nil {
				return err
			}
		}
		if c.wantsLive() {
			if c.live, err = connections(); err != nil {
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
		// packet of each with a reset. For a half-open connection that is no way.
		n, err := destroy(slices.DeleteFunc(live, func(k socket) bool { return k.proto != unix.IPPROTO_TCP }))
		if err != nil && (s.Do == HalfOpen || !errors.Is(err, unix.EOPNOTSUPP)) {
			t.close()
			return nil, err
		}
		h.ended = int64(n)
	}
	return h, nil
}

// rules are a cut that is in force.
type rules struct {
	table *table
	act   []*nftables.Chain
	ended int64 // connections, at once
}

// Via implements [Held].
func (r *rules) Via() string { return "nft" }

// Met implements [Held].
func (r *rules) Met() (Met, error) {
	m := Met{Packets: r.ended, Hit: r.ended}
	for _, c := range r.act {
		all, err := r.table.counters(c)
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
func (r *rules) Close() error { return r.table.close() }

// A cutter writes the rules of a cut.
type cutter struct {
	Spec
	*table
	way  int // to queue
	live []socket
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
		near4: 16, far4: 12, near6: 24, far6: 8, nearPort: destPort, farPort: sourcePort,
	}
	out := side{
		name: "out", out: true, hooks: []*nftables.ChainHook{nftables.ChainHookPostrouting}, priority: -150, link: expr.MetaKeyOIFTYPE,
		near4: 12, far4: 16, near6: 8, far6: 24, nearPort: sourcePort, farPort: destPort,
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
func (c *cutter) build() (hit []socket, err error) {
	var spared []socket
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
		act := c.chain("act_" + d.name)
		c.act = append(c.act, act)
		c.acts(act, d)
		sel := c.chain("select_" + d.name)
		c.selection(sel, act, d)
		for i, hook := range d.hooks {
			name := d.name
			if i > 0 {
				name = "forward"
			}
			base := c.base(name, nftables.ChainTypeFilter, hook, d.priority)
			c.passes(base, d)
			for _, l := range hits {
				c.rule(base, l.match(d), gotoChain(act))
			}
			for _, l := range spares {
				c.rule(base, l.match(d), verdict(expr.VerdictAccept))
			}
			if c.onlyLive() {
				continue
			}
			for _, p := range c.Match.Peers {
				c.rule(base, d.from(p), gotoChain(sel))
			}
			if len(c.Match.Peers) == 0 {
				c.rule(base, gotoChain(sel))
			}
		}
	}
	return hit, nil
}

// passes lets through what is never touched: the loopback, the discovery of neighbours,
// which is IPv6's ARP, and the answers that a cut gives itself.
func (c *cutter) passes(base *nftables.Chain, d side) {
	pass := verdict(expr.VerdictAccept)
	c.rule(base, loopback(d.link), pass)
	c.rule(base, family(unix.NFPROTO_IPV6), proto(unix.IPPROTO_ICMPV6), icmpTypes(133, 137), pass)
	if !c.talks() || !d.out {
		return
	}
	c.rule(base, proto(unix.IPPROTO_TCP), tcpReset(), pass)
	c.rule(base, proto(unix.IPPROTO_ICMP), icmpTypes(3, 3), pass)
	c.rule(base, proto(unix.IPPROTO_ICMPV6), icmpTypes(1, 1), pass)
}

// selection sends on what the ports and the direction select.
func (c *cutter) selection(sel, act *nftables.Chain, d side) {
	if !c.byConnection() {
		c.rule(sel, gotoChain(act))
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
			c.rule(sel, opened(back), gotoChain(act))
		}
		for _, p := range c.Match.Ports {
			for _, l4 := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
				c.rule(sel, opened(back), proto(l4), port(at, p), gotoChain(act))
			}
		}
	}
}

// acts writes what is done to a packet: it is counted as selected, and counted as hit.
func (c *cutter) acts(act *nftables.Chain, d side) {
	c.rule(act, count())
	lose := verdict(expr.VerdictDrop)
	if d.out && c.way != queueNone {
		// Nobody listens on the queue, so the packet is lost, and the sender is not told.
		lose = queue(c.way, uint16(0xc000+rand.IntN(0x3fff)), false)
	}
	refuse := []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}}
	reset := []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}
	switch {
	case c.Do == Loss:
		share := []expr.Any(nil)
		if c.Share > 0 && c.Share < 1 {
			share = chance(c.Share)
		}
		c.rule(act, share, count(), lose)
	case c.Do == Stall:
		for _, carries := range payload() {
			c.rule(act, proto(unix.IPPROTO_TCP), carries, count(), lose)
		}
		c.rule(act, meta(expr.MetaKeyL4PROTO, expr.CmpOpNeq, unix.IPPROTO_TCP), count(), lose)
	case c.Do == Reset:
		c.rule(act, proto(unix.IPPROTO_TCP), count(), reset)
	case c.Mode == ModeReset:
		c.rule(act, proto(unix.IPPROTO_TCP), count(), reset)
		c.rule(act, count(), refuse)
	case c.Mode == ModeReject:
		c.rule(act, count(), refuse)
	default:
		c.rule(act, count(), lose)
	}
}

// peers tells whether the other end of a connection is a peer.
func (c *cutter) peers(s socket) bool {
	if s.remote.Addr().IsLoopback() || s.remote.Addr() == s.local.Addr() {
		return false
	}
	return len(c.Match.Peers) == 0 || slices.ContainsFunc(c.Match.Peers, func(p netip.Prefix) bool {
		return p.Contains(s.remote.Addr())
	})
}

// selects tells whether a connection with a peer is meant.
func (c *cutter) selects(s socket) bool {
	if len(c.Match.Ports) > 0 && !slices.Contains(c.Match.Ports, s.opened()) {
		return false
	}
	return c.Direction == Both || c.Do == Loss || s.accepted == (c.Direction == In)
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
	return append(family(fam), bits(expr.PayloadBaseNetworkHeader, at, mask, a.AsSlice())...)
}

// A living is a set of connections of one family of addresses.
type living struct {
	v6  bool
	set *nftables.Set
}

// sockets makes sets of connections, for the families that there are among them.
func (c *cutter) sockets(name string, all []socket) ([]living, error) {
	var sets []living
	for _, v6 := range []bool{false, true} {
		var keys [][]byte
		for _, s := range all {
			if s.local.Addr().Is6() == v6 {
				keys = append(keys, s.key())
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
		set, err := c.set(name+suffix, tuple, keys)
		if err != nil {
			return nil, err
		}
		sets = append(sets, living{v6, set})
	}
	return sets, nil
}

// key is the socket's in a set: protocol, local end, remote end, each field padded to
// four bytes.
func (s socket) key() []byte {
	k := []byte{s.proto, 0, 0, 0}
	for _, end := range []netip.AddrPort{s.local, s.remote} {
		k = append(k, end.Addr().AsSlice()...)
		k = append(binary.BigEndian.AppendUint16(k, end.Port()), 0, 0)
	}
	return k
}

// match matches packets of the set's connections.
func (l living) match(d side) []expr.Any {
	fam, near, far, n := byte(unix.NFPROTO_IPV4), d.near4, d.far4, uint32(4)
	if l.v6 {
		fam, near, far, n = unix.NFPROTO_IPV6, d.near6, d.far6, 16
	}
	const first = unix.NFT_REG32_00
	e := append(family(fam), &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: first})
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
			e := append(family(ip.family), bits(expr.PayloadBaseTransportHeader, 12, []byte{0xf0}, []byte{byte(words << 4)})...)
			all = append(all, append(e,
				&expr.Meta{Key: expr.MetaKeyLEN, Register: 1},
				&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
				&expr.Cmp{Op: expr.CmpOpGt, Register: 1, Data: binary.BigEndian.AppendUint32(nil, ip.len+4*words)}))
		}
	}
	return all
}

func tcpReset() []expr.Any {
	return bits(expr.PayloadBaseTransportHeader, 13, []byte{0x04}, []byte{0x04})
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
