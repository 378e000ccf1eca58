package run_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestRun_BrokenAfter: an error of brunt after the load is part of the result, so that all files and the exit code
// agree.
func TestRun_BrokenAfter(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can't be removed")
	}
	t.Parallel()
	state := t.TempDir()
	res := runText(t, `version: 1
name: broken after
`+pair+`
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /far}]}
slo: [errors < 100%]
`, run.Options{ID: "after", State: state, Begun: func(run.Sampler) {
		journal := filepath.Join(state, "after.journal") // which can't be removed from now on
		if err := os.Rename(journal, journal+".moved"); err != nil {
			t.Error(err)
		}
		if err := os.MkdirAll(filepath.Join(journal, "in"), 0o700); err != nil {
			t.Error(err)
		}
	}})
	if res.Verdict != scenarios.Broken || res.ExitCode != scenarios.ExitError ||
		!strings.Contains(res.Reason, "failed after the run") || !strings.Contains(res.Reason, "after.journal") ||
		res.Generator.Sent == 0 {
		t.Errorf("%s, exit code %d: %s", res.Verdict, res.ExitCode, res.Reason)
	}
}

// TestRun_SideFile: a file beside the report that can't be written leaves the figures of the run.
func TestRun_SideFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "ledger-acknowledged.jsonl", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	res := newReplicated(t).run(plainly, "[lost = 0]", run.Options{Ledger: filepath.Join(dir, "ledger.jsonl")})
	if res.Verdict != scenarios.Broken || res.ExitCode != scenarios.ExitError ||
		!strings.Contains(res.Reason, "list of acknowledged writes") || res.Generator.Sent == 0 {
		t.Errorf("%s, exit code %d: %s", res.Verdict, res.ExitCode, res.Reason)
	}
	if o := res.Objectives[0]; o.Verdict != scenarios.Inconclusive {
		t.Errorf("without the readings, the objective is %s: %s", o.Verdict, o.Why)
	}
	if last := res.Events[len(res.Events)-1]; last.Event != "run.end" {
		t.Errorf("it ended by %+v", last)
	}
}

// TestRun_InterruptedBinding: a signal that breaks off a part before the load is no fault of the target, whatever error
// that part returns.
func TestRun_InterruptedBinding(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	res, err := run.Run(ctx, mustCompile(t, `version: 1
name: broken off
`+pair+`
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /far}]}}
`), run.Options{State: t.TempDir(), Await: func(context.Context) error {
		cancel(run.Interrupt{Code: 143})
		return errors.New("use of closed network connection")
	}})
	if err != nil || res.Verdict != scenarios.Interrupted || res.ExitCode != 143 {
		t.Errorf("%v, %+v", err, res)
	}
}
