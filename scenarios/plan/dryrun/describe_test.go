package dryrun_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
)

// TestDryRun: the description says how every fault is undone, and a fault that would fail is an
// error.
func TestDryRun(t *testing.T) {
	plan, err := plantest.CompileText(`
version: 1
target: {stack: demo}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /posts}]}}
chaos:
  lost: {at: 5s, process.crash: {service: posts}}
  reset: {at: 15s, network.reset: {from: gateway, to: users}}
  frozen: {at: 20s, for: 1s, process.freeze: {service: posts}}
  slow: {at: 25s, for: 1s, network.latency: {to: store, delay: 1ms}}
  stopped: {at: 35s, for: 1s, process.stop: {service: posts}}
  nobody: {at: 45s, process.crash: {pid: 4194000, irreversible: true}}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	lines, err := dryrun.Run(t.Context(), plan)
	if err == nil || !strings.Contains(err.Error(), `fault "nobody" would fail: `) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v", err)
	}
	const (
		once   = "    nothing to take back: it is over once it is done"
		held   = "    taken back by: brunt itself; the fault dies with it"
		undone = "    taken back by: process.continue, by brunt or by its watchdog"
	)
	said := map[string]string{} // by fault
	name := ""
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "fault "); ok {
			name, _, _ = strings.Cut(rest, " (")
		}
		said[name] += line + "\n"
	}
	for name, want := range map[string]string{
		"lost": once, "reset": once, "slow": held, "stopped": held, "frozen": undone, "nobody": "  would fail: ",
	} {
		if !strings.Contains(said[name], want) {
			t.Errorf("%q is missing in:\n%s", want, said[name])
		}
		for _, other := range []string{once, held, undone, "  would fail: "} {
			if other != want && strings.Contains(said[name], other) {
				t.Errorf("%q is said of:\n%s", other, said[name])
			}
		}
	}
}
