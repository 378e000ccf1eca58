package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// A Verdict is the result of a run, or of one of its objectives.
type Verdict string

// The verdicts of a run, and of objectives where they apply.
const (
	Pass         Verdict = "pass"
	None         Verdict = "none" // no objective was set, so there is nothing to judge
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive" // too little data
	Invalid      Verdict = "invalid"      // no statement is possible, see order; a valid failure takes precedence
	Stopped      Verdict = "stopped"      // a stop condition or guard ended the run
	Interrupted  Verdict = "interrupted"  // ended by a signal
	NotReverted  Verdict = "not_reverted" // a fault could not be reverted
	Regression   Verdict = "regression"   // a comparison found a regression
	Broken       Verdict = "error"        // brunt itself failed

	// Verdicts while a run goes on; result.json never contains them.
	Running Verdict = "running" // the run has not ended
	Pending Verdict = "pending" // the objective can't be answered yet
)

// Exit codes. Where several apply, the first in this list wins.
const (
	ExitNotReverted  = 7
	ExitInterrupted  = 130
	ExitTerminated   = 143 // interrupted by SIGTERM
	ExitMistake      = 2   // the scenario or the command line is wrong; nothing started
	ExitError        = 1
	ExitStopped      = 6
	ExitFail         = 3
	ExitRegression   = 4
	ExitInvalid      = 5
	ExitInconclusive = 8
	ExitPass         = 0
)

// order lists the verdicts by precedence.
var order = []struct {
	verdict Verdict
	code    int
	meaning string
}{
	{NotReverted, ExitNotReverted, "a fault could not be taken back, or a unit that brunt did not start stays down"},
	{Interrupted, ExitInterrupted, "interrupted; faults taken back first, report written"},
	{"", ExitMistake, "the scenario or command line is wrong; nothing started"},
	{Broken, ExitError, "brunt itself failed; where it crashes on Windows the exit code is 2"},
	{Stopped, ExitStopped, "a stop condition or guard ended the run"},
	{
		Fail, ExitFail,
		"an objective that could be judged failed, the steady state did not hold, or a unit did not become ready again in " +
			"time after a fault",
	},
	{Regression, ExitRegression, "compare, ab, gate, tolerate"},
	{
		Invalid, ExitInvalid,
		"something could not be judged: brunt's own lag decides an objective, a fault was not verified, or no probe was " +
			"answered that proves its removal. NOT STARTED: the target was not ready, or setup failed. BASELINE FAILED: it " +
			"did, without a declared steady state or an objective on it, and no fault was injected",
	},
	{
		Inconclusive, ExitInconclusive,
		"too little data, no traffic met a fault, or unique data was used up before the load's end; of compare, ab and " +
			"gate only with --fail-inconclusive, else 0",
	},
	{None, ExitFail, "no objective was set: the exit code is 0 if every request and check was good, else 3"},
	{Pass, ExitPass, "every objective held"},
}

// Verdicts lists the verdicts of a run, by precedence.
func Verdicts() []Verdict {
	var out []Verdict
	for _, o := range order {
		if o.verdict != "" {
			out = append(out, o.verdict)
		}
	}
	return out
}

// Worse returns the verdict that takes precedence; "" means no verdict.
func Worse(a, b Verdict) Verdict {
	for _, o := range order {
		if o.verdict != "" && (o.verdict == a || o.verdict == b) {
			return o.verdict
		}
	}
	return Pass
}

// Words returns the verdict in words for readers, such as "not reverted".
func (v Verdict) Words() string {
	if v == None {
		return "no verdict"
	}
	return strings.ReplaceAll(string(v), "_", " ")
}

// ExitCode returns the exit code of a verdict. For [None] it returns the code for a run in which some request was not
// good.
func (v Verdict) ExitCode() int {
	for _, o := range order {
		if o.verdict == v {
			return o.code
		}
	}
	return ExitError
}

// Precedes reports whether an exit code takes precedence over another one.
func Precedes(code, other int) bool {
	for _, o := range order {
		has := func(code int) bool { return o.code == code || o.code == ExitInterrupted && code == ExitTerminated }
		if has(code) || has(other) {
			return has(code) && !has(other)
		}
	}
	return false
}

// Exit is an error that carries only an exit code, because the cause is already printed or in the report.
type Exit int

// Error returns the code as text.
func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// A UsageError is a mistake in the command line. Nothing was started; the exit code is 2.
type UsageError struct{ err error }

// Error says what is wrong and how to fix it.
func (e UsageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e UsageError) Unwrap() error { return e.err }

// Usage wraps err as a [UsageError].
func Usage(err error) error { return UsageError{err} }

// Usagef is fmt.Errorf for a [UsageError].
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// ExitTable returns each exit code with its verdict and meaning, by precedence.
func ExitTable() [][3]string {
	var rows [][3]string
	for _, o := range order {
		code := strconv.Itoa(o.code)
		switch o.verdict {
		case Interrupted:
			code = "130, 143"
		case None:
			code = "0, 3"
		}
		name := string(o.verdict)
		if name == "" {
			name = "-"
		}
		rows = append(rows, [3]string{code, name, o.meaning})
	}
	return rows
}
