package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/decide/gate"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/spf13/cobra"
)

// quietCommand is a command that prints to a text.
func quietCommand() (*cobra.Command, *strings.Builder) {
	c, b := &cobra.Command{}, &strings.Builder{}
	c.SetOut(b)
	c.SetErr(b)
	return c, b
}

// TestTrend_Outdated: a trend says which values of a history of an older version it does not compare.
func TestTrend_Outdated(t *testing.T) {
	dir := t.TempDir()
	h, err := compare.OpenHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range compare.LeastHistory {
		record := &compare.Record{
			Version: 1, Run: fmt.Sprint("r", i), Name: "s", Key: "k", Started: time.Unix(int64(i), 0),
			Machine: compare.Machine{CPUs: 2},
			Values: []compare.Kept{
				{
					Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "p95",
					Value: result.Num(.1 + .001*float64(i%3)), Count: 5000,
				},
				{Phase: slo.ParsePhase("kill"), Load: "*", Step: "*", Metric: "recover", Value: 2, Count: 5000},
			},
		}
		if err := h.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	const want = "brunt: recover of 8 older records is not compared, as it was measured by windows and not by requests\n"
	c := trendCommand()
	var b strings.Builder
	c.SetOut(&b)
	c.SetErr(&b)
	c.SetArgs([]string{"--history", dir})
	if err := c.ExecuteContext(t.Context()); err != nil || strings.Count(b.String(), want) != 1 {
		t.Errorf("%v; want once %q in:\n%s", err, want, b.String())
	}
}

// TestGate_Files: a gate writes junit.xml, gate.html and the step's summary, also where a run ends it, and no case
// passes in a red job.
func TestGate_Files(t *testing.T) {
	compared := func(v scenarios.Verdict) *compare.Comparison {
		return &compare.Comparison{Verdict: v, Reason: "p95 was compared"}
	}
	for _, tt := range []struct {
		name   string
		found  *compare.Comparison
		err    error
		strict bool
		code   int
		word   string
	}{
		{"pass", compared(scenarios.Pass), nil, false, 0, "PASS"},
		{"regression", compared(scenarios.Regression), nil, false, scenarios.ExitRegression, "REGRESSION"},
		{"undecided", compared(scenarios.Inconclusive), nil, false, 0, "NOTHING IS DECIDED"},
		{"undecided, and strict", compared(scenarios.Inconclusive), nil, true, scenarios.ExitInconclusive, "INCONCLUSIVE"},
		{"not kept", compared(scenarios.Pass), errors.New("the disk is full"), false, scenarios.ExitError, "PASS"},
		{"a failed run", nil, exit(scenarios.ExitFail), false, scenarios.ExitFail, "FAIL"},
		{"learning", nil, nil, false, 0, "LEARNING"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, b := quietCommand()
			f := &gateFlags{}
			f.out, f.strict = filepath.Join(t.TempDir(), "out"), tt.strict
			f.summary = filepath.Join(t.TempDir(), "summary.txt")
			o := gate.Outcome{Found: tt.found, Decision: &result.Decision{Word: tt.word, Kind: "gate", Name: "s"}}
			if tt.found != nil {
				o.Decision = tt.found.Decision()
				o.Decision.Kind, o.Decision.Name = "gate", "s"
			}
			code := codeOf(f.report(c, o, tt.err))
			read := func(file string) string {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Error(err)
				}
				return string(text)
			}
			junit, page, summary := read(filepath.Join(f.out, "junit.xml")), read(filepath.Join(f.out, "gate.html")),
				read(f.summary)
			if code != tt.code || !strings.Contains(page, tt.word) || !strings.Contains(summary, tt.word) {
				t.Errorf("exit code %d, want %d with %s:\n%s\n%s", code, tt.code, tt.word, b.String(), summary)
			}
			if red := strings.Contains(junit, "<failure"); red != (code != 0) {
				t.Errorf("exit code %d, and JUnit has a failure: %t\n%s", code, red, junit)
			}
		})
	}
}
