package chaos_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"

	"github.com/moby/moby/api/types/container"
)

// TestDocker_OutOfMemory lets the kernel kill a container that is out of memory, and its policy
// restart it. Its score is written to the journal before, so that a process that is not killed gets it
// back.
func TestDocker_OutOfMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("makes containers")
	}
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	for _, tt := range []struct{ name, takes string }{
		{"all", "percent: 100%"},
		{"more than there is", "bytes: 256MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) { outOfMemory(t, y, tt.takes) })
	}
}

func outOfMemory(t *testing.T, y *chaostest.Yard, takes string) {
	v := y.Start(t, chaostest.VictimOptions{Host: func(h *container.HostConfig) {
		h.Memory, h.MemorySwap = 64<<20, 64<<20
	}, Restart: "always"})
	world := chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1}, Containers: true},
		Env: chaos.Env{
			Targets: chaos.Targets{Units: []chaos.Unit{v.Container}}, Host: chaos.Host{Stress: []string{os.Args[0], "burn"}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
	score := func() string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", v.PID()))
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(string(b))
	}
	was, pid := score(), v.PID()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	steps := chaostest.Plan(t, "stress.memory: {service: web, "+takes+", oom: unit}", world)
	if undo := steps[0].Undo(); len(undo) == 0 || undo[0].Op != "oom.score" {
		t.Fatalf("its undo is %+v", undo)
	}
	h, err := steps[0].Inject(ctx)
	if err != nil {
		t.Fatal(err)
	}
	said, err := h.Verify(ctx)
	if err != nil || !strings.Contains(said, fmt.Sprintf("the kernel killed it (pid %d)", pid)) {
		t.Errorf("verified: %q, %v", said, err)
	}
	for range 2 {
		if o, err := h.Revert(ctx); err != nil || o == chaos.Failed {
			t.Errorf("reverted: %s, %v", o, err)
		}
	}
	if said, err := h.Gone(ctx); err != nil {
		t.Errorf("gone: %q, %v", said, err)
	}
	if now := score(); now != was || v.PID() == pid {
		t.Errorf("its successor, pid %d after %d, has the score %s, before %s", v.PID(), pid, now, was)
	}
}
