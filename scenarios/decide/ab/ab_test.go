package ab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestAB_Pair runs pairs of which some give no usable result: the order of those that count still
// alternates.
func TestAB_Pair(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(r *result.Result)
		code  int
	}{
		{"the generator was the limit", func(r *result.Result) { r.Generator.Healthy = false }, scenarios.ExitInvalid},
		{"a fault was not verified", func(r *result.Result) { r.Verdict = scenarios.Invalid }, scenarios.ExitInvalid},
		{"a fault affected no traffic", func(r *result.Result) {
			r.Verdict, r.Faults = scenarios.Inconclusive, []result.FaultRecord{{Name: "cut", Verified: 1}}
		}, scenarios.ExitInconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := &Comparison{Log: io.Discard, a: &Side{letter: "a"}, b: &Side{letter: "b"}}
			made, spoiled := 0, map[int]bool{1: true, 4: true, 5: true} // numbers of pairs
			x.one = func(_ context.Context, s *Side, n int) (compare.Run, error) {
				made++
				r := &result.Result{
					Verdict: scenarios.Pass, Started: time.Unix(int64(made), 0), Generator: result.Generator{Healthy: true},
				}
				if spoiled[n] && s == x.b {
					tt.spoil(r)
				}
				return compare.Run{Name: fmt.Sprint(s.letter, n), Result: r}, nil
			}
			var order strings.Builder
			for range 6 {
				a, b, err := x.pair(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if spoiled[x.number-1] {
					t.Errorf("pair %d counts", x.number)
				}
				if a.Started.Before(b.Started) {
					order.WriteString("ab ")
				} else {
					order.WriteString("ba ")
				}
			}
			if order.String() != "ab ba ab ba ab ba " {
				t.Errorf("those that count were run %s", order.String())
			}
			for n := range 100 {
				spoiled[n] = true
			}
			if _, _, err := x.pair(t.Context()); !errors.Is(err, scenarios.Exit(tt.code)) {
				t.Errorf("pairs that show nothing end with %v, want exit code %d", err, tt.code)
			}
		})
	}
}

// plain is a scenario of 5 requests a second for 10 s.
const plain = `version: 1
name: x
target: {url: "http://127.0.0.1:1"}
load: {main: {executor: constant-arrival-rate, rate: 5/s, duration: 10s, flow: [{get: /}]}}
`

// plainPlan returns the plan of plain.
func plainPlan(t *testing.T) *plan.Plan {
	t.Helper()
	p, err := plantest.CompileText(plain)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAB_LeftDown: a run that left a unit down is the last one, of either side.
func TestAB_LeftDown(t *testing.T) {
	for last, concurrent := range map[int]bool{1: false, 2: false, 3: false, 4: true} { // 4: both runs of a pair are made
		x := &Comparison{Log: io.Discard, a: &Side{letter: "a"}, b: &Side{letter: "b"}}
		x.Settings.Concurrent = concurrent
		var made atomic.Int32
		x.Plan = func(string, []string) (*plan.Plan, error) { return plantest.CompileText(plain) }
		x.Run = func(context.Context, *plan.Plan, string, Within) (*result.Result, error) {
			return &result.Result{
				Verdict: scenarios.Pass, Generator: result.Generator{Healthy: true, Offered: 1},
				Faults: []result.FaultRecord{{Name: "crash", StaysDown: int(made.Add(1)) == last}},
			}, nil
		}
		x.one = x.run
		var err error
		for range 3 {
			if _, _, err = x.pair(t.Context()); err != nil {
				break
			}
		}
		if n := int(made.Load()); !errors.Is(err, plan.DownError{Fault: "crash"}) || n != last {
			t.Errorf("after %d runs it ends with %v, want it after %d", n, err, last)
		}
	}
}

// TestMeeting: no run goes on before all have come, and none waits for one that never comes.
func TestMeeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting(2)
		begun := make(chan time.Time, 2)
		for i := range 2 {
			go func() {
				time.Sleep(time.Duration(i) * time.Second) // simulates the start of the target
				if err := m.wait(t.Context()); err == nil {
					begun <- time.Now()
				}
			}()
		}
		if a, b := <-begun, <-begun; !a.Equal(b) {
			t.Errorf("they began at %s and %s", a, b)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errOther)
		if err := newMeeting(2).wait(ctx); !errors.Is(err, errOther) {
			t.Errorf("a run without the other ends with %v", err)
		}
	})
}

// TestAB_Apart: where a side does not begin, the other does not wait for it.
func TestAB_Apart(t *testing.T) {
	x := &Comparison{Log: io.Discard, a: &Side{letter: "a"}, b: &Side{letter: "b"}, rhythm: rhythm{each: time.Second}}
	x.one = func(ctx context.Context, s *Side, _ int) (compare.Run, error) {
		if s == x.b {
			return compare.Run{}, errApart
		}
		return compare.Run{}, x.met.wait(ctx)
	}
	if _, _, err := x.pair(t.Context()); !errors.Is(err, errApart) {
		t.Errorf("the round ends with %v, want %v", err, errApart)
	}
}

// switching is a comparison that switches the load of a round.
func switching(load time.Duration, log io.Writer) *Comparison {
	x := &Comparison{
		Settings: Settings{Pairs: 3}, Log: log, a: &Side{letter: "a"}, b: &Side{letter: "b"},
		rhythm: rhythm{each: 10 * time.Second, takes: load},
	}
	x.Settings.Options.Metrics = []string{"p50"}
	return x
}

// TestAB_Ends ends after the round in which the answer is clear, and no later than planned.
func TestAB_Ends(t *testing.T) {
	for slower, want := range map[float64]int{1: 3, 2: 1} {
		x := switching(160*time.Second, io.Discard)
		x.one = rounds(x, slower)
		o, err := x.switched(t.Context())
		if err != nil || x.number != want || slower > 1 && o.Found.Verdict != scenarios.Regression {
			t.Errorf("%g times slower: it ends after %d rounds with %v, want %d: %+v", slower, x.number, err, want, o.Found)
		}
	}
}

// rounds makes rounds of which side b is slower by a factor.
func rounds(x *Comparison, slower float64) func(context.Context, *Side, int) (compare.Run, error) {
	return func(_ context.Context, s *Side, n int) (compare.Run, error) {
		blocks, factor := drawBlocks(x.rhythm.takes, x.rhythm.each, 7, n).A, 1.
		if s == x.b {
			blocks, factor = drawBlocks(x.rhythm.takes, x.rhythm.each, 7, n).B, slower
		}
		r := &result.Result{
			Run: fmt.Sprint(s.letter, n), Verdict: scenarios.Pass, T0: time.Unix(int64(n)*1000, 0),
			Generator: result.Generator{Healthy: true},
		}
		for i, b := range blocks {
			noise := 1 + .1*float64((i*7+n*3)%5)
			if s == x.b {
				noise = 1 + .1*float64((i*3+n*5)%5)
			}
			r.Blocks = append(r.Blocks, result.Block{Start: result.Sec(b.From), End: result.Sec(b.To), Cells: []result.Cell{{
				Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 1000,
				Response: result.Times{P50: result.Num(.01 * factor * noise)},
			}}})
		}
		return compare.Run{Name: r.Run, Result: r}, nil
	}
}

// interrupted reports whether a comparison was ended by a signal, and shows what it came to: nothing where why is
// empty.
func interrupted(o Outcome, err error, why string) bool {
	if !errors.Is(err, scenarios.Exit(130)) || o.Found == nil {
		return errors.Is(err, scenarios.Exit(130)) && why == "" && o.Decision == nil
	}
	return why != "" && o.Found.Verdict == scenarios.Inconclusive && strings.HasPrefix(o.Decision.Reason, why)
}

// TestAB_Interrupted: the rounds before one that did not end are told, and the exit code is that of the end.
func TestAB_Interrupted(t *testing.T) {
	for ended, want := range map[int]string{0: "", 1: "it was ended before the answer was clear: "} {
		x := switching(160*time.Second, io.Discard)
		whole := rounds(x, 2)
		x.one = func(ctx context.Context, s *Side, n int) (compare.Run, error) {
			if n == ended {
				return compare.Run{}, scenarios.Exit(130)
			}
			r, err := whole(ctx, s, n)
			r.Blocks = r.Blocks[:2] // too few to end here
			return r, err
		}
		if o, err := x.switched(t.Context()); !interrupted(o, err, want) {
			t.Errorf("after %d rounds it ends with %v: %+v", ended, err, o.Decision)
		}
	}
}

// lasting makes runs that last until they are ended, and of which a sample has a pair of blocks more for each pair that
// is over.
func lasting(x *Comparison, slower float64) func(context.Context, *Side, int) (compare.Run, error) {
	whole := rounds(x, slower)
	return func(ctx context.Context, s *Side, n int) (compare.Run, error) {
		r, err := whole(ctx, s, n)
		begun, all := time.Now(), *r.Result
		x.round.begin(s, func(context.Context) *result.Result {
			soFar := all
			soFar.Verdict = scenarios.Running
			soFar.Blocks = soFar.Blocks[:min(len(soFar.Blocks), int(time.Since(begun)/(2*x.rhythm.each)))]
			return &soFar
		})
		select {
		case <-time.After(x.rhythm.takes): // the load
		case <-ctx.Done():
			r.Blocks = nil
			if !errors.Is(context.Cause(ctx), errClear) {
				return r, scenarios.Exit(130)
			}
		}
		return r, err
	}
}

// TestAB_WithinRound: a round ends with the pair of blocks that makes the answer clear, also an hour of load; a round
// that is interrupted shows its blocks until then.
func TestAB_WithinRound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		slower float64
		cancel time.Duration // zero: not at all
		most   time.Duration
	}{
		{"clear", 2, 0, 10 * time.Minute},
		{"interrupted", 1, 5 * time.Minute, 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said strings.Builder
				x := switching(time.Hour, &said)
				x.one = lasting(x, tt.slower)
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, stop)
				}
				begun := time.Now()
				o, err := x.switched(ctx)
				if took := time.Since(begun); took > tt.most {
					t.Errorf("it ends after %s, want %s", took, tt.most)
				}
				if tt.cancel > 0 {
					if !interrupted(o, err, "it was ended before the answer was clear: ") || len(o.Found.Rows) == 0 {
						t.Errorf("it ends with %v: %+v", err, o.Found)
					}
					return
				}
				if err != nil || o.Found.Verdict != scenarios.Regression || !strings.Contains(said.String(), "in round 1, after ") {
					t.Errorf("it ends with %v, says %q: %+v", err, said.String(), o.Found)
				}
			})
		})
	}
}

// TestAB_TurnsInterrupted: what whole runs came to in turns is told, and it is no verdict; neither is a regression that
// new pairs did not confirm.
func TestAB_TurnsInterrupted(t *testing.T) {
	for ended, want := range map[int]string{
		0: "", 6: "it was ended before the answer was clear: ", 12: "it was ended before new pairs confirmed this: ",
	} {
		slower := 1.
		if ended == 12 {
			slower = 2
		}
		x := &Comparison{
			Settings: Settings{Pairs: 10, Confirm: 2}, Log: io.Discard, a: &Side{letter: "a"}, b: &Side{letter: "b"},
		}
		x.Settings.Options.Metrics = []string{"p50"}
		runs := 0
		x.one = func(_ context.Context, s *Side, n int) (compare.Run, error) {
			if runs++; runs > 2*ended || slower > 1 && runs > 10 {
				return compare.Run{}, scenarios.Exit(130)
			}
			factor := 1 + .1*float64((n*7)%5)
			if s == x.b {
				factor = slower * (1 + .1*float64((n*3)%5))
			}
			return compare.Run{Name: fmt.Sprint(s.letter, n), Result: &result.Result{
				Run: fmt.Sprint(s.letter, n), Verdict: scenarios.Pass, Started: time.Unix(int64(runs), 0),
				Generator: result.Generator{Healthy: true},
				Cells: []result.Cell{{
					Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 1000,
					Response: result.Times{P50: result.Num(.01 * factor)},
				}},
			}}, nil
		}
		if o, err := x.play(t.Context()); !interrupted(o, err, want) {
			t.Errorf("after %d pairs it ends with %v: %+v", ended, err, o.Decision)
		}
	}
}

// TestAB_Shows: a late round of a switchback counts, unless another cause makes it invalid.
func TestAB_Shows(t *testing.T) {
	lag := result.Limit{Kind: result.LimitLag, Phase: slo.ParsePhase("run"), Value: .02, Most: .01}
	for _, tt := range []struct {
		verdict scenarios.Verdict
		why     result.Why
		reason  string
		limits  []result.Limit
		ok      bool
	}{
		{scenarios.Pass, "", "The objective held.", nil, true},
		{scenarios.Fail, "", "The objective failed.", []result.Limit{lag}, true},
		{scenarios.Invalid, result.Late, "The objective could not be judged.", []result.Limit{lag}, true},
		{
			scenarios.Invalid, "", "Brunt itself was late, and its watchdog ended web at 8s.",
			[]result.Limit{lag},
			false,
		},
		{scenarios.Invalid, "", "Setup failed.", []result.Limit{lag}, false},
		{scenarios.Pass, "", "The objective held.", []result.Limit{lag, {Kind: result.LimitSockets, Requests: 11}}, false},
	} {
		x := &Comparison{rhythm: rhythm{each: time.Second}}
		r := &result.Result{
			Verdict: tt.verdict, Reason: tt.reason, Why: tt.why, Generator: result.Generator{Healthy: len(tt.limits) == 0},
		}
		r.Generator.Add(tt.limits...)
		if why, ok := x.shows(compare.Run{Result: r}); ok != tt.ok {
			t.Errorf("%s, %s: it counts: %t (%s), want %t", tt.verdict, tt.reason, ok, why, tt.ok)
		}
	}
}

// TestAB_Arrange: metrics of whole runs alone are compared in turns, which is said, and a budget has room for two pairs
// of blocks.
func TestAB_Arrange(t *testing.T) {
	plain := plainPlan(t)
	for _, tt := range []struct {
		metrics []string
		budget  time.Duration
		turns   string // why; empty: a switchback
		err     string
	}{
		{nil, 0, "", ""},
		{[]string{"p50", "memory"}, 0, "memory has no value by block", ""},
		{[]string{"recover"}, 0, "recover has no value by block", ""},
		{[]string{"cpu"}, 24 * time.Second, "", ""},
		{nil, 12 * time.Second, "", "holds one pair of blocks of 3s, and brunt needs 2"},
		{nil, 9 * time.Second, "", "holds no round of 10s"},
	} {
		var said strings.Builder
		x := &Comparison{
			Settings: Settings{Block: DefaultBlock, Budget: tt.budget, Pairs: 10}, Log: &said, whole: 10 * time.Second,
		}
		x.Settings.Options.Metrics = tt.metrics
		x.arrange(plain, plain)
		if !strings.Contains(said.String(), tt.turns) || (x.rhythm.each == 0) != (tt.turns != "") {
			t.Errorf("%v: blocks of %s, and it says %q, want %q", tt.metrics, x.rhythm.each, said.String(), tt.turns)
		}
		if err := x.fit(); (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("--budget %s: %v, want %q", tt.budget, err, tt.err)
		}
	}
}
