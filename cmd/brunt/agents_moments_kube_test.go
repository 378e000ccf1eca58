//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestAgents_KubeMoments kills brunt, and brunt with its watchdog, at any moment from its start until a fault of an agent has been in for a while:
// nothing is left in the end. BRUNT_MOMENTS says how many times each.
func TestAgents_KubeMoments(t *testing.T) {
	b := newAgentBed(t)
	n, err := strconv.Atoi(os.Getenv("BRUNT_MOMENTS"))
	if err != nil {
		n = 1
	}
	faults := []string{"lossy", "freeze", "slow"}
	for _, row := range []struct {
		name string
		kill func(t *testing.T, brunt *exec.Cmd)
		most time.Duration
	}{
		{"brunt", func(_ *testing.T, brunt *exec.Cmd) {
			_ = brunt.Process.Kill()
			_ = brunt.Wait()
		}, byOwn},
		{"both", func(t *testing.T, brunt *exec.Cmd) { killBoth(t, brunt) }, bySilent},
	} {
		t.Run(row.name, func(t *testing.T) {
			var worst time.Duration
			wasIn := 0
			for i := range n {
				fault, after := faults[i%len(faults)], time.Duration(rand.Int64N(int64(6*time.Second)))
				brunt := b.start(t, filepath.Join(t.TempDir(), "out"), t.TempDir(), "inject", b.scenario, fault)
				time.Sleep(after) // simulates a run that goes on until then
				in := b.leftAt(t, b.unit(t, "web", 0)) != ""
				at := time.Now()
				row.kill(t, brunt)
				took := b.clean(t, at, row.most)
				if in {
					wasIn++
				}
				worst = max(worst, took)
				t.Logf("%s, %.2f s after the start, fault in: %v: nothing is left after %.2f s", fault, after.Seconds(), in, took.Seconds())
				b.over(t)
			}
			t.Logf("%d of %d left nothing, %d of them with the fault in; at most %.2f s", n, n, wasIn, worst.Seconds())
		})
	}
}
