package netns_test

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// exact reports that tests may assume a fast machine: BRUNT_EXACT is set.
func exact() bool { return os.Getenv("BRUNT_EXACT") != "" }

// TestPackets_Exact measures each mechanism on a quiet machine: the median of a delay must be
// within 3 ms, a share of 10 000 packets within 1.5 points, a rate within 5 %.
func TestPackets_Exact(t *testing.T) {
	suite.Needs(t, suite.Alone)
	for _, via := range []string{"nfqueue", "netem"} {
		t.Run("latency 100 ms ± 20 ms via "+via, func(t *testing.T) {
			s := netns.Spec{Do: netns.Latency, Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Via: via}
			needs(t, s)
			w := netnstest.New(t, 1)
			clean := roundTrips(t, w, 20)
			h := set(t, w.Victim, s)
			took := roundTrips(t, w, 100)
			h.Close()
			spreads(t, clean, took)
		})
	}
	const n = 10_000
	for _, test := range []struct {
		do    netns.Action
		share float64
		vias  []string
	}{
		{netns.Loss, 0.1, []string{"ebpf", "nft", "netem"}},
		{netns.Loss, 0.3, []string{"ebpf", "nft", "netem"}},
		{netns.Duplicate, 0.2, []string{"ebpf", "netem"}},
		{netns.Corrupt, 0.1, []string{"ebpf", "netem"}},
		{netns.Reorder, 0.25, []string{"nfqueue", "netem"}},
	} {
		for _, via := range test.vias {
			t.Run(fmt.Sprintf("%s %v via %s", test.do, test.share, via), func(t *testing.T) {
				s := netns.Spec{Do: test.do, Share: test.share, Via: via, Seed: uint64(time.Now().UnixNano())}
				if test.do == netns.Reorder {
					s.Delay = 20 * time.Millisecond
				}
				needs(t, s)
				w := netnstest.New(t, 1)
				dir := netns.In
				if via == "netem" {
					dir = netns.Out
				}
				k := newRoute(t, w, dir, 5001)
				h := set(t, w.Victim, s)
				for i := range n {
					k.sender.send(t, i)
					switch {
					case test.do == netns.Reorder:
						time.Sleep(50 * time.Microsecond) // simulates the pace of a sender
					case i%500 == 499:
						k.last(t)
					}
				}
				if test.do == netns.Reorder {
					k.box.expect(t, n)
				}
				if err := h.Close(); err != nil {
					t.Fatal(err)
				}
				came, copies, overtaken := seen(k.last(t), n)
				hit := map[netns.Action]int{
					netns.Loss: n - came, netns.Corrupt: n - came, netns.Duplicate: copies, netns.Reorder: overtaken,
				}[test.do]
				got := float64(hit) / n
				t.Logf("%.2f %% of %d", 100*got, n)
				if math.Abs(got-test.share) > 0.015 {
					t.Errorf("%.4f, and %v asked for", got, test.share)
				}
			})
		}
	}
	for _, test := range []struct {
		via  string
		dirs []netns.Direction
	}{
		{"nfqueue", []netns.Direction{netns.In, netns.Out}},
		{"tbf", []netns.Direction{netns.Out}},
	} {
		for _, dir := range test.dirs {
			for _, mbit := range []int64{10, 100} {
				t.Run(fmt.Sprintf("%d Mbit/s %s via %s", mbit, dir, test.via), func(t *testing.T) {
					if inVM() && mbit > 10 && test.via == "nfqueue" {
						t.Skip("an emulated processor carries 70 Mbit/s through a queue")
					}
					w := netnstest.New(t, 1)
					rate := mbit * 125_000
					set(t, w.Victim, netns.Spec{Do: netns.Bandwidth, Rate: rate, Direction: dir, Via: test.via})
					got, _ := bulk(t, w, dir, int(5*rate))
					t.Logf("%.2f Mbit/s", got*8/1e6)
					if math.Abs(got/float64(rate)-1) > 0.05 {
						t.Errorf("%.2f Mbit/s of payload pass, and %d were asked for", got*8/1e6, mbit)
					}
				})
			}
		}
	}
	t.Run("bulk through a latency of 20 ms", func(t *testing.T) {
		if inVM() {
			t.Skip("it tells what a machine carries, and an emulated one carries little")
		}
		w := netnstest.New(t, 1)
		set(t, w.Victim, netns.Spec{Do: netns.Latency, Delay: 20 * time.Millisecond, Via: "nfqueue"})
		_, got := bulk(t, w, netns.In, 500e6)
		t.Logf("%.0f Mbit/s", got*8/1e6)
	})
}

// spreads checks that round trips took 100 ms ± 20 ms longer than clean ones. Both slices are
// sorted.
func spreads(t *testing.T, clean, took []time.Duration) {
	t.Helper()
	added := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)))]-clean[len(clean)/2]) / float64(time.Millisecond)
	}
	t.Logf("%d round trips over TCP: added p1 %.2f, p25 %.2f, p50 %.2f, p75 %.2f, p99 %.2f ms", len(took), added(0.01),
		added(0.25), added(0.5),
		added(0.75), added(0.99))
	for q, want := range map[float64]float64{0.01: 80.4, 0.25: 90, 0.5: 100, 0.75: 110, 0.99: 119.6} {
		if math.Abs(added(q)-want) > 3 {
			t.Errorf("quantile %v: %.2f ms added, and %v asked for", q, added(q), want)
		}
	}
}

// roundTrips makes ten TCP connections echo the given number of times, one after another, and
// returns the sorted durations.
func roundTrips(t testing.TB, w *netnstest.World, times int) []time.Duration {
	t.Helper()
	l := w.Victim.Listen(t, netip.AddrPortFrom(w.Near[0], 0))
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	for range 10 {
		c, err := w.Peers[0].Dial("tcp", netip.MustParseAddrPort(l.Addr().String()), patience)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer c.Close()
			b := make([]byte, 100)
			for range times {
				start := time.Now()
				if _, err := c.Write(b); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(c, b); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, time.Since(start))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all
}
