package run_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// TestVoid checks that a run whose fault was over before its time is invalid, with and without an objective on it, and
// tells until when it was in. The process that held the fault is killed.
func TestVoid(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for name, objectives := range map[string]string{
		"no objective": "", "one on the fault": "slo: [errors < 50% in it]", "one on the run": "slo: [errors < 50%]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, `
version: 1
name: void
target: {processes: {web: {command: [ECHO]}}}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 9s, timeout: 2s, flow: [{get: /}]}
chaos:
  it: {at: 1s, for: 7s, stress.cpu: {service: web, load: 5%, workers: 1}}
`+objectives, run.Options{Stress: self("burn"), Event: func(e result.Event) {
				if e.Event == "fault.verified" {
					for _, pid := range slices.DeleteFunc(proc.Family(os.Getpid()), func(pid int) bool { return !isStressor(pid) }) {
						kill(pid)
					}
				}
			}})
			if res.Verdict != scenarios.Invalid || res.ExitCode != scenarios.Invalid.ExitCode() {
				t.Errorf("%s, exit %d: %s", res.Verdict, res.ExitCode, res.Reason)
			}
			f := res.Faults[0]
			if in := f.Cleared - f.Injected; !f.Injected.Known() || !(in > 0 && in < 6) || f.Skipped ||
				f.Impact == result.NotInjected {
				t.Errorf("in from %v to %v, impact %s", f.Injected, f.Cleared, f.Impact)
			}
			const why = "over before its time, after "
			if f.Traffic == 0 || !strings.Contains(f.Note, why) || !strings.Contains(f.Note, "lost its stress process") {
				t.Errorf("%d %s met it: %q", f.Traffic, f.TrafficUnit, f.Note)
			}
			if name == "no objective" && !strings.Contains(res.Reason, why) {
				t.Errorf("%s", res.Reason)
			}
			if !slices.ContainsFunc(res.Cells,
				func(c result.Cell) bool { return c.Phase == slo.ParsePhase("it") && c.Count > 0 }) {
				t.Error("no request is counted in its phase")
			}
			for _, o := range res.Objectives {
				if o.Phase == slo.ParsePhase("it") && o.Verdict != scenarios.Invalid {
					t.Errorf("%s: %s", o.Text, o.Verdict)
				}
			}
		})
	}
}
