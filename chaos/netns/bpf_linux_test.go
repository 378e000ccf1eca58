package netns_test

import (
	"math"
	"net/netip"
	"slices"
	"testing"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/chaos/seed"
)

// TestEBPFShares checks that exactly the packets that the seed selects are affected, that their
// number matches the share, and that none is affected afterwards.
func TestEBPFShares(t *testing.T) {
	const n, port = 10_000, 5001
	for _, test := range []struct {
		name string
		spec netns.Spec
		v6   bool
	}{
		{"loss 10 %", netns.Spec{Do: netns.Loss, Share: 0.1}, false},
		{"loss 30 %", netns.Spec{Do: netns.Loss, Share: 0.3}, false},
		{"loss 30 % over IPv6", netns.Spec{Do: netns.Loss, Share: 0.3}, true},
		{"loss of all", netns.Spec{Do: netns.Loss}, false},
		{"duplicate 20 %", netns.Spec{Do: netns.Duplicate, Share: 0.2}, false},
		{"duplicate 20 % over IPv6", netns.Spec{Do: netns.Duplicate, Share: 0.2}, true},
		{"corrupt 10 %", netns.Spec{Do: netns.Corrupt, Share: 0.1}, false},
		{"corrupt 10 % over IPv6", netns.Spec{Do: netns.Corrupt, Share: 0.1}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := netnstest.New(t, 1)
			to := netip.AddrPortFrom(w.Near[0], port)
			if test.v6 {
				to = netip.AddrPortFrom(w.Near[1], port)
			}
			b := box(t, w.Victim, to)
			k := &route{from: w.Peers[0], to: w.Victim, at: to, box: b, sender: post(t, w.Peers[0], to)}
			k.last(t) // so that addresses are resolved
			b.forget()

			test.spec.Via, test.spec.Seed = "ebpf", 7
			test.spec.Match.Ports = []uint16{port}
			h := set(t, w.Victim, test.spec)
			var want []int
			hits := 0
			k.burst(t, n, func(sent int) {
				waitFor(t, "all to be met", func() bool { return affected(t, h).Packets >= int64(sent) })
			})
			for i := range n {
				hit := test.spec.Share == 0 || seed.Chosen(test.spec.Share, 7, uint64(i))
				if hit {
					hits++
				}
				if !hit || test.spec.Do == netns.Duplicate {
					want = append(want, i)
				}
				if hit && test.spec.Do == netns.Duplicate {
					want = append(want, i)
				}
			}
			if share := float64(hits) / n; test.spec.Share > 0 && math.Abs(share-test.spec.Share) > 0.015 {
				t.Errorf("the seed chooses %.4f of the packets, and %v were asked for", share, test.spec.Share)
			}
			got := numbers(b.expect(t, len(want)))
			slices.Sort(got) // a copy arrives with its original or a little later
			if !slices.Equal(got, want) {
				t.Errorf("%d datagrams came that were to, of %d", len(got), len(want))
			}
			if m := affected(t, h); m.Packets != n || m.Hit != int64(hits) || m.Bytes < n*100 {
				t.Errorf("it met %+v, and should have met %d packets and hit %d", m, n, hits)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			b.forget()
			k.burst(t, 1000, func(sent int) { b.expect(t, sent) })
			if got := b.mail(); len(got) != 1000 {
				t.Errorf("of 1000 datagrams after it was taken back came %d", len(got))
			}
		})
	}
}
