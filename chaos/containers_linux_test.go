package chaos_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestPacketsOfContainers runs the suite for faults on packets with containers of an engine, injected
// by brunt itself and by an agent.
func TestPacketsOfContainers(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	for _, byAgent := range []bool{false, true} {
		t.Run(fmt.Sprintf("byAgent %v", byAgent), func(t *testing.T) {
			t.Parallel()
			packetsOfContainers(t, y, byAgent)
		})
	}
}

func packetsOfContainers(t *testing.T, y *chaostest.Yard, byAgent bool) {
	name := fmt.Sprintf("store-%v", byAgent)
	web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"})
	store := y.Start(t, chaostest.VictimOptions{Unit: "store[0]", Aliases: []string{name}})
	units := []chaos.Unit{web.Container, store.Container}
	at := strings.NewReplacer("WEB", web.Addresses()[0].String(), "STORE", store.Addresses()[0].String(), "[store]",
		"["+name+"]")
	agents := &agent.Pool{Find: catalog.Find, Always: byAgent}
	defer func() {
		if err := agents.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	done := map[string]bool{}
	for _, yaml := range slices.Concat(packetFaults, questionFaults) {
		kind, _, _ := strings.Cut(yaml, ":")
		if byAgent && done[kind] && !suite.Full() { // each needs a few containers
			continue
		}
		done[kind] = true
		yaml = at.Replace(yaml)
		t.Run(yaml, func(t *testing.T) {
			was, said := chaostest.Networks(t, units...), chaostest.Inspected(t, y.Engine, web.ID)
			began := time.Now()
			chaostest.Effect(t, yaml, chaostest.World{
				Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
				Env: chaos.Env{
					Targets: chaos.Targets{Units: units}, Host: chaos.Host{Agents: agents, Run: y.Run},
					Occurrence: chaos.Occurrence{Now: clock()},
				},
			})
			t.Logf("took %s", time.Since(began).Round(time.Millisecond))
			if is := chaostest.Networks(t, units...); is != was {
				t.Errorf("it differs:\n%s", chaostest.Difference(was, is))
			}
			if says := chaostest.Inspected(t, y.Engine, web.ID); says != said {
				t.Errorf("the engine says otherwise:\n%s", chaostest.Difference(said, says))
			}
		})
	}
}

// A container ends or is restarted while a fault is on its packets.
func TestPacketsOfContainersThatEnd(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	// The end of one pool removes all agents of the run, so both end after all tests.
	agents := map[bool]*agent.Pool{false: {Find: catalog.Find}, true: {Find: catalog.Find, Always: true}}
	t.Cleanup(func() {
		for _, in := range agents {
			if err := in.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for _, c := range []struct {
		name, more string
		byAgent    bool
		remove     bool // remove the container instead of restarting it
		void       bool
	}{
		{name: "started again"},
		{name: "started again, with a byAgent", byAgent: true},
		{name: "started again, which voids it", more: ", on_restart: void", void: true},
		{name: "removed", remove: true},
		{name: "removed, with a byAgent", remove: true, byAgent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"})
			store := y.Start(t, chaostest.VictimOptions{Unit: "store[0]"})
			w := chaostest.World{
				Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
				Env: chaos.Env{
					Targets:    chaos.Targets{Units: []chaos.Unit{web.Container, store.Container}},
					Host:       chaos.Host{Agents: agents[c.byAgent], Run: y.Run},
					Occurrence: chaos.Occurrence{Now: clock()},
				},
			}
			h := begin(t, w, "network.partition: {from: web, to: store"+c.more+"}")
			want := chaos.Reverted
			if c.remove {
				if err := y.Engine.Remove(t.Context(), web.ID); err != nil {
					t.Fatal(err)
				}
				want = chaos.Gone
			} else {
				if err := y.Engine.Restart(t.Context(), web.ID, 0); err != nil {
					t.Fatal(err)
				}
				said, err := h.Traits().OnRestart(t.Context(), web.ID)
				if (err != nil) != c.void || (said == "") != c.void {
					t.Errorf("it says %q, %v", said, err)
				}
				if c.void {
					want = chaos.Gone
				} else if seen, err := h.Verify(t.Context()); err != nil {
					t.Errorf("started again: %v", err)
				} else {
					t.Log(said, seen)
				}
				if said, err := h.Traits().OnRestart(t.Context(), store.ID); said != "" || err != nil {
					t.Errorf("of another container it says %q, %v", said, err)
				}
			}
			if o, err := h.Revert(t.Context()); err != nil || o != want {
				t.Errorf("reverting: %s, %v, want %s", o, err, want)
			}
			gone, err := h.Gone(t.Context())
			if err != nil {
				t.Error(err)
			}
			t.Log(gone)
		})
	}
}

// TestDocker_ForgetHelp removes the agents' image once no agent uses it.
func TestDocker_ForgetHelp(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"})
	run := y.Run + "-forget"
	t.Cleanup(func() { _, _ = y.Engine.Agents().Remove(context.Background(), run) })
	pipe, err := y.Engine.Agents().Start(t.Context(),
		docker.AgentSpec{Run: run, Command: []string{"agent"}, Network: web.ID, Caps: []string{"NET_ADMIN"}})
	if err != nil {
		t.Fatal(err)
	}
	images := func() int {
		if err := y.Engine.Agents().Forget(t.Context(), run); err != nil {
			t.Error(err)
		}
		left, err := y.Engine.Labelled(t.Context(), containers.AgentLabel, run)
		if err != nil {
			t.Fatal(err)
		}
		return len(left.Images)
	}
	if n := images(); n != 1 {
		t.Errorf("%d images while a byAgent is there, want 1", n)
	}
	if err := pipe.Close(); err != nil {
		t.Error(err)
	}
	if n := images(); n != 0 {
		t.Errorf("%d images once none is there", n)
	}
}
