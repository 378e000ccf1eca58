package netns_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

func TestQueueLatency(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 1)
	k := newRoute(t, w, netns.In, 5001)
	back := newRoute(t, w, netns.Out, 5002)
	h := set(t, w.Victim, netns.Spec{
		Do: netns.Latency, Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Via: "nfqueue",
		Match: netns.Match{Ports: []uint16{5001, 5002}},
	})
	n := spread(t, k, 80*time.Millisecond, 120*time.Millisecond)
	for i := range 100 {
		back.sender.send(t, i)
	}
	back.box.expect(t, 100)
	if m := affected(t, h); m.Packets != int64(n) || m.Hit != int64(n) || m.Bytes != int64(n)*128 {
		t.Errorf("it met %+v, and should have met %d packets that came in, and no other", m, n)
	}
}

// TestQueueReorder checks that other packets overtake the delayed ones.
func TestQueueReorder(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 1)
	k := newRoute(t, w, netns.In, 5001)
	h := set(t, w.Victim, netns.Spec{
		Do: netns.Reorder, Delay: 50 * time.Millisecond, Share: 0.25, Seed: 4, Via: "nfqueue",
		Match: netns.Match{Ports: []uint16{5001}},
	})
	const n = 2000
	k.burst(t, n, func(sent int) {
		waitFor(t, "all to be met", func() bool { return affected(t, h).Packets >= int64(sent) })
	})
	came, copies, overtaken := seen(k.box.expect(t, n), n)
	if came != n || copies != 0 {
		t.Errorf("%d came of %d, and %d copies", came, n, copies)
	}
	m := affected(t, h)
	share(t, "held back", int(m.Hit), n, 0.25)
	// No packets follow the last delayed ones.
	if overtaken < int(m.Hit)/2 || overtaken > int(m.Hit) {
		t.Errorf("%d were overtaken, and %d held back", overtaken, m.Hit)
	}
}

// TestQueueClose checks that Close releases all waiting packets, and that packets that arrive
// meanwhile are not lost.
func TestQueueClose(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 1)
	k := newRoute(t, w, netns.In, 5001)
	before := state(t, w.Victim)
	h := set(t, w.Victim, netns.Spec{Do: netns.Latency, Delay: time.Hour, Via: "nfqueue"})
	const n = 1000
	k.burst(t, n, func(sent int) {
		waitFor(t, "all to wait", func() bool { return affected(t, h).Hit >= int64(sent) })
	})
	if got := k.box.mail(); len(got) > 0 {
		t.Errorf("%d came that were to wait for an hour", len(got))
	}
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		i := n
		for ; ; i++ {
			select {
			case <-stop:
				stopped <- i
				return
			default:
				k.sender.send(t, i)
				time.Sleep(10 * time.Microsecond) // simulates the pace of a sender
			}
		}
	}()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	close(stop)
	all := <-stopped
	came, copies, _ := seen(k.last(t), all)
	// The kernel drops packets that arrive between the last read of the queue and its end.
	if lost := all - came; lost > 2 || copies > 0 {
		t.Errorf("of %d datagrams %d were lost, and %d came twice", all, lost, copies)
	}
	if err := h.Close(); err != nil {
		t.Errorf("closing it again: %v", err)
	}
	if after := state(t, w.Victim); after != before {
		t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
	}
}

// TestQueueBandwidth checks that little more than the rate passes in each direction. TestShaping
// and TestPackets_Exact check the lower bound.
func TestQueueBandwidth(t *testing.T) {
	suite.Needs(t, suite.VM)
	for _, dir := range []netns.Direction{netns.In, netns.Out, netns.Both} {
		t.Run("direction "+string(dir), func(t *testing.T) {
			w := netnstest.New(t, 1)
			const rate = 1_250_000
			h := set(t, w.Victim, netns.Spec{Do: netns.Bandwidth, Rate: rate, Direction: dir, Via: "nfqueue"})
			for _, direction := range []netns.Direction{netns.In, netns.Out} {
				got, _ := bulk(t, w, direction, rate)
				t.Logf("%s: %.2f Mbit/s", direction, got*8/1e6)
				if shaped := dir == netns.Both || dir == direction; shaped && got > 1.05*rate {
					t.Errorf("%s: %.0f bytes a second passed, of %d", direction, got, rate)
				}
			}
			if m := affected(t, h); m.Bytes < rate || m.Hit == 0 {
				t.Errorf("it met %+v", m)
			}
		})
	}
}

// bulk sends n bytes over TCP and returns two rates in bytes per second: of all bytes since before
// the start, which delays can only reduce, and of those after the first fifth, which contains the
// burst of a shaper.
func bulk(t testing.TB, w *netnstest.World, dir netns.Direction, n int) (all, later float64) {
	t.Helper()
	from, to, at := w.Peers[0], w.Victim, netip.AddrPortFrom(w.Near[0], 0)
	if dir == netns.Out {
		from, to, at = w.Victim, w.Peers[0], netip.AddrPortFrom(w.Peers[0].V4, 0)
	}
	l := to.Listen(t, at)
	defer l.Close()
	began := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		first, _ := io.CopyN(io.Discard, c, int64(n/5))
		start := time.Now()
		k, _ := io.Copy(io.Discard, c)
		all, later = float64(first+k)/time.Since(began).Seconds(), float64(k)/time.Since(start).Seconds()
	}()
	c, err := from.Dial("tcp", l.Addr().(*net.TCPAddr).AddrPort(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).CloseWrite()
	<-done
	return all, later
}

// TestQueueRefuses checks that unsupported Specs are refused.
func TestQueueRefuses(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 1)
	_, err := w.Victim.Set(netns.Spec{Do: netns.Latency, Delay: time.Second, Direction: netns.Out, Via: "nfqueue"})
	if !errors.Is(err, netns.ErrCannot) || !strings.Contains(err.Error(), "throttle") {
		t.Errorf("to delay what goes out by a queue: %v", err)
	}
}

// TestQueueTogether checks that faults in one namespace add up, by several mechanisms and by one,
// and that closing one keeps the others.
func TestQueueTogether(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 2)
	near := newRoute(t, w, netns.In, 5001)
	other := netip.PrefixFrom(w.Peers[1].V4, 32)
	before := state(t, w.Victim)
	ports := netns.Match{Ports: []uint16{5001}}
	specs := []netns.Spec{
		{Do: netns.Latency, Delay: 30 * time.Millisecond, Via: "nfqueue", Match: ports},
		{Do: netns.Latency, Delay: 50 * time.Millisecond, Via: "nfqueue", Match: ports},
		{Do: netns.Bandwidth, Rate: 1e6, Via: "nfqueue"},
		{Do: netns.Loss, Share: 0.5, Match: ports},
		{Do: netns.Partition, Match: netns.Match{Peers: []netip.Prefix{other}}},
	}
	var held []netns.Held
	for _, s := range specs {
		held = append(held, set(t, w.Victim, s))
	}
	const n = 400
	for i := range n {
		near.sender.send(t, i)
	}
	half := n - int(affected(t, held[3]).Hit)
	share(t, "lost", n-half, n, 0.5)
	if took := sorted(near.box.expect(t, half)); took[0] < 80*time.Millisecond {
		t.Errorf("the first took %v, with delays of 30 and 50 ms", took[0])
	}
	if _, err := w.Peers[1].Dial("tcp", netip.AddrPortFrom(w.Near[2], 5001), shortly); outcome(err) != silent {
		t.Errorf("across the partition: %v", err)
	}
	for i := len(held) - 1; i > 0; i-- {
		if err := held[i].Close(); err != nil {
			t.Error(err)
		}
	}
	near.box.forget()
	waitFor(t, "a datagram that only one of the delays held back", func() bool {
		near.sender.send(t, 0)
		took := sorted(near.box.mail())
		if len(took) > 0 && took[0] < 30*time.Millisecond {
			t.Fatalf("with a delay of 30 ms left, the first took %v", took[0])
		}
		return len(took) > 0 && took[0] < 80*time.Millisecond
	})
	if err := held[0].Close(); err != nil {
		t.Error(err)
	}
	if after := state(t, w.Victim); after != before {
		t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
	}
}

// BenchmarkQueue_Datagram sends through a delay at full speed.
func BenchmarkQueue_Datagram(b *testing.B) {
	w := netnstest.New(b, 1)
	k := newRoute(b, w, netns.In, 5001)
	h := set(b, w.Victim, netns.Spec{Do: netns.Latency, Delay: 10 * time.Millisecond, Via: "nfqueue"})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		k.sender.send(b, i)
		i++
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
	m := affected(b, h)
	b.ReportMetric(100*float64(m.Packets)/float64(i), "%queued")
}

// TestProbe_Known: where connections are tracked, held pings of a flow that was not known are dropped but one. Pings
// that begin with one that has an answer all pass.
func TestProbe_Known(t *testing.T) {
	t.Parallel()
	w := netnstest.New(t, 1)
	w.Victim.Run(t, "nft add table inet tracking '{ chain in { type filter hook input priority 0; ct state established "+
		"counter accept; }; }'")
	set(t, w.Victim, netns.Spec{Do: netns.Bandwidth, Rate: 10_000, Via: "nfqueue"})
	const sent, size = 12, 400
	p := netns.Probe{Kind: netns.Ping, To: netip.AddrPortFrom(w.Peers[0].V4, 0), N: sent, Size: size, Wait: time.Second}
	got, err := w.Victim.Probe(t.Context(), p)
	if err != nil || got.Came > 2 {
		t.Errorf("%d of %d pings of an unknown flow came back: the kernel no longer drops them, %v", got.Came, got.Sent, err)
	}
	p.Known = true
	got, err = w.Victim.Probe(t.Context(), p)
	if err != nil || got.Came != sent {
		t.Fatalf("%d of %d pings came back, %v", got.Came, got.Sent, err)
	}
	// The first ping is not measured, and the time is from the second to the last.
	if rate := float64(got.Bytes) / got.Span.Seconds(); got.Bytes != (sent-1)*(size+28) || rate < 5_000 || rate > 12_500 {
		t.Errorf("%d bytes in %v: %.0f a second; 10000 were asked for", got.Bytes, got.Span, rate)
	}
}
