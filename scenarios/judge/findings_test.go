package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestHistograms: the histograms of a result can be read by number, and all of them in that order,
// with the time they cover.
func TestHistograms(t *testing.T) {
	g := newFixture(t, oneStep)
	all := perSecond(100, 0, 3*sec, 10*ms, okay)
	g.play(all)
	f := g.finish(judge.Case{}, 3*sec)
	n, windows := 0, 0
	for info, err := range f.Histograms.All() {
		n++
		if err != nil || info.N != n || info.HDR == nil || info.HDR.TotalCount() == 0 {
			t.Fatalf("histogram %d: %+v, %v", n, info, err)
		}
		if info.Span == sec {
			windows++
			if info.HDR.TotalCount() != 100 {
				t.Errorf("%d in the window at %s", info.HDR.TotalCount(), info.Start)
			}
		}
	}
	if windows != 3 {
		t.Errorf("%d windows have one", windows)
	}
	for range f.Histograms.All() {
		break
	}
	run := cellOf(t, f, "run", "*", "*")
	h, err := f.Histograms.Get(run.Hist)
	if err != nil || h.TotalCount() != 300 || h.ValueAtPercentile(50) < 10_000 || h.ValueAtPercentile(50) > 10_020 {
		t.Errorf("run: %v, %v", h, err)
	}
	for _, no := range []int{0, -1, n + 1} {
		if h, err := f.Histograms.Get(no); h != nil || err != nil {
			t.Errorf("there is a histogram %d: %v", no, err)
		}
	}
}

// TestFinish_Nothing: a load without a request has findings.
func TestFinish_Nothing(t *testing.T) {
	o := parseObjectives(t, "errors < 1%", "recover < 1s after f", "p95 < 1s in baseline")
	g := newFixture(t, oneStep, o...)
	g.Inject("f", "f")
	f := g.finish(judge.Case{SLO: o}, 3*sec)
	// f affected no traffic
	for _, r := range f.Objectives {
		if r.Verdict != scenarios.Inconclusive || r.Note == "" {
			t.Errorf("%s: %s, %q", r.Text, r.Verdict, r.Note)
		}
	}
	if f.Offered != 0 || f.Sent != 0 || f.Lag != (result.Lag{}) || len(f.Windows) != 3 ||
		f.Faults[0].Impact != result.UnknownYet {
		t.Errorf("%+v", f)
	}
	for _, c := range f.Cells {
		if c.Count != 0 || c.Hist != 0 {
			t.Errorf("%+v", c)
		}
	}
}

// TestFinish_Clamped: values out of the histograms' bounds are counted, and the exact largest value
// is kept.
func TestFinish_Clamped(t *testing.T) {
	g := newFixture(t, oneStep)
	o := request(0, 2*3600*sec, okay)
	g.Shard(0).Record(&o)
	f := g.finish(judge.Case{}, sec)
	if f.Clamped != 2 { // response and service time
		t.Errorf("%d clamped, want 2", f.Clamped)
	}
	if c := cellOf(t, f, "run", "read", "ok"); c.Response.Max != 7200 {
		t.Errorf("max %v", c.Response.Max)
	}
}

// TestFinish_WarmUp: warm-up lies before 0 and is in no phase but its own; its lag counts in no
// other phase.
func TestFinish_WarmUp(t *testing.T) {
	o := parseObjectives(t, "errors < 1%", "p95 < 100ms", "errors < 1% in baseline")
	g := newFixture(t, oneStep, o...)
	g.now = -5 * sec
	all := perSecond(100, 0, 10*sec, 10*ms, okay)
	for i := range 500 {
		at := -5*sec + time.Duration(i)*10*ms
		r := request(at, sec, failure)
		r.Ready, r.Slot = at+500*ms, at+500*ms
		all = append(all, r)
	}
	g.play(all)
	f := g.finish(judge.Case{SLO: o, Warmup: 5 * sec}, 10*sec)
	for _, r := range f.Objectives {
		if r.Verdict != scenarios.Pass || r.Measured > .011 {
			t.Errorf("%s: %s with %v of %d", r.Text, r.Verdict, r.Measured, r.Count)
		}
	}
	if f.Offered != 1000 || len(f.Errors) != 0 || f.Lag.Max != 0 {
		t.Errorf("%d offered, errors %v, lag %v", f.Offered, f.Errors, f.Lag)
	}
	if _, ok := f.LagByPhase[slo.ParsePhase("warmup")]; ok {
		t.Errorf("lag by phase: %v", f.LagByPhase)
	}
	if n := cellOf(t, f, "warmup", "read", "error").Count; n != 500 {
		t.Errorf("%d in warm-up, want 500", n)
	}
	for _, c := range f.Cells {
		if c.Step == "iteration" {
			t.Errorf("a row of what there was none of: %+v", c)
		}
	}
}

// TestFinish_Health: lag and queue are those of all requests, by phase.
func TestFinish_Health(t *testing.T) {
	g := newFixture(t, oneStep)
	all := perSecond(100, 0, 20*sec, 10*ms, okay)
	for i := range all {
		r := &all[i]
		r.Ready += ms
		if r.Intended >= 10*sec {
			r.Ready += 4 * ms
		}
		r.Slot = r.Ready + 2*ms
	}
	g.play(all, action{10 * sec, func() { g.Inject("f", "f") }}, action{15 * sec, func() { g.Clear(0) }})
	f := g.finish(judge.Case{}, 20*sec)
	near := func(name string, got result.Num, want float64) {
		t.Helper()
		if float64(got) < want || float64(got) > 1.002*want {
			t.Errorf("%s: %v, want %g", name, got, want)
		}
	}
	near("p50 of lag", f.Lag.P50, .001)
	near("p99 of lag", f.Lag.P99, .005)
	near("most of lag", f.Lag.Max, .005)
	near("p99 of queue", f.Queue.P99, .002)
	near("p99 of lag in the baseline", result.Num(f.LagByPhase[slo.ParsePhase("baseline")].P99), .001)
	near("p99 of lag in f", result.Num(f.LagByPhase[slo.ParsePhase("f")].P99), .005)
	if f.Sent != 2000 || f.Offered != 2000 {
		t.Errorf("%d offered, %d sent", f.Offered, f.Sent)
	}
	for _, w := range f.Windows {
		if w.Load == "*" && w.T == 3 {
			near("lag of a window", w.Lag, .001)
			near("queue of a window", w.Queue, .002)
		}
	}
}
