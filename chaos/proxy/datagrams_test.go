package proxy_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"
)

// datagramServer logs the datagrams that it receives, and sends each back.
type datagramServer struct {
	at string

	mu   sync.Mutex
	log  [][]byte
	when []time.Time
}

func newDatagramServer(t *testing.T) *datagramServer {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &datagramServer{at: c.LocalAddr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for b := make([]byte, 64<<10); ; {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.log, s.when = append(s.log, slices.Clone(b[:n])), append(s.when, time.Now())
			s.mu.Unlock()
			_, _ = c.WriteToUDPAddrPort(b[:n], from)
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		all.Wait()
	})
	return s
}

// numbers returns the numbers of the received datagrams, in their order.
func (s *datagramServer) numbers() (list []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.log {
		list = append(list, int(binary.BigEndian.Uint32(b)))
	}
	return list
}

// came returns when a datagram was received.
func (s *datagramServer) came(i int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.when[i]
}

// got counts the received datagrams.
func (s *datagramServer) got() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.log))
}

// datagrams starts a server, a proxy before it, and a client.
func datagrams(t *testing.T) (*datagramServer, *proxy.Proxy, net.Conn) {
	s := newDatagramServer(t)
	p, err := proxy.Start(proxy.Config{Upstream: func() string { return s.at }, Seed: 7, Datagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp4", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, p, c
}

// say sends the datagrams from to to-1. After a few it waits until they are counted, so that no buffer overflows.
func say(t *testing.T, c net.Conn, counted func() int64, from, to int) {
	t.Helper()
	before := counted()
	for i := from; i < to; i++ {
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(i)), "payload of a datagram"...)); err != nil {
			t.Fatal(err)
		}
		if i%32 == 31 || i == to-1 {
			want := before + int64(i-from+1)
			if !suite.Within(10*time.Second, func() bool { return counted() >= want }) {
				t.Fatalf("%d of %d datagrams are counted", counted()-before, i-from+1)
			}
		}
	}
}

func addDatagrams(t *testing.T, p *proxy.Proxy, toxic proxy.Toxic) (proxy.Toxicity, func() int64) {
	t.Helper()
	x, err := p.Add(toxic)
	if err != nil {
		t.Fatal(err)
	}
	return x, func() int64 { s := x.Seen(); return s.Hit + s.Passed }
}

func (s *datagramServer) settles(t *testing.T, n int) {
	t.Helper()
	if !suite.Within(10*time.Second, func() bool { return len(s.numbers()) >= n }) {
		t.Fatalf("the server has %d datagrams, want %d", len(s.numbers()), n)
	}
}

// TestDatagrams_Loss: a loss of 10 % is a loss of 10 ± 0.5 %, by the log of the server, and the proxy counts each one.
func TestDatagrams_Loss(t *testing.T) {
	const sent = 20_000
	s, p, c := datagrams(t)
	x, _ := addDatagrams(t, p, toxics.Datagrams{Do: toxics.Lose, Share: .1})
	say(t, c, func() int64 { return x.Seen().Hit + s.got() }, 0, sent)
	hit := int(x.Seen().Hit)
	s.settles(t, sent-hit)
	got := 1 - float64(len(s.numbers()))/sent
	t.Logf("%.2f %% were lost", 100*got)
	if math.Abs(got-.1) > .005 || len(s.numbers()) != sent-hit {
		t.Errorf("%.2f %% were lost, and the proxy lost %d of %d", 100*got, hit, sent)
	}
	if err := x.Remove(); err != nil {
		t.Fatal(err)
	}
	none, _ := addDatagrams(t, p, toxics.Datagrams{Do: toxics.Lose, Share: 1e-12}) // counts, and loses none
	before := len(s.numbers())
	say(t, c, s.got, 0, 1000)
	s.settles(t, before+1000)
	if n := len(s.numbers()) - before; n != 1000 || none.Seen().Hit != 0 {
		t.Errorf("after the removal the server had %d of 1000", n)
	}
}

// TestDatagrams_Damage: the server's log shows each damage.
func TestDatagrams_Damage(t *testing.T) {
	const sent = 2000
	for _, c := range []struct {
		name  string
		toxic toxics.Datagrams
		// counts the hits in the log
		hits func(s *datagramServer) int
		want int // datagrams in the log, besides the hits
	}{
		{"duplicate", toxics.Datagrams{Do: toxics.Duplicate, Share: .2}, func(s *datagramServer) int {
			return len(s.numbers()) - sent
		}, sent},
		{
			"reorder",
			toxics.Datagrams{Do: toxics.Reorder, Share: .2, Delay: 100 * time.Millisecond},
			func(s *datagramServer) (n int) {
				most := -1
				for _, i := range s.numbers() {
					if i < most {
						n++
					}
					most = max(most, i)
				}
				return n
			}, sent,
		},
		{"corrupt", toxics.Datagrams{Do: toxics.Corrupt, Share: .2}, func(s *datagramServer) (n int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for i, b := range s.log {
				flipped := 0
				for k, want := range append(binary.BigEndian.AppendUint32(nil, uint32(i)), "payload of a datagram"...) {
					flipped += bits.OnesCount8(b[k] ^ want)
				}
				if flipped == 1 {
					n++
				} else if flipped > 1 {
					return -1
				}
			}
			return n
		}, sent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p, client := datagrams(t)
			x, counted := addDatagrams(t, p, c.toxic)
			say(t, client, counted, 0, sent)
			hit := int(x.Seen().Hit)
			want := c.want
			if c.toxic.Do == toxics.Duplicate {
				want += hit
			}
			s.settles(t, want)
			got := c.hits(s)
			if c.toxic.Do == toxics.Reorder { // those at the end have none after them
				if got < hit-hit/5 || got > hit {
					t.Errorf("%d came late, and the proxy delayed %d", got, hit)
				}
			} else if got != hit {
				t.Errorf("the log has %d hits, and the proxy made %d", got, hit)
			}
			if share := float64(hit) / sent; math.Abs(share-.2) > .04 {
				t.Errorf("%.1f %% were hit", 100*share)
			}
		})
	}
}

// TestDatagrams_Cut: nothing passes, and after the removal everything does.
func TestDatagrams_Cut(t *testing.T) {
	for _, toxic := range []proxy.Toxic{toxics.Partition{}, toxics.Blackhole{}} {
		s, p, c := datagrams(t)
		x, counted := addDatagrams(t, p, toxic)
		say(t, c, counted, 0, 100)
		if err := x.Remove(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(binary.BigEndian.AppendUint32(nil, 777)); err != nil {
			t.Fatal(err)
		}
		s.settles(t, 1)
		if got := s.numbers(); got[0] != 777 || len(got) != 1 {
			t.Errorf("%T let %v pass", toxic, got)
		}
	}
}

// TestDatagrams_Time: a latency delays each datagram, and a bandwidth spreads them; a removal lets those go that wait.
func TestDatagrams_Time(t *testing.T) {
	const delay = 150 * time.Millisecond
	s, p, c := datagrams(t)
	x, counted := addDatagrams(t, p, toxics.Latency{Delay: delay})
	began := time.Now()
	say(t, c, counted, 0, 20)
	s.settles(t, 20)
	if took := s.came(0).Sub(began); took < delay {
		t.Errorf("the first came after %s", took)
	}
	_ = x.Remove()
	x, counted = addDatagrams(t, p, toxics.Latency{Delay: time.Hour})
	say(t, c, counted, 20, 40)
	_ = x.Remove()
	s.settles(t, 40)
	x, counted = addDatagrams(t, p, toxics.Bandwidth{Rate: 25 * 100, Direction: proxy.Forward}) // 100 of 25 bytes a second
	began = time.Now()
	say(t, c, counted, 40, 100)
	s.settles(t, 100)
	if took := s.came(99).Sub(began); took < 590*time.Millisecond {
		t.Errorf("60 datagrams at 100/s took %s", took)
	}
	_ = x.Remove()
	if seen := x.Seen(); seen.Hit != 60 || seen.Forward != 60*25 {
		t.Errorf("of 60 datagrams that waited, it met %+v", seen)
	}
	x, counted = addDatagrams(t, p, toxics.Bandwidth{Rate: 1 << 30, Direction: proxy.Forward})
	say(t, c, counted, 100, 101)
	_ = x.Remove()
	if seen := x.Seen(); seen != (proxy.Traffic{Passed: 1}) {
		t.Errorf("one datagram waited for nothing, and it met %+v", seen)
	}
}

// TestDatagrams_Probe: a probe finds each effect, and nothing without one. It counts as no traffic.
func TestDatagrams_Probe(t *testing.T) {
	s, p, _ := datagrams(t)
	probe := func() proxy.Datagrams {
		t.Helper()
		r, err := p.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.Datagram, N: 100, Wait: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return r.Datagrams
	}
	clean := func() {
		t.Helper()
		if d := probe(); d.Came != 100 || d.Twice+d.Late+d.Damaged > 0 || d.Hit != 0 {
			t.Errorf("without a toxic: %+v", d)
		}
	}
	clean()
	for _, c := range []struct {
		toxic proxy.Toxic
		found func(d proxy.Datagrams) bool
	}{
		{toxics.Datagrams{Do: toxics.Lose, Share: .3}, func(d proxy.Datagrams) bool { return d.Came < 100 }},
		{toxics.Datagrams{Do: toxics.Duplicate, Share: .3}, func(d proxy.Datagrams) bool { return d.Twice > 0 }},
		{
			toxics.Datagrams{Do: toxics.Reorder, Share: .3, Delay: 20 * time.Millisecond},
			func(d proxy.Datagrams) bool { return d.Late > 0 },
		},
		{toxics.Datagrams{Do: toxics.Corrupt, Share: .3}, func(d proxy.Datagrams) bool { return d.Damaged > 0 }},
		{toxics.Latency{Delay: 50 * time.Millisecond}, func(d proxy.Datagrams) bool {
			return d.Came == 100 && d.Times[0] >= 50*time.Millisecond
		}},
		{toxics.Blackhole{}, func(d proxy.Datagrams) bool { return d.Came == 0 }},
	} {
		x, err := p.Add(c.toxic)
		if err != nil {
			t.Fatal(err)
		}
		if d := probe(); !c.found(d) || d.Hit == 0 {
			t.Errorf("%+v: %+v", c.toxic, d)
		}
		if seen := x.Seen(); seen.Any() {
			t.Errorf("the probe is counted as traffic: %+v", seen)
		}
		_ = x.Remove()
		clean()
	}
	if n := len(s.numbers()); n > 0 || p.Stats().Any() {
		t.Errorf("the server has %d datagrams of probes", n)
	}
}

// TestDatagrams_Unused: an association that is not used ends also while datagrams of others wait to leave.
func TestDatagrams_Unused(t *testing.T) {
	s, p, busy := datagrams(t)
	p.LimitFlows(100, 200*time.Millisecond)
	x, counted := addDatagrams(t, p, toxics.Latency{Delay: 100 * time.Millisecond})
	for range 5 {
		c, err := net.Dial("udp4", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		say(t, c, counted, 0, 1)
		_ = c.Close()
	}
	n := 0
	suite.Until(t, "the end of those that are not used", func() bool {
		say(t, busy, counted, n, n+1)
		n++
		return p.Flows() == 1
	})
	s.settles(t, 5+n)
	if status := x.Status(t.Context()); status != (proxy.Status{}) {
		t.Errorf("%+v", status)
	}
}

// TestDatagrams_Clients: many clients have few associations. A datagram of one that had to end is the proxy's own loss.
func TestDatagrams_Clients(t *testing.T) {
	const clients, most = 50, 8
	s, p, _ := datagrams(t)
	p.LimitFlows(most, time.Minute)
	all := make([]net.Conn, clients)
	for i := range all {
		c, err := net.Dial("udp4", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		all[i] = c
	}
	for round := range 2 {
		for i, c := range all {
			say(t, c, s.got, i, i+1)
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := c.Read(make([]byte, 100)); err != nil {
				t.Fatalf("round %d, client %d: %v", round, i, err)
			}
		}
	}
	if n := p.Flows(); n != most || p.Broken(t.Context()) != nil {
		t.Errorf("%d associations, want %d; %v", n, most, p.Broken(t.Context()))
	}
	sent := len(s.numbers())
	x, counted := addDatagrams(t, p, toxics.Latency{Delay: 300 * time.Millisecond, Direction: proxy.Forward})
	for i, c := range all {
		say(t, c, counted, i, i+1)
	}
	s.settles(t, sent+most)
	for _, want := range []string{"brunt's own relay", strconv.Itoa(clients-most) + " in all", "ports are in use"} {
		if got := x.Status(t.Context()).Broken; !strings.Contains(got, want) {
			t.Errorf("%q has no %q", got, want)
		}
	}
	if err := p.Broken(t.Context()); err != nil {
		t.Errorf("under a toxic, the proxy says %v", err)
	}
}

// stall is a toxic that blocks the relay at the first datagram of a direction until it may go on.
type stall struct {
	proxy.Toxic
	dir  proxy.Direction
	hit  chan struct{}
	wait chan struct{}
}

func (s stall) Begin() proxy.Effect {
	return proxy.Effect{Datagrams: func(at proxy.Point) proxy.DatagramEffect {
		if at.Direction != s.dir {
			return nil
		}
		first := true
		return func(b []byte, at time.Time, pass func([]byte, time.Time)) bool {
			if first {
				first = false
				close(s.hit)
				<-s.wait
			}
			return true
		}
	}}
}

// TestDatagrams_Overrun: what the system drops while brunt does not read is counted as the proxy's own loss, in each
// direction.
func TestDatagrams_Overrun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what it dropped")
	}
	const sent = 40_000
	for name, dir := range map[string]proxy.Direction{"forward": proxy.Forward, "back": proxy.Back} {
		t.Run(name, func(t *testing.T) {
			c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			p, err := proxy.Start(proxy.Config{Upstream: c.LocalAddr().String, Datagrams: true})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			client, err := net.Dial("udp4", p.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			say := func() error { _, err := client.Write([]byte("hello")); return err }
			if dir == proxy.Back {
				if err := say(); err != nil {
					t.Fatal(err)
				}
				_, from, err := c.ReadFromUDPAddrPort(make([]byte, 10))
				if err != nil {
					t.Fatal(err)
				}
				say = func() error { _, err := c.WriteToUDPAddrPort([]byte("hello"), from); return err }
			}
			s := stall{toxics.Blackhole{}, dir, make(chan struct{}), make(chan struct{})}
			x, err := p.Add(s)
			if err != nil {
				t.Fatal(err)
			}
			for i := range sent {
				if err := say(); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					<-s.hit
				}
			}
			close(s.wait)
			suite.Until(t, "all datagrams", func() bool {
				var lost int64
				_, _ = fmt.Sscanf(x.Status(t.Context()).Broken, "brunt's own relay lost datagrams, %d in all", &lost)
				return lost > 0 && x.Seen().Hit+lost == sent
			})
		})
	}
}

// TestDatagrams_Failed: a datagram that is lost for the lack of a socket is counted as the proxy's own loss.
func TestDatagrams_Failed(t *testing.T) {
	s := newDatagramServer(t)
	var lacks atomic.Bool
	p, err := proxy.Start(proxy.Config{
		Upstream: func() string { return s.at }, Datagrams: true,
		Control: func(string, string, syscall.RawConn) error {
			if lacks.Load() {
				return syscall.EMFILE
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	lacks.Store(true)
	for i := range 3 {
		c, err := net.Dial("udp4", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
			t.Fatal(err)
		}
	}
	suite.Until(t, "the losses", func() bool {
		err := p.Broken(t.Context())
		return err != nil && strings.Contains(err.Error(), "3 in all") && errors.Is(err, syscall.EMFILE)
	})
	if n := s.got(); n != 0 {
		t.Errorf("the server has %d", n)
	}
}
