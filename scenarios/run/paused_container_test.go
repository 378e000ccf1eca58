//go:build linux

package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"

	"github.com/moby/moby/api/types/container"
)

// These tests pause a container that brunt runs in. All in it stand still: brunt, its watchdog and the process of its
// links. The watchdog in a container of its own does not.

// ended waits until the brunt of the container has ended, and returns its exit code and its output.
func (c *caged) ended(t *testing.T) (code int, said string) {
	t.Helper()
	if !suite.Within(time.Minute, func() bool {
		is, err := c.y.Engine.Inspect(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		code = is.Exit
		return !is.Running
	}) {
		t.Fatalf("it does not end: %s", c.said(t))
	}
	return code, c.said(t)
}

// TestDocker_Paused pauses the container of a brunt while its fault is in, until the other watchdog, or the agent that
// holds the fault, has taken it back, and lets it go on: brunt knows by which, says that the fault was not in, and
// leaves nothing.
func TestDocker_Paused(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("each needs as long as the watchdog is patient")
	}
	y := chaostest.NewYard(t)
	image := y.Brunt(t)
	for _, name := range []string{"pause", "disconnect", "throttle", "freeze", "skew", "table", "discipline"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			fault, _, _ := strings.Cut(b.fault, " for=")
			c := cage(t, y, image, fault+" for=50s", nil)
			suite.Until(t, "the fault to be in", func() bool { return strings.Contains(c.said(t), "verified") })
			_, run := c.watchdog(t)
			if err := y.Engine.Pause(t.Context(), c.id); err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			suite.Until(t, "all to be as it was", func() bool { return b.difference(t) == "" })
			took := time.Since(at)
			t.Logf("as before %s after docker pause", took.Round(time.Millisecond))
			if took < 5*time.Second {
				t.Error("the fault was not in")
			}
			if err := y.Engine.Unpause(t.Context(), c.id); err != nil {
				t.Fatal(err)
			}
			code, said := c.ended(t)
			// Each waits for 10 s, and either may be first.
			byOther := strings.Contains(said, "its watchdog took the fault back at") ||
				strings.Contains(said, "the process that held it took the fault back at")
			if code != 5 || !strings.Contains(said, "brunt itself stood still from") || !byOther {
				t.Errorf("it ended with %d: %s", code, said)
			}
			b.same(t, "at the end")
			suite.Until(t, "nothing to be left in the engine", func() bool { return len(c.left(t, run)) == 0 })
		})
	}
}

// TestDocker_PausedRun pauses the container of a run whose target is in it as well: the run says that it shows nothing.
func TestDocker_PausedRun(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("it needs as long as the watchdog is patient")
	}
	y := chaostest.NewYard(t)
	file := filepath.Join(t.TempDir(), "paused.yaml")
	err := os.WriteFile(file, []byte(`
version: 1
name: paused
target: {stack: demo}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 30s, timeout: 1s, flow: [{get: "/posts?page=1"}]}}
chaos: {it: {at: 3s, for: 24s, process.freeze: {service: notifications}}}
slo: [errors < 50%, errors < 50% in it, recover < 5s after it]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c := cage(t, y, y.Brunt(t), "", nil, func(c *container.Config, h *container.HostConfig) {
		c.Cmd = []string{"run", "/paused.yaml", "-o", "/results"}
		h.Binds = append(h.Binds, file+":/paused.yaml:ro")
	})
	suite.Until(t, "the fault to be in", func() bool { return strings.Contains(c.said(t), "faults in: it") })
	if err := y.Engine.Pause(t.Context(), c.id); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Second) // simulates a container that is paused for longer than the watchdog waits
	if err := y.Engine.Unpause(t.Context(), c.id); err != nil {
		t.Fatal(err)
	}
	code, said := c.ended(t)
	t.Logf("it ended with %d: %s", code, said)
	if code != 5 || !strings.Contains(said, "stood still") {
		t.Errorf("it ended with %d: %s", code, said)
	}
}
