package sockets_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestSockets_Unreached freezes units that brunt starts. The load goes to one of them alone, and the log of each unit
// says what reached it: a fault on the unit that nothing reached shows nothing, so the run is inconclusive, and one
// on the other is judged. So is a group of which one step is on the other.
func TestSockets_Unreached(t *testing.T) {
	const requests = 500
	for _, c := range []struct {
		name    string
		fault   string
		verdict string
		exit    int
	}{
		{"idle", "process.freeze: {service: idle}", "inconclusive", 8},
		{"web", "process.freeze: {service: web}", "pass", 0},
		{
			"a group, idle", "steps: [{process.freeze: {service: idle}}, {after: 500ms, process.freeze: {service: spare}}]",
			"inconclusive", 8,
		},
		{
			"a group, idle and web",
			"steps: [{process.freeze: {service: idle}}, {after: 500ms, process.freeze: {service: web}}]", "pass", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unit := func(name string) string {
				return fmt.Sprintf("{command: [%q], env: {TRUTH_ARRIVED: %q}, ready: {get: \"/ready?n=0\", within: 20s}}",
					os.Args[0], filepath.Join(dir, name))
			}
			r := play(t, fmt.Sprintf(`version: 1
name: truth
data: {n: {range: 0..99999, pick: next}}
target: {entry: web, processes: {web: %s, idle: %s, spare: %s}}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: %ds, timeout: 5s, flow: [{get: "/read?n=${data.n.value}", name: read}]}}
chaos: {f: {at: 4s, for: 1500ms, %s}}
judge: {hold: 2s}
slo: [errors < 1%%]
`, unit("web"), unit("idle"), unit("spare"), requests/50, c.fault), nil)
			if r.Verdict != c.verdict || r.exit != c.exit {
				t.Errorf("verdict %q, exit %d, want %q and %d: %s\n%s", r.Verdict, r.exit, c.verdict, c.exit, r.Reason, r.stdout)
			}
			if c.verdict == "inconclusive" && !strings.Contains(strings.ToLower(r.Reason), "f affected no traffic") {
				t.Errorf("the reason is %q, which does not name the fault", r.Reason)
			}
			for name, want := range map[string]int{"web": requests, "idle": 0, "spare": 0} {
				b, err := os.ReadFile(filepath.Join(dir, name))
				if n, _ := strconv.Atoi(string(b)); err != nil || n != want {
					t.Errorf("the log of %s has %q requests (%v), want %d", name, b, err, want)
				}
			}
			if n := r.count("run", "ok"); n != requests {
				t.Errorf("brunt counts %d good requests, the log of the unit %d", n, requests)
			}
		})
	}
}
