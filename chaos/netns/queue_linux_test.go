package netns_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
)

func TestQueueLatencyTry(t *testing.T) {
	w := netnstest.New(t, 1)
	to := netip.AddrPortFrom(w.Near[0], 5001)
	b := box(t, w.Victim, to)
	s := post(t, w.Peers[0], to)
	s.send(t, 0)
	b.expect(t, 1)
	h := set(t, w.Victim, netns.Spec{Do: netns.Latency, Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Via: "nfqueue"})
	for i := range 2000 {
		s.send(t, i)
		time.Sleep(time.Millisecond)
	}
	var took []time.Duration
	for _, d := range b.expect(t, 2001)[1:] {
		took = append(took, d.took)
	}
	slices.Sort(took)
	for _, q := range []int{0, 1, 25, 50, 75, 99} {
		t.Log(q, took[len(took)*q/100])
	}
	t.Log(took[len(took)-1], met(t, h))
}
