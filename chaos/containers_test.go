//go:build linux

package chaos_test

import (
	"context"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/container"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
)

// containerWorld is a world of one container. spoil removes the fault without its knowledge.
func containerWorld(y *chaostest.Yard, agents *agent.Pool, o chaostest.VictimOptions,
	spoil func(t *testing.T, v *chaostest.Victim)) func(t *testing.T,
	effective bool) chaostest.World {
	return func(t *testing.T, effective bool) chaostest.World {
		v := y.Start(t, o)
		before := chaostest.Inspected(t, v.Engine, v.ID)
		t.Cleanup(func() {
			if after := chaostest.Inspected(t, v.Engine, v.ID); effective && after != before {
				t.Errorf("docker inspect differs:\n%s", chaostest.Difference(before, after))
			}
		})
		w := chaostest.World{
			Idle:  true,
			Scope: chaos.Scope{Services: map[string]int{"web": 1}, Containers: true},
			Env: chaos.Env{
				Targets: chaos.Targets{Units: []chaos.Unit{v.Container}}, Host: chaos.Host{Agents: agents, Run: y.Run},
				Occurrence: chaos.Occurrence{Now: clock()},
			},
		}
		if !effective {
			w.Spoil, w.Undoes = func() { spoil(t, v) }, true
		}
		return w
	}
}

// starts starts a container as soon as a fault has taken it down.
func starts(t *testing.T, v *chaostest.Victim) {
	t.Helper()
	was := v.ContainerID()
	for ctx := t.Context(); ; {
		is, err := v.Engine.Inspect(ctx, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if is.Running && chaos.ContainerAt(is.ID, is.Started) != was {
			return
		}
		if !is.Running {
			if err := v.Engine.Start(ctx, v.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDocker_Faults runs the suite with real containers.
func TestDocker_Faults(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y, agents := chaostest.NewYard(t), newAgents(t)
	unpauses := func(t *testing.T, v *chaostest.Victim) {
		if err := v.Engine.Unpause(t.Context(), v.ID); err != nil {
			t.Fatal(err)
		}
	}
	connects := func(t *testing.T, v *chaostest.Victim) {
		back := containers.Endpoint{Network: v.Yard.Network, Fixed: true, Address: v.Yard.Address()}
		if err := v.Engine.Connect(t.Context(), v.ID, back); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		yaml  string
		o     chaostest.VictimOptions
		spoil func(t *testing.T, v *chaostest.Victim)
	}{
		{"container.kill: {service: web}", chaostest.VictimOptions{Restart: "always"}, starts},
		{"container.kill: {unit: \"web[0]\", signal: TERM}", chaostest.VictimOptions{Health: true}, starts},
		{"container.stop: {service: web, grace: 1s}", chaostest.VictimOptions{Restart: "unless-stopped"}, starts},
		{"process.stop: {service: web, grace: 1s}", chaostest.VictimOptions{}, starts},
		{"container.restart: {service: web, grace: 1s}", chaostest.VictimOptions{}, nil},
		{"process.restart: {service: web, grace: 1s}", chaostest.VictimOptions{Restart: "always"}, nil},
		{"container.pause: {service: web}", chaostest.VictimOptions{}, unpauses},
		{"container.pause: {service: web}", chaostest.VictimOptions{Health: true}, unpauses},
		{"process.freeze: {service: web}", chaostest.VictimOptions{}, func(t *testing.T, v *chaostest.Victim) {
			if err := v.Engine.Kill(t.Context(), v.ID, "CONT"); err != nil {
				t.Fatal(err)
			}
		}},
		{"process.crash: {service: web}", chaostest.VictimOptions{Restart: "always"}, nil},
		{"network.disconnect: {service: web}", chaostest.VictimOptions{Aliases: []string{"primary", "db"}}, connects},
	} {
		hold := func(agents *agent.Pool) func(t *testing.T) {
			return func(t *testing.T) {
				t.Parallel()
				if c.spoil == nil { // the fault always has an effect
					t.Run("effect", func(t *testing.T) { chaostest.Effect(t, c.yaml, containerWorld(y, agents, c.o, nil)(t, true)) })
					return
				}
				chaostest.Run(t, c.yaml, containerWorld(y, agents, c.o, c.spoil))
			}
		}
		t.Run(c.yaml, hold(nil))
		if testing.Short() {
			continue // an agent does the fault from a container of its own
		}
		if kind, _, _ := strings.Cut(c.yaml, ":"); needsAgent(kind) {
			t.Run(c.yaml+" by an agent", hold(agents))
		}
	}
}

// TestDocker_Refused checks that no fault begins on a container that is already in the faulty state,
// is protected, or does not exist.
func TestDocker_Refused(t *testing.T) {
	suite.Needs(t, suite.Docker)
	e := chaostest.Engine(t)
	y := chaostest.NewYard(t)
	paused := y.Start(t, chaostest.VictimOptions{Unit: "paused[0]"})
	stopped := y.Start(t, chaostest.VictimOptions{Unit: "stopped[0]"})
	safe := y.Start(t, chaostest.VictimOptions{
		Unit: "safe[0]", Labels: map[string]string{containers.ProtectLabel: "true"},
	})
	if err := e.Pause(t.Context(), paused.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context(), stopped.ID, 0); err != nil {
		t.Fatal(err)
	}
	env := chaos.Env{
		Targets: chaos.Targets{
			Units: []chaos.Unit{paused.Container, stopped.Container, safe.Container},
			Find: func(ctx context.Context, q containers.Query) ([]chaos.Found, error) {
				found, err := e.List(ctx, q)
				return container.Outside(e, found, q), err
			},
		},
		Occurrence: chaos.Occurrence{Now: clock()},
	}
	for _, c := range []struct{ yaml, want string }{
		{"container.pause: {service: paused}", "is paused already, and not by this run"},
		{"container.kill: {service: paused}", "is paused already, and not by this run"},
		{"container.stop: {service: stopped}", "does not run (exited), and not by this run"},
		{"container.restart: {service: stopped}", "does not run (exited), and not by this run"},
		{"network.disconnect: {service: stopped}", "does not run (exited), and not by this run"},
		{"network.disconnect: {service: safe}", "is labelled brunt.protect=true: brunt does not touch it"},
		{"container.kill: {service: safe}", "is labelled brunt.protect=true"},
		{"container.pause: {container: " + safe.Ref + "}", "is labelled brunt.protect=true"},
		{
			"container.pause: {labels: {brunt.run: " + y.Run + "}, pick: all}",
			"container " + safe.Ref + " is labelled brunt.protect=true",
		},
		{"container.pause: {container: there-is-none}", "no unit matches container there-is-none"},
		{"container.pause: {project: there-is-none, service: db}", "no unit matches project there-is-none, service db"},
		{"process.freeze: {container: " + stopped.Ref + "}", "does not run"},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			f, _ := chaostest.Parse(t, c.yaml)
			_, err := f.Plan(t.Context(), env)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// needsAgent tells whether an agent may inject a kind of fault.
func needsAgent(kind string) bool {
	d, _ := catalog.Find(kind)
	return d.ByAgent()
}
