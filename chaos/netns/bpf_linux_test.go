package netns

import (
	"math"
	"net/netip"
	"slices"
	"testing"

	"brunt/chaos/seed"
)

// TestEBPFShares finds that exactly those packets are hit that the seed chooses, that as
// many are as the share says, and that none is once it is taken back.
func TestEBPFShares(t *testing.T) {
	const n, port = 10_000, 5001
	for _, test := range []struct {
		name string
		spec Spec
		to   netip.Addr
	}{
		{"loss 10 %", Spec{Do: Loss, Share: 0.1}, addr4b},
		{"loss 30 %", Spec{Do: Loss, Share: 0.3}, addr4b},
		{"loss 30 % over IPv6", Spec{Do: Loss, Share: 0.3}, addr6b},
		{"loss of all", Spec{Do: Loss}, addr4b},
		{"duplicate 20 %", Spec{Do: Duplicate, Share: 0.2}, addr4b},
		{"duplicate 20 % over IPv6", Spec{Do: Duplicate, Share: 0.2}, addr6b},
		{"corrupt 10 %", Spec{Do: Corrupt, Share: 0.1}, addr4b},
		{"corrupt 10 % over IPv6", Spec{Do: Corrupt, Share: 0.1}, addr6b},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			to := netip.AddrPortFrom(test.to, port)
			b := box(t, l.b, to)
			s := post(t, l.a, to)
			s.send(t, 0)
			b.expect(t, 1) // so that addresses are resolved

			test.spec.Via, test.spec.Seed = "ebpf", 7
			test.spec.Match.Ports = []uint16{port}
			h := set(t, l.b, test.spec)
			var want []int
			hits := 0
			for i := range n {
				s.send(t, i)
				hit := test.spec.Share == 0 || seed.Chosen(test.spec.Share, 7, uint64(i))
				if hit {
					hits++
				}
				if !hit || test.spec.Do == Duplicate {
					want = append(want, i)
				}
				if hit && test.spec.Do == Duplicate {
					want = append(want, i)
				}
			}
			if share := float64(hits) / n; test.spec.Share > 0 && math.Abs(share-test.spec.Share) > 0.015 {
				t.Errorf("the seed chooses %.4f of the packets, and %v were asked for", share, test.spec.Share)
			}
			got := numbers(b.expect(t, 1+len(want)))[1:]
			slices.Sort(got) // a copy comes with its original or a little later
			if !slices.Equal(got, want) {
				t.Errorf("%d datagrams came that were to, of %d", len(got), len(want))
			}
			if m := met(t, h); m.Packets != n || m.Hit != int64(hits) || m.Bytes < n*100 {
				t.Errorf("it met %+v, and should have met %d packets and hit %d", m, n, hits)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			before := len(b.mail())
			for i := range 1000 {
				s.send(t, i)
			}
			if got := b.expect(t, before+1000); len(got) != before+1000 {
				t.Errorf("of 1000 datagrams after it was taken back came %d", len(got)-before)
			}
		})
	}
}
