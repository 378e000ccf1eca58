//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestAgents_KubeTwoRuns has two brunts, which share no state, on one pod: while the first has a fault on packets or
// connections there, the second is refused with the name of the first. After the end of that fault it is not refused.
func TestAgents_KubeTwoRuns(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	inject := func(fault string) (string, error) {
		return b.brunt(t, t.TempDir(), "inject", b.scenario, fault, "--for", "2s")
	}
	for _, c := range []struct {
		first  string
		second []string
	}{
		{"lossy", []string{"dead", "dns", "refused"}},
		{"refused", []string{"lossy", "late"}},
	} {
		t.Run(c.first, func(t *testing.T) {
			out := b.begin(t, c.first, "--for", "40s")
			for _, second := range c.second {
				said, err := inject(second)
				if err == nil || !strings.Contains(said, "another run of brunt, "+out.run) ||
					strings.Contains(said, "fault.injected") {
					t.Errorf("%s beside %s of %s: %v\n%s", second, c.first, out.run, err, said)
				}
			}
			if said, err := inject("freeze"); err != nil { // of its process, which adds up with nothing
				t.Errorf("%v\n%s", err, said)
			}
			_ = out.cmd.Process.Signal(os.Interrupt)
			_ = out.cmd.Wait()
			b.clean(t, time.Now(), byOwn)
			if said, err := inject(c.second[0]); err != nil {
				t.Errorf("after the end of the first: %v\n%s", err, said)
			}
			b.clean(t, time.Now(), time.Second)
			b.unmanned(t)
		})
	}
}
