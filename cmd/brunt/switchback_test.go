package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/switchback"
	"github.com/spf13/cobra"
)

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
	c := &cobra.Command{}
	c.SetErr(io.Discard)
	x := &ab{abFlags: &abFlags{}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}, each: time.Second}
	x.one = func(ctx context.Context, s *side, _ int) (compare.Run, error) {
		if s == x.b {
			return compare.Run{}, errApart
		}
		return compare.Run{}, x.met.wait(ctx)
	}
	if _, _, err := x.pair(t.Context()); !errors.Is(err, errApart) {
		t.Errorf("the round ends with %v, want %v", err, errApart)
	}
}

// TestAB_Ends ends after the round in which the answer is clear, and no later than planned.
func TestAB_Ends(t *testing.T) {
	for slower, want := range map[float64]int{1: 3, 2: 1} {
		c := &cobra.Command{}
		var out strings.Builder
		c.SetOut(&out)
		c.SetErr(io.Discard)
		x := &ab{abFlags: &abFlags{pairs: 3}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}, each: 10 * time.Second, takes: 160 * time.Second}
		x.options.Metrics = []string{"p50"}
		x.one = rounds(x, slower)
		err := x.switched(t.Context())
		if x.number != want || slower > 1 && !errors.Is(err, exit(4)) {
			t.Errorf("%g times slower: it ends after %d rounds with %v, want %d:\n%s", slower, x.number, err, want, out.String())
		}
	}
}

// rounds makes rounds of which side b is slower by a factor.
func rounds(x *ab, slower float64) func(context.Context, *side, int) (compare.Run, error) {
	return func(_ context.Context, s *side, n int) (compare.Run, error) {
		blocks, factor := switchback.Draw(x.takes, x.each, 7, n).A, 1.
		if s == x.b {
			blocks, factor = switchback.Draw(x.takes, x.each, 7, n).B, slower
		}
		r := &result.Result{
			Run: fmt.Sprint(s.letter, n), Verdict: scenarios.Pass, T0: time.Unix(int64(n)*1000, 0), Generator: result.Generator{Healthy: true},
		}
		for i, b := range blocks {
			noise := 1 + .1*float64((i*7+n*3)%5)
			if s == x.b {
				noise = 1 + .1*float64((i*3+n*5)%5)
			}
			r.Blocks = append(r.Blocks, result.Block{Start: result.Sec(b.From), End: result.Sec(b.To), Cells: []result.Cell{{
				Phase: "run", Load: "*", Step: "*", Outcome: "*", Count: 1000, Response: result.Times{P50: result.Num(.01 * factor * noise)},
			}}})
		}
		return compare.Run{Name: r.Run, Result: r}, nil
	}
}

// TestAB_Interrupted: the rounds before one that did not end are told, and the exit code is that of the end.
func TestAB_Interrupted(t *testing.T) {
	for ended, want := range map[int]string{0: "", 1: "INCONCLUSIVE: it was ended before the answer was clear: "} {
		c := &cobra.Command{}
		var out strings.Builder
		c.SetOut(&out)
		c.SetErr(io.Discard)
		x := &ab{abFlags: &abFlags{pairs: 3}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}, each: 10 * time.Second, takes: 160 * time.Second}
		x.options.Metrics = []string{"p50"}
		whole := rounds(x, 2)
		x.one = func(ctx context.Context, s *side, n int) (compare.Run, error) {
			if n == ended {
				return compare.Run{}, exit(130)
			}
			r, err := whole(ctx, s, n)
			r.Blocks = r.Blocks[:2] // too few to end here
			return r, err
		}
		if err := x.switched(t.Context()); !errors.Is(err, exit(130)) || !strings.HasPrefix(out.String(), want) || want == "" && out.Len() > 0 {
			t.Errorf("after %d rounds it ends with %v:\n%s", ended, err, out.String())
		}
	}
}

// lasting makes runs that last until they are ended, and of which a sample has a pair of blocks more for each pair that is over.
func lasting(x *ab, slower float64) func(context.Context, *side, int) (compare.Run, error) {
	whole := rounds(x, slower)
	return func(ctx context.Context, s *side, n int) (compare.Run, error) {
		r, err := whole(ctx, s, n)
		begun, all := time.Now(), *r.Result
		x.round.begin(s, func(context.Context) *result.Result {
			soFar := all
			soFar.Verdict = scenarios.Running
			soFar.Blocks = soFar.Blocks[:min(len(soFar.Blocks), int(time.Since(begun)/(2*x.each)))]
			return &soFar
		})
		select {
		case <-time.After(x.takes): // the load
		case <-ctx.Done():
			r.Blocks = nil
			if !errors.Is(context.Cause(ctx), errClear) {
				return r, exit(130)
			}
		}
		return r, err
	}
}

// TestAB_WithinRound: a round ends with the pair of blocks that makes the answer clear, also an hour of load; a round that is
// interrupted shows its blocks until then, also in the files that were asked for.
func TestAB_WithinRound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		slower float64
		cancel time.Duration // zero: not at all
		most   time.Duration
		code   int
		says   string
	}{
		{"clear", 2, 0, 10 * time.Minute, 4, "REGRESSION"},
		{"interrupted", 1, 5 * time.Minute, 5 * time.Minute, 130, "INCONCLUSIVE: it was ended before the answer was clear: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cobra.Command{}
				var out, said strings.Builder
				c.SetOut(&out)
				c.SetErr(&said)
				x := &ab{abFlags: &abFlags{pairs: 3}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}, each: 10 * time.Second, takes: time.Hour}
				x.json = filepath.Join(t.TempDir(), "ab.json")
				x.options.Metrics = []string{"p50"}
				x.one = lasting(x, tt.slower)
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, stop)
				}
				begun := time.Now()
				err := x.switched(ctx)
				if took := time.Since(begun); took > tt.most || !errors.Is(err, exit(tt.code)) {
					t.Errorf("it ends after %s with %v, want exit code %d within %s", took, err, tt.code, tt.most)
				}
				if !strings.HasPrefix(out.String(), tt.says) || tt.code == 4 && !strings.Contains(said.String(), "in round 1, after ") {
					t.Errorf("it says %q and\n%s", said.String(), out.String())
				}
				if b, err := os.ReadFile(x.json); err != nil || !strings.Contains(string(b), `"rows"`) {
					t.Errorf("the file has %q (%v)", b, err)
				}
			})
		})
	}
}

// TestAB_TurnsInterrupted: what whole runs came to in turns is told, and it is no verdict; neither is a regression that new
// pairs did not confirm.
func TestAB_TurnsInterrupted(t *testing.T) {
	for ended, want := range map[int]string{
		0: "", 6: "INCONCLUSIVE: it was ended before the answer was clear: ", 12: "INCONCLUSIVE: it was ended before new pairs confirmed this: ",
	} {
		c := &cobra.Command{}
		var out strings.Builder
		c.SetOut(&out)
		c.SetErr(io.Discard)
		slower := 1.
		if ended == 12 {
			slower = 2
		}
		x := &ab{abFlags: &abFlags{pairs: 10, confirm: 2}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}}
		x.options.Metrics = []string{"p50"}
		runs := 0
		x.one = func(_ context.Context, s *side, n int) (compare.Run, error) {
			if runs++; runs > 2*ended || slower > 1 && runs > 10 {
				return compare.Run{}, exit(130)
			}
			factor := 1 + .1*float64((n*7)%5)
			if s == x.b {
				factor = slower * (1 + .1*float64((n*3)%5))
			}
			return compare.Run{Name: fmt.Sprint(s.letter, n), Result: &result.Result{
				Run: fmt.Sprint(s.letter, n), Verdict: scenarios.Pass, Started: time.Unix(int64(runs), 0), Generator: result.Generator{Healthy: true},
				Cells: []result.Cell{{Phase: "run", Load: "*", Step: "*", Outcome: "*", Count: 1000, Response: result.Times{P50: result.Num(.01 * factor)}}},
			}}, nil
		}
		if err := x.play(t.Context()); !errors.Is(err, exit(130)) || !strings.HasPrefix(out.String(), want) || want == "" && out.Len() > 0 {
			t.Errorf("after %d pairs it ends with %v:\n%s", ended, err, out.String())
		}
	}
}

// TestAB_Shows: a late round of a switchback counts, unless another cause makes it invalid.
func TestAB_Shows(t *testing.T) {
	const lag = "p99 lag 20ms in run is over 10ms: brunt itself was late."
	for _, tt := range []struct {
		verdict scenarios.Verdict
		reason  string
		limits  []string
		ok      bool
	}{
		{scenarios.Pass, "The objective held.", nil, true},
		{scenarios.Fail, "The objective failed: p95 < 1ms.", []string{lag}, true},
		{
			scenarios.Invalid, "The objective could not be judged: p95 < 1ms (brunt itself was late: it fails as measured, but not with brunt's own time taken off).",
			[]string{lag},
			true,
		},
		{scenarios.Invalid, "Brunt itself stood still from 4s to 9s, and its watchdog ended web at 8s.", []string{lag}, false},
		{scenarios.Invalid, "Unique data is used up.", []string{lag}, false},
		{scenarios.Pass, "The objective held.", []string{lag, "11 requests found no socket"}, false},
	} {
		x := &ab{each: time.Second}
		r := &result.Result{Verdict: tt.verdict, Reason: tt.reason, Generator: result.Generator{Limits: tt.limits, Healthy: len(tt.limits) == 0}}
		if why, ok := x.shows(compare.Run{Result: r}); ok != tt.ok {
			t.Errorf("%s, %s: it counts: %t (%s), want %t", tt.verdict, tt.reason, ok, why, tt.ok)
		}
	}
}

// TestAB_Arrange: metrics of whole runs alone are compared in turns, which is said, and a budget has room for two pairs
// of blocks.
func TestAB_Arrange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, []byte(`version: 1
name: x
target: {url: "http://127.0.0.1:1"}
load: {main: {executor: constant-arrival-rate, rate: 5/s, duration: 10s, flow: [{get: /}]}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	plain, err := (&side{letter: "a"}).plan(&sourceFlags{}, file)
	if err != nil {
		t.Fatal(err)
	}
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
		c := &cobra.Command{}
		var said strings.Builder
		c.SetErr(&said)
		x := &ab{abFlags: &abFlags{block: switchback.DefaultBlock, budget: tt.budget, pairs: 10}, c: c, whole: 10 * time.Second}
		x.options.Metrics = tt.metrics
		x.arrange(plain, plain)
		if !strings.Contains(said.String(), tt.turns) || (x.each == 0) != (tt.turns != "") {
			t.Errorf("%v: blocks of %s, and it says %q, want %q", tt.metrics, x.each, said.String(), tt.turns)
		}
		if err := x.fit(); (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("--budget %s: %v, want %q", tt.budget, err, tt.err)
		}
	}
}

// TestAB_Switchback switches a real load between two servers: each gets requests only while the other gets
// none, and a side that is much slower is found out.
func TestAB_Switchback(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 50 s")
	}
	var both, total atomic.Int64
	var last [2]atomic.Int64
	server := func(side int, takes time.Duration) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now().UnixMilli()
			last[side].Store(now)
			total.Add(1)
			if now-last[1-side].Load() < 100 { // of requests around a switch alone
				both.Add(1)
			}
			time.Sleep(takes) // simulates the work of a server
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	a, b := server(0, 20*time.Millisecond), server(1, 60*time.Millisecond)
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	err := os.WriteFile(file, fmt.Appendf(nil, `version: 1
name: x
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 24s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, a), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress strings.Builder
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&progress)
	c.SetArgs([]string{"ab", file, "--a", a, "--b", b, "--block", "3s", "--pairs", "2", "--metric", "p50", "-o", filepath.Join(dir, "out")})
	if got := c.ExecuteContext(t.Context()); !errors.Is(got, exit(4)) {
		t.Errorf("it ends with %v, want exit code 4:\n%s\n%s", got, out.String(), progress.String())
	}
	if n := total.Load(); n < 2000 || both.Load() > n/20 {
		t.Errorf("%d requests, of which %d while the other side had some", n, both.Load())
	}
}
