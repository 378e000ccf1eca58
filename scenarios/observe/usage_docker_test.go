//go:build linux

package observe

import (
	"os"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestDocker_Usage reads what a container uses, from this machine's kernel and from its engine: over
// a restart, and while it does not run.
func TestDocker_Usage(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	v := y.Start(t, chaostest.VictimOptions{})
	u, blind := NewUsage([]chaos.Unit{v.Container}), NewUsage([]chaos.Unit{v.Container})
	blind.units[0].sampler.(*containerSampler).blind = true
	began := time.Now()
	tick := func() (seen, reported result.UsageTick) {
		t.Helper()
		for i, w := range []*Usage{u, blind} {
			w.units[0].tick(t.Context(), func() time.Duration { return time.Since(began) })
			all := w.units[0].out.Seconds
			*[]*result.UsageTick{&seen, &reported}[i] = all[len(all)-1]
		}
		return seen, reported
	}
	tick()
	seen, reported := tick()
	if !reported.Running || reported.Memory < 100<<10 || reported.Threads < 1 || reported.Files.Known() ||
		!reported.CPU.Known() || reported.Starts != 1 ||
		blind.units[0].out.Via != "docker" {
		t.Errorf("its engine tells %+v, via %s", reported, blind.units[0].out.Via)
	}
	visible := v.PID() != 0
	if visible && (!seen.Running || seen.Threads != reported.Threads || seen.Memory < 100<<10 ||
		u.units[0].out.Via != "proc") {
		t.Errorf("seen is %+v, reported %+v", seen, reported)
	}
	if cpu, known := u.OwnCPU(); known != visible || visible && cpu <= 0 {
		t.Errorf("brunt and the container used %s, known %t; the container is seen from here: %t", cpu, known, visible)
	}
	if _, known := blind.OwnCPU(); known {
		t.Error("what a container uses that is not seen from here is known")
	}
	if _, err := (cgroup.System{}).Unified(os.Getpid()); err == nil && visible {
		w := &u.units[0].waits
		for range 2 {
			w.read(func() time.Duration { return time.Since(began) })
		}
		if len(w.list) != 2 || w.list[1].Waited < w.list[0].Waited {
			t.Errorf("its control group %q tells of waits %v", w.own.Path, w.list)
		}
	}
	if err := y.Engine.Stop(t.Context(), v.ID, 0); err != nil {
		t.Fatal(err)
	}
	if seen, reported := tick(); seen.Running || reported.Running || seen.Memory != 0 || reported.Memory != 0 {
		t.Errorf("stopped it is %+v, %+v", seen, reported)
	}
	if err := y.Engine.Start(t.Context(), v.ID); err != nil {
		t.Fatal(err)
	}
	if seen, reported := tick(); !seen.Running || !reported.Running || seen.Starts != 2 || reported.Starts != 2 ||
		seen.CPU.Known() || reported.CPU.Known() {
		t.Errorf("started again it is %+v, %+v", seen, reported)
	}
	if err := y.Engine.Restart(t.Context(), v.ID, 0); err != nil { // between two samples
		t.Fatal(err)
	}
	if seen, reported := tick(); seen.Starts != 3 || reported.Starts != 3 {
		t.Errorf("restarted it is %+v, %+v", seen, reported)
	}
}

// TestUsage_Events counts deaths and starts between two samples.
func TestUsage_Events(t *testing.T) {
	u := result.UnitUsage{
		Unit: "a[0]", Seconds: []result.UsageTick{{T: 1, Starts: 1}, {T: 2, Starts: 2}, {T: 3, Starts: 2}},
	}
	at := func(t float64, what, unit string) result.Event {
		return result.Event{T: result.Num(t), Event: what, Unit: unit}
	}
	fromEvents(&u, []result.Event{
		at(-3, "unit.start", "a[0]"), at(-3, "unit.start", "b[0]"), at(1.2, "unit.start", "a[0]"),
		at(1.5, "container.oom", "a[0]"),
		at(1.6, "container.oom", "b[0]"), at(1.8, "unit.start", "a[0]"), at(2.5, "container.oom", "a[0]"),
		at(2.9, "container.oom", "a[0]"), // of brunt's own process, which the fault tells of later
		{T: 4, Event: "fault.oom", Unit: "a[0]", Data: map[string]any{result.KilledData: 3.8}},
		{T: 4, Event: "fault.oom", Unit: "b[0]", Data: map[string]any{result.KilledData: 2.5}},
	})
	for i, want := range [][2]int{{1, 0}, {3, 1}, {3, 2}} {
		if s := u.Seconds[i]; s.Starts != want[0] || s.OOMs != want[1] {
			t.Errorf("second %d: %+v, want %v", i, s, want)
		}
	}
	if u.OOMs != 2 {
		t.Errorf("%d in all", u.OOMs)
	}
}
