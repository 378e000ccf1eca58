package run_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
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
`+objectives, run.Options{Stress: self("burn", t.Name()), Event: func(e result.Event) {
				if e.Event == "fault.verified" {
					for _, pid := range proc.Family(os.Getpid()) { // other tests have stress processes too
						if isStressor(pid) && strings.Contains(commandLine(pid), t.Name()) {
							kill(pid)
						}
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

// TestConditions_NotShown: the result and its notes say what the proof of a condition has not shown. The unit does not
// use the directory whose disk lacks space.
func TestConditions_NotShown(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	res := runOnce(t, `
version: 1
name: unused
target: {processes: {web: {command: [ECHO], ready: {get: /}}}}
conditions: {full: {disk.fill: {service: web, path: "`+t.TempDir()+`", bytes: 1MiB}}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /}]}}
`, run.Options{Stress: self("burn")})
	if len(res.Conditions) != 1 || !strings.HasPrefix(res.Conditions[0].NotShown, "that web[0] uses ") {
		t.Fatalf("%s: %+v", res.Reason, res.Conditions)
	}
	const held = "the condition full (disk.fill) held for the whole run: "
	if !slices.ContainsFunc(res.Notes, func(s string) bool {
		return strings.HasPrefix(s, held) && strings.HasSuffix(s, "; not shown: "+res.Conditions[0].NotShown)
	}) {
		t.Errorf("%q", res.Notes)
	}
}

// TestAgain kills the process of a unit while a fault on it, or a condition, is in. brunt starts the unit again: the
// fault is injected into the new process, as the kernel tells, or is over where the scenario says so.
func TestAgain(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	group := func(pid int) string {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		return string(b)
	}
	shares := func(pid int) bool { return group(pid) == group(os.Getpid()) }
	for _, c := range []againCase{
		{"cpu.throttle", `cpu.throttle: {service: web, share: 50%}`, func(pid int) bool { return !shares(pid) }},
		{"pids.limit", `pids.limit: {service: web, leave: 50}`, func(pid int) bool { return !shares(pid) }},
		{
			"fd.exhaust", `fd.exhaust: {service: web, leave: 200}`, func(pid int) bool {
				limit, err := proc.FilesLimit(pid)
				return err == nil && limit.Soft < 300
			},
		},
		{"stress.cpu", `stress.cpu: {service: web, load: 5%, workers: 1}`, nil},
		{"time.skew", `time.skew: {service: web, offset: 1h}`, nil},
		{"void", `cpu.throttle: {service: web, share: 50%, on_restart: void}`, nil},
		{"condition", `cpu.throttle: {service: web, share: 50%}`, nil},
		{"void condition", `cpu.throttle: {service: web, share: 50%, on_restart: void}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.play(t)
		})
	}
}

// An againCase is a fault that is in while brunt starts its unit again.
type againCase struct {
	name, fault string
	in          func(pid int) bool // nil: the evidence says it
}

func (c againCase) play(t *testing.T) {
	t.Helper()
	if strings.Contains(c.fault, "cpu.throttle") || strings.Contains(c.fault, "pids.limit") {
		suite.Needs(t, suite.ControlGroups)
	}
	condition, void := strings.Contains(c.name, "condition"), strings.Contains(c.name, "void")
	text := `
version: 1
name: again
target: {processes: {web: {command: [ECHO], restart_delay: 100ms, ready: {get: /}}}}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 6s, timeout: 2s, flow: [{get: /}]}}
`
	begin := "fault.verified"
	if condition {
		text, begin = text+"conditions: {it: {"+c.fault+"}}\n", "load.start"
	} else {
		text += "chaos: {it: {at: 500ms, for: 5s, " + c.fault + "}}\n"
	}
	var pid, again atomic.Int32
	var lacks atomic.Bool
	var files atomic.Uint64 // limit of the first process
	res := runOnce(t, text, run.Options{Stress: self("burn"), Event: func(e result.Event) {
		switch e.Event {
		case "unit.start":
			var now int32
			_, _ = fmt.Sscanf(e.Text, "pid %d", &now)
			pid.Store(now)
		case begin:
			if again.Load() == 0 {
				limit, _ := proc.FilesLimit(int(pid.Load()))
				files.Store(limit.Soft)
				kill(int(pid.Load()))
			}
		case "fault.again":
			again.Add(1)
			lacks.Store(lacks.Load() || c.in != nil && !c.in(int(pid.Load())))
			limit, err := proc.FilesLimit(int(pid.Load()))
			if c.name == "fd.exhaust" && (err != nil || limit.Soft != files.Load()) {
				t.Errorf("%v, %v, and the first process had %d", limit, err, files.Load())
			}
		}
	}})
	if (res.Verdict == scenarios.Invalid) != void || void && !strings.Contains(res.Reason, "was started again") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if condition {
		if it := res.Conditions[0]; !void && !strings.Contains(it.Evidence, "injected again: ") {
			t.Errorf("%+v", it)
		}
		return
	}
	f := res.Faults[0]
	if in := f.Cleared - f.Injected; (in < 4) != void || f.Revert == "failed" {
		t.Errorf("in for %v, revert %s: %s", in, f.Revert, f.Note)
	}
	if void {
		if !strings.Contains(res.Reason, "take a fault of one moment") {
			t.Errorf("no remedy: %s", res.Reason)
		}
		return
	}
	if again.Load() != 1 || lacks.Load() || f.NotShown == "" && !strings.Contains(f.Evidence, "injected again: ") {
		t.Errorf("injected again %d times, not into the process: %v; %q, not shown: %q", again.Load(), lacks.Load(),
			f.Evidence, f.NotShown)
	}
}
