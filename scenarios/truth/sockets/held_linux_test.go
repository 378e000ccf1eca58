package sockets_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeld starves a target that brunt starts, by processes that spin. The server answers at once, and the objective
// is far too tight for a machine that is busy. If other programs hold the processors, the objective does not fail for
// certain. If the target's own processes spin, or its answers are wrong, it does.
func TestHeld(t *testing.T) {
	if testing.Short() {
		t.Skip("a long test: 24 processes spin for half a minute")
	}
	for _, c := range []struct {
		name          string
		spinning, own int
		fails         bool // the server's answers
		slo           string
		want          string
	}{
		{"others spin", 24, 0, false, "max < 1ms", "inconclusive"},
		{"others spin, and the answers are wrong", 24, 0, true, "errors < 1%", "fail"},
		{"the target spins", 0, 24, false, "max < 1ms", "fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range c.spinning {
				spin(t)
			}
			log, fails := filepath.Join(t.TempDir(), "log"), ""
			if c.fails {
				fails = "yes"
			}
			r := play(t, fmt.Sprintf(`version: 1
name: truth
data: {n: {range: 1..99999, pick: next}}
target:
  entry: web
  processes:
    web:
      command: [%q]
      env: {TRUTH_ARRIVED: %q, TRUTH_SPINS: "%d", TRUTH_FAILS: %q}
      ready: {get: "/ready?n=0", within: 60s}
load:
  main:
    {executor: constant-arrival-rate, rate: 50/s, duration: 10s, flow: [{get: "/read?n=${data.n.value}", name: read}]}
slo: [%s]
`, os.Args[0], log, c.own, fails, c.slo), nil)
			t.Logf("%s: %s", r.Verdict, r.Reason)
			if b, err := os.ReadFile(log); err != nil || string(b) != "500" {
				t.Errorf("the log of the server has %q requests (%v), want 500", b, err)
			}
			// brunt's own lag may decide the objective as well, which is then invalid because of it
			late := r.Verdict == "invalid" && strings.HasPrefix(r.Objectives[0].Note, "brunt itself was late")
			if r.Verdict != c.want && !late {
				t.Errorf("verdict %q, want %q: %s\n%s", r.Verdict, c.want, r.Reason, r.stdout)
			}
		})
	}
}
