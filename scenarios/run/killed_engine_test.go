//go:build linux

package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestDocker_EngineKilled kills the engine while a fault is in the network of a container, which lives on. The fault is
// taken off, and whether that container still is the one that it was in is not known: the run is not verified, and does
// not say that the container has ended.
func TestDocker_EngineKilled(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker, suite.In("docker"), suite.Minutes(2))
	d := chaostest.NewDockerd(t)
	y := chaostest.NewYard(t)
	v := y.Start(t, chaostest.VictimOptions{Unit: "web"})
	p, err := plan.CompileBare(plan.Bare{
		Kind: "network.latency", Settings: []string{"container=" + v.Ref, "delay=200ms", "for=10m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	in := make(chan struct{})
	done := make(chan *run.Injection, 1)
	go func() {
		out, err := run.Inject(ctx, p, run.Options{
			State: t.TempDir(), Watchdog: self("guard"),
			Event: func(e result.Event) {
				if e.Event == "fault.verified" {
					close(in)
				}
			},
		})
		if err != nil {
			t.Error(err)
		}
		done <- out
	}()
	select {
	case <-in:
	case out := <-done:
		t.Fatalf("it does not come: %+v", out)
	case <-time.After(time.Minute):
		t.Fatal("it does not come")
	}
	d.Kill(t)
	end()
	out := <-done
	d.Start(t) // for the removal of the container
	if out == nil {
		t.Fatal("no result")
	}
	if strings.Contains(out.GoneEvidence+out.Reason, "has ended") {
		t.Errorf("the container is said to have ended: %+v", out)
	}
	if out.Revert != string(chaos.Unverified) || out.Verdict != scenarios.Invalid ||
		out.ExitCode != scenarios.ExitInvalid ||
		!strings.Contains(out.Reason, "is the container that it was is not known: ") {
		t.Errorf("%s, %s, exit code %d: %s", out.Revert, out.Verdict, out.ExitCode, out.Reason)
	}
}
