package netns_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// nothings returns Specs that drop all selected packets, one for each packet mechanism and each of
// its directions.
func nothings() []netns.Spec {
	all := []netns.Spec{
		{Do: netns.Latency, Delay: time.Hour, Direction: netns.In, Via: "nfqueue"},
		{Do: netns.Loss, Direction: netns.Out, Via: "netem"},
	}
	for _, dir := range []netns.Direction{netns.In, netns.Out} {
		if !inVM() {
			all = append(all, netns.Spec{Do: netns.Loss, Direction: dir, Via: "ebpf"})
		}
	}
	return all
}

// TestQueueMatch checks, for all mechanisms, that only the selected peers and ports are affected.
func TestQueueMatch(t *testing.T) {
	suite.Needs(t, suite.VM)
	const hit, spared = 5001, 5002
	peer := func(bits4, bits6 int) func(v4, v6 netip.Addr) []netip.Prefix {
		return func(v4, v6 netip.Addr) (all []netip.Prefix) {
			if bits4 > 0 {
				all = append(all, netip.PrefixFrom(v4, bits4))
			}
			if bits6 > 0 {
				all = append(all, netip.PrefixFrom(v6, bits6))
			}
			return all
		}
	}
	others := func(netip.Addr, netip.Addr) []netip.Prefix {
		return []netip.Prefix{
			netip.MustParsePrefix("10.77.0.128/25"), netip.MustParsePrefix("fd77:0:0:8000::/49"),
			netip.MustParsePrefix("192.0.2.7/32"),
		}
	}
	tests := []struct {
		name  string
		peers func(v4, v6 netip.Addr) []netip.Prefix
		ports []uint16
		hits  func(v6 bool, port uint16) bool
	}{
		{"a port", nil, []uint16{hit}, func(_ bool, port uint16) bool { return port == hit }},
		{"a peer", peer(32, 0), nil, func(v6 bool, _ uint16) bool { return !v6 }},
		{"a network", peer(20, 0), nil, func(v6 bool, _ uint16) bool { return !v6 }},
		{"a peer over IPv6", peer(0, 128), nil, func(v6 bool, _ uint16) bool { return v6 }},
		{"networks", peer(9, 49), nil, func(bool, uint16) bool { return true }},
		{"a peer's port", peer(32, 0), []uint16{9, hit}, func(v6 bool, port uint16) bool { return !v6 && port == hit }},
		{
			"a port of a network over IPv6", peer(0, 33),
			[]uint16{hit},
			func(v6 bool, port uint16) bool { return v6 && port == hit },
		},
		{"other peers", others, nil, func(bool, uint16) bool { return false }},
	}
	for _, spec := range nothings() {
		t.Run(fmt.Sprintf("%s by %s", spec.Direction, spec.Via), func(t *testing.T) {
			needs(t, netns.Spec{
				Do: spec.Do, Delay: 1, Direction: spec.Direction, Via: spec.Via, Match: netns.Match{Ports: []uint16{1}},
			})
			w := netnstest.New(t, 1)
			before := state(t, w.Victim)
			for _, test := range tests {
				if spec.Match = (netns.Match{Ports: test.ports}); test.peers != nil {
					spec.Match.Peers = test.peers(w.Peers[0].V4, w.Peers[0].V6)
				}
				h := set(t, w.Victim, spec)
				const n = 50
				hits := 0
				var boxes []*inbox
				for i, v6 := range []bool{false, true} {
					for _, port := range []uint16{hit, spared} {
						from, to, at := w.Peers[0], w.Victim, netip.AddrPortFrom(w.Near[i], port)
						if spec.Direction == netns.Out {
							from, to, at = w.Victim, w.Peers[0], netip.AddrPortFrom([]netip.Addr{w.Peers[0].V4, w.Peers[0].V6}[i], port)
						}
						b, s := box(t, to, at), post(t, from, at)
						for i := range n {
							s.send(t, i)
						}
						boxes = append(boxes, b)
						if test.hits(v6, port) {
							hits += n
							waitFor(t, "all to be hit", func() bool { return affected(t, h).Hit >= int64(hits) })
							if got := b.mail(); len(got) > 0 {
								t.Errorf("%s: %d came to %s that were to be hit", test.name, len(got), at)
							}
							continue
						}
						b.expect(t, n)
					}
				}
				for _, b := range boxes {
					b.conn.Close() // the next case uses the ports
				}
				if m := affected(t, h); m.Hit != int64(hits) || m.Packets != int64(hits) {
					t.Errorf("%s: it met %+v, and should have hit %d", test.name, m, hits)
				}
				if err := h.Close(); err != nil {
					t.Fatal(err)
				}
				if after := state(t, w.Victim); after != before {
					t.Errorf("%s: afterwards the namespace is\n%s\nand was\n%s", test.name, after, before)
				}
			}
		})
	}
}

// TestQueueSpares checks that the loopback and neighbour discovery are never affected.
func TestQueueSpares(t *testing.T) {
	suite.Needs(t, suite.VM)
	for _, spec := range nothings() {
		if spec.Via == "netem" {
			continue // netem exempts no packets
		}
		t.Run(fmt.Sprintf("%s by %s", spec.Direction, spec.Via), func(t *testing.T) {
			w := netnstest.New(t, 1)
			set(t, w.Victim, spec)
			for _, a := range []string{"127.0.0.1:5001", "[::1]:5001"} {
				at := netip.MustParseAddrPort(a)
				b, s := box(t, w.Victim, at), post(t, w.Victim, at)
				for i := range 20 {
					s.send(t, i)
				}
				b.expect(t, 20)
			}
			if inVM() {
				return
			}
			for _, ends := range []struct {
				from *netnstest.Node
				to   netip.Addr
			}{{w.Peers[0], w.Near[1]}, {w.Victim, w.Peers[0].V6}} {
				ends.from.Run(t, "ip -6 neigh flush dev eth0")
				s := post(t, ends.from, netip.AddrPortFrom(ends.to, 5001))
				waitFor(t, "the neighbour to be found", func() bool {
					s.send(t, 0)
					return strings.Contains(ends.from.Run(t, "ip -6 neigh show "+ends.to.String()), "lladdr")
				})
			}
		})
	}
}

// TestEBPFMark checks that neither a packet nor its copy keeps a mark of brunt.
func TestEBPFMark(t *testing.T) {
	w := netnstest.New(t, 1)
	w.Victim.Run(t, `nft -f - <<'END'
table inet theirs { chain in { type filter hook prerouting priority 0; udp dport 5001 meta mark 0 counter; udp dport 5001 meta mark != 0 counter; }; }
END`)
	k := newRoute(t, w, netns.In, 5001)
	set(t, w.Victim, netns.Spec{Do: netns.Duplicate, Via: "ebpf", Match: netns.Match{Ports: []uint16{5001}}})
	const n = 100
	for i := range n {
		k.sender.send(t, i)
	}
	k.box.expect(t, 2*n)
	rules := w.Victim.Run(t, "nft list ruleset")
	if _, marked, ok := strings.Cut(rules, "!= 0x00000000"); !ok || !strings.Contains(marked, "packets 0 ") {
		t.Errorf("packets are marked:\n%s", rules)
	}
	if _, err := w.Victim.Set(netns.Spec{Do: netns.Duplicate, Share: 0.5, Via: "ebpf"}); err == nil {
		t.Error("a second duplicate was set")
	}
}
