package chaos_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/netns"
	"brunt/scenarios/suite"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
)

// box is a process in a network namespace of its own, like a container.
type box struct {
	name    string
	number  int // of the replica
	addr    netip.Addr
	cmd     *exec.Cmd
	started time.Time
	spoil   bool // rules set by its agent match nothing
}

var _ chaos.Contained = (*box)(nil)

func (b *box) Name() string                              { return fmt.Sprintf("%s[%d]", b.name, b.number) }
func (b *box) Service() string                           { return b.name }
func (b *box) PID() int                                  { return b.cmd.Process.Pid }
func (b *box) Ready(context.Context) error               { return nil }
func (b *box) Supervised() bool                          { return false }
func (b *box) Stop(context.Context, time.Duration) error { return errors.New("it is not stopped") }
func (b *box) Start(context.Context) error               { return nil }
func (b *box) ContainerID() chaos.ContainerID            { return chaos.ContainerAt(b.name, b.started) }
func (b *box) Addresses() []netip.Addr                   { return []netip.Addr{b.addr} }
func (b *box) Listens() []uint16                         { return []uint16{8080} }

func (b *box) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{Contained: b, StartAgent: b.startAgent, RemoveAgents: b.removeAgents}
}

// startAgent starts an agent in this process.
func (b *box) startAgent(context.Context, string) (io.ReadWriteCloser, error) {
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", b.PID()))
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	in := io.Reader(theirs)
	if b.spoil {
		in = elsewhere(theirs)
	}
	go func() {
		defer n.Close()
		defer theirs.Close()
		_ = agent.Serve(context.Background(), agent.Options{Network: n}, in, theirs)
	}()
	return ours, nil
}

// removeAgents returns an undo without effect: such an agent leaves nothing behind.
func (b *box) removeAgents(string) chaos.Undo { return chaos.Undo{Op: "none"} }

// elsewhere changes requests to an agent so that their rules match no traffic.
func elsewhere(in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		for s := bufio.NewScanner(in); s.Scan(); {
			var m map[string]any
			if json.Unmarshal(s.Bytes(), &m) != nil {
				break
			}
			spec, ok := m["args"].(map[string]any)
			ok = ok && (m["op"] == "network.prepare" || m["op"] == "network.set")
			// selecting by address needs prio, which some kernels lack
			if ok && spec["via"] == "tbf" {
				spec["rate"] = 1 << 31
			} else if ok {
				spec["match"] = map[string]any{"peers": []string{"203.0.113.0/24"}}
			}
			if ok && m["op"] == "network.set" { // before, brunt learns the names for which it asks
				spec["names"] = []string{"other.invalid"}
			}
			b, _ := json.Marshal(m)
			if _, err := w.Write(append(b, '\n')); err != nil {
				break
			}
		}
		_ = w.Close()
	}()
	return r
}

// newBox starts a server in a namespace of its own.
func newBox(t *testing.T, name string) *box {
	t.Helper()
	b := &box{name: name, cmd: exec.Command(os.Args[0], "serve", "0.0.0.0:8080", "child"), started: time.Now()}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if _, err := b.cmd.StdinPipe(); err != nil { // it ends with this process
		t.Fatal(err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return b
}

// inside runs f in the namespace of a box.
func (b *box) inside(t *testing.T, f func() error) {
	t.Helper()
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", b.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Do(f); err != nil {
		t.Fatal(err)
	}
}

// pair returns two boxes, web and store, joined by a veth pair.
func pair(t *testing.T) (web, store *box) {
	t.Helper()
	web, store = newBox(t, "web"), newBox(t, "store")
	web.inside(t, func() error {
		a := netlink.NewLinkAttrs()
		a.Name = "eth0"
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "eth0", PeerNamespace: netlink.NsPid(store.PID())})
	})
	for i, b := range []*box{web, store} {
		b.addr = netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 2)})
		b.inside(t, func() error {
			for _, name := range []string{"lo", "eth0"} {
				l, err := netlink.LinkByName(name)
				if err == nil {
					err = netlink.LinkSetUp(l)
				}
				if err != nil {
					return err
				}
				if name == "lo" {
					continue
				}
				addr, err := netlink.ParseAddr(b.addr.String() + "/24")
				if err == nil {
					err = netlink.AddrAdd(l, addr)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return web, store
}

// boxes is a world of two boxes.
func boxes(t *testing.T, effective bool) chaostest.World {
	web, store := pair(t)
	web.spoil, store.spoil = !effective, !effective
	return chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
		Env: chaos.Env{
			Targets:    chaos.Targets{Units: []chaos.Unit{web, store}},
			Host:       chaos.Host{Agents: &agent.Pool{Find: catalog.Find, Always: !effective}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
}

// packetFaults are the faults on packets, with settings. WEB and STORE stand for addresses.
var packetFaults = []string{
	"network.loss: {from: web, to: store, percent: 30%}",
	"network.duplicate: {from: web, to: store, percent: 20%}",
	"network.corrupt: {from: web, to: store, percent: 20%}",
	"network.loss: {from: web, to: store, percent: 40%, via: nft, ports: 8080}",
	"network.latency: {from: web, to: store, delay: 100ms, jitter: 20ms}",
	"network.latency: {from: web, to: store, delay: 60ms, direction: request}",
	"network.latency: {from: web, to: store, delay: 60ms, direction: response, ports: 8080}",
	"network.latency: {from: web, to: store, delay: 60ms, direction: both}",
	"network.latency: {service: web, delay: 60ms}",
	"network.reorder: {from: web, to: store, percent: 25%}",
	"network.bandwidth: {from: web, to: store, rate: 10Mbit/s}",
	"network.bandwidth: {service: web, rate: 10Mbit/s, via: tbf}",
	"network.bandwidth: {from: web, to: store, rate: 10Mbit/s, direction: request, ports: 8080}",
	"network.partition: {from: web, to: store}",
	"network.partition: {from: web, to: store, mode: reject}",
	"network.partition: {from: web, to: store, mode: reset, ports: [8080]}",
	"network.partition: {from: web, to: store, direction: one-way, existing: keep}",
	"network.partition: {from: web, to: STORE/24}",
	"network.partition: {from: web, to: \"STORE:8080\"}",
	"network.partition: {from: WEB, to: store}",
	"network.blackhole: {service: web}",
	"network.stall: {from: web, to: store}",
	"network.reset: {from: web, to: store}",
	"network.half_open: {from: web, to: store}",
}

// questionFaults are the faults on DNS queries.
var questionFaults = []string{
	"dns.fail: {service: web, names: [store], rcode: NXDOMAIN}",
	"dns.timeout: {service: web, names: [\"*.example.com\"]}",
	"dns.spoof: {service: web, names: [store], answers: [192.0.2.1]}",
}

// TestPackets runs the suite for faults on packets in two joined namespaces.
func TestPackets(t *testing.T) {
	suite.Needs(t, suite.Root)
	at := strings.NewReplacer("WEB", "10.77.0.2", "STORE", "10.77.0.3")
	for _, yaml := range packetFaults {
		yaml = at.Replace(yaml)
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			chaostest.Run(t, yaml, boxes)
		})
	}
}

// TestPackets_BothEnds delays packets at both ends of a link: the time before the fault that the evidence gives is
// without the other end's delay, and no end is a link to itself.
func TestPackets_BothEnds(t *testing.T) {
	suite.Needs(t, suite.Root)
	t.Parallel()
	w := boxes(t, true)
	for i, u := range w.Env.Units {
		u.(*box).name = "js"
		u.(*box).number = i
	}
	w.Scope.Services = map[string]int{"js": 2}
	steps := chaostest.Plan(t, "network.latency: {from: js, to: js, delay: 80ms}", w)
	if len(steps) != 2 {
		t.Fatalf("%d steps, want one at each end: %v", len(steps), steps)
	}
	for _, s := range steps {
		if _, err := s.(interface {
			Prepare(context.Context) (func() error, error)
		}).Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var held []chaos.Held
	for _, s := range steps {
		h, err := s.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, h)
	}
	for i, h := range held {
		seen, err := h.Verify(t.Context())
		if err != nil {
			t.Error(err)
		}
		_, said, _ := strings.Cut(seen, "and took ")
		before, err := time.ParseDuration(strings.Fields(said + " ?")[0])
		if err != nil || before > 60*time.Millisecond {
			t.Errorf("step %d: %q, %v; want the time before it without the delay of the other end", i, seen, err)
		}
		if own := fmt.Sprintf("js[%d] to js[%d]", i, i); strings.Contains(seen, own) ||
			slices.Contains(steps[i].Units(), chaos.LinkName(fmt.Sprintf("js[%d]", i), fmt.Sprintf("js[%d]", i))) {
			t.Errorf("step %d is on a link to itself: %q, %v", i, seen, steps[i].Units())
		}
	}
	for _, h := range held { // all of them, before any is proved gone
		if _, err := h.Revert(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, h := range held {
		if _, err := h.Gone(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// begin injects a fault on packets in a world and verifies it.
func begin(t *testing.T, w chaostest.World, yaml string) chaos.Held {
	t.Helper()
	h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := h.Verify(t.Context())
	if err != nil {
		t.Errorf("%s: %v", yaml, err)
	}
	t.Log(seen)
	return h
}

// end reverts a fault and checks that it is gone.
func end(t *testing.T, h chaos.Held) {
	t.Helper()
	if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
		t.Errorf("reverting: %s, %v", o, err)
	}
	gone, err := h.Gone(t.Context())
	if err != nil {
		t.Error(err)
	}
	t.Log(gone)
}

// TestQueries_Counted checks that a fault on DNS counts the unit's queries for its names, and no others: neither those
// for other names nor brunt's own.
func TestQueries_Counted(t *testing.T) {
	suite.Needs(t, suite.Root)
	t.Parallel()
	w := boxes(t, true)
	web := w.Env.Units[0].(*box)
	web.inside(t, func() error { // so that the machine's resolver has a route
		return netlink.RouteAdd(&netlink.Route{Gw: net.IPv4(10, 77, 0, 3)})
	})
	h := begin(t, w, "dns.fail: {service: web, names: [store.]}")
	ask := func(name string) {
		web.inside(t, func() error {
			c, err := net.Dial("udp", "10.77.0.3:53")
			if err != nil {
				return err
			}
			defer c.Close()
			q := new(dns.Msg).SetQuestion(name, dns.TypeA)
			return (&dns.Conn{Conn: c}).WriteMsg(q)
		})
	}
	for _, tt := range []struct {
		name string
		want int64
	}{{"", 0}, {"other.", 0}, {"store.", 1}, {"STORE.", 2}} {
		if tt.name != "" {
			ask(tt.name)
		}
		var is chaos.Traffic
		suite.Within(10*time.Second, func() bool { is = h.Traits().Affected(); return is.N >= tt.want })
		if is.N != tt.want || is.Unit != "queries" {
			t.Errorf("after a query for %q: %d %s; want %d queries", tt.name, is.N, is.Unit, tt.want)
		}
	}
	if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted { // no resolver answers a query afterwards
		t.Errorf("reverting: %s, %v", o, err)
	}
}

// Several faults of two independent runs on one container, beside foreign rules and a foreign queueing
// discipline: each has its effect, each is reverted alone, and nothing else changes.
func TestPacketsAtOnce(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Programs("nsenter", "nft", "tc"))
	t.Parallel()
	w := boxes(t, true)
	other := w
	other.Env.Agents = &agent.Pool{Find: catalog.Find}
	web := w.Env.Units[0]
	for _, theirs := range []string{
		"nft add table inet theirs", "nft add chain inet theirs in { type filter hook input priority 0 ; }",
		"nft add rule inet theirs in tcp dport 1234 counter drop", "tc qdisc add dev lo root pfifo limit 77",
	} {
		args := append([]string{"-t", fmt.Sprint(web.PID()), "-n"}, strings.Fields(theirs)...)
		if out, err := exec.CommandContext(t.Context(), "nsenter", args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", theirs, err, out)
		}
	}
	var was string
	suite.Until(t, "the addresses to settle", func() bool {
		was = chaostest.Networks(t, w.Env.Units...)
		return !strings.Contains(was, "tentative")
	})
	var held []chaos.Held
	for i, yaml := range []string{
		"network.latency: {from: web, to: store, delay: 50ms}",
		"network.bandwidth: {from: web, to: store, rate: 20Mbit/s}",
		"network.loss: {from: web, to: store, percent: 30%}",
		"network.partition: {from: web, to: store, ports: 8080}",
	} {
		world := w
		if i%2 == 1 {
			world = other
		}
		held = append(held, begin(t, world, yaml))
	}
	end(t, held[3])
	if seen, err := held[2].Verify(t.Context()); err != nil {
		t.Errorf("another run has taken its own back, and the loss went with it: %v", err)
	} else {
		t.Log(seen)
	}
	end(t, held[2])
	if seen, err := held[0].Verify(t.Context()); err != nil {
		t.Errorf("the loss was taken back, and the delay went with it: %v", err)
	} else {
		t.Log(seen)
	}
	end(t, held[1])
	end(t, held[0])
	if is := chaostest.Networks(t, w.Env.Units...); is != was {
		t.Errorf("it differs:\n%s", chaostest.Difference(was, is))
	}
}

// TestPackets_AnotherLife restarts a unit between the plan and the injection: the undo is written
// again, for the network of the injection.
func TestPackets_AnotherLife(t *testing.T) {
	suite.Needs(t, suite.Root) // not parallel: it counts open namespaces
	w := boxes(t, true)
	web := w.Env.Units[0].(*box)
	next, _ := pair(t)
	var extended []chaos.Undo
	w.Env.Extend = func(u chaos.Undo) error { extended = append(extended, u); return nil }
	for _, c := range []struct {
		restart string
		fails   bool
	}{{"inject", false}, {"void", true}} {
		t.Run(c.restart, func(t *testing.T) {
			extended = nil
			step := chaostest.Plan(t, "network.bandwidth: {service: web, rate: 10Mbit/s, via: tbf, on_restart: "+c.restart+"}",
				w)[0]
			planned := string(step.Undo()[0].Identity)
			was := *web
			web.cmd, web.started = next.cmd, time.Now()
			defer func() { web.cmd, web.started = was.cmd, was.started }()
			held, err := step.Inject(t.Context())
			if c.fails {
				if err == nil || !strings.Contains(err.Error(), "started again") {
					t.Errorf("it goes in: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(extended) != 1 || string(extended[0].Identity) == planned ||
				!strings.Contains(string(extended[0].Identity), fmt.Sprintf(`"pid":%d,`, web.PID())) {
				t.Errorf("planned for %s, and then written down: %s", planned, extended)
			}
			if o, err := held.Revert(t.Context()); err != nil || o != chaos.Reverted {
				t.Errorf("reverting: %s, %v", o, err)
			}
			open := openNamespaces(t)
			web.cmd, web.started = was.cmd, time.Now()
			if said, err := held.Gone(t.Context()); err != nil || !strings.Contains(said, "started again") {
				t.Errorf("started again once more, it is gone: %q, %v", said, err)
			}
			if now := openNamespaces(t); now > open {
				t.Errorf("%d ways into namespaces are open after looking, and %d were before", now, open)
			}
		})
	}
}

// openNamespaces counts the namespaces that this process has open.
func openNamespaces(t *testing.T) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "net:") {
			n++
		}
	}
	return n
}

// TestPackets_MovedPeer gives the other end a new address: it is cut off there as well.
func TestPackets_MovedPeer(t *testing.T) {
	suite.Needs(t, suite.Root)
	t.Parallel()
	for _, yaml := range []string{
		"network.partition: {from: web, to: store}",
		"network.partition: {from: web, to: store, direction: one-way}",
		"network.loss: {from: web, to: store, percent: 100%}",
	} {
		t.Run(yaml, func(t *testing.T) {
			w := boxes(t, true)
			web, store := w.Env.Units[0].(*box), w.Env.Units[1].(*box)
			h := begin(t, w, yaml)
			reaches := func(within time.Duration) bool {
				var err error
				web.inside(t, func() error {
					var c net.Conn
					if c, err = net.DialTimeout("tcp", netip.AddrPortFrom(store.addr, 8080).String(), within); err == nil {
						err = c.Close()
					}
					return nil
				})
				return err == nil
			}
			again := func() string {
				said, err := h.Traits().OnRestart(t.Context(), "store")
				if err != nil {
					t.Fatal(err)
				}
				return said
			}
			if said := again(); said != "" {
				t.Errorf("with the same address: %s", said)
			}
			if said, err := h.Traits().OnRestart(t.Context(), "another"); said != "" || err != nil {
				t.Errorf("of another container it says %q, %v", said, err)
			}
			was := store.addr
			store.addr, store.started = netip.MustParseAddr("10.77.0.9"), time.Now()
			store.inside(t, func() error {
				l, err := netlink.LinkByName("eth0")
				if err != nil {
					return err
				}
				old, err := netlink.ParseAddr(was.String() + "/24")
				if err != nil {
					return err
				}
				// In this order: removing the first address of a network removes all others.
				if err := netlink.AddrDel(l, old); err != nil {
					return err
				}
				now, err := netlink.ParseAddr(store.addr.String() + "/24")
				if err != nil {
					return err
				}
				return netlink.AddrAdd(l, now)
			})
			if !reaches(5 * time.Second) {
				t.Fatal("it is not reached at its other address, so this shows nothing")
			}
			if said := again(); !strings.Contains(said, "another address") || !strings.Contains(said, store.addr.String()) {
				t.Errorf("it says %q", said)
			}
			if reaches(time.Second) {
				t.Error("it is reached at its other address")
			}
			if seen, err := h.Verify(t.Context()); err != nil || !strings.Contains(seen, store.addr.String()) {
				t.Errorf("at its other address it is proved by %q, %v", seen, err)
			}
			if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
				t.Errorf("reverting: %s, %v", o, err)
			}
			if _, err := h.Gone(t.Context()); err != nil {
				t.Error(err)
			}
			if !reaches(5 * time.Second) {
				t.Error("it is cut off still")
			}
		})
	}
}

// TestPackets_Removed removes the queueing discipline of a fault as another program would: its early end is noticed,
// where brunt holds the fault itself and where an agent does. A revert is no early end.
func TestPackets_Removed(t *testing.T) {
	suite.Needs(t, suite.Root)
	for name, always := range map[string]bool{"by brunt": false, "by an agent": true} {
		t.Run(name, func(t *testing.T) {
			w := boxes(t, true)
			pool := &agent.Pool{Find: catalog.Find, Always: always}
			w.Env.Agents = pool
			if always {
				defer func() { _ = pool.Close(context.Background()) }()
			}
			h := begin(t, w, "network.bandwidth: {service: web, rate: 10Mbit/s, via: tbf}")
			ended := h.Traits().Ended
			if err := ended(t.Context()); err != nil {
				t.Errorf("while it is in: %v", err)
			}
			w.Env.Units[0].(*box).inside(t, func() error {
				l, err := netlink.LinkByName("eth0")
				if err != nil {
					return err
				}
				all, err := netlink.QdiscList(l)
				if err != nil {
					return err
				}
				return netlink.QdiscDel(all[0])
			})
			early, ok := errors.AsType[chaos.EndedEarlyError](ended(t.Context()))
			if !ok || early.Error() != "web[0] lost the tbf of eth0, by another program" {
				t.Errorf("once it is removed: %v", early)
			}
			if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
				t.Errorf("reverting: %s, %v", o, err)
			}
			if err := ended(t.Context()); err != nil {
				t.Errorf("after its revert: %v", err)
			}
		})
	}
}
