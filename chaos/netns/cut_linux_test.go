package netns_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"

	"golang.org/x/sys/unix"
)

// TestCut_Exact counts datagrams: a partition drops every selected one and passes all others, for
// every sender.
func TestCut_Exact(t *testing.T) {
	const each = 500
	type flow struct {
		from, to string
		port     uint16
		v6       bool
	}
	var flows []flow
	for _, ends := range [][2]string{{"victim", "peer"}, {"peer", "victim"}, {"victim", "other"}, {"other", "victim"}} {
		for _, port := range []uint16{6001, 6002} {
			flows = append(flows, flow{ends[0], ends[1], port, false}, flow{ends[0], ends[1], port, true})
		}
	}
	for _, tt := range []struct {
		name  string
		spec  netns.Spec
		stops func(f flow) bool // of the datagrams between victim and peer
	}{
		{"both ways", netns.Spec{Do: netns.Partition}, func(flow) bool { return true }},
		{
			"what others open",
			netns.Spec{Do: netns.Partition, Direction: netns.In},
			func(f flow) bool { return f.to == "victim" },
		},
		{
			"what it opens",
			netns.Spec{Do: netns.Partition, Direction: netns.Out},
			func(f flow) bool { return f.from == "victim" },
		},
		{
			"a port",
			netns.Spec{Do: netns.Partition, Match: netns.Match{Ports: []uint16{6002}}},
			func(f flow) bool { return f.port == 6002 },
		},
		{
			"a port, what others open",
			netns.Spec{Do: netns.Partition, Direction: netns.In, Match: netns.Match{Ports: []uint16{6001}}},
			func(f flow) bool { return f.port == 6001 && f.to == "victim" },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, false)
			var got [16]atomic.Int64
			for _, name := range []string{"victim", "peer", "other"} {
				for _, port := range []uint16{6001, 6002} {
					u := s.node(name).ListenUDP(t, netip.AddrPortFrom(netip.IPv6Unspecified(), port))
					if err := u.SetReadBuffer(4 << 20); err != nil {
						t.Fatal(err)
					}
					go func() {
						b := make([]byte, 16)
						for {
							if _, err := u.Read(b); err != nil {
								return
							}
							got[b[0]].Add(1)
						}
					}()
				}
			}
			spec := tt.spec
			spec.Match.Peers = []netip.Prefix{netip.PrefixFrom(s.Peers[0].V4, 32), netip.PrefixFrom(s.Peers[0].V6, 128)}
			h := set(t, s.Victim, spec)
			stopped := int64(0)
			for i, f := range flows {
				c, err := s.node(f.from).Dial("udp", s.addr(exchange{from: f.from, to: f.to, port: f.port, v6: f.v6}), patience)
				if err != nil {
					t.Fatal(err)
				}
				for range each {
					if _, err := c.Write([]byte{byte(i)}); err != nil {
						t.Fatalf("a send is not to notice: %v", err)
					}
				}
				c.Close()
				if f.from != "other" && f.to != "other" && tt.stops(f) {
					stopped += each
				}
			}
			// Each datagram was either dropped and counted, or passed.
			waitFor(t, "all to be stopped or to come through", func() bool {
				total := affected(t, h).Hit
				for i := range got {
					total += got[i].Load()
				}
				return total >= each*int64(len(flows))
			})
			if m := affected(t, h); m.Hit != stopped || m.Packets != stopped {
				t.Errorf("it met %+v; want %d", m, stopped)
			}
			for i, f := range flows {
				want := int64(each)
				if f.from != "other" && f.to != "other" && tt.stops(f) {
					want = 0
				}
				if n := got[i].Load(); n != want {
					t.Errorf("%+v: %d of %d came through; want %d", f, n, each, want)
				}
			}
		})
	}
}

// A cut of everything keeps neighbour discovery: a host that can't find a neighbour reports an
// error to its programs, unlike packet loss.
func TestCut_Neighbours(t *testing.T) {
	s := newStage(t, false)
	h := set(t, s.Victim, netns.Spec{Do: netns.Blackhole})
	s.Victim.Run(t, "ip neigh flush all")
	s.Peers[0].Run(t, "ip neigh flush all")
	for _, k := range []exchange{
		{from: "victim", to: "peer", net: "tcp", port: echoA, v6: true},
		{from: "peer", to: "victim", net: "tcp", port: echoA, v6: true},
		{from: "victim", to: "peer", net: "tcp", port: echoA},
	} {
		if got := s.try(k, silent); got != silent {
			t.Errorf("%s: %s; want %s", k, got, silent)
		}
	}
	if out := s.Victim.Run(t, "ip -6 neigh show dev eth0 to "+s.Peers[0].V6.String()); !strings.Contains(out, "lladdr") {
		t.Errorf("the neighbour was not found: %s", out)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// A UDP sender that a partition rejects gets an error, from inside and from outside.
func TestCut_RefusedUDP(t *testing.T) {
	s := newStage(t, false)
	set(t, s.Victim, netns.Spec{Do: netns.Partition, Mode: "reject"})
	for _, k := range []exchange{
		{from: "victim", to: "peer", net: "udp", port: echoA},
		{from: "victim", to: "peer", net: "udp", port: echoA, v6: true},
		{from: "peer", to: "victim", net: "udp", port: echoA},
		{from: "peer", to: "victim", net: "udp", port: echoA, v6: true},
	} {
		c, err := s.node(k.from).Dial(k.net, s.addr(k), patience)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(patience))
		_, err = c.Write([]byte("x"))
		if err == nil {
			_, err = c.Read(make([]byte, 16))
		}
		// From inside, the send itself may fail.
		if !errors.Is(err, unix.ECONNREFUSED) && (k.from != "victim" || !errors.Is(err, unix.EPERM)) {
			t.Errorf("%s: %v; want it refused", k, err)
		}
		c.Close()
	}
}

// TestCut_HalfOpen makes the victim drop its connections without telling the peers. New ones work.
func TestCut_HalfOpen(t *testing.T) {
	s := newStage(t, true)
	s.connect(t)
	before := netnstest.State(t, s.Victim.Namespace)
	h := set(t, s.Victim, netns.Spec{Do: netns.HalfOpen, Match: netns.Match{Ports: []uint16{echoA}}})
	if m := affected(t, h); m.Hit < 8 {
		t.Errorf("it met %+v; want four connections of IPv4 and four of IPv6", m)
	}
	s.expect(t, "in the fault", func(k exchange) string {
		switch {
		case !k.before || k.port != echoA || k.from == k.to:
			return passes
		case k.from == "victim":
			return reset
		}
		return silent
	})
	// The remote end keeps the connection until the fault is over and it sends again.
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if after := netnstest.State(t, s.Victim.Namespace); after != before {
		t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
	}
	for k, c := range s.open {
		if k.port == echoA && k.from != "victim" {
			c.SetDeadline(time.Now().Add(patience))
			if _, err := c.Read(make([]byte, 16)); !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("%s: afterwards %v; want an error at last", k, err)
			}
		}
	}
}

// TestCut_Together has faults of several runs in force at once. Each ends on its own.
func TestCut_Together(t *testing.T) {
	s := newStage(t, false)
	before := netnstest.State(t, s.Victim.Namespace)
	toPeer := netns.Match{Peers: []netip.Prefix{netip.PrefixFrom(s.Peers[0].V4, 32)}}
	toOther := netns.Match{Peers: []netip.Prefix{netip.PrefixFrom(s.Peers[1].V4, 32)}}
	resolver(t, s.Peers[1], netip.AddrPortFrom(s.Peers[1].V4, 53))
	var held []netns.Held
	for _, spec := range []netns.Spec{
		{Do: netns.Partition, Match: toPeer},
		{Do: netns.Partition, Match: toPeer},
		{Do: netns.Partition, Match: toOther, Mode: "reject"},
		{Do: netns.DNSFail},
	} {
		held = append(held, set(t, s.Victim, spec))
	}
	if n := marks(t, s.Victim); n != len(held) {
		t.Errorf("%d tables; want one of each fault", n)
	}
	try := func(to, want string) {
		t.Helper()
		if got := s.try(exchange{from: "victim", to: to, net: "tcp", port: echoA}, want); got != want {
			t.Errorf("the victim to the %s: %s; want %s", to, got, want)
		}
	}
	ask := func(want string) {
		t.Helper()
		a := &asking{network: "udp", to: netip.AddrPortFrom(s.Peers[1].V4, 53), fresh: true}
		if got := a.ask(t, s.Victim, "example.com.", 1, longEnough); got != want {
			t.Errorf("the resolver says %s; want %s", got, want)
		}
	}
	closeOne := func(i int) {
		t.Helper()
		if err := held[i].Close(); err != nil {
			t.Error(err)
		}
	}
	try("peer", silent)
	try("other", refused)
	ask("SERVFAIL")
	closeOne(1) // the other run's fault stays
	try("peer", silent)
	closeOne(3)
	closeOne(2)
	try("other", passes)
	ask(truth.String())
	try("peer", silent)
	closeOne(0)
	try("peer", passes)
	if after := netnstest.State(t, s.Victim.Namespace); after != before {
		t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
	}
}

// TestCut_Flush flushes all rules while a fault is in force: the fault stays, because its owner
// differs.
func TestCut_Flush(t *testing.T) {
	s := newStage(t, false)
	h := set(t, s.Victim, netns.Spec{Do: netns.Partition})
	s.Victim.Run(t, "nft flush ruleset")
	if marks(t, s.Victim) != 1 {
		t.Error("the table went with the rules of others")
	}
	if got := s.try(exchange{from: "victim", to: "peer", net: "tcp", port: echoA}, silent); got != silent {
		t.Errorf("after a flush of all rules: %s; want %s", got, silent)
	}
	h.Close()
	if _, err := h.Affected(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("what a fault met that is over: %v; want that it is closed", err)
	}
}

// TestCut_Many has more existing connections than fit into one message.
func TestCut_Many(t *testing.T) {
	const many = 3000
	w := netnstest.New(t, 1)
	l := w.Peers[0].Listen(t, netip.AddrPortFrom(w.Peers[0].V4, 7100))
	accepted := make(chan net.Conn, many)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	err := w.Victim.Do(func() error {
		for range many {
			c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: w.Peers[0].V4.AsSlice(), Port: 7100})
			if err != nil {
				return err
			}
			t.Cleanup(func() { c.Close() })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h := set(t, w.Victim, netns.Spec{Do: netns.Reset})
	if m := affected(t, h); m.Hit < many {
		t.Errorf("it met %+v; want %d connections", m, many)
	}
	for range many {
		c := <-accepted
		c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
			t.Fatalf("%v; want that all are reset", err)
		}
		c.Close()
	}
}

func TestSpec_Check(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec netns.Spec
		want string // expected mistake; empty is none
	}{
		{"fine", netns.Spec{Do: netns.Partition, Mode: "reset"}, ""},
		{"no action", netns.Spec{}, "no action"},
		{"rate", netns.Spec{Do: netns.Bandwidth}, "rate"},
		{"delay", netns.Spec{Do: netns.Latency}, "delay"},
		{"direction", netns.Spec{Do: netns.Loss, Direction: "up"}, "direction"},
		{"share", netns.Spec{Do: netns.Loss, Share: 1.5}, "share"},
		{"mode of what", netns.Spec{Do: netns.Stall, Mode: "reject"}, "partition"},
		{"mode", netns.Spec{Do: netns.Partition, Mode: "no"}, "mode"},
		{"answers", netns.Spec{Do: netns.DNSSpoof}, "answer"},
		{"rcode", netns.Spec{Do: netns.DNSFail, RCode: "OK"}, "rcode"},
		{"port", netns.Spec{Do: netns.Loss, Match: netns.Match{Ports: []uint16{0}}}, "port"},
		{"peer", netns.Spec{Do: netns.Loss, Match: netns.Match{Peers: []netip.Prefix{{}}}}, "peer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.spec.Check()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

// A Spec that no mechanism supports is refused.
func TestSet_Cannot(t *testing.T) {
	w := netnstest.New(t, 1)
	before := netnstest.State(t, w.Victim.Namespace)
	for _, s := range []netns.Spec{
		{Do: netns.Stall, Via: "netem"},
		{Do: netns.Bandwidth},
		{Do: netns.Partition, Via: "iptables"},
	} {
		h, err := w.Victim.Set(s)
		if err == nil {
			h.Close()
			t.Errorf("%+v was set", s)
		}
		if _, pick := w.Victim.Pick(s); pick == nil {
			t.Errorf("%+v was picked", s)
		}
		if s.Via != "" && (!errors.Is(err, netns.ErrCannot) || !strings.Contains(err.Error(), "nft")) {
			t.Errorf("%v; want what it is done by", err)
		}
	}
	if after := netnstest.State(t, w.Victim.Namespace); after != before {
		t.Errorf("it left\n%s\nand was\n%s", after, before)
	}
}

// Every mechanism can be probed, and reports why it does not work.
func TestCapabilities(t *testing.T) {
	netnstest.Need(t)
	seen := map[netns.Action]bool{}
	for _, w := range netns.Capabilities() {
		if w.Err == nil {
			seen[w.Do] = true
		} else if w.Fix == "" {
			t.Errorf("%s by %s: %v, and no way to mend it", w.Do, w.Via, w.Err)
		}
	}
	for _, a := range netns.Actions() {
		if !seen[a] {
			t.Errorf("nothing here does %s", a)
		}
	}
}

// Rules drop the requested share of incoming or outgoing packets, without an error to the sender.
func TestCut_Loss(t *testing.T) {
	const sent = 10_000
	for _, tt := range []struct {
		name      string
		direction netns.Direction
		share     float64
		from, to  string
	}{
		{"in", netns.In, 0.1, "peer", "victim"},
		{"in by default", netns.Both, 0.3, "peer", "victim"},
		{"not out by default", netns.Both, 0, "victim", "peer"},
		{"out", netns.Out, 0.3, "victim", "peer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, false)
			var got atomic.Int64
			u := s.node(tt.to).ListenUDP(t, netip.AddrPortFrom(netip.IPv6Unspecified(), 6001))
			if err := u.SetReadBuffer(16 << 20); err != nil {
				t.Fatal(err)
			}
			go func() {
				for b := make([]byte, 16); ; got.Add(1) {
					if _, err := u.Read(b); err != nil {
						return
					}
				}
			}()
			share := tt.share
			if share == 0 {
				share = 0.5
			}
			h := set(t, s.Victim, netns.Spec{Do: netns.Loss, Via: "nft", Direction: tt.direction, Share: share})
			c, err := s.node(tt.from).Dial("udp", s.addr(exchange{from: tt.from, to: tt.to, port: 6001}), patience)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for i := range sent {
				if _, err := c.Write([]byte("x")); err != nil {
					t.Fatalf("a send is not to notice: %v", err)
				}
				if i%1000 == 999 { // the receiver has a buffer of its own size
					waitFor(t, "what was sent", func() bool { return got.Load()+affected(t, h).Hit >= int64(i+1) })
				}
			}
			lost := float64(affected(t, h).Hit) / sent
			if off := lost - tt.share; off < -0.03 || off > 0.03 {
				t.Errorf("%.2f %% were lost; want %.0f %%", 100*lost, 100*tt.share)
			}
			t.Logf("%.2f %% of %d were lost", 100*lost, sent)
		})
	}
}
