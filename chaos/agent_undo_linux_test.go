package chaos_test

import (
	"context"
	"testing"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
)

// TestDocker_EndAgent: what an agent of an engine holds in the network of a container is taken back by its undo, as a
// watchdog and `brunt revert` make it: brunt goes on, no agent is left there, that in the network of another container
// stays, and the packets pass. brunt finds the fault taken back.
func TestDocker_EndAgent(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	web, store := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"}),
		y.Start(t, chaostest.VictimOptions{Unit: "store[0]"})
	run := y.Run + "-undo"
	agents := &agent.Pool{Find: catalog.Find, Always: true}
	defer func() {
		if err := agents.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	w := chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
		Env: chaos.Env{
			Targets:    chaos.Targets{Units: []chaos.Unit{web.Container, store.Container}},
			Host:       chaos.Host{Agents: agents, Run: run},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
	in := func(v *chaostest.Victim) int {
		left, err := y.Engine.Labelled(t.Context(), containers.InsideLabel, containers.InsideOf(run, v.ID))
		if err != nil {
			t.Fatal(err)
		}
		return len(left.Containers)
	}
	before := chaostest.Networks(t, web.Container, store.Container)
	var held []chaos.Held
	var undo []chaos.Undo
	for _, yaml := range []string{"network.partition: {service: web}", "network.partition: {service: store}"} {
		s := chaostest.Plan(t, yaml, w)[0]
		h, err := s.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held, undo = append(held, h), append(undo, s.Undo()...)
	}
	if len(undo) != 2 || in(web) != 1 || in(store) != 1 {
		t.Fatalf("%d undos, %d and %d agents: %+v", len(undo), in(web), in(store), undo)
	}
	ops := catalog.AllOperations()
	if of := ops.InNetwork(undo[0]); of != web.ID {
		t.Errorf("the undo is about the network of %q", of)
	}
	for _, want := range []chaos.Outcome{chaos.Reverted, chaos.Gone} {
		if out, err := ops.Undo(t.Context(), undo[0]); err != nil || out != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
	}
	if in(web) != 0 || in(store) != 1 {
		t.Errorf("%d and %d agents are left", in(web), in(store))
	}
	for _, h := range held {
		end(t, h)
	}
	if is := chaostest.Networks(t, web.Container, store.Container); is != before {
		t.Errorf("it differs:\n%s", chaostest.Difference(before, is))
	}
}
