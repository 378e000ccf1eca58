package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestCodeOf: what a run left to be undone precedes the error by which it has no result.
func TestCodeOf(t *testing.T) {
	broken := errors.New("reading measurements")
	for err, want := range map[error]int{
		broken: scenarios.ExitError, errors.Join(run.NotRevertedError{Left: "1 entry"}, broken): scenarios.ExitNotReverted,
	} {
		if got := codeOf(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

// TestWithoutExits: an error beside an exit code is printed, and the exit code alone is not.
func TestWithoutExits(t *testing.T) {
	unwritten := errors.New("write report.html: no space left on device")
	for _, c := range []struct {
		err  error
		text string
		code int
	}{
		{errors.Join(unwritten, exit(143)), unwritten.Error(), 143},
		{fmt.Errorf("run 2: %w", unwritten), "run 2: " + unwritten.Error(), scenarios.ExitError},
		{exit(3), "", 3},
		{fmt.Errorf("told above: %w", exit(5)), "", 5},
		{errors.Join(exit(7), nil), "", 7},
		{nil, "", 0},
	} {
		text := ""
		if rest := withoutExits(c.err); rest != nil {
			text = rest.Error()
		}
		if code := codeOf(c.err); text != c.text || code != c.code {
			t.Errorf("%v: prints %q with exit code %d, want %q with %d", c.err, text, code, c.text, c.code)
		}
	}
}

// TestWorseOf checks the exit code of several runs: that of the worst, and of runs without objectives that of the
// one with bad requests.
func TestWorseOf(t *testing.T) {
	good, bad := result.Result{Verdict: scenarios.None},
		result.Result{Verdict: scenarios.None, ExitCode: scenarios.ExitFail}
	pass, fail := result.Result{Verdict: scenarios.Pass},
		result.Result{Verdict: scenarios.Fail, ExitCode: scenarios.ExitFail}
	invalid := result.Result{Verdict: scenarios.Invalid, ExitCode: scenarios.ExitInvalid}
	for _, c := range []struct {
		name string
		runs []result.Result
		want scenarios.Verdict
		code int
	}{
		{"all pass", []result.Result{pass, pass}, scenarios.Pass, 0},
		{"bad, then good, without objectives", []result.Result{bad, good}, scenarios.None, scenarios.ExitFail},
		{"good, then bad, without objectives", []result.Result{good, bad}, scenarios.None, scenarios.ExitFail},
		{"invalid, then fail", []result.Result{invalid, fail, pass}, scenarios.Fail, scenarios.ExitFail},
		{"invalid, then pass", []result.Result{invalid, pass}, scenarios.Invalid, scenarios.ExitInvalid},
	} {
		worst, code := scenarios.Pass, 0
		for i := range c.runs {
			worst, code = worseOf(worst, code, c.runs[i].Verdict, c.runs[i].ExitCode)
		}
		if worst != c.want || code != c.code {
			t.Errorf("%s: %s with exit code %d, want %s with %d", c.name, worst, code, c.want, c.code)
		}
	}
}

// TestInterrupted: a signal between two runs gives its exit code, although the runs so far passed.
func TestInterrupted(t *testing.T) {
	for cause, want := range map[error]int{
		run.Interrupt{Code: 143}: 143, run.Interrupt{Code: 130, By: "a person, by POST /stop"}: 130, context.Canceled: 130,
	} {
		v, exits := interrupted(cause)
		worst, code := worseOf(scenarios.Fail, scenarios.ExitFail, v, exits)
		if worst != scenarios.Interrupted || code != want {
			t.Errorf("%v: %s with exit code %d, want %d", cause, worst, code, want)
		}
	}
}

// TestWeighed: an error does not hide the exit code of a run that takes precedence, and keeps its own otherwise.
func TestWeighed(t *testing.T) {
	unwritten := errors.New("no space left on device")
	for code, want := range map[int]int{
		scenarios.ExitNotReverted: scenarios.ExitNotReverted, 130: 130, 143: 143,
		scenarios.ExitPass: scenarios.ExitError, scenarios.ExitFail: scenarios.ExitError,
		scenarios.ExitStopped: scenarios.ExitError,
	} {
		if got := weighed(unwritten, code); codeOf(got) != want || withoutExits(got) == nil {
			t.Errorf("beside exit code %d: %d, want %d: %v", code, codeOf(got), want, got)
		}
	}
	if got := weighed(exit(scenarios.ExitNotReverted), 143); codeOf(got) != scenarios.ExitNotReverted {
		t.Errorf("143 precedes 7: %v", got)
	}
	if got := weighed(nil, scenarios.ExitNotReverted); got != nil {
		t.Errorf("no error is %v", got)
	}
}
