package run_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A server is a system under test that brunt does not start: a process of its own.
type server struct {
	addr string
	pid  int
}

// newServer starts one in a role. It prints its address on its first line.
func newServer(t *testing.T, part string, args ...string) server {
	t.Helper()
	argv := self(part, args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s does not say where it listens: %v", part, err)
	}
	return server{strings.TrimSpace(line), cmd.Process.Pid}
}

// mustCompile compiles a scenario.
func mustCompile(t *testing.T, text string) *plan.Plan {
	t.Helper()
	plan, err := compileFile(scenario(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// lateTries is how often a run is repeated that was invalid because this machine was too busy: that
// must neither fail a test nor pass it.
const lateTries = 8

// wasLate reports whether brunt itself was late.
func wasLate(res *result.Result) bool {
	return res.Verdict == scenarios.Invalid && strings.Contains(res.Reason, "brunt itself was late")
}

// processors is read-locked by parallel runs, and locked by a run that was late beside them and is
// repeated alone.
var processors sync.RWMutex

// on runs a test's run beside others, or alone. A run must not call it.
func on(turn sync.Locker, run func() *result.Result) *result.Result {
	turn.Lock()
	defer turn.Unlock()
	return run()
}

// inTime runs a test's run until brunt was in time.
func inTime(t *testing.T, run func() *result.Result) *result.Result {
	t.Helper()
	turn := processors.RLocker()
	for range lateTries {
		res := on(turn, run)
		turn = &processors
		if !wasLate(res) {
			return res
		}
		t.Logf("again: %s", res.Reason)
		time.Sleep(time.Second) // backs off: the machine is busy
	}
	t.Fatalf("this machine is too busy: brunt was late %d times", lateTries)
	return nil
}

// runText runs a scenario until brunt was in time.
func runText(t *testing.T, text string, o run.Options) *result.Result {
	t.Helper()
	if o.State == "" {
		o.State = t.TempDir()
	}
	return inTime(t, func() *result.Result {
		res, err := run.Run(t.Context(), mustCompile(t, text), o)
		if err != nil {
			t.Fatal(err)
		}
		return res
	})
}

// runOnce runs a scenario for a test that does not depend on timing: among parallel tests brunt is
// often late.
func runOnce(t *testing.T, text string, o run.Options) *result.Result {
	t.Helper()
	if o.State == "" {
		o.State = t.TempDir()
	}
	plan := mustCompile(t, text)
	return on(processors.RLocker(), func() *result.Result {
		res, err := run.Run(t.Context(), plan, o)
		if err != nil {
			t.Fatal(err)
		}
		return res
	})
}

// complaints are the errors of a test that may be repeated.
type complaints []string

func (c *complaints) addf(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

// passed adds a complaint unless all objectives held, or brunt's lag is the only problem. A scenario
// without objectives has no verdict.
func (c *complaints) passed(res *result.Result) {
	want := scenarios.Pass
	if len(res.Objectives) == 0 {
		want = scenarios.None
	}
	if res.Verdict != want && !wasLate(res) {
		c.addf("%s: %s", res.Verdict, res.Reason)
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Pass {
			c.addf("%s: %s, measured %v (%s)", o.Text, o.Verdict, o.Measured, o.Note)
		}
	}
}

// busyTries is how often a test that a busy machine can spoil is tried. A real error fails every
// time.
const busyTries = 4

// try repeats a test until it has no complaint.
func try(t *testing.T, once func(wrong *complaints)) {
	t.Helper()
	var wrong complaints
	for range busyTries {
		wrong = nil
		if once(&wrong); t.Failed() || len(wrong) == 0 {
			return
		}
		t.Logf("again: %s", strings.Join(wrong, "\n"))
	}
	t.Errorf("%s", strings.Join(wrong, "\n"))
}

// cellOf returns the cell of a phase for all loads and an outcome; empty if there is none.
func cellOf(res *result.Result, phase, outcome string) result.Cell {
	return loadCell(res, phase, "*", outcome)
}

// loadCell returns the cell of a phase for a load and an outcome.
func loadCell(res *result.Result, phase, load, outcome string) result.Cell {
	for _, c := range res.Cells {
		if c.Phase.String() == phase && c.Load == load && c.Step == "*" && c.Outcome == outcome {
			return c
		}
	}
	return result.Cell{Response: result.NoTimes, Service: result.NoTimes}
}

// A stretch holds the measurements of a load in some time.
type stretch struct {
	offered, errors int64
	slowest         float64 // the highest median of a window, seconds
}

// between adds up the windows within a span, of a load whose iterations make one request each; "*"
// is all loads.
func between(res *result.Result, load string, from, to result.Num) (s stretch) {
	for _, w := range res.Windows {
		single := (w.Step == "*") == (load == "*") && w.Step != "iteration"
		if w.Load == load && single && w.T >= from && w.T+w.D < to && w.Offered > 0 {
			s.offered += w.Offered
			s.errors += w.Error + w.Skipped
			s.slowest = max(s.slowest, float64(w.P50))
		}
	}
	return s
}

// objective finds an objective by its text.
func objective(t *testing.T, res *result.Result, text string) result.ObjectiveResult {
	t.Helper()
	i := slices.IndexFunc(res.Objectives, func(o result.ObjectiveResult) bool { return o.Text == text })
	if i < 0 {
		t.Fatalf("there is no objective `%s`", text)
	}
	return res.Objectives[i]
}
