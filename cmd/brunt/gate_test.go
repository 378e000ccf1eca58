package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/compare/noise"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// measured is the record of run i, which has a p95 alone.
func measured(i int, p95 float64) *compare.Record {
	return &compare.Record{
		Version: compare.RecordVersion, Run: fmt.Sprint("r", i), Name: "s", Key: "k", Started: time.Unix(int64(i), 0), Machine: compare.Machine{CPUs: 2},
		Values: []compare.Kept{{Phase: "run", Load: "*", Step: "*", Metric: "p95", Value: result.Num(p95), Count: 5000}},
	}
}

// day is the p95 of day i, where days differ.
func day(i int) float64 { return .1 * math.Exp(.03*float64(i%3-1)) }

// openedHistory opens the history of a folder until the end of the test.
func openedHistory(t *testing.T, dir string) *compare.History {
	t.Helper()
	h, err := compare.OpenHistory(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// learned is a history that is just long enough, of records from the first on.
func learned(t *testing.T, dir string, record func(i int) *compare.Record) *compare.History {
	t.Helper()
	h := openedHistory(t, dir)
	for i := range compare.LeastHistory {
		if err := h.Add(record(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	h.Close()
	return openedHistory(t, dir)
}

// quietCommand is a command that prints to a text.
func quietCommand() (*cobra.Command, *strings.Builder) {
	c, b := &cobra.Command{}, &strings.Builder{}
	c.SetOut(b)
	c.SetErr(b)
	return c, b
}

// TestGate_Decide runs several gates in sequence and checks the number of runs, the output, the
// exit code, and the history.
func TestGate_Decide(t *testing.T) {
	dir := t.TempDir()
	made := 0
	pass := func(p95 ...float64) (out string, runs int, err error) {
		t.Helper()
		h := openedHistory(t, dir)
		defer h.Close()
		c, b := quietCommand()
		g := &gate{gateFlags: &gateFlags{runs: 3, confirm: 2}, c: c, history: h, options: compare.Options{Alpha: .05}}
		g.out = t.TempDir()
		g.one = func(context.Context) (*compare.Record, error) {
			if runs == len(p95) {
				return nil, errors.New("no further run")
			}
			made++
			if p95[runs] < 0 { // brunt itself was the limit
				p95 = append(p95[:runs:runs], p95[runs+1:]...)
				return nil, exit(scenarios.ExitInvalid)
			}
			runs++
			return measured(made, p95[runs-1]), nil
		}
		err = g.decide(t.Context())
		return b.String(), runs, err
	}
	newest := func() *compare.Record {
		h := openedHistory(t, dir)
		defer h.Close()
		all, err := h.Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all, _ = (&compare.Record{Key: "k", Machine: compare.Machine{CPUs: 2}}).Comparable(all)
		return all[len(all)-1]
	}
	if out, _, err := pass(-1, -1, -1, -1, -1, -1, -1); !errors.Is(err, exit(scenarios.ExitInvalid)) || strings.Count(out, "repeated") != mostAgain-1 {
		t.Fatalf("runs that show nothing are repeated: %q, %v", out, err)
	}
	for i := range compare.LeastHistory {
		out, runs, err := pass(day(i), 1.02*day(i), .98*day(i))
		if err != nil || runs != 3 || !strings.Contains(out, fmt.Sprintf("LEARNING %d/8", i+1)) {
			t.Fatalf("gate %d made %d runs and said %q: %v", i+1, runs, out, err)
		}
	}
	if k := newest().Values[0]; k.Runs != 3 || k.Count != 15000 || k.Spread < .015 || k.Spread > .025 {
		t.Errorf("three runs are kept as %+v", k)
	}
	tests := []struct {
		name string
		p95  []float64 // of the possible runs
		runs int       // runs performed
		code int       // exit code
		says string
		red  bool
	}{
		{"good at once", []float64{.1}, 1, 0, "PASS", false},
		{"good at the second look", []float64{.108, .096}, 2, 0, "brunt makes 1 new run", false},
		{"two that show nothing", []float64{-1, .108, -1, -1, .096}, 2, 0, "brunt makes 1 new run", false},
		{"never reported", []float64{.107, .107, .107}, 3, 0, "NOTHING IS DECIDED", false},
		{"red by chance", []float64{.14, .1, .1}, 3, 0, "brunt makes 2 new runs to confirm it", false},
		{"red at the third look", []float64{.107, .109, .2, .13, .13}, 5, scenarios.ExitRegression, "REGRESSION", true},
		{"red", []float64{.14, .13, .135}, 3, scenarios.ExitRegression, "REGRESSION", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, runs, err := pass(tt.p95...)
			code := 0
			if e := exit(0); errors.As(err, &e) {
				code = int(e)
			} else if err != nil {
				t.Fatal(err)
			}
			if runs != tt.runs || code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("%d runs, exit code %d; want %d and %d with %q:\n%s", runs, code, tt.runs, tt.code, tt.says, out)
			}
			if r := newest(); r.Red != tt.red || max(1, r.Values[0].Runs) != tt.runs {
				t.Errorf("kept as red %t of %d runs", r.Red, r.Values[0].Runs)
			}
		})
	}
}

// TestGate_NotKept checks that the verdict is printed even if it cannot be saved. A history that is
// not writable is reported before the runs.
func TestGate_NotKept(t *testing.T) {
	dir := t.TempDir()
	h := learned(t, dir, func(i int) *compare.Record { return measured(i, day(i)) })
	if err := h.Writable(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if h.Writable() == nil {
		t.Error("a folder that is gone can be written")
	}
	c, b := quietCommand()
	g := &gate{gateFlags: &gateFlags{runs: 1, confirm: 1}, c: c, history: h, options: compare.Options{Alpha: .05}}
	g.out = t.TempDir()
	g.one = func(context.Context) (*compare.Record, error) { return measured(100, .2), nil }
	if err := g.decide(t.Context()); err == nil || !strings.Contains(err.Error(), "write to the history") || !strings.Contains(b.String(), "REGRESSION") {
		t.Errorf("%v: %q", err, b.String())
	}
	g.options.Steps = []string{"raed"}
	if err := g.decide(t.Context()); err == nil || !strings.Contains(err.Error(), `step "raed"`) {
		t.Errorf("a step that no run has is %v", err)
	}
}

// TestGate_Outdated checks that gate and trend say which values of a history of an older version they do not compare.
func TestGate_Outdated(t *testing.T) {
	dir := t.TempDir()
	record := func(i, version int) *compare.Record {
		r := measured(i, day(i))
		r.Version, r.Values = version, append(r.Values, compare.Kept{Phase: "kill", Load: "*", Step: "*", Metric: "recover", Value: 2, Count: 5000})
		return r
	}
	h := learned(t, dir, func(i int) *compare.Record { return record(i, 1) })
	const want = "brunt: recover of 8 older records is not compared, as it was measured by windows and not by requests\n"
	gated := func(c *cobra.Command) error {
		g := &gate{gateFlags: &gateFlags{runs: 1, confirm: 1}, c: c, history: h, options: compare.Options{Alpha: .05}}
		g.out = t.TempDir()
		g.one = func(context.Context) (*compare.Record, error) { return record(100, compare.RecordVersion), nil }
		return g.decide(t.Context())
	}
	trend := func(c *cobra.Command) error {
		c.SetArgs([]string{"--history", dir})
		return c.ExecuteContext(t.Context())
	}
	for _, of := range []struct {
		c   *cobra.Command
		run func(c *cobra.Command) error
	}{{trendCommand(), trend}, {&cobra.Command{}, gated}} {
		var b strings.Builder
		of.c.SetOut(&b)
		of.c.SetErr(&b)
		if err := of.run(of.c); err != nil || strings.Count(b.String(), want) != 1 {
			t.Errorf("%v; want once %q in:\n%s", err, want, b.String())
		}
	}
}

// TestGate_Again waits for a quiet machine, in pauses that grow, for as long as --wait says.
func TestGate_Again(t *testing.T) {
	calm, busy := noise.Noise{Lag: result.NaN, Probe: .1e-3}, noise.Noise{Lag: result.NaN, Probe: .9e-3}
	var norm noise.Norm
	for range noise.Least {
		norm = append(norm, calm)
	}
	for _, tt := range []struct {
		name  string
		wait  time.Duration
		quiet time.Duration // when the machine is quiet again
		took  time.Duration
		want  bool
	}{
		{"at once", 2 * time.Minute, 0, 5 * time.Second, true},
		{"later", 2 * time.Minute, 16 * time.Second, 35 * time.Second, true},
		{"too late", 20 * time.Second, time.Hour, 20 * time.Second, false},
		{"no wait", 0, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cobra.Command{}
				c.SetErr(io.Discard)
				begin := time.Now()
				g := &gate{gateFlags: &gateFlags{wait: tt.wait}, c: c, norm: norm, probe: func(context.Context) noise.Noise {
					if time.Since(begin) < tt.quiet {
						return busy
					}
					return calm
				}}
				if got := g.again(t.Context(), "lag"); got != tt.want || time.Since(begin) != tt.took {
					t.Errorf("%t after %s, want %t after %s", got, time.Since(begin), tt.want, tt.took)
				}
			})
		})
	}
}

// TestGate_Files: a gate writes junit.xml, gate.html and the step's summary, also where a run ends it, and no case passes in a red job.
func TestGate_Files(t *testing.T) {
	for _, tt := range []struct {
		name   string
		p95    float64
		strict bool
		fails  bool // the run fails its objectives
		code   int
		word   string
	}{
		{"pass", .1, false, false, 0, "PASS"},
		{"regression", .2, false, false, scenarios.ExitRegression, "REGRESSION"},
		{"undecided", .107, false, false, 0, "INCONCLUSIVE"},
		{"undecided, and strict", .107, true, false, scenarios.ExitInconclusive, "INCONCLUSIVE"},
		{"a failed run", .1, false, true, scenarios.ExitFail, "FAIL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := learned(t, t.TempDir(), func(i int) *compare.Record { return measured(i, day(i)) })
			c, b := quietCommand()
			g := &gate{gateFlags: &gateFlags{runs: 1, confirm: 1}, c: c, history: h, options: compare.Options{Alpha: .05}, name: "s"}
			g.out, g.strict = filepath.Join(t.TempDir(), "out"), tt.strict
			g.summary = filepath.Join(t.TempDir(), "summary.txt")
			g.one = func(context.Context) (*compare.Record, error) {
				if tt.fails {
					g.ended = &result.Result{Verdict: scenarios.Fail, Reason: "errors are many"}
					return nil, exit(scenarios.ExitFail)
				}
				r := measured(compare.LeastHistory+1, tt.p95)
				g.all = append(g.all, r)
				return r, nil
			}
			code := codeOf(g.written(g.decide(t.Context())))
			read := func(file string) string {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Error(err)
				}
				return string(text)
			}
			junit, page, summary := read(filepath.Join(g.out, "junit.xml")), read(filepath.Join(g.out, "gate.html")), read(g.summary)
			if code != tt.code || !strings.Contains(page, "<title>"+tt.word) || !strings.Contains(summary, tt.word) {
				t.Errorf("exit code %d, want %d with %s:\n%s", code, tt.code, tt.word, b.String())
			}
			if red := strings.Contains(junit, "<failure"); red != (code != 0) {
				t.Errorf("exit code %d, and JUnit has a failure: %t\n%s", code, red, junit)
			}
		})
	}
}
