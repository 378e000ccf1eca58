package main

import (
	"errors"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/decide/gate"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"

	"github.com/spf13/cobra"
)

// quietCommand is a command that prints to a text.
func quietCommand() (*cobra.Command, *strings.Builder) {
	c, b := &cobra.Command{}, &strings.Builder{}
	c.SetOut(b)
	c.SetErr(b)
	return c, b
}

// TestGate_Files: a gate writes junit.xml, gate.html, the step's summary and JSON, also where a run ends it, and no
// case passes in a red job.
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
		{"a disturbed run", nil, nil, false, 0, "INCONCLUSIVE"},
		{"a disturbed run, and strict", nil, nil, true, scenarios.ExitInconclusive, "INCONCLUSIVE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, b := quietCommand()
			f := &gateFlags{}
			f.out, f.strict = filepath.Join(t.TempDir(), "out"), tt.strict
			f.summary, f.json = filepath.Join(t.TempDir(), "summary.txt"), filepath.Join(t.TempDir(), "gate.json")
			o := gate.Outcome{Found: tt.found, Decision: &result.Decision{Word: tt.word, Kind: "gate", Name: "s"}}
			if tt.word == "INCONCLUSIVE" {
				o.Decision.Verdict = scenarios.Inconclusive
			}
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
			if got := read(f.json); !strings.Contains(got, `"verdict": `) ||
				tt.found == nil && !strings.Contains(got, `"rows": []`) {
				t.Errorf("the JSON has %s", got)
			}
		})
	}
}

// cliff is the result of a search that found a cliff between two delays, in seconds.
func cliff(commit string, day int, low, high float64) *search.Tolerance {
	return &search.Tolerance{
		Version: capacity.ToleranceVersion, Name: "s", Commit: commit, Started: time.Unix(int64(day)*86400, 0),
		Low: low, High: result.Num(high), Below: search.Holds, Above: search.Breaks, Confidence: .95,
		Setting:   search.Dose{Fault: "slow", Key: "delay", Kind: "network.latency", Unit: search.DoseSeconds},
		Objective: "p95 < 250ms in slow",
	}
}

// TestGate_Tolerance: a release whose cliff moved from 340 to 120 ms has regressed, although each run passes: the gate
// says so, also while it learns, in its page, for programs and by its exit code. A search of another commit decides
// nothing, and neither does one that was accepted or that moved within its interval.
func TestGate_Tolerance(t *testing.T) {
	other := cliff("new", 9, .01, .02)
	other.Name = "another scenario"
	accepted := cliff("new", 3, .115, .12)
	for _, tt := range []struct {
		name   string
		found  []*search.Tolerance // in the order of time; compared as they come
		accept int                 // index of a search that was accepted; 0: none
		commit string
		passed bool // there is a comparison of runs, which passed
		code   int
		want   string
	}{
		{
			"moved",
			[]*search.Tolerance{cliff("old", 1, .33, .34), cliff("new", 2, .115, .12)},
			0, "new", true,
			scenarios.ExitRegression, "survives 115ms, fails from 120ms",
		},
		{
			"moved while it learns",
			[]*search.Tolerance{cliff("old", 1, .33, .34), cliff("", 2, .115, .12)},
			0, "", false,
			scenarios.ExitRegression, "survives 115ms, fails from 120ms",
		},
		{
			"mended since",
			[]*search.Tolerance{cliff("old", 1, .33, .34), cliff("x", 2, .115, .12), cliff("new", 3, .33, .35)},
			0, "new", true, 0, "survives 330ms, fails from 350ms",
		},
		{
			"of another commit",
			[]*search.Tolerance{cliff("old", 1, .33, .34), cliff("mid", 2, .115, .12)},
			0, "new", true, 0,
			"of commit mid; `brunt tolerate --commit new` searches this one",
		},
		{
			"accepted",
			[]*search.Tolerance{cliff("old", 1, .33, .34), cliff("new", 2, .115, .12), accepted},
			2, "new", true, 0,
			"survives 115ms, fails from 120ms",
		},
		{"of another scenario", []*search.Tolerance{cliff("old", 1, .33, .34), other}, 0, "new", true, 0, "fails from 340ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			history := t.TempDir()
			for i, found := range tt.found {
				earlier, problems := capacity.Tolerances(history)
				if len(problems) > 0 {
					t.Fatal(problems)
				}
				if tt.accept == 0 || i != tt.accept {
					capacity.CompareNewest(found, earlier)
				}
				if err := capacity.Add(history, found); err != nil {
					t.Fatal(err)
				}
			}
			c, b := quietCommand()
			f := &gateFlags{}
			f.Commit, f.out, f.json = tt.commit, filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "gate.json")
			f.summary = filepath.Join(t.TempDir(), "summary.txt")
			f.history = history
			o := gate.Outcome{Decision: &result.Decision{Word: "LEARNING 3/8", Kind: "gate", Name: "s"}}
			if tt.passed {
				o.Found = &compare.Comparison{Verdict: scenarios.Pass, Reason: "p95 was compared"}
				o.Decision = o.Found.Decision()
				o.Decision.Kind, o.Decision.Name = "gate", "s"
			}
			o.Beside(f.tolerances(c, "s"))
			code := codeOf(f.report(c, o, nil))
			page, err := os.ReadFile(filepath.Join(f.out, "gate.html"))
			if err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"terminal": b.String(), "page": html.UnescapeString(string(page))} {
				for _, part := range []string{"tolerance(slow.delay)", tt.want} {
					if !strings.Contains(text, part) {
						t.Errorf("the %s lacks %q:\n%s", where, part, b.String())
					}
				}
			}
			regressed := strings.Contains(b.String(), "GATE REGRESSION: the target tolerates less of a fault than before: slow.delay")
			if code != tt.code || regressed != (code != 0) {
				t.Errorf("exit code %d, want %d:\n%s", code, tt.code, b.String())
			}
			if !tt.passed {
				return
			}
			text, err := os.ReadFile(f.json)
			if want := `"verdict": "regression"`; err != nil || strings.Contains(string(text), want) != (code != 0) {
				t.Errorf("exit code %d, and in the JSON: %s, %v", code, text, err)
			}
		})
	}
}
