package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// measured is the record of run i, which has a p95 alone.
func measured(i int, p95 float64) *compare.Record {
	return &compare.Record{
		Version: compare.RecordVersion, Definitions: result.Definitions,
		Run: fmt.Sprint("r", i), Name: "s", Key: "k", Started: time.Unix(int64(i), 0),
		Machine: compare.Machine{CPUs: 2},
		Values: []compare.Kept{{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "p95",
			Value: result.Num(p95), Count: 5000,
		}},
	}
}

// day is the p95 of day i, where days differ.
func day(i int) float64 { return .1 * math.Exp(.03*float64(i%3-1)) }

// openedHistory opens the history of a folder until the end of the test.
func openedHistory(t *testing.T, dir string) *compare.History {
	t.Helper()
	h, err := compare.OpenHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
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
	return openedHistory(t, dir)
}

// TestGate_Decide runs several gates in sequence and checks the number of runs, the output, the
// exit code, and the history.
func TestGate_Decide(t *testing.T) {
	dir := t.TempDir()
	made := 0
	pass := func(p95 ...float64) (o Outcome, out string, runs int, err error) {
		t.Helper()
		h := openedHistory(t, dir)
		var b strings.Builder
		g := &Gate{
			Settings: Settings{Runs: 3, Confirm: 2, Options: compare.Options{Alpha: .05}}, History: h, Out: &b, Log: &b,
		}
		g.one = func(context.Context) (*compare.Record, error) {
			if runs == len(p95) {
				return nil, errors.New("no further run")
			}
			made++
			if p95[runs] < 0 { // brunt itself was the limit
				p95 = append(p95[:runs:runs], p95[runs+1:]...)
				return nil, scenarios.Exit(scenarios.ExitInvalid)
			}
			runs++
			return measured(made, p95[runs-1]), nil
		}
		o, err = g.decide(t.Context())
		if o.Decision != nil {
			fmt.Fprint(&b, o.Decision.Word)
		}
		return o, b.String(), runs, err
	}
	newest := func() *compare.Record {
		h := openedHistory(t, dir)
		all, _ := (&compare.Record{Key: "k", Machine: compare.Machine{CPUs: 2}}).Comparable(h.Records())
		return all[len(all)-1]
	}
	_, out, _, err := pass(-1, -1, -1, -1, -1, -1, -1)
	if !errors.Is(err, scenarios.Exit(scenarios.ExitInvalid)) ||
		strings.Count(out, "repeated") != compare.NoiseAttempts-1 {
		t.Fatalf("runs that show nothing are repeated: %q, %v", out, err)
	}
	for i := range compare.LeastHistory {
		_, out, runs, err := pass(day(i), 1.02*day(i), .98*day(i))
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
		is   scenarios.Verdict
		says string
	}{
		{"good at once", []float64{.1}, 1, scenarios.Pass, "PASS"},
		{"good at the second look", []float64{.108, .096}, 2, scenarios.Pass, "brunt makes 1 new run"},
		{"two that show nothing", []float64{-1, .108, -1, -1, .096}, 2, scenarios.Pass, "brunt makes 1 new run"},
		{"never decided", []float64{.107, .107, .107}, 3, scenarios.Inconclusive, "INCONCLUSIVE"},
		{"red by chance", []float64{.14, .1, .1}, 3, scenarios.Pass, "brunt makes 2 new runs to confirm it"},
		{"red at the third look", []float64{.107, .109, .2, .13, .13}, 5, scenarios.Regression, "REGRESSION"},
		{"red", []float64{.14, .13, .135}, 3, scenarios.Regression, "REGRESSION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, out, runs, err := pass(tt.p95...)
			if err != nil || runs != tt.runs || o.Found.Verdict != tt.is || !strings.Contains(out, tt.says) {
				t.Errorf("%d runs, %s, %v; want %d and %s with %q:\n%s", runs, o.Found.Verdict, err, tt.runs, tt.is, tt.says, out)
			}
			if r := newest(); r.Red != (tt.is == scenarios.Regression) || max(1, r.Values[0].Runs) != tt.runs {
				t.Errorf("kept as red %t of %d runs", r.Red, r.Values[0].Runs)
			}
		})
	}
}

// TestGate_Beside: a metric that failed beside passing runs makes the decision a regression, for people and programs.
// The runs passed, so that their record stays a measure of later ones. One that failed beside a regression changes no
// reason, and one that passed nothing.
func TestGate_Beside(t *testing.T) {
	const moved = "fails from 120ms; before, the change between 330ms and 340ms"
	for _, tt := range []struct {
		p95    float64
		beside scenarios.Verdict
		want   scenarios.Verdict
		reason bool // is about the metric beside
	}{
		{.1, scenarios.Fail, scenarios.Regression, true},
		{.1, scenarios.Pass, scenarios.Pass, false},
		{.1, scenarios.None, scenarios.Pass, false},
		{.2, scenarios.Fail, scenarios.Regression, false},
	} {
		h := learned(t, t.TempDir(), func(i int) *compare.Record { return measured(i, day(i)) })
		var b strings.Builder
		g := &Gate{
			Settings: Settings{Runs: 1, Confirm: 1, Options: compare.Options{Alpha: .05}}, History: h, Out: &b, Log: &b,
			Beside: []result.Judged{{Name: "tolerance(slow.delay)", Verdict: tt.beside, Sentence: moved}},
		}
		n := 100
		var made []*compare.Record
		g.one = func(context.Context) (*compare.Record, error) {
			n++
			made = append(made, measured(n, tt.p95))
			return made[len(made)-1], nil
		}
		o, err := g.decide(t.Context())
		if err != nil || o.Decision.Verdict != tt.want || o.Found.Verdict != tt.want ||
			strings.Contains(o.Decision.Reason, moved) != tt.reason || strings.Contains(o.Found.Reason, moved) != tt.reason {
			t.Errorf("p95 %v, beside %s: %v, %s, %q", tt.p95, tt.beside, err, o.Decision.Verdict, o.Decision.Reason)
		}
		if last := o.Decision.Metrics[len(o.Decision.Metrics)-1]; last.Sentence != moved {
			t.Errorf("the metrics lack it: %+v", last)
		}
		if made[0].Red != (tt.p95 > .15) {
			t.Errorf("p95 %v, beside %s: the record is red %t", tt.p95, tt.beside, made[0].Red)
		}
	}
}

// TestGate_NotKept checks that the verdict stands even if it cannot be saved. A history that is
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
	var b strings.Builder
	g := &Gate{Settings: Settings{Runs: 1, Confirm: 1, Options: compare.Options{Alpha: .05}}, History: h, Out: &b, Log: &b}
	g.one = func(context.Context) (*compare.Record, error) { return measured(100, .2), nil }
	if o, err := g.decide(t.Context()); err == nil || !strings.Contains(err.Error(), "write to the history") ||
		o.Decision.Verdict != scenarios.Regression {
		t.Errorf("%v: %+v", err, o.Decision)
	}
	g.Settings.Options.Steps = []string{"raed"}
	if _, err := g.decide(t.Context()); err == nil || !strings.Contains(err.Error(), `step "raed"`) {
		t.Errorf("a step that no run has is %v", err)
	}
}

// TestGate_Again waits for a quiet machine, in pauses that grow, for as long as Wait says.
func TestGate_Again(t *testing.T) {
	calm, busy := compare.Noise{Lag: result.NaN, Probe: .1e-3}, compare.Noise{Lag: result.NaN, Probe: .9e-3}
	var norm compare.NoiseNorm
	for range compare.LeastNoise {
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
				begin := time.Now()
				g := &Gate{
					Settings: Settings{Wait: tt.wait}, Norm: norm, Log: io.Discard,
					probe: func(context.Context) compare.Noise {
						if time.Since(begin) < tt.quiet {
							return busy
						}
						return calm
					},
				}
				if got := g.again(t.Context(), "lag"); got != tt.want || time.Since(begin) != tt.took {
					t.Errorf("%t after %s, want %t after %s", got, time.Since(begin), tt.want, tt.took)
				}
			})
		})
	}
}

// TestGate_Ended: a run that ends a gate is its outcome, with the runs before it.
func TestGate_Ended(t *testing.T) {
	h := learned(t, t.TempDir(), func(i int) *compare.Record { return measured(i, day(i)) })
	g := &Gate{
		Settings: Settings{Runs: 1, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s", History: h,
		Out: io.Discard, Log: io.Discard,
	}
	g.Page = func(id string) string { return id }
	g.Run = func(context.Context) (*result.Result, error) {
		return &result.Result{Verdict: scenarios.Fail, Reason: "errors are many", ExitCode: scenarios.ExitFail}, nil
	}
	o, err := g.Decide(t.Context())
	if !errors.Is(err, scenarios.Exit(scenarios.ExitFail)) || o.Found != nil {
		t.Errorf("it ends with %v and %+v", err, o)
	}
	if d := o.Decision; d == nil || d.Word != "FAIL" || d.Reason != "a run ended with fail: errors are many" ||
		d.Name != "s" {
		t.Errorf("the decision is %+v", d)
	}
}

// TestGate_EndedLater: a run that fails by itself ends a gate with its own verdict, whatever the runs before it showed.
// One that shows nothing leaves their comparison, in which no failure is confirmed. No such record is red.
func TestGate_EndedLater(t *testing.T) {
	failed := result.Result{Verdict: scenarios.Fail, Reason: "errors are many", ExitCode: scenarios.ExitFail}
	left := result.Result{
		Verdict: scenarios.NotReverted, Reason: "1 entry is open", ExitCode: scenarios.ExitNotReverted,
	}
	limited := result.Result{Verdict: scenarios.Invalid, Reason: "brunt was late", ExitCode: scenarios.ExitInvalid}
	for _, c := range []struct {
		name         string
		p95          float64 // of the first run
		then         result.Result
		word, reason string
		says         string
	}{
		{
			"undecided, then a failure", .108, failed, "FAIL", "a run ended with fail: errors are many",
			"the runs before it: INCONCLUSIVE: undecided",
		},
		{
			"a regression, then a failure", .2, failed, "FAIL", "a run ended with fail: errors are many",
			"the runs before it: INCONCLUSIVE: it was ended before new runs confirmed this: p95 is ",
		},
		{
			"undecided, then a fault that stays", .108, left, "NOT REVERTED", "a run ended with not reverted: 1 entry is open",
			"the runs before it: INCONCLUSIVE: undecided",
		},
		{
			"a regression that no run confirms", .2, limited, "INCONCLUSIVE",
			"it was ended before new runs confirmed this: p95 is ",
			"the gate ended early: a run ended with invalid: brunt was late",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			g := &Gate{
				Settings: Settings{Runs: 3, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s",
				History: learned(t, dir, func(i int) *compare.Record { return measured(i, day(i)) }),
				Out:     io.Discard, Log: io.Discard,
			}
			n := 0
			g.one = func(context.Context) (*compare.Record, error) {
				if n++; n == 1 {
					return measured(100, c.p95), nil
				}
				g.ended = &c.then
				return nil, scenarios.Exit(c.then.ExitCode)
			}
			o, err := g.decide(t.Context())
			if d := o.Decision; !errors.Is(err, scenarios.Exit(c.then.ExitCode)) || d == nil || d.Word != c.word ||
				!strings.HasPrefix(d.Reason, c.reason) || o.Found.Verdict != d.Verdict || o.Found.Reason != d.Reason ||
				!strings.Contains(strings.Join(d.Says, "\n"), c.says) {
				t.Errorf("%v: %+v", err, d)
			}
			records := openedHistory(t, dir).Records()
			if last := records[len(records)-1]; last.Run != "r100" || last.Red {
				t.Errorf("kept as %s, red %t", last.Run, last.Red)
			}
		})
	}
}

// TestGate_NeverLoaded: a build that does not start is made once, and a run that brunt limited again.
func TestGate_NeverLoaded(t *testing.T) {
	for _, c := range []struct {
		name    string
		offered int64
		reason  result.ReasonKind
		runs    int
		word    string
	}{
		{"a build that does not start", 0, result.NotStarted, 1, "NOT STARTED"},
		{"brunt was the limit", 500, result.NotHeld, compare.NoiseAttempts, "INVALID"},
	} {
		h := learned(t, t.TempDir(), func(i int) *compare.Record { return measured(i, day(i)) })
		g := &Gate{
			Settings: Settings{Runs: 3, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s", History: h,
			Out: io.Discard, Log: io.Discard, Page: func(id string) string { return id },
		}
		runs := 0
		g.Run = func(context.Context) (*result.Result, error) {
			runs++
			return &result.Result{
				Verdict: scenarios.Invalid, Reason: "the target did not become ready", ExitCode: scenarios.ExitInvalid,
				Generator: result.Generator{Offered: c.offered}, Reasons: []result.Reason{{Kind: c.reason}},
			}, nil
		}
		o, err := g.Decide(t.Context())
		if !errors.Is(err, scenarios.Exit(scenarios.ExitInvalid)) || runs != c.runs || o.Decision.Word != c.word {
			t.Errorf("%s: %s in %d runs, want %s in %d; %v", c.name, o.Decision.Word, runs, c.word, c.runs, err)
		}
	}
}

// TestGate_NotReverted: a run whose report could not be written ends a gate by its own verdict.
func TestGate_NotReverted(t *testing.T) {
	g := &Gate{
		Settings: Settings{Runs: 1, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s",
		History: openedHistory(t, t.TempDir()), Out: io.Discard, Log: io.Discard,
	}
	unwritten := errors.Join(errors.New("no space left"), scenarios.Exit(scenarios.ExitNotReverted))
	g.Run = func(context.Context) (*result.Result, error) {
		return &result.Result{
			Verdict: scenarios.NotReverted, Reason: "1 entry is open", ExitCode: scenarios.ExitNotReverted,
		}, unwritten
	}
	o, err := g.Decide(t.Context())
	if !errors.Is(err, unwritten) || o.Decision == nil || o.Decision.Word != "NOT REVERTED" ||
		!strings.Contains(o.Decision.Reason, "1 entry is open") {
		t.Errorf("%v: %+v", err, o.Decision)
	}
}

// TestGate_Disturbed: a run that fails on a disturbed machine fails no gate. Once the time to wait is used up, the gate
// is inconclusive and says why; a signal meanwhile ends it by its own exit code.
func TestGate_Disturbed(t *testing.T) {
	disturbed := disturbedError{"lag 9 ms", &result.Result{Reason: "errors are many", ExitCode: scenarios.ExitFail}}
	for _, c := range []struct {
		name  string
		good  int // runs before the disturbed one
		runs  int
		by    error
		code  error
		found bool
	}{
		{"the first run", 0, 1, nil, nil, false},
		{"a further run", 1, 3, nil, nil, true},
		{"a signal", 0, 1, run.Interrupt{Code: 143}, scenarios.Exit(143), false},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		g := &Gate{
			Settings: Settings{Runs: c.runs, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s",
			History: learned(t, t.TempDir(), func(i int) *compare.Record { return measured(i, day(i)) }),
			Out:     io.Discard, Log: io.Discard,
		}
		if c.by != nil {
			cancel(c.by)
		}
		n := 0
		g.one = func(context.Context) (*compare.Record, error) {
			if n++; n <= c.good {
				return measured(100+n, .108), nil
			}
			return nil, disturbed
		}
		o, err := g.decide(ctx)
		cancel(nil)
		switch {
		case !errors.Is(err, c.code):
			t.Errorf("%s: %v, want %v", c.name, err, c.code)
		case c.by != nil:
		case o.Decision == nil || o.Decision.Verdict != scenarios.Inconclusive || (o.Found != nil) != c.found ||
			!strings.Contains(o.Decision.Reason, "lag 9 ms"):
			t.Errorf("%s: %+v", c.name, o.Decision)
		}
	}
}

// TestGate_EndedByOther: a gate that an error ends does not name a run that was repeated since.
func TestGate_EndedByOther(t *testing.T) {
	g := &Gate{
		Settings: Settings{Runs: 3, Confirm: 1, Options: compare.Options{Alpha: .05}}, Name: "s",
		History: openedHistory(t, t.TempDir()), Out: io.Discard, Log: io.Discard, Page: func(id string) string { return id },
	}
	n := 0
	g.Run = func(context.Context) (*result.Result, error) {
		switch n++; n {
		case 1:
			return &result.Result{
				Verdict: scenarios.Invalid, Reason: "brunt was late", ExitCode: scenarios.ExitInvalid,
				Generator: result.Generator{Offered: 5},
			}, nil
		case 2:
			return &result.Result{Verdict: scenarios.Pass}, nil
		}
		return nil, errors.New("the scenario is gone")
	}
	o, _ := g.Decide(t.Context())
	if o.Decision == nil || o.Decision.Reason != "the scenario is gone" {
		t.Errorf("it ended as %+v", o.Decision)
	}
}
