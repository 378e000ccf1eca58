//go:build unix

package run_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// customScenario is a scenario with one custom fault on a target that always answers. FILE in it is a
// file.
func customScenario(t *testing.T, file, fault, more string) string {
	t.Helper()
	return strings.ReplaceAll(`
version: 1
name: own
target: {url: "`+newTarget(t).URL+`"}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 3s, timeout: 300ms, flow: [{get: /}]}
chaos:
  it: `+fault+"\n"+more, "FILE", file)
}

// An ownFault is a custom fault, and the expected result of its run.
type customFault struct {
	name, fault string
	verdict     scenarios.Verdict
	reason      string
	left        bool // the flag is left over
}

// TestCustom_Verdicts: the result of a run for each outcome of a custom fault.
func TestCustom_Verdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []customFault{
		{"it works", `{at: 1s, for: 500ms, exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: [rm, -f, "FILE"]}}`, scenarios.None, "", false},
		{
			"a one-shot",
			`{at: 1s, within: 2s, exec: {inject: "echo 1 > 'FILE'", verify: [test, -e, "FILE"], revert: none, gone: "sleep 0.3; test -s 'FILE'"}}`,
			scenarios.None, "", true,
		},
		{
			"a one-shot that is not well again",
			`{at: 1s, within: 1s, exec: {inject: "echo 1 > 'FILE'", verify: [test, -e, "FILE"], revert: none, gone: ["false"]}}`,
			scenarios.NotReverted, "it could not be taken back", true,
		},
		{
			"it has no effect",
			`{at: 1s, for: 500ms, exec: {inject: ["true"], verify: [test, -e, "FILE"], revert: [rm, -f, "FILE"]}}`,
			scenarios.Invalid, "it was injected, but not verified: verify does not hold", false,
		},
		{
			"it fails half way",
			`{at: 1s, for: 500ms, exec: {inject: "touch 'FILE'; echo no >&2; exit 3", verify: [test, -e, "FILE"], revert: [rm, -f, "FILE"]}}`,
			scenarios.Invalid, "inject: `touch", false,
		},
		{
			"its revert fails",
			`{at: 1s, for: 500ms, exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: "echo no way back; exit 1"}}`,
			scenarios.NotReverted, "exit status 1: no way back", true,
		},
		{
			"it fails half way, and so does its revert",
			`{at: 1s, for: 500ms, exec: {inject: "touch 'FILE'; exit 3", verify: [test, -e, "FILE"], revert: ["false"]}}`,
			scenarios.NotReverted, "could not be taken back: revert", true,
		},
		{
			"it holds before",
			`{at: 1s, for: 500ms, exec: {inject: [touch, "FILE"], verify: ["true"], revert: [rm, -f, "FILE"]}}`,
			scenarios.Invalid, "verify already holds before the injection", false,
		},
		{
			"a group whose second step fails",
			`{at: 1s, for: 1s, steps: [{exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: [rm, -f, "FILE"]}},
      {after: 300ms, name: second, exec: {inject: "exit 3", verify: [test, -e, "FILE2"], revert: "true"}}]}`,
			scenarios.Invalid, "it was injected in part: it.second: ", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.holds(t, inTime)
		})
	}
}

// TestCustom_Asked: verify and gone are asked by steps.
func TestCustom_Asked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "flag")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := os.Stat(file)
		fmt.Fprintf(w, `{"there": %v}`, err == nil)
	}))
	defer s.Close()
	res := runText(t, `
version: 1
name: own
target: {url: "`+s.URL+`"}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 2500ms, timeout: 300ms, flow: [{get: /}]}
chaos:
  it:
    at: 1s
    for: 500ms
    exec:
      inject: [touch, "`+file+`"]
      verify: {ask: {get: /, check: {"$.there": true}}}
      revert: [rm, -f, "`+file+`"]
      gone: {ask: {get: /, check: {"$.there": false}}}
`, run.Options{State: t.TempDir()})
	if f := res.Faults[0]; res.Verdict != scenarios.None || !strings.Contains(f.Evidence, "verify: step get /") ||
		!strings.Contains(f.GoneEvidence, "gone: step get /") {
		t.Errorf("%s: %s; %+v", res.Verdict, res.Reason, f)
	}
}

// TestCustom_NeverGone: a revert that does nothing is no revert.
func TestCustom_NeverGone(t *testing.T) {
	if testing.Short() {
		t.Skip("looks for half a minute whether it is gone")
	}
	t.Parallel()
	c := customFault{
		"its revert does nothing",
		`{at: 1s, for: 500ms, exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: ["true"], timeout: 100ms}}`,
		scenarios.NotReverted, "verify holds still", true,
	}
	// A test that waits to be alone does not wait for this one.
	c.holds(t, func(_ *testing.T, once func() *result.Result) *result.Result { return once() })
}

// holds runs the fault and compares the outcome. Each run has a flag of its own, because some are left over.
func (c *customFault) holds(t *testing.T, started func(t *testing.T, once func() *result.Result) *result.Result) {
	t.Helper()
	var file, state string
	res := started(t, func() *result.Result {
		file, state = filepath.Join(t.TempDir(), "flag"), t.TempDir()
		res, err := run.Run(t.Context(), mustCompile(t, customScenario(t, file, c.fault, "")), run.Options{State: state})
		if err != nil {
			t.Fatal(err)
		}
		return res
	})
	if res.Verdict != c.verdict || !strings.Contains(res.Reason, strings.TrimPrefix(c.reason, "it ")) {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if res.Verdict == scenarios.NotReverted && res.ExitCode != 7 {
		t.Errorf("exit code %d", res.ExitCode)
	}
	if _, err := os.Stat(file); (err == nil) != c.left {
		t.Errorf("the flag is there: %v", err == nil)
	}
	journals, err := journal.List(state)
	if open := len(journals) > 0 && len(journals[0].Open) > 0; err != nil ||
		open != (c.verdict == scenarios.NotReverted && !strings.Contains(c.fault, "revert: none")) {
		t.Errorf("journals %+v, %v", journals, err)
	}
}

// An interrupt ends a command that is under way, and takes back what it did.
func TestCustom_Interrupted(t *testing.T) {
	t.Parallel()
	file, state := filepath.Join(t.TempDir(), "flag"), t.TempDir()
	plan := mustCompile(t, customScenario(t, file,
		`{at: 1s, for: 500ms, exec: {inject: "touch 'FILE'; sleep 1000", verify: [test, -e, `+
			`"FILE"], revert: [rm, -f, "FILE"]}}`, ""))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		suite.Within(10*time.Second, func() bool { _, err := os.Stat(file); return err == nil })
		cancel(run.Interrupt{Code: 130})
	}()
	res, err := run.Run(ctx, plan, run.Options{State: state})
	if err != nil || res.Verdict != scenarios.Interrupted || res.ExitCode != 130 {
		t.Fatalf("%+v, %v", res, err)
	}
	if f := res.Faults[0]; !strings.Contains(f.Note, "was ended") {
		t.Errorf("%+v", f)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the flag is there still")
	}
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestCustom_Secrets: no secret is reported, in the result as in the events; and what was said is.
func TestCustom_Secrets(t *testing.T) {
	t.Setenv("OWN_TOKEN", "hunter2 of the run")
	file := filepath.Join(t.TempDir(), "flag")
	var reported strings.Builder
	res := runText(t, customScenario(t, file,
		`{at: 1s, for: 500ms, exec: {inject: "touch 'FILE'; echo planted by ${env.OWN_TOKEN}", `+
			`verify: "test -e 'FILE' && echo $T", revert: "rm -f 'FILE'; echo back by $T", env: {T: "${env.OWN_TOKEN}"}}}`, ""),
		run.Options{State: t.TempDir()})
	for _, e := range res.Events {
		reported.WriteString(e.Text + "\n")
	}
	f := res.Faults[0]
	reported.WriteString(f.Evidence + "\n" + f.GoneEvidence + "\n" + f.Note)
	for _, want := range []string{"inject said: planted by ***", "revert said: back by ***"} {
		if strings.Count(reported.String(), want) != 2 {
			t.Errorf("%q is not reported in event and result:\n%s", want, reported.String())
		}
	}
	if strings.Contains(reported.String(), "hunter2") {
		t.Errorf("the secret is reported:\n%s", reported.String())
	}
}

// TestCustom_Detect: what the monitoring notices is judged, a false alarm is no sighting,
// and one that never notices fails.
func TestCustom_Detect(t *testing.T) {
	t.Parallel()
	const flag = `exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: [rm, -f, "FILE"]}`
	for _, c := range []struct {
		name, detect string
		verdict      scenarios.Verdict
		note         string
	}{
		{"noticed", `{command: [test, -e, "FILE"], every: 100ms}`, scenarios.Pass, "`test -e"},
		{"never noticed", `{command: ["false"], every: 100ms}`, scenarios.Fail, "not noticed: > "},
		{"a false alarm", `{command: ["true"], every: 100ms}`, scenarios.Inconclusive, "a false alarm"},
		{
			"can't be asked", `{get: "http://127.0.0.1:1/", every: 100ms}`, scenarios.Inconclusive,
			"did not answer before the injection",
		},
		{
			"a step gets no answer", `{ask: {get: "http://127.0.0.1:1/"}, every: 100ms}`, scenarios.Inconclusive,
			"did not answer before the injection",
		},
		{"a step is refused", `{ask: {get: /fail}, every: 100ms}`, scenarios.Fail, "not noticed: > "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "flag")
			res := runText(t,
				customScenario(t, file, `{at: 1s, for: 1s, `+flag+`, detect: `+c.detect+`}`, "slo: [detect < 1s after it]\n"),
				run.Options{State: t.TempDir()})
			f, o := res.Faults[0], res.Objectives[0]
			if res.Verdict != c.verdict || o.Verdict != c.verdict || !strings.Contains(f.DetectNote, c.note) {
				t.Errorf("%s: %s; %+v; %+v", res.Verdict, res.Reason, o, f)
			}
			if noticed := c.name == "noticed"; f.Detect.Known() != noticed ||
				noticed && (f.Detect != o.Measured || f.Detect > 1) {
				t.Errorf("%v, %v", f.Detect, o.Measured)
			}
		})
	}
}

// TestCustom_LeftBesideError: a run with an error of brunt itself, which left something to be undone, is not reverted,
// and its notes have the error.
func TestCustom_LeftBesideError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	findings := filepath.Join(dir, "ledger.jsonl")
	if err := os.Mkdir(findings, 0o755); err != nil { // which no file can be written over
		t.Fatal(err)
	}
	shared := fmt.Sprintf("executor: shared-iterations, vus: 4, iterations: %d", written)
	const fault = `chaos: {it: {at: 1s, for: 300ms, exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: ["false"]}}}` + "\n"
	text := strings.Replace(newReplicated(t).text(byKey, "[lost = 0]"), shared,
		"executor: constant-arrival-rate, rate: 50/s, duration: 2s", 1) +
		strings.ReplaceAll(fault, "FILE", filepath.Join(dir, "flag"))
	res, err := run.Run(t.Context(), mustCompile(t, text), run.Options{State: t.TempDir(), Ledger: findings})
	if err != nil || res.Verdict != scenarios.NotReverted || res.ExitCode != scenarios.ExitNotReverted ||
		!slices.ContainsFunc(res.Notes, func(n string) bool { return strings.Contains(n, "the findings of the ledger") }) {
		t.Errorf("%+v, %v", res, err)
	}
}
