//go:build linux

package run_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// TestKilled_Conditions kills brunt around every record and every call while faults hold for the whole run, or from its
// warm-up on, beside one that comes and goes: each of them is taken back, from before the load begins until after it
// ends.
func TestKilled_Conditions(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if testing.Short() {
		t.Skip("dozens of runs in processes of their own")
	}
	for name, at := range map[string]string{"whole run": "", "from the warm-up": "-900ms"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killConditions(t, at)
		})
	}
}

// killConditions kills brunt at each point of a run whose conditions are injected at a time; empty is before the load.
func killConditions(t *testing.T, at string) {
	t.Helper()
	m := newKilledRun(t)
	m.env = append(m.env, "BRUNT_TEST_CONDITIONS_AT="+at)
	text := killScenario(killFaults["latency"], m) + `conditions:
  file: {exec: {inject: [touch, "` + m.flag + `"], verify: [test, -e, "` + m.flag + `"], revert: [rm, -f, "` + m.flag +
		`"]}}
  frozen: {process.freeze: {pid: ` + strconv.Itoa(m.stranger.Process.Pid) + `}}
  far: {network.latency: {from: web, to: store, delay: 5ms}}
`
	if at != "" {
		text += "warmup: {for: 1s}\n"
	}
	out := m.run(t, text, "guard", 0, 0)
	found := passedPattern.FindStringSubmatch(out)
	if left := m.clean(t); len(left) > 0 || found == nil {
		t.Fatalf("the run that is not killed left %v: %s", left, out)
	}
	points := strings.Split(found[1], ", ")
	injections := 0
	for _, name := range points {
		if name == "before inject" {
			injections++
		}
	}
	if injections != 4 || !slices.Contains(points, "after revert") {
		t.Fatalf("%d injections, want 4: %q", injections, points)
	}
	for p := range points {
		m.run(t, text, "guard", p+1, 0)
		if left := m.clean(t); len(left) > 0 {
			t.Errorf("killed at point %d of %d, %s: left %v", p+1, len(points), points[p], left)
		}
	}
	t.Logf("killed at %d points, nothing left at any", len(points))
}
