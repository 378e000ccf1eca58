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

// cut drops or answers packets by rules in the thread's namespace: a partition or one of the
// related actions.
//
//	in, out:  never affected packets   pass
//	          a connection from before act or pass
//	          a packet of a peer       select
//	select:   by port and direction    act
//	act:      count; drop, reject, reset …
//
// Incoming packets are matched at prerouting, outgoing ones at postrouting, after any address
// translation in the namespace. Outgoing packets are dropped through a queue without a
// listener: a plain drop would report EPERM to a UDP sender.
//
// Connection tracking knows which side opened a connection that began after tracking did. For
// older connections cut uses the list of sockets.
func cut(s Spec) (Held, error) {
	var live []sockdiag.Socket
	h := &rules{}
	t, err := nft.WithQueue(func(t *nft.Table, queueing int) (err error) {
		c := cutter{Spec: s, Table: t, queueing: queueing}
		if c.byConnection() {
			// Tracking begins with the first rule that needs it. The connections are listed
			// afterwards, so that none is missed.
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
		h.act = c.act // of the last attempt
		return err
	})
	if err != nil {
		return nil, err
	}
	h.table = t
	if s.Do == Reset || s.Do == HalfOpen || s.Mode == modeReset && !s.Keep {
		// If the kernel can't destroy sockets, the rules answer the next packet of each connection
		// with a reset. That does not work for a half-open connection.
		n, err := sockdiag.Destroy(slices.DeleteFunc(live,
			func(k sockdiag.Socket) bool { return k.Proto != unix.IPPROTO_TCP }))
		if err != nil && (s.Do == HalfOpen || !errors.Is(err, unix.EOPNOTSUPP)) {
			t.Close()
			return nil, err
		}
		h.ended = int64(n)
	}
	return h, nil
}

// rules is a cut that is active.
type rules struct {
	table *nft.Table
	act   []*nftables.Chain
	ended int64 // connections that were destroyed at once
}

func (r *rules) Via() string { return "nft" }

// Affected implements [Held]: it counts the affected packets.
func (r *rules) Affected() (Affected, error) {
	m := Affected{Packets: r.ended, Hit: r.ended}
	for _, c := range r.act {
		all, err := r.table.Counters(c)
		if err != nil {
			return Affected{}, err
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

func (r *rules) Close() error { return r.table.Close() }

// A cutter writes the rules of a cut.
type cutter struct {
	Spec
	*nft.Table
	queueing int // how to queue packets
	live     []sockdiag.Socket
	act      []*nftables.Chain
}

// byConnection reports whether the rules depend on the side that opened a connection: for a direction, and for ports,
// since these are the ports that the connection was opened to. The direction of Loss applies to packets instead.
func (c *cutter) byConnection() bool {
	return !c.onlyLive() && (c.Do != Loss && c.Direction != Both || len(c.Match.Ports) > 0)
}

// onlyLive reports whether new connections are not affected.
func (c *cutter) onlyLive() bool { return c.Do == Reset || c.Do == HalfOpen }

func (c *cutter) wantsLive() bool {
	return c.onlyLive() || c.Keep || c.byConnection() || c.Mode == modeReset
}

// replies reports whether packets are answered rather than dropped.
func (c *cutter) replies() bool { return c.Do == Reset || c.Mode == modeReject || c.Mode == modeReset }

// A side is the hook that matches packets of one direction, and the position of their ends in the
// headers.
type side struct {
	name                  string
	out                   bool
	hooks                 []*nftables.ChainHook
	priority              int
	link                  expr.MetaKey
	local4, remote4       uint32
	local6, remote6       uint32
	localPort, remotePort uint32
}

func (c *cutter) sides() []side {
	in := side{
		name: "in", hooks: []*nftables.ChainHook{nftables.ChainHookPrerouting}, priority: -150, link: expr.MetaKeyIIFTYPE,
		local4: 16, remote4: 12, local6: 24, remote6: 8, localPort: nft.DestPort, remotePort: nft.SourcePort,
	}
	out := side{
		name: "out", out: true, hooks: []*nftables.ChainHook{nftables.ChainHookPostrouting}, priority: -150,
		link:   expr.MetaKeyOIFTYPE,
		local4: 12, remote4: 16, local6: 8, remote6: 24, localPort: nft.SourcePort, remotePort: nft.DestPort,
	}
	if c.replies() {
		// The kernel sends no answers from postrouting.
		out.hooks, out.priority = []*nftables.ChainHook{nftables.ChainHookOutput, nftables.ChainHookForward}, 10
	}
	switch c.Do {
	case Loss, Latency, Reorder, Bandwidth: // the direction applies to packets
		var all []side
		for _, d := range c.directions(In) {
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

// build writes all rules. It returns the existing connections that are affected.
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

// passes accepts packets that are never affected: loopback, IPv6 neighbour discovery, and the
// answers that the cut itself sends.
func (c *cutter) passes(base *nftables.Chain, d side) {
	pass := nft.Verdict(expr.VerdictAccept)
	c.Rule(base, nft.Loopback(d.link), pass)
	c.Rule(base, nft.Family(unix.NFPROTO_IPV6), nft.Proto(unix.IPPROTO_ICMPV6), icmpTypes(133, 137), pass)
	if !c.replies() || !d.out {
		return
	}
	c.Rule(base, nft.Proto(unix.IPPROTO_TCP), tcpReset(), pass)
	c.Rule(base, nft.Proto(unix.IPPROTO_ICMP), icmpTypes(3, 3), pass)
	c.Rule(base, nft.Proto(unix.IPPROTO_ICMPV6), icmpTypes(1, 1), pass)
}

// selection sends packets to act if the ports and the direction select them.
func (c *cutter) selection(sel, act *nftables.Chain, d side) {
	if !c.byConnection() {
		c.Rule(sel, gotoChain(act))
		return
	}
	for _, by := range []Direction{In, Out} { // connections opened from outside, from inside
		if c.Do != Loss && c.Direction != Both && c.Direction != by {
			continue
		}
		// Their packets go in the direction of the opening if it is this side's direction.
		back := (by == Out) != d.out
		at := d.localPort
		if by == Out {
			at = d.remotePort
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

// acts writes the rules of the action: a packet is counted as selected and as affected.
func (c *cutter) acts(act *nftables.Chain, d side) {
	c.Rule(act, nft.Count())
	lose := nft.Verdict(expr.VerdictDrop)
	if d.out && c.queueing != nft.QueueNone {
		// The queue has no listener, so the packet is lost without an error to the sender.
		lose = nft.Queue(c.queueing, uint16(0xc000+rand.IntN(0x3fff)), false)
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
	case c.Mode == modeReset:
		c.Rule(act, nft.Proto(unix.IPPROTO_TCP), nft.Count(), reset)
		c.Rule(act, nft.Count(), refuse)
	case c.Mode == modeReject:
		c.Rule(act, nft.Count(), refuse)
	default:
		c.Rule(act, nft.Count(), lose)
	}
}

// peers reports whether the remote end of a connection is a peer.
func (c *cutter) peers(s sockdiag.Socket) bool {
	if s.Remote.Addr().IsLoopback() || s.Remote.Addr() == s.Local.Addr() {
		return false
	}
	return len(c.Match.Peers) == 0 || slices.ContainsFunc(c.Match.Peers, func(p netip.Prefix) bool {
		return p.Contains(s.Remote.Addr())
	})
}

// selects reports whether a connection with a peer is selected.
func (c *cutter) selects(s sockdiag.Socket) bool {
	if len(c.Match.Ports) > 0 && !slices.Contains(c.Match.Ports, s.Opened()) {
		return false
	}
	return c.Direction == Both || c.Do == Loss || s.Accepted == (c.Direction == In)
}

// from matches packets whose remote end is in p.
func (d side) from(p netip.Prefix) []expr.Any { return nft.Address(d.remote4, d.remote6, p) }

// A living is a set of existing connections of one address family.
type living struct {
	v6  bool
	set *nftables.Set
}

// sockets makes one set of connections for each address family among them.
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
		tuple, err := nftables.ConcatSetType(nftables.TypeInetProto, kind, nftables.TypeInetService, kind,
			nftables.TypeInetService)
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

// match matches packets of the connections in the set.
func (l living) match(d side) []expr.Any {
	fam, local, remote, n := byte(unix.NFPROTO_IPV4), d.local4, d.remote4, uint32(4)
	if l.v6 {
		fam, local, remote, n = unix.NFPROTO_IPV6, d.local6, d.remote6, 16
	}
	const first = unix.NFT_REG32_00
	e := append(nft.Family(fam), &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: first})
	reg := uint32(first + 1)
	for _, f := range []struct {
		base    expr.PayloadBase
		at, len uint32
	}{
		{expr.PayloadBaseNetworkHeader, local, n},
		{expr.PayloadBaseTransportHeader, d.localPort, 2},
		{expr.PayloadBaseNetworkHeader, remote, n},
		{expr.PayloadBaseTransportHeader, d.remotePort, 2},
	} {
		e = append(e, &expr.Payload{DestRegister: reg, Base: f.base, Offset: f.at, Len: f.len})
		reg += (f.len + 3) / 4
	}
	return append(e, &expr.Lookup{SourceRegister: first, SetName: l.set.Name, SetID: l.set.ID})
}

// payload matches TCP segments that carry data, with one rule for each possible header length.
// Segments without data (handshake, acknowledgements, end) keep a connection open. IP options and
// IPv6 extension headers count as data.
func payload() [][]expr.Any {
	var all [][]expr.Any
	for _, ip := range []struct {
		family byte
		len    uint32
	}{{unix.NFPROTO_IPV4, 20}, {unix.NFPROTO_IPV6, 40}} {
		for words := uint32(5); words <= 15; words++ {
			e := append(nft.Family(ip.family), nft.Bits(expr.PayloadBaseTransportHeader, 12, []byte{0xf0},
				[]byte{byte(words << 4)})...)
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

// icmpTypes matches ICMP messages with a type in a range.
func icmpTypes(from, to byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{from}, ToData: []byte{to}},
	}
}

func gotoChain(c *nftables.Chain) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: c.Name}}
}
