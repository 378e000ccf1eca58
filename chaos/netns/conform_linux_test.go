package netns_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"

	"golang.org/x/sys/unix"
)

// Ports on which every node echoes.
const (
	echoA = 7001
	echoB = 7002
)

// The results of a talk.
const (
	passes  = "passes"
	silent  = "silent"  // no answer and no error
	refused = "refused" // at once: ECONNREFUSED
	reset   = "reset"   // at once: ECONNRESET, or ECONNABORTED on the side that dropped the connection
	held    = "held"    // the connection is made, and carries no data
)

const (
	longEnough = 20 * time.Second       // for expected events
	shortly    = 300 * time.Millisecond // for unexpected events
)

// A talk is one attempt on a new or an existing connection.
type exchange struct {
	from, to string // victim, peer or other
	net      string // tcp or udp
	port     uint16
	v6       bool
	before   bool // the connection existed before the fault
}

func (k exchange) String() string {
	s := fmt.Sprintf("%s %s->%s:%d", k.net, k.from, k.to, k.port)
	if k.v6 {
		s += " v6"
	}
	if k.before {
		s += " before"
	}
	return s
}

// stage is a victim, a peer that a fault selects, and another node that it does not select.
type stage struct {
	*netnstest.World
	open map[exchange]net.Conn // existing connections
}

// newStage makes a stage whose nodes all echo, over TCP and UDP. tracked adds foreign rules that
// enable connection tracking.
func newStage(t *testing.T, tracked bool) *stage {
	t.Helper()
	w := netnstest.New(t, 2)
	w.Victim.Run(t, "tc qdisc replace dev eth0 root pfifo limit 77")
	rules := "table ip theirs { set s { type ipv4_addr; elements = { 192.0.2.1 } }; chain in { type filter hook input " +
		"priority 0; ip saddr @s counter drop; }; }"
	if tracked {
		rules += "\ntable inet tracking { chain in { type filter hook input priority 0; ct state established counter " +
			"accept; }; }"
	}
	w.Victim.Run(t, "nft -f - <<'END'\n"+rules+"\nEND")
	s := &stage{World: w, open: map[exchange]net.Conn{}}
	for _, name := range []string{"victim", "peer", "other"} {
		for _, port := range []uint16{echoA, echoB} {
			at := netip.AddrPortFrom(netip.IPv6Unspecified(), port)
			l, u := s.node(name).Listen(t, at), s.node(name).ListenUDP(t, at)
			go s.accept(l)
			go func() {
				b := make([]byte, 2048)
				for {
					n, from, err := u.ReadFromUDPAddrPort(b)
					if err != nil {
						if errors.Is(err, net.ErrClosed) {
							return
						}
						continue // an answer to an echo
					}
					u.WriteToUDPAddrPort(b[:n], from)
				}
			}()
		}
	}
	return s
}

func (s *stage) accept(l net.Listener) {
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
}

func (s *stage) node(name string) *netnstest.Node {
	switch name {
	case "victim":
		return s.Victim
	case "peer":
		return s.Peers[0]
	}
	return s.Peers[1]
}

// addr returns the address of a node, as another one reaches it.
func (s *stage) addr(k exchange) netip.AddrPort {
	i := 0
	if k.from == "other" || k.to == "other" {
		i = 1
	}
	var a netip.Addr
	switch {
	case k.to != "victim" && k.v6:
		a = s.node(k.to).V6
	case k.to != "victim":
		a = s.node(k.to).V4
	case k.v6:
		a = s.Near[2*i+1]
	default:
		a = s.Near[2*i]
	}
	return netip.AddrPortFrom(a, k.port)
}

// exchanges returns all combinations.
func exchanges() []exchange {
	var all []exchange
	for _, ends := range [][2]string{
		{"victim", "peer"}, {"peer", "victim"}, {"victim", "other"}, {"other", "victim"}, {"victim", "victim"},
	} {
		for _, network := range []string{"tcp", "udp"} {
			for _, port := range []uint16{echoA, echoB} {
				for _, v6 := range []bool{false, true} {
					for _, before := range []bool{false, true} {
						if before && network == "udp" {
							continue // UDP has no connections
						}
						all = append(all, exchange{ends[0], ends[1], network, port, v6, before})
					}
				}
			}
		}
	}
	return all
}

// connect opens the existing connections.
func (s *stage) connect(t *testing.T) {
	t.Helper()
	for _, k := range exchanges() {
		if !k.before {
			continue
		}
		c, err := s.node(k.from).Dial(k.net, s.addr(k), longEnough)
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		t.Cleanup(func() { c.Close() })
		s.open[k] = c
		if got := echo(c, longEnough); got != passes {
			t.Fatalf("%s before the fault: %s", k, got)
		}
	}
}

// try attempts one talk. The expected result decides the timeout: long for an expected answer.
func (s *stage) try(k exchange, want string) string {
	dial, wait := longEnough, longEnough
	if want == silent {
		dial, wait = shortly, shortly
	}
	if want == held {
		wait = shortly
	}
	if k.before {
		return echo(s.open[k], wait)
	}
	c, err := s.node(k.from).Dial(k.net, s.addr(k), dial)
	if err != nil {
		return outcome(err)
	}
	defer c.Close()
	got := echo(c, wait)
	if got == silent && k.net == "tcp" {
		return held
	}
	return got
}

// echo sends a new message and waits for its return. Earlier messages may return first.
func echo(c net.Conn, timeout time.Duration) string {
	c.SetDeadline(time.Now().Add(timeout))
	word := fmt.Sprintf("<%d>", time.Now().UnixNano())
	if _, err := c.Write([]byte(word)); err != nil {
		return outcome(err)
	}
	var got strings.Builder
	b := make([]byte, 2048)
	for !strings.Contains(got.String(), word) {
		n, err := c.Read(b)
		got.Write(b[:n])
		if err != nil {
			return outcome(err)
		}
	}
	return passes
}

func outcome(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silent
	case errors.Is(err, unix.ECONNREFUSED):
		return refused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.ECONNABORTED):
		return reset
	}
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return silent
	}
	return err.Error()
}

// expect runs all talks at once, and reports those with an unexpected result.
func (s *stage) expect(t *testing.T, when string, want func(k exchange) string) {
	t.Helper()
	var all sync.WaitGroup
	for _, k := range exchanges() {
		all.Go(func() {
			w := want(k)
			if w == "" {
				return
			}
			if got := s.try(k, w); got != w {
				t.Errorf("%s, %s: %s; want %s", when, k, got, w)
			}
		})
	}
	all.Wait()
}

func TestCut(t *testing.T) {
	toPeer := func(k exchange) bool { return k.from == "peer" || k.to == "peer" }
	for _, tt := range []struct {
		name string
		spec netns.Spec // for the peer, unless all is set
		all  bool       // for all nodes
		hit  func(k exchange) bool
		as   string // result of affected new TCP connections
		udp  string // result of UDP; empty is as
		old  string // result of existing connections; empty is silent
		keep bool   // existing connections pass
	}{
		{name: "partition", spec: netns.Spec{Do: netns.Partition}, as: silent},
		{name: "partition from everybody", spec: netns.Spec{Do: netns.Partition}, all: true, as: silent},
		{
			name: "partition, what others open", spec: netns.Spec{Do: netns.Partition, Direction: netns.In},
			hit: func(k exchange) bool { return k.to == "victim" }, as: silent,
		},
		{
			name: "partition, what it opens", spec: netns.Spec{Do: netns.Partition, Direction: netns.Out},
			hit: func(k exchange) bool { return k.from == "victim" }, as: silent,
		},
		{
			name: "partition of a port", spec: netns.Spec{Do: netns.Partition, Match: netns.Match{Ports: []uint16{echoA}}},
			hit: func(k exchange) bool { return k.port == echoA }, as: silent,
		},
		{
			name: "partition of a port, what others open",
			spec: netns.Spec{Do: netns.Partition, Direction: netns.In, Match: netns.Match{Ports: []uint16{9, echoB}}},
			hit:  func(k exchange) bool { return k.port == echoB && k.to == "victim" }, as: silent,
		},
		{name: "partition, old ones kept", spec: netns.Spec{Do: netns.Partition, Keep: true}, as: silent, keep: true},
		{
			name: "partition, what it opens, old ones kept",
			spec: netns.Spec{Do: netns.Partition, Keep: true, Direction: netns.Out},
			hit:  func(k exchange) bool { return k.from == "victim" }, as: silent, keep: true,
		},
		{name: "partition, refused", spec: netns.Spec{Do: netns.Partition, Mode: "reject"}, as: refused},
		{
			name: "partition, refused what others open to a port",
			spec: netns.Spec{
				Do: netns.Partition, Mode: "reject", Direction: netns.In,
				Match: netns.Match{Ports: []uint16{echoA}},
			},
			hit: func(k exchange) bool { return k.port == echoA && k.to == "victim" }, as: refused,
		},
		{name: "partition, reset", spec: netns.Spec{Do: netns.Partition, Mode: "reset"}, as: refused, old: reset},
		{
			name: "partition, reset what it opens", spec: netns.Spec{Do: netns.Partition, Mode: "reset", Direction: netns.Out},
			hit: func(k exchange) bool { return k.from == "victim" }, as: refused, old: reset,
		},
		{name: "blackhole", spec: netns.Spec{Do: netns.Blackhole}, as: silent},
		{name: "stall", spec: netns.Spec{Do: netns.Stall}, as: held, udp: silent},
		{
			name: "stall of a port, what others open",
			spec: netns.Spec{Do: netns.Stall, Direction: netns.In, Match: netns.Match{Ports: []uint16{echoA}}},
			hit:  func(k exchange) bool { return k.port == echoA && k.to == "victim" }, as: held, udp: silent,
		},
		{name: "reset", spec: netns.Spec{Do: netns.Reset}, as: passes, old: reset},
		{
			name: "reset of a port, what it opened",
			spec: netns.Spec{Do: netns.Reset, Direction: netns.Out, Match: netns.Match{Ports: []uint16{echoA}}},
			hit:  func(k exchange) bool { return k.port == echoA && k.from == "victim" }, as: passes, old: reset,
		},
		{name: "loss of all", spec: netns.Spec{Do: netns.Loss, Share: 1, Via: "nft"}, as: silent},
		{name: "loss of all by a program", spec: netns.Spec{Do: netns.Loss, Via: "ebpf"}, as: silent},
		{
			name: "loss by a program, a port", spec: netns.Spec{
				Do: netns.Loss, Via: "ebpf",
				Match: netns.Match{Ports: []uint16{9, echoA}},
			},
			hit: func(k exchange) bool { return k.port == echoA }, as: silent,
		},
		{name: "corruption of all by a program", spec: netns.Spec{Do: netns.Corrupt, Via: "ebpf"}, as: silent},
		{
			name: "corruption of what goes out", spec: netns.Spec{Do: netns.Corrupt, Direction: netns.Out, Via: "ebpf"},
			as: silent,
		},
		{name: "partition by a program", spec: netns.Spec{Do: netns.Partition, Via: "ebpf"}, as: silent},
		{
			name: "partition from everybody by a program", spec: netns.Spec{Do: netns.Partition, Via: "ebpf"}, all: true,
			as: silent,
		},
		{
			name: "blackhole of a port by a program",
			spec: netns.Spec{Do: netns.Blackhole, Via: "ebpf", Match: netns.Match{Ports: []uint16{echoB}}},
			hit:  func(k exchange) bool { return k.port == echoB }, as: silent,
		},
		{name: "latency of an hour", spec: netns.Spec{Do: netns.Latency, Delay: time.Hour}, as: silent},
		{
			name: "latency of an hour, a port", spec: netns.Spec{
				Do: netns.Latency, Delay: time.Hour,
				Match: netns.Match{Ports: []uint16{9, echoA}},
			},
			hit: func(k exchange) bool { return k.port == echoA }, as: silent,
		},
		{name: "bandwidth of a byte", spec: netns.Spec{Do: netns.Bandwidth, Rate: 1}, as: silent},
	} {
		for _, tracked := range []bool{false, true} {
			name := tt.name
			if tracked {
				if tt.hit == nil && !tt.keep {
					continue // it does not depend on the side that opened a connection
				}
				name += ", tracked before"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, tracked)
				s.connect(t)
				before := netnstest.State(t, s.Victim.Namespace)
				spec := tt.spec
				if !tt.all {
					spec.Match.Peers = []netip.Prefix{netip.PrefixFrom(s.Peers[0].V4, 32), netip.PrefixFrom(s.Peers[0].V6, 128)}
				}
				h, err := s.Victim.Set(spec)
				if err != nil {
					t.Fatal(err)
				}
				defer h.Close()
				hit := func(k exchange) bool {
					return k.from != k.to && (tt.all || toPeer(k)) && (tt.hit == nil || tt.hit(k))
				}
				s.expect(t, "in the fault", func(k exchange) string {
					switch {
					case !hit(k), k.before && tt.keep:
						return passes
					case k.before && tt.old != "":
						return tt.old
					case k.before:
						return silent
					case k.net == "udp" && tt.udp != "":
						return tt.udp
					case k.net == "udp" && tt.as == refused:
						return "" // TestRefusedUDP has it
					}
					return tt.as
				})
				affected, err := h.Affected()
				if err != nil || affected.Hit == 0 || affected.Packets < affected.Hit ||
					affected.Bytes == 0 && tt.spec.Do != netns.Reset {
					t.Errorf("it met %+v, %v", affected, err)
				}
				for range 2 {
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				}
				if after := netnstest.State(t, s.Victim.Namespace); after != before {
					t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
				}
				s.expect(t, "afterwards", func(k exchange) string {
					if k.before && hit(k) && tt.old == reset {
						return ""
					}
					return passes
				})
			})
		}
	}
}
