package netns_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"testing"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// A berth is a container of an engine, entered by its namespace.
type berth struct {
	*chaostest.Victim
	node *netnstest.Node
}

// berthOf starts a container and opens its namespace.
func berthOf(t *testing.T, y *chaostest.Yard, unit string) *berth {
	t.Helper()
	v := y.Start(t, chaostest.VictimOptions{Unit: unit})
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", v.PID()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return &berth{v, &netnstest.Node{Namespace: n, V4: v.Addresses()[0]}}
}

// ask sends a request to the container and parses the response.
func (b *berth) ask(t *testing.T, path string) float64 {
	t.Helper()
	r, err := http.Get("http://" + netip.AddrPortFrom(b.node.V4, 8080).String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// between returns the world of two containers, as the tests of mechanisms use it.
func between(victim, peer *berth) *netnstest.World {
	return &netnstest.World{Victim: victim.node, Peers: []*netnstest.Node{peer.node}, Near: []netip.Addr{victim.node.V4}}
}

// TestDocker_Exact measures the effects of faults on containers of an engine from inside these. The
// faults are injected as in a run, by brunt itself and by its agent container.
func TestDocker_Exact(t *testing.T) {
	suite.Needs(t, suite.Alone, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	program := chaostest.AgentProgram(t)
	t.Setenv("BRUNT_LINUX", program)
	web, store, other := berthOf(t, y, "web[0]"), berthOf(t, y, "store[0]"), berthOf(t, y, "other[0]")
	for _, byAgent := range []bool{false, true} {
		t.Run(map[bool]string{false: "by brunt itself", true: "by its byAgent"}[byAgent], func(t *testing.T) {
			agents := &agent.Pool{Find: catalog.Find, Always: byAgent}
			defer func() {
				if err := agents.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			e := &exactness{web: web, store: store, other: other, world: chaostest.World{
				Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1, "other": 1}, Containers: true},
				Env: chaos.Env{
					Targets:    chaos.Targets{Units: []chaos.Unit{web.Container, store.Container, other.Container}},
					Host:       chaos.Host{Agents: agents, Run: y.Run, Stress: []string{program, "burn"}},
					Occurrence: chaos.Occurrence{Now: clock},
				},
			}}
			t.Run("latency", e.latency)
			t.Run("loss", e.loss)
			t.Run("bandwidth", e.bandwidth)
			t.Run("partition", e.partition)
			t.Run("throttle", e.throttle)
		})
	}
}

// exactness holds the three containers of the measurements.
type exactness struct {
	web, store, other *berth
	world             chaostest.World
}

// with injects a fault while f measures, and checks that the fault is detected, and removed
// afterwards.
func (e *exactness) with(t *testing.T, yaml string, f func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	held, err := chaostest.Plan(t, yaml, e.world)[0].Inject(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := held.Verify(ctx); err != nil {
		t.Errorf("%s: %q, %v", yaml, said, err)
	}
	f()
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	if o, err := held.Revert(ctx); err != nil || o != chaos.Reverted {
		t.Errorf("reverting %s: %s, %v", yaml, o, err)
	}
	if _, err := held.Gone(ctx); err != nil {
		t.Errorf("%s: %v", yaml, err)
	}
}

func (e *exactness) latency(t *testing.T) {
	w := between(e.store, e.web) // the store answers
	clean := roundTrips(t, w, 20)
	e.with(t, "network.latency: {from: web, to: store, delay: 100ms, jitter: 20ms}", func() {
		spreads(t, clean, roundTrips(t, w, 100))
	})
}

// packetsSent is the number of packets for measuring a share.
const packetsSent = 10_000

// pass sends packets from one container to another, and returns how many arrived.
func pass(t *testing.T, from, to *berth, port uint16) int {
	t.Helper()
	k := newRoute(t, between(to, from), netns.In, port)
	k.burst(t, packetsSent, func(int) { k.last(t) })
	came, _, _ := seen(k.last(t), packetsSent)
	return came
}

func (e *exactness) loss(t *testing.T) {
	for i, share := range []float64{0.1, 0.3} {
		e.with(t, fmt.Sprintf("network.loss: {from: web, to: store, percent: %v%%}", 100*share), func() {
			came := pass(t, e.store, e.web, uint16(5010+i))
			got := 1 - float64(came)/packetsSent
			t.Logf("%.2f %% of %d from store to web are lost", 100*got, packetsSent)
			if math.Abs(got-share) > 0.015 {
				t.Errorf("%.4f are lost, and %v asked for", got, share)
			}
			if came := pass(t, e.other, e.web, uint16(5020+i)); came != packetsSent {
				t.Errorf("%d of %d from other come, which is not hit", came, packetsSent)
			}
		})
	}
}

func (e *exactness) bandwidth(t *testing.T) {
	const rate = 10e6 / 8
	e.with(t, "network.bandwidth: {from: web, to: store, rate: 10Mbit/s}", func() {
		for _, dir := range []netns.Direction{netns.In, netns.Out} {
			got, _ := bulk(t, between(e.web, e.store), dir, 5*rate)
			t.Logf("%s: %.2f Mbit/s", dir, got*8/1e6)
			if math.Abs(got/rate-1) > 0.05 {
				t.Errorf("%s: %.2f Mbit/s of payload pass, and 10 were asked for", dir, got*8/1e6)
			}
		}
	})
}

func (e *exactness) partition(t *testing.T) {
	for _, yaml := range []string{
		"network.partition: {from: web, to: store}",
		"network.partition: {from: web, to: store, direction: one-way}",
	} {
		// Connections opened before the fault, whose paths are known to work.
		type flow struct {
			name string
			k    *route
			stop bool
		}
		flows := []*flow{
			{"web's to store", newRoute(t, between(e.store, e.web), netns.In, 5031), true},
			{
				"store's to web", newRoute(t, between(e.web, e.store), netns.In, 5032),
				yaml == "network.partition: {from: web, to: store}",
			},
			{"web's to other", newRoute(t, between(e.other, e.web), netns.In, 5033), false},
			{"other's to web", newRoute(t, between(e.web, e.other), netns.In, 5034), false},
			{"other's to store", newRoute(t, between(e.store, e.other), netns.In, 5035), false},
		}
		e.with(t, yaml, func() {
			for _, f := range flows {
				f.k.burst(t, packetsSent, func(sent int) {
					if !f.stop {
						f.k.last(t)
					}
				})
			}
			for _, f := range flows {
				want := packetsSent
				got := f.k.box.mail()
				if f.stop {
					want = 0
				} else {
					got = f.k.last(t)
				}
				came, _, _ := seen(got, packetsSent)
				t.Logf("%s: %s: %d of %d come", yaml, f.name, came, packetsSent)
				if came != want {
					t.Errorf("%s: %s: %d of %d come, and %d should", yaml, f.name, came, packetsSent, want)
				}
			}
		})
		for _, f := range flows {
			f.k.last(t) // it works again
			f.k.box.conn.Close()
			f.k.sender.conn.Close()
		}
	}
}

func (e *exactness) throttle(t *testing.T) {
	t.Logf("%.1f %% of a processor before", 100*e.web.ask(t, "/cpu?for=2s"))
	e.with(t, "cpu.throttle: {service: web, share: 20%}", func() {
		got := e.web.ask(t, "/cpu?for=10s")
		t.Logf("%.2f %% of a processor", 100*got)
		if math.Abs(got-0.2) > 0.03 {
			t.Errorf("%.2f %% of a processor, and 20 were asked for", 100*got)
		}
	})
}
