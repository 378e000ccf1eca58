//go:build linux

package run_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// An estate is a container that ends while a fault is active, and the fault.
type estate struct {
	name   string
	v      *chaostest.Victim
	in     chan struct{} // closed when the fault is active
	out    *run.Injection
	err    error
	before string // state of the next container before its start
}

// recreated are the faults that must be neither applied to nor undone on the next container with the
// same name.
var recreated = []string{"pause", "kill", "disconnect", "freeze", "table", "limit"}

// TestDocker_Recreated ends containers while faults are active: by a restart of the engine, or by
// recreating them. The fault is then gone, and the new container of that name keeps its state, even
// where that looks like brunt's own change.
func TestDocker_Recreated(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("starts an engine of its own")
	}
	t.Run("the engine is started again", func(t *testing.T) {
		d := chaostest.NewDockerd(t)
		y := chaostest.NewYard(t)
		inherit(t, y, chaos.Reverted, func([]*estate) {
			d.Stop(t)
			d.Start(t)
		})
	})
	t.Run("they are recreated", func(t *testing.T) {
		y := chaostest.NewYard(t)
		inherit(t, y, chaos.Gone, func(all []*estate) {
			var work sync.WaitGroup
			for _, e := range all {
				work.Go(func() { recreate(t, e.v) })
			}
			work.Wait()
		})
	})
}

// inherit ends containers by pass. A container that is started again is still in its networks, and
// out of the one that it was disconnected from: that fault has the outcome cut.
func inherit(t *testing.T, y *chaostest.Yard, cut chaos.Outcome, pass func(all []*estate)) {
	t.Helper()
	t.Setenv("BRUNT_LINUX", chaostest.AgentProgram(t))
	var all []*estate
	var runs sync.WaitGroup
	ctx, end := context.WithCancel(context.Background())
	defer end()
	for _, name := range recreated {
		e := &estate{
			name: name, in: make(chan struct{}),
			v: y.Start(t, chaostest.VictimOptions{Unit: name, Restart: "always", Host: scratch}),
		}
		all = append(all, e)
		fault, _, _ := strings.Cut(strings.ReplaceAll(strangers[name], "CONTAINER", e.v.Ref), " for=")
		settings := append(strings.Fields(fault)[1:], "for=10m")
		kind, _, _ := strings.Cut(fault, " ")
		d, _ := catalog.Find(kind)
		if strings.HasPrefix(kind, "network.p") || strings.HasPrefix(kind, "network.b") ||
			d.ByAgent() && kind != "process.freeze" {
			settings = append(settings, "on_restart=void")
		}
		plan, err := plan.CompileBare(plan.Bare{Kind: kind, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		o := run.Options{
			State: t.TempDir(), Watchdog: self("guard"), Stress: self("burn"), AgentsAlways: strings.HasPrefix(name, "agent"),
		}
		var once sync.Once
		o.Event = func(ev result.Event) {
			if ev.Event == "fault.verified" || ev.Event == "fault.failed" || ev.Event == "fault.unverified" {
				once.Do(func() { close(e.in) })
			}
		}
		runs.Go(func() { e.out, e.err = run.Inject(ctx, plan, o) })
	}
	for _, e := range all {
		select {
		case <-e.in:
		case <-time.After(time.Minute):
			t.Fatalf("%s does not come", e.name)
		}
	}
	pass(all)
	for _, e := range all {
		claim(t, e, cut == chaos.Gone)
		e.before = everything(t, e.name, e.v)
	}
	end()
	runs.Wait()
	for _, e := range all {
		if e.err != nil || e.out == nil {
			t.Errorf("%s: %v", e.name, e.err)
			continue
		}
		t.Logf("%s: %s, %s: %s", e.name, e.out.Revert, e.out.Verdict, e.out.Reason)
		want := chaos.Gone
		if e.name == "disconnect" {
			want = cut
		}
		if e.out.Evidence == "" || e.out.Revert != string(want) { // verified, or undone since
			t.Errorf("%s: %+v", e.name, e.out)
		}
		if after := everything(t, e.name, e.v); after != e.before && want == chaos.Gone {
			t.Errorf("%s: the replacement was touched:\n%s", e.name, chaostest.Difference(e.before, after))
		}
	}
}

// recreate replaces a container, as a deployment would.
func recreate(t *testing.T, v *chaostest.Victim) {
	ctx, api := context.Background(), v.Yard.Engine.API()
	was, err := api.ContainerInspect(ctx, v.ID, client.ContainerInspectOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	if err := v.Yard.Engine.Remove(ctx, v.ID); err != nil {
		t.Error(err)
		return
	}
	at := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{}}
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: was.Container.Config, HostConfig: was.Container.HostConfig, NetworkingConfig: at, Name: v.Ref,
	})
	if err == nil {
		v.ID = made.ID
		err = v.Yard.Engine.Start(ctx, made.ID)
	}
	if err != nil {
		t.Error(err)
	}
}

// claim waits for the next container, and gives it the same change that the fault had made to the
// one before; another reports that it is another container.
func claim(t *testing.T, e *estate, another bool) {
	t.Helper()
	ctx, engine := context.Background(), e.v.Yard.Engine
	suite.Until(t, "the replacement of "+e.name, func() bool {
		is, err := engine.Inspect(ctx, e.v.ID)
		if err == nil && !is.Running && (e.name == "kill" || e.name == "disconnect") {
			_ = engine.Start(ctx, e.v.ID) // a kill keeps it down
		}
		return err == nil && is.Running && is.PID != 0
	})
	var err error
	switch e.name {
	case "pause":
		err = engine.Pause(ctx, e.v.ID)
	case "disconnect":
		if !another {
			break
		}
		err = engine.Disconnect(ctx, e.v.ID, e.v.Yard.Network)
	case "kill":
		err = engine.Kill(ctx, e.v.ID, "KILL")
	case "freeze":
		err = engine.Kill(ctx, e.v.ID, "STOP")
		suite.Until(t, "it to be stopped", func() bool { return state(e.v.PID()) == "T" })
	case "limit", "agent-limit":
		var g cgroup.Group
		if g, err = (cgroup.System{}).Find(e.v.PID(), cgroup.Memory); err == nil {
			file := "memory.limit_in_bytes"
			if g.Unified {
				file = "memory.max"
			}
			err = g.Write(cgroup.Setting{File: file}, "67108864")
		}
	}
	if err != nil {
		t.Errorf("%s: %v", e.name, err)
	}
}
