package chaos_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
)

// TestMemoryLimit_KillsNothing checks that the proof of memory.limit makes the kernel kill no process, wherever between
// two huge pages the limit lies: an engine says of a container in which one was killed that it ran out of memory.
func TestMemoryLimit_KillsNothing(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	pages, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || strings.Contains(string(pages), "[never]") {
		t.Skip("this kernel gives no huge pages: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
	}
	v := newVictim(t, true)
	w := v.world(nil)
	killed := func() uint64 {
		g, file := v.groups[cgroup.Memory], "memory.oom_control"
		if g.Unified {
			file = "memory.events"
		}
		b, err := os.ReadFile(filepath.Join(g.Path, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var n uint64
			if _, err := fmt.Sscanf(line, "oom_kill %d", &n); err == nil {
				return n
			}
		}
		t.Skipf("this kernel does not count kills: %s", b)
		return 0
	}
	const huge = 2 << 20
	steps := 96
	if testing.Short() {
		steps = 16
	}
	for i := range steps {
		limit := 48<<20 + i*huge/steps
		before := killed()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		h, err := chaostest.Plan(t, fmt.Sprintf("memory.limit: {service: web, bytes: %d}", limit), w)[0].Inject(ctx)
		if err != nil {
			t.Fatal(err)
		}
		said, err := h.Verify(ctx)
		if err != nil {
			t.Errorf("limit of %d: %v", limit, err)
		}
		if n := killed() - before; n > 0 {
			t.Errorf("limit of %d: the kernel killed %d processes (%s)", limit, n, said)
		}
		if _, err := h.Revert(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}
