package sockets_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestHeld starves a target that brunt starts, by processes that spin. The server answers at once, and the objective
// is far too tight for a machine that is busy. If other programs hold the processors, the objective does not fail for
// certain. If the target's own processes spin, or its answers are wrong, it does.
//
// A server that sleeps for 500 ms does not wait for a processor, whoever holds them. Its own control group tells, or
// its threads if it has none, and the objective fails on any machine.
func TestHeld(t *testing.T) {
	if testing.Short() {
		t.Skip("a long test: 24 processes spin for half a minute")
	}
	for _, c := range []struct {
		name          string
		spinning, own int
		group         bool   // the server has a control group of its own
		does          string // set for the server
		slo           string
		want          string
	}{
		{"a process sleeps", 0, 0, false, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"a group sleeps", 0, 0, true, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"others spin", 24, 0, false, "", "max < 1ms", "inconclusive"},
		{"others spin, and the answers are wrong", 24, 0, false, "TRUTH_FAILS", "errors < 1%", "fail"},
		{"the target spins", 0, 24, false, "", "max < 1ms", "fail"},
		{"two others spin, and a process sleeps", 2, 0, false, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"others spin, and a process sleeps", 24, 0, false, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"others spin beside a group", 24, 0, true, "", "max < 1ms", "inconclusive"},
		{"two others spin, and a group sleeps", 2, 0, true, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"others spin, and a group sleeps", 24, 0, true, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"a group spins", 0, 24, true, "", "max < 1ms", "fail"},
		{"no PSI, and others spin", 24, 0, false, "", "max < 1ms", "inconclusive"},
		{"no PSI, others spin, and the answers are wrong", 24, 0, false, "TRUTH_FAILS", "errors < 1%", "fail"},
		{"no PSI, others spin, and a process sleeps", 24, 0, false, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
		{"no PSI, and the target spins", 0, 24, false, "", "max < 1ms", "fail"},
		{"no PSI, and a process sleeps", 0, 0, false, "TRUTH_SLEEPS", "p95 < 450ms", "fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// beside others that hold the processors, the server lacks one as well
			if c.want == "fail" && c.does != "TRUTH_FAILS" && !calm(t) {
				t.Skip("other programs hold the processors of this machine: run it on a quiet one")
			}
			more := strings.HasPrefix(c.name, "no PSI") && c.spinning+c.own > 0 || c.spinning > 2 && c.does == "TRUTH_SLEEPS"
			if more && c.want == "fail" && !suite.Full() {
				t.Skip("it takes all processors for 6 s; BRUNT_FULL=1 plays it")
			}
			command := []string{brunt}
			if strings.HasPrefix(c.name, "no PSI") {
				suite.Needs(t, suite.Root)
				command = append(slices.Clone(withoutPressure), brunt)
			}
			group := ""
			if c.group {
				suite.Needs(t, suite.Root, suite.ControlGroups)
				group = ownGroup(t)
			}
			for range c.spinning {
				spin(t)
			}
			log := filepath.Join(t.TempDir(), "log")
			r := playWith(t, command, fmt.Sprintf(`version: 1
name: truth
data: {n: {range: 1..99999, pick: next}}
target:
  entry: web
  processes:
    web:
      command: [%q]
      env: {TRUTH_ARRIVED: %q, TRUTH_SPINS: "%d", TRUTH_GROUP: %q, %s: "yes"}
      ready: {get: "/ready?n=0", within: 60s}
load:
  main:
    {executor: constant-arrival-rate, rate: 50/s, duration: 10s, flow: [{get: "/read?n=${data.n.value}", name: read}]}
slo: [%s]
`, os.Args[0], log, c.own, group, cmp.Or(c.does, "TRUTH_NOTHING"), c.slo), nil)
			t.Logf("%s: %s", r.Verdict, r.Reason)
			if (r.Generator.Pressure == nil) != strings.HasPrefix(c.name, "no PSI") {
				t.Errorf("the pressure is %v", r.Generator.Pressure)
			}
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

// calm reports whether the processors of this machine are free. The full suite waits for that up to half a minute, as
// the row before may have left the average high.
func calm(t *testing.T) bool {
	t.Helper()
	for began := time.Now(); pressure(t) >= 50; {
		if !suite.Full() || time.Since(began) > 30*time.Second {
			return false
		}
		<-time.After(time.Second) // the kernel renews the average every two seconds
	}
	return true
}

// pressure returns the share of the last ten seconds in which tasks of this machine waited for a processor, in percent.
func pressure(t *testing.T) (percent float64) {
	t.Helper()
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		t.Skip(err) // brunt can't tell either
	}
	if _, err := fmt.Sscanf(string(b), "some avg10=%f", &percent); err != nil {
		t.Fatal(err)
	}
	return percent
}

// ownGroup makes a control group of version 2 for one unit, and returns its folder.
func ownGroup(t *testing.T) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue
		}
		dir := filepath.Join(root, "truth-held-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if !suite.Within(10*time.Second, func() bool { return os.Remove(dir) == nil }) {
				t.Errorf("%s stays: a process is in it", dir)
			}
		})
		if _, err := os.Stat(filepath.Join(dir, "cpu.pressure")); err != nil {
			t.Skip("the kernel does not report pressure by control group (psi=1)")
		}
		return dir
	}
	t.Skip("no tree of control groups of version 2 is mounted")
	return ""
}
