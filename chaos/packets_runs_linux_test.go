package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/scenarios/suite"
)

// asRun injects a fault as another run would, which knows the first run only by its journal.
func asRun(t *testing.T, w chaostest.World, dir, run, yaml string, byAgent bool) chaos.Held {
	t.Helper()
	j, err := journal.Open(catalog.AllOperations(), dir, run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	w.Env.Agents, w.Env.Run = &agent.Pool{Find: catalog.Find, Journal: j, Always: byAgent}, run
	s := chaostest.Plan(t, yaml, w)[0]
	id, err := j.Intent(chaos.Intent{Fault: run, What: s.String(), Undo: s.Undo()})
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := h.Revert(context.Background()); err != nil {
			t.Error(err)
		}
		if err := j.Done(id, chaos.Reverted); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestPackets_AnotherRun reverts a fault while a fault of another run is in the same network: each is
// proved gone despite the other.
func TestPackets_AnotherRun(t *testing.T) {
	suite.Needs(t, suite.Root)
	t.Parallel()
	for _, c := range []struct{ name, mine, theirs string }{
		{"the kernel's", "network.latency: {from: web, to: store, delay: 40ms}", "network.partition: {from: web, to: store}"},
		{
			"a discipline", "network.bandwidth: {service: web, rate: 10Mbit/s}",
			"network.bandwidth: {service: web, rate: 64KiB/s, via: tbf}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, dir := boxes(t, true), t.TempDir()
			mine := asRun(t, w, dir, "mine", c.mine, false)
			if _, err := mine.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			asRun(t, w, dir, "theirs", c.theirs, false)
			if o, err := mine.Revert(t.Context()); err != nil || o != chaos.Reverted {
				t.Errorf("reverting: %s, %v", o, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			gone, err := mine.Gone(ctx)
			if err != nil || !strings.Contains(gone, "another run, theirs,") {
				t.Errorf("it is gone: %q, %v", gone, err)
			}
		})
	}
	t.Run("late by another's", func(t *testing.T) {
		w, dir := boxes(t, true), t.TempDir()
		asRun(t, w, dir, "theirs", "network.latency: {from: web, to: store, delay: 80ms}", false)
		w.Env.Units[0].(*box).spoil = true
		mine := asRun(t, w, dir, "mine", "network.latency: {from: web, to: store, delay: 20ms}", true)
		if seen, err := mine.Verify(t.Context()); err == nil {
			t.Errorf("an effect on no packet is found: %s", seen)
		}
	})
}
