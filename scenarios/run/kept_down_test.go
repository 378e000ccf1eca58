package run_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestKeptDown_Killed kills a unit and keeps it down for a time: it ends by SIGKILL, although its supervisor starts it
// again after a crash, nothing answers while the fault is in, and brunt starts it again afterwards.
func TestKeptDown_Killed(t *testing.T) {
	t.Parallel()
	res := runText(t, `version: 1
name: killed
`+pair+`
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 4s, timeout: 500ms, flow: [{get: /far}]}
chaos:
  down: {at: 1s, for: 1s, process.stop: {service: store, grace: 0s}}
slo: [errors < 100%]
`, run.Options{})
	if res.Verdict != scenarios.Pass || len(res.Faults) != 1 {
		t.Fatalf("%s: %s", res.Verdict, res.Reason)
	}
	f := &res.Faults[0]
	if !strings.Contains(f.Evidence, "after SIGKILL, and nothing answers") || !f.Gone || f.Revert != "ok" ||
		float64(f.Cleared)-float64(f.Injected) < 1 {
		t.Errorf("%q, %q; in from %v to %v, taken back: %s", f.Evidence, f.GoneEvidence, f.Injected, f.Cleared, f.Revert)
	}
	if !slices.ContainsFunc(res.Events, func(e result.Event) bool {
		return e.Event == "unit.exit" && e.Unit == "store[0]" && e.Text == "signal: killed"
	}) {
		t.Errorf("store[0] did not end by SIGKILL: %+v", res.Events)
	}
}

// TestKeptDown_RestartDelay crashes a unit whose supervisor waits longer than the default of `within` before it starts
// the unit again: the time for the unit counts from then, so that the run is a drill of that delay and not invalid.
func TestKeptDown_RestartDelay(t *testing.T) {
	suite.Long(t)
	res := runText(t, `version: 1
name: restarted late
target: {processes: {web: {command: [ECHO], ready: {get: /}, restart_delay: 40s}}}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 55s, timeout: 500ms, flow: [{get: /}]}
chaos:
  crash: {at: 2s, process.crash: {service: web}}
slo: [errors < 90%]
`, run.Options{})
	if res.Verdict != scenarios.Pass || len(res.Faults) != 1 {
		t.Fatalf("%s: %s", res.Verdict, res.Reason)
	}
	if f := &res.Faults[0]; !f.Gone || float64(f.Cleared)-float64(f.Injected) < 40 {
		t.Errorf("gone: %v (%s); in from %v to %v", f.Gone, f.GoneEvidence, f.Injected, f.Cleared)
	}
}
