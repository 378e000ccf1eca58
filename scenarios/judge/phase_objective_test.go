package judge_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// many makes n outcomes of a kind with response time d, spread evenly over the first 20 s.
func many(n int, d time.Duration, kind scenarios.Kind) []scenarios.Outcome {
	var out []scenarios.Outcome
	for i := range n {
		out = append(out, request(20*sec*time.Duration(i)/time.Duration(n), d, kind))
	}
	return out
}

const (
	okay    = scenarios.OK
	shed    = scenarios.Shed
	failure = scenarios.Error
	skipped = scenarios.Skipped
)

// Population of 1000: 600 good ones at 10 ms, 240 good ones at 100 ms, 100 shed, 50
// errors and 10 skipped. Without the shed: 900.
func population() []scenarios.Outcome {
	return slices.Concat(many(600, 10*ms, okay), many(240, 100*ms, okay), many(100, ms, shed), many(50, ms, failure),
		many(10, 0, skipped))
}

// TestJudge_Metrics compares every metric of a phase with its definition.
func TestJudge_Metrics(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		text     string
		measured float64
		count    int64
		verdict  scenarios.Verdict
	}{
		// errors = (error + skipped) / offered
		{"errors < 8%", 0.06, 1000, scenarios.Pass},
		{"errors < 7%", 0.06, 1000, scenarios.Inconclusive}, // it may be 7.4 %: see TestJudge_Bound
		{"errors <= 6%", 0.06, 1000, scenarios.Inconclusive},
		{"errors < 6%", 0.06, 1000, scenarios.Fail},
		// availability = ok / offered, availability.admitted = ok / (offered - shed)
		{"availability > 80%", 840. / 1000, 1000, scenarios.Pass},
		{"availability > 83%", 840. / 1000, 1000, scenarios.Inconclusive},
		{"availability > 85%", 840. / 1000, 1000, scenarios.Fail},
		{"availability.admitted > 91%", 840. / 900, 900, scenarios.Pass},
		{"availability.admitted > 93%", 840. / 900, 900, scenarios.Inconclusive},
		{"availability.admitted > 94%", 840. / 900, 900, scenarios.Fail},
		{"shed < 12%", 0.1, 1000, scenarios.Pass},
		{"shed < 11%", 0.1, 1000, scenarios.Inconclusive},
		{"shed < 10%", 0.1, 1000, scenarios.Fail},
		// percentiles are over offered - shed; failures are slower than any answer
		{"p50 < 20ms", 0.01, 900, scenarios.Pass},
		{"p66 < 50ms", 0.01, 900, scenarios.Pass}, // rank 594
		{"p67 < 50ms", 0.1, 900, scenarios.Fail},  // rank 603: 600 are that fast
		{"p93 < 200ms", 0.1, 900, scenarios.Pass}, // rank 837
		{"p94 < 200ms", inf, 900, scenarios.Fail}, // rank 846: only 840 were good
		{"p94 < 1h", inf, 900, scenarios.Fail},    // for any time
		{"p94 > 200ms", inf, 900, scenarios.Pass}, // it is slower
		{"ok.p94 < 200ms", 0.1, 840, scenarios.Pass},
		{"ok.p71 < 50ms", 0.01, 840, scenarios.Pass}, // rank 597
		{"ok.p72 < 50ms", 0.1, 840, scenarios.Fail},  // rank 605
		{"service.p94 < 200ms", 0.1, 840, scenarios.Pass},
		{"max < 1s", inf, 900, scenarios.Fail},
		{"mean < 1s", inf, 900, scenarios.Fail},
		{"ok.max < 101ms", 0.1, 840, scenarios.Pass},
		{"ok.mean < 40ms", (600*.01 + 240*.1) / 840, 840, scenarios.Pass},
		// within: good answers in time, among all but the shed
		{"within(100ms) > 91%", 840. / 900, 900, scenarios.Pass}, // the limit is within it
		{"within(99ms) > 63%", 600. / 900, 900, scenarios.Pass},
		{"within(99ms) > 66%", 600. / 900, 900, scenarios.Inconclusive},
		{"within(99ms) > 67%", 600. / 900, 900, scenarios.Fail},
		{"timeouts = 0", 0, 1000, scenarios.Pass},
		{"timeouts < 1", 0, 1000, scenarios.Pass},
	} {
		t.Run(c.text, func(t *testing.T) {
			r := verdictOn(t, c.text, 20*sec, population())
			if got := float64(r.Measured); got != c.measured && math.Abs(got-c.measured) > 1e-3*c.measured {
				t.Errorf("measured %g, want %g", got, c.measured)
			}
			if r.Count != c.count {
				t.Errorf("count %d, want %d", r.Count, c.count)
			}
			if r.Verdict != c.verdict {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Note, c.verdict)
			}
			if r.Infinite != math.IsInf(c.measured, 1) {
				t.Errorf("infinite: %t", r.Infinite)
			}
		})
	}
}

// TestJudge_Times: objectives judge response time, from the intended time on; service. is from the
// slot on, ok. is of good answers alone.
func TestJudge_Times(t *testing.T) {
	for text, want := range map[string]float64{
		"p50 < 1s": .61, "ok.p50 < 1s": .61, "service.p50 < 1s": .01, "ok.max < 1s": .61, "service.max < 1s": .01,
		"ok.mean < 1s": .61, "service.mean < 1s": .01,
		"within(600ms) > 10%": 0, "within(610ms) > 10%": 1,
	} {
		all := many(400, 610*ms, okay)
		for i := range all {
			all[i].Ready = all[i].Intended + 100*ms // lag
			all[i].Slot = all[i].Ready + 500*ms     // queue
		}
		if r := verdictOn(t, text, 20*sec, all); math.Abs(float64(r.Measured)-want) > .001*want {
			t.Errorf("%s: %v, want %g", text, r.Measured, want)
		}
	}
}

// TestJudge_JSON: infinite and unknown values are null in result.json, in every row and objective,
// and the verdict shows which it was.
func TestJudge_JSON(t *testing.T) {
	o := parseObjectives(t, "p95 < 1s", "max < 1s", "p95 < 1s in recovery/f", "recover < 10s after f",
		"failover < 10s after f", "heal < 1s after f", "errors < 1% in baseline", "rate > 1/s in g")
	g := newFixture(t, oneStep, o...)
	g.play(outage(between(30*sec, 100*sec)), action{30 * sec, func() { g.Inject("f", "f") }})
	f := g.finish(judge.Case{SLO: o}, 100*sec)
	var got struct {
		Cells      []struct{ Response map[string]any }
		Objectives []struct {
			Measured, Low, High any
			Infinite            bool
			Verdict             scenarios.Verdict
		}
		Windows []map[string]any
	}
	if err := json.Unmarshal([]byte(inJSON(t, f)), &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		measured any
		infinite bool
		verdict  scenarios.Verdict
	}{
		{nil, true, scenarios.Fail},
		{nil, true, scenarios.Fail},
		{nil, false, scenarios.Inconclusive}, // it was never cleared, so it has no time after it
		{nil, true, scenarios.Fail},
		{nil, true, scenarios.Fail},
		{nil, false, scenarios.Inconclusive},
		{0., false, scenarios.Pass},
		{nil, false, scenarios.Inconclusive},
	} {
		r := got.Objectives[i]
		if r.Measured != want.measured || r.Infinite != want.infinite || r.Verdict != want.verdict {
			t.Errorf("%s: %+v, want %+v", o[i].Text, r, want)
		}
	}
	if p99 := got.Cells[0].Response["p99"]; p99 != nil {
		t.Errorf("p99 of the run is %v", p99)
	}
	for _, w := range got.Windows {
		if w["t"] == 99. && (w["p50"] != nil || w["max"] != .02) {
			t.Errorf("the last window has %v", w)
		}
	}
}

// TestJudge_Counted: a percentile is decided by counting requests over the limit, where the bucket
// of a histogram, 0.1 % wide, would decide otherwise; and the reported value agrees with the
// verdict.
func TestJudge_Counted(t *testing.T) {
	// 200 ms lies in the bucket [199.936, 200.063] ms: see TestTally_EdgeAt200ms in measure
	for _, c := range []struct {
		text    string
		d       time.Duration
		verdict scenarios.Verdict
	}{
		{"p95 < 200ms", 200*ms - 1, scenarios.Pass}, // the bucket's upper edge is over 200 ms
		{"p95 < 200ms", 200 * ms, scenarios.Fail},
		{"p95 <= 200ms", 200 * ms, scenarios.Pass},
		{"p95 <= 200ms", 200*ms + 1, scenarios.Fail},
		{"p95 < 200ms", 200*ms + 50*time.Microsecond, scenarios.Fail},
		{"p95 > 200ms", 200 * ms, scenarios.Fail}, // the upper edge is over it
		{"p95 > 200ms", 200*ms + 1, scenarios.Pass},
		{"p95 >= 200ms", 200 * ms, scenarios.Pass},
		{"p95 >= 200ms", 200*ms - 1, scenarios.Fail},
		{"service.p95 < 200ms", 200*ms - 1, scenarios.Pass},
		{"ok.p95 < 200ms", 200 * ms, scenarios.Fail},
	} {
		t.Run(fmt.Sprintf("%s at %s", c.text, c.d), func(t *testing.T) {
			all := slices.Concat(many(940, 10*ms, okay), many(60, c.d, okay), many(20, 210*ms, okay))
			r := verdictOn(t, c.text, 20*sec, all)
			if r.Verdict != c.verdict {
				t.Errorf("%s, want %s", r.Verdict, c.verdict)
			}
			o := parseObjectives(t, c.text)[0]
			if o.Holds(float64(r.Measured)) != (r.Verdict == scenarios.Pass) {
				t.Errorf("measured %v %s", r.Measured, r.Verdict)
			}
			if math.Abs(float64(r.Measured)-.2) > .0002 {
				t.Errorf("measured %v", r.Measured)
			}
		})
	}
}

// TestJudge_Agree: the reported value lies on the side of the target that the verdict says, although
// histograms round.
func TestJudge_Agree(t *testing.T) {
	for _, c := range []struct {
		text    string
		d       time.Duration
		verdict scenarios.Verdict
	}{
		{"p95 <= 1ms", ms + 400, scenarios.Fail}, // rounds to 1 ms
		{"p95 <= 1ms", ms, scenarios.Pass},
		{"p95 < 1ms", ms - 400, scenarios.Pass},
		{"p95 >= 1ms", ms - 400, scenarios.Fail},
		{"p95 > 1ms", ms + 400, scenarios.Pass},
		{"p95 > 1ms", ms, scenarios.Fail},
	} {
		r := verdictOn(t, c.text, 20*sec, slices.Concat(many(1000, c.d, okay), many(10, sec, okay)))
		if o := parseObjectives(t, c.text)[0]; r.Verdict != c.verdict ||
			o.Holds(float64(r.Measured)) != (r.Verdict == scenarios.Pass) {
			t.Errorf("%s at %s: %s with %.12g", c.text, c.d, r.Verdict, float64(r.Measured))
		}
	}
}

// TestJudge_Shares: a share is compared without the rounding error of binary fractions.
func TestJudge_Shares(t *testing.T) {
	for _, c := range []struct {
		text    string
		bad     int
		verdict scenarios.Verdict
	}{
		{"availability >= 99.9%", 10, scenarios.Inconclusive}, // it holds, and is not shown: 99.9/100 is more than 0.999
		{"availability > 99.9%", 10, scenarios.Fail},
		{"availability >= 99.9%", 11, scenarios.Fail},
		{"availability > 99.9%", 9, scenarios.Inconclusive},
		{"availability > 99.9%", 4, scenarios.Pass},
		{"errors <= 0.1%", 10, scenarios.Inconclusive},
		{"errors <= 0.1%", 4, scenarios.Pass},
		{"errors <= 0.1%", 11, scenarios.Fail},
		{"errors < 0.3%", 30, scenarios.Fail},
		{"errors < 0.3%", 29, scenarios.Inconclusive},
		{"errors < 0.3%", 20, scenarios.Pass},
		{"errors <= 0%", 0, scenarios.Pass},
		{"errors <= 0%", 1, scenarios.Fail},
		{"availability >= 100%", 0, scenarios.Pass},
	} {
		t.Run(fmt.Sprintf("%s with %d", c.text, c.bad), func(t *testing.T) {
			r := verdictOn(t, c.text, 20*sec, slices.Concat(many(10000-c.bad, ms, okay), many(c.bad, ms, failure)))
			if r.Verdict != c.verdict {
				t.Errorf("%s, want %s", r.Verdict, c.verdict)
			}
		})
	}
}

// TestJudge_Minimum: with too few requests to show it, an objective never passes; it fails when the
// lower bound lies beyond the limit, and is inconclusive otherwise.
func TestJudge_Minimum(t *testing.T) {
	for _, c := range []struct {
		text      string
		good, bad int
		verdict   scenarios.Verdict
	}{
		{"errors < 1%", 299, 0, scenarios.Pass},
		{"errors < 1%", 298, 0, scenarios.Inconclusive},
		{"errors < 1%", 1, 0, scenarios.Inconclusive},
		{"errors < 1%", 295, 3, scenarios.Inconclusive}, // 1.007 % of 298 shows nothing
		{"errors < 1%", 90, 10, scenarios.Fail},         // 10 of 100: no less than 5.5 %
		{"errors < 1%", 0, 1, scenarios.Fail},           // 1 of 1: no less than 5 %
		{"errors < 10%", 0, 1, scenarios.Inconclusive},
		{"errors < 1%", 295, 4, scenarios.Fail}, // enough: the measured value counts
		{"availability > 99%", 298, 0, scenarios.Inconclusive},
		{"availability > 99%", 299, 0, scenarios.Pass},
		{"availability > 99.99%", 29955, 0, scenarios.Inconclusive},
		{"availability > 99.99%", 29956, 0, scenarios.Pass},
		{"within(100ms) > 99%", 298, 0, scenarios.Inconclusive},
		{"p95 < 100ms", 199, 0, scenarios.Inconclusive}, // nine above it
		{"p95 < 100ms", 200, 0, scenarios.Pass},
		{"p95 < 100ms", 80, 20, scenarios.Fail},
		{"p99 < 100ms", 999, 0, scenarios.Inconclusive},
		{"p99 < 100ms", 1000, 0, scenarios.Pass},
		{"p99.9 < 100ms", 9999, 0, scenarios.Inconclusive},
		{"p99.9 < 100ms", 10000, 0, scenarios.Pass},
		{"p50 > 100ms", 19, 0, scenarios.Fail}, // 19 of 19 were faster
		{"p50 > 100ms", 3, 0, scenarios.Inconclusive},
		{"p50 > 100ms", 0, 3, scenarios.Inconclusive},
		{"errors = 0%", 3, 0, scenarios.Pass}, // facts about this run
		{"errors = 0%", 9999, 1, scenarios.Fail},
		{"checks = 100%", 9999, 1, scenarios.Fail},
		{"availability = 100%", 1, 0, scenarios.Pass},
		{"burn(99%, 1m) < 1", 298, 0, scenarios.Inconclusive},
		{"burn(99%, 1m) < 1", 299, 0, scenarios.Pass},
		{"burn(99%, 1m) < 1", 80, 20, scenarios.Fail},
	} {
		t.Run(fmt.Sprintf("%s with %d good and %d bad", c.text, c.good, c.bad), func(t *testing.T) {
			r := verdictOn(t, c.text, 20*sec, slices.Concat(many(c.good, 50*ms, okay), many(c.bad, 50*ms, failure)))
			if r.Verdict != c.verdict {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Note, c.verdict)
			}
			if r.Verdict == scenarios.Inconclusive && r.Note == "" {
				t.Error("it does not say why")
			}
		})
	}
	for _, c := range []struct {
		text string
		need int64
	}{
		{"errors < 1%", 299},
		{"availability > 99.99%", 29956},
		{"availability > 99.9%", 2995},
		{"p95 < 1s", 200},
		{"p99 < 1s", 1000},
		{"p99.9 < 1s", 10000},
		{"p99.99 < 1s", 100000},
		{"errors <= 0%", 1},
		{"shed < 5%", 59},
		{"checks > 99%", 299},
		{"within(1s) >= 99%", 299},
	} {
		if n, ok := requests.Need(parseObjectives(t, c.text)[0]); !ok || n != c.need {
			t.Errorf("%s needs %d, %t; want %d", c.text, n, ok, c.need)
		}
	}
	for _, text := range []string{
		"rate > 5/s", "timeouts = 0", "max < 1s", "errors > 50%", "slices(1s, 99%) > 99%", "errors <= 100%",
	} {
		if n, ok := requests.Need(parseObjectives(t, text)[0]); ok {
			t.Errorf("%s needs %d, want no number", text, n)
		}
	}
}

// TestJudge_Empty: a phase without a sample is inconclusive for every objective.
func TestJudge_Empty(t *testing.T) {
	all := func(from, to time.Duration) []scenarios.Outcome {
		var out []scenarios.Outcome
		for at := from; at < to; at += 10 * ms {
			o := request(at, ms, okay)
			out = append(out, o, iteration(o))
		}
		return out
	}
	metrics := []string{
		"errors < 50%", "errors > 50%", "availability > 1%", "p50 < 1h", "p50 > 1ms", "max < 1h", "timeouts = 0",
		"rate < 5000/s", "shed < 5%", "burn(99%, 1s) < 5", "slices(1s, 1%) > 1%", "checks > 1%", "within(1h) > 1%",
	}
	for _, m := range metrics {
		for _, phase := range []string{"f", "recovery/f", "f#2"} {
			t.Run(m+" in "+phase, func(t *testing.T) {
				o := parseObjectives(t, m+" in "+phase)
				g := newFixture(t, oneStep, o...)
				g.play(slices.Concat(all(0, 20*sec), all(40*sec, 60*sec)), action{25 * sec, func() { g.Inject("f", "f") }},
					action{30 * sec, func() { g.Clear(0) }})
				met := []judge.Occurrence{{NoTraffic: new(false)}} // the link of f had traffic, though none of the load
				r := g.finish(judge.Case{
					SLO: o, Occurrences: met,
					Loads: []requests.Span{{From: 0, To: 20 * sec}, {From: 40 * sec, To: 60 * sec}}[:1],
				}, 0).Objectives[0]
				if r.Verdict != scenarios.Inconclusive || r.Note == "" {
					t.Errorf("%s, %q", r.Verdict, r.Note)
				}
			})
		}
	}
}

// TestJudge_Rate counts iterations by the intended time, over the time in which the loads could
// begin some.
func TestJudge_Rate(t *testing.T) {
	series := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "a", Closed: false}, {Name: "b", Closed: true}},
		Steps: []measure.SeriesStep{{Name: "x", Load: 0}, {Name: "y", Load: 0}, {Name: "x", Load: 1}},
	}
	objectives := parseObjectives(t, "rate > 1/s", "rate > 1/s of load a", "rate > 1/s of load b", "rate > 1/s of x",
		"rate > 1/s of y", "rate > 1/s in f",
		"rate > 1/s of load b in f", "rate < 1000/s of load b in f", "rate > 1/s of iteration")
	g := newFixture(t, series, objectives...)
	var all []scenarios.Outcome
	add := func(load, step int32, at, d time.Duration) {
		o := request(at, d, okay)
		o.Load, o.Step = load, step
		all = append(all, o)
	}
	for at := time.Duration(0); at < 30*sec; at += 100 * ms { // a: 10/s for 30 s, two steps
		add(0, 0, at, ms)
		add(0, 1, at, ms)
		add(0, scenarios.IterationStep, at, 2*ms)
	}
	for at := 20 * sec; at < 25*sec; at += 10 * ms { // b: 100/s for 5 s of its 20, then it is blocked
		add(1, 2, at, 3*sec)
		add(1, scenarios.IterationStep, at, 3*sec)
	}
	g.play(all, action{25 * sec, func() { g.Inject("f", "f") }}, action{35 * sec, func() { g.Clear(0) }})
	f := g.finish(judge.Case{
		SLO: objectives, Loads: []requests.Span{{From: 0, To: 30 * sec}, {From: 20 * sec, To: 40 * sec}},
	}, 0)
	for i, want := range []float64{800. / 40, 10, 25, 800. / 40, 10, 50. / 10, 0, 0, 20} {
		o := f.Objectives[i]
		if math.Abs(float64(o.Measured)-want) > 1e-9 {
			t.Errorf("%s: %v, want %g", o.Text, o.Measured, want)
		}
		verdict := scenarios.Pass
		switch i {
		case 6:
			verdict = scenarios.Fail // the load ran, and no iteration began
		case 7:
			verdict = scenarios.Inconclusive // no iteration began: an upper bound does not pass
		}
		if o.Verdict != verdict {
			t.Errorf("%s: %s (%s), want %s", o.Text, o.Verdict, o.Note, verdict)
		}
	}
}

// TestJudge_Scope: an objective selects all steps, one step, one load, or the pseudo-step iteration.
func TestJudge_Scope(t *testing.T) {
	series := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "a", Closed: false}, {Name: "b", Closed: false}},
		Steps: []measure.SeriesStep{{Name: "read", Load: 0}, {Name: "write", Load: 0}, {Name: "read", Load: 1}},
	}
	texts := []string{
		"errors < 1%", "errors < 1% of read", "errors < 1% of write", "errors < 1% of load a", "errors < 1% of load b",
		"errors < 1% of iteration", "p50 < 20ms of iteration",
	}
	objectives := parseObjectives(t, texts...)
	g := newFixture(t, series, objectives...)
	var all []scenarios.Outcome
	for i := range 1000 {
		at := time.Duration(i) * 20 * ms
		for step := range int32(3) {
			o := request(at, 10*ms, okay)
			o.Step, o.Load = step, int32(series.Steps[step].Load)
			if i < []int{100, 50, 200}[step] {
				o.Kind, o.Cause = failure, scenarios.Timeout
			}
			all = append(all, o)
		}
		o := request(at, 5*sec, okay)
		o.Step, o.Think = scenarios.IterationStep, 5*sec-15*ms // think time is no response time
		if i < 3 {
			o.Kind = failure
		}
		all = append(all, o)
	}
	g.play(all)
	f := g.finish(judge.Case{SLO: objectives}, 20*sec)
	for i, want := range []float64{350. / 3000, 300. / 2000, .05, 150. / 2000, .2, .003, .015} {
		if o := f.Objectives[i]; math.Abs(float64(o.Measured)-want) > 1e-4*want {
			t.Errorf("%s: %v, want %g", o.Text, o.Measured, want)
		}
	}
	if f.Causes[scenarios.Timeout] != 350 {
		t.Errorf("%d timeouts, want 350", f.Causes[scenarios.Timeout])
	}
	if len(f.Errors) != 3 || f.Errors[0].Count != 200 || f.Errors[0].Load != "b" || f.Errors[0].Kind != "timeout" ||
		f.Errors[0].First != .01 {
		t.Errorf("errors: %+v", f.Errors)
	}
}

// TestJudge_Checks: checks is the share of checks that held, where each request whose checks could
// not be made counts as one failed check.
func TestJudge_Checks(t *testing.T) {
	checked := func(n int, kind scenarios.Kind, cause scenarios.Cause, checks, failed uint16) []scenarios.Outcome {
		out := many(n, ms, kind)
		for i := range out {
			out[i].Cause, out[i].Checks, out[i].Failed = cause, checks, failed
		}
		return out
	}
	good := checked(900, okay, scenarios.NoCause, 2, 0)
	for _, c := range []struct {
		name     string
		more     []scenarios.Outcome
		measured float64
		count    int64
		verdict  scenarios.Verdict
	}{
		{"all held", nil, 1, 1800, scenarios.Pass},
		{"one of two failed", checked(4, failure, scenarios.Check(0), 2, 1), 1804. / 1808, 1808, scenarios.Pass},
		{"more of them", checked(24, failure, scenarios.Check(0), 2, 1), 1824. / 1848, 1848, scenarios.Fail},
		{
			"a wrong status ends its checks", checked(200, failure, scenarios.Status(500), 1, 1), 1800. / 2000, 2000,
			scenarios.Fail,
		},
		{"no answer", checked(200, failure, scenarios.Timeout, 0, 0), 1800. / 2000, 2000, scenarios.Fail},
		{"not reached", checked(200, skipped, scenarios.NoCause, 0, 0), 1800. / 2000, 2000, scenarios.Fail},
		{
			"checked, and nothing to extract", checked(200, failure, scenarios.Extraction(1), 1, 0), 2000. / 2200, 2200,
			scenarios.Fail,
		},
		{"shed: it was to be refused", checked(200, shed, scenarios.NoCause, 0, 0), 1, 1800, scenarios.Pass},
	} {
		all := slices.Concat(good, c.more)
		if r := verdictOn(t, "checks > 99%", 20*sec, slices.Clone(all)); math.Abs(float64(r.Measured)-c.measured) > 1e-12 ||
			r.Count != c.count || r.Verdict != c.verdict {
			t.Errorf("%s: %s with %v of %d, want %s with %g of %d", c.name, r.Verdict, r.Measured, r.Count, c.verdict,
				c.measured, c.count)
		}
		if bad, all := verdictOn(t, "errors <= 0%", 20*sec, slices.Clone(all)),
			verdictOn(t, "checks >= 100%", 20*sec, slices.Clone(all)); bad.Verdict != all.Verdict {
			t.Errorf("%s: no errors is %s, and all checks is %s", c.name, bad.Verdict, all.Verdict)
		}
		// the running value is the same
		o := parseObjectives(t, "checks > 99%")
		g := newFixture(t, oneStep, o...)
		g.play(all)
		_, second := g.Interval()
		if holds, _ := judge.HoldsIn(second, o[0]); holds != (c.verdict == scenarios.Pass) {
			t.Errorf("%s: in the last second it holds: %t", c.name, holds)
		}
	}
	o, none := parseObjectives(t, "checks > 99%"), checked(400, failure, scenarios.Refused, 0, 0)
	g := newFixture(t, oneStep, o...)
	g.play(none)
	_, second := g.Interval()
	if holds, known := judge.HoldsIn(second, o[0]); holds || !known {
		t.Errorf("no answer at all: in the last second it holds: %t, known: %t", holds, known)
	}
	if r := verdictOn(t, "checks > 99%", 20*sec, none); r.Verdict != scenarios.Fail || r.Measured != 0 || r.Count != 400 {
		t.Errorf("no answer at all: %s with %v of %d", r.Verdict, r.Measured, r.Count)
	}
}

// TestJudge_Timeouts: timeouts is a count.
func TestJudge_Timeouts(t *testing.T) {
	all := many(400, ms, okay)
	for i := range 3 {
		all[i].Kind, all[i].Cause = failure, scenarios.Timeout
	}
	for text, want := range map[string]scenarios.Verdict{
		"timeouts = 3": scenarios.Pass, "timeouts <= 3": scenarios.Pass, "timeouts < 3": scenarios.Fail,
		"timeouts = 0": scenarios.Fail,
	} {
		if r := verdictOn(t, text, 20*sec, slices.Clone(all)); r.Verdict != want {
			t.Errorf("%s: %s with %v, want %s", text, r.Verdict, r.Measured, want)
		}
	}
}

// TestJudge_Strict: an interval that contains the target makes a strict verdict inconclusive.
func TestJudge_Strict(t *testing.T) {
	for _, c := range []struct {
		text    string
		bad     int
		plain   scenarios.Verdict
		verdict scenarios.Verdict
	}{
		{"errors < 1%", 10, scenarios.Pass, scenarios.Pass},
		{"errors < 1%", 38, scenarios.Pass, scenarios.Inconclusive},
		{"errors < 1%", 45, scenarios.Inconclusive, scenarios.Inconclusive},
		{"errors < 1%", 55, scenarios.Fail, scenarios.Inconclusive},
		{"errors < 1%", 100, scenarios.Fail, scenarios.Fail},
		{"availability > 99%", 38, scenarios.Pass, scenarios.Inconclusive},
		{"p99 < 10ms", 45, scenarios.Pass, scenarios.Inconclusive}, // its upper end is infinite
		{"p99 < 10ms", 10, scenarios.Pass, scenarios.Pass},
		{"timeouts = 0", 10, scenarios.Pass, scenarios.Pass}, // it has no interval
	} {
		for _, strict := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s with %d of 5000, strict %t", c.text, c.bad, strict), func(t *testing.T) {
				o := parseObjectives(t, c.text)
				g := newFixture(t, oneStep, o...)
				g.play(slices.Concat(many(5000-c.bad, ms, okay), many(c.bad, ms, failure)))
				r := g.finish(judge.Case{SLO: o, Strict: strict}, 20*sec).Objectives[0]
				want := c.plain
				if strict {
					want = c.verdict
				}
				if r.Verdict != want {
					t.Errorf("%s [%v, %v], want %s", r.Verdict, r.Low, r.High, want)
				}
			})
		}
	}
}

// TestJudge_Worst: an objective on a fault that occurred several times takes the worst occurrence,
// and one on a single occurrence takes that.
func TestJudge_Worst(t *testing.T) {
	texts := []string{
		"errors < 30% in f", "errors < 10% in f", "errors < 10% in f#1", "errors < 10% in f#3", "max < 1h in f",
		"timeouts = 0 in f", "availability > 50% in f",
	}
	o := parseObjectives(t, texts...)
	g := newFixture(t, oneStep, o...)
	var all []scenarios.Outcome
	for i := range 6000 {
		r := request(time.Duration(i)*10*ms, ms, okay)
		if at := r.Intended; at >= 20*sec && at < 25*sec && i%5 == 0 || at >= 40*sec && at < 45*sec && i%25 == 0 {
			r.Kind, r.Cause = failure, scenarios.Timeout
		}
		all = append(all, r)
	}
	var actions []action
	for i := range 3 {
		at := time.Duration(i+1)*20*sec - 10*sec // 10, 30, 50
		if i > 0 {
			at = time.Duration(i) * 20 * sec // 20, 40
		}
		actions = append(actions, action{at, func() { g.Inject("f", fmt.Sprintf("f#%d", i+1)) }},
			action{at + 5*sec, func() { g.Clear(i) }})
	}
	g.play(all, actions...)
	f := g.finish(judge.Case{SLO: o}, 60*sec)
	for i, want := range []struct {
		phase   string
		verdict scenarios.Verdict
	}{
		{"f#2", scenarios.Pass},
		{"f#2", scenarios.Fail},
		{"f#1", scenarios.Pass},
		{"f#3", scenarios.Pass},
		{"f#2", scenarios.Fail},
		{"f#2", scenarios.Fail},
		{"f#2", scenarios.Pass},
	} {
		if r := f.Objectives[i]; r.Phase.String() != want.phase || r.Verdict != want.verdict {
			t.Errorf("%s: %s in %s, want %s in %s", r.Text, r.Verdict, r.Phase, want.verdict, want.phase)
		}
	}
	if m := f.Objectives[5].Measured; m != 100 {
		t.Errorf("the worst has %v timeouts, want 100", m)
	}
}

// TestLimit: objectives on errors do not change what counts as bad; judge.limit alone does. A tenth of
// a percent would otherwise be harm where the budget is tight, and half of all requests none where it is
// wide.
func TestLimit(t *testing.T) {
	some := func(share int) func(time.Duration) bool {
		return func(at time.Duration) bool { return between(30*sec, 45*sec)(at) && int(at/(5*ms))*619%1000 < share }
	}
	for _, c := range []struct {
		slo   string
		limit float64
		share int // bad requests of 1000
		want  result.Impact
	}{
		{"errors < 0.1%", 0, 4, result.NotImpacted},
		{"errors < 60%", 0, 500, result.Impacted},
		{"errors < 60%", .6, 500, result.NotImpacted},
		{"availability > 50%", .005, 100, result.Impacted},
	} {
		f := drill(t, parseObjectives(t, c.slo), judge.Case{Limit: c.limit}, outage(some(c.share)),
			injection{"f", "f", 30 * sec, 40 * sec}).Faults[0]
		if f.Impact != c.want {
			t.Errorf("%s, limit %g, %d of 1000 bad: %s (%s), want %s", c.slo, c.limit, c.share, f.Impact, f.Note, c.want)
		}
	}
}

// TestPhases_AfterFault: the recovery lasts for a hold after the last bad request, up to the next
// injection, and is never empty; the rest lasts up to the next injection or the end.
func TestPhases_AfterFault(t *testing.T) {
	const next = 70 * sec
	for _, c := range []struct {
		name               string
		bad                func(time.Duration) bool
		recovery, rest     float64 // ends
		requests, failures int64   // of the recovery
	}{
		{"good all along", between(0, 0), 50, 70, 2000, 0},
		{"bad until the clearing", between(30*sec, 40*sec), 50, 70, 2000, 0},
		{"bad for longer", between(30*sec, 45500*ms), 56, 70, 3200, 1100},
		{"a hold does not fit in", between(30*sec, 66*sec), 70, 70, 6000, 5200},
		{"bad up to the next", between(30*sec, 80*sec), 70, 70, 6000, 6000},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parseObjectives(t, "errors < 1% in rest/f", "errors < 1% in recovery/f")
			f := drill(t, o, judge.Case{}, outage(c.bad), injection{"f", "f", 30 * sec, 40 * sec},
				injection{"g", "g", next, next + 5*sec})
			for _, p := range f.Phases {
				if want, has := map[string]float64{"recovery/f": c.recovery, "rest/f": c.rest}[p.Name.String()]; has &&
					(p.Start != 40 || float64(p.End) != want) {
					t.Errorf("%s from %v to %v, want 40 to %g", p.Name, p.Start, p.End, want)
				}
			}
			if n := cellOf(t, f, "rest/f", "read", "*").Count; n != 6000 {
				t.Errorf("%d requests in rest/f, want 6000", n)
			}
			if n := cellOf(t, f, "recovery/f", "read", "*").Count; n != c.requests {
				t.Errorf("%d requests in recovery/f, want %d", n, c.requests)
			}
			if c.failures > 0 {
				if n := cellOf(t, f, "recovery/f", "read", "error").Count; n != c.failures {
					t.Errorf("%d errors in recovery/f, want %d", n, c.failures)
				}
			}
			if o := f.Objectives[1]; (o.Verdict == scenarios.Pass) != (c.failures == 0) {
				t.Errorf("%s: %s (%s)", o.Text, o.Verdict, o.Note)
			}
		})
	}
}

// TestAbsent: code can tell that an objective has no answer because its phase did not occur.
func TestAbsent(t *testing.T) {
	o := parseObjectives(t, "errors < 1% in g", "recover < 5s after g", "recover.p50 < 5s after g", "recover < 60s after f",
		"recover.p50 < 60s after f", "errors < 90% in f", "recover < 60s after incident")
	f := drill(t, o, judge.Case{}, outage(between(30*sec, 35*sec)), injection{"f", "f", 30 * sec, 40 * sec})
	for i, want := range []result.Why{result.Absent, result.Absent, result.Absent, "", "", "", ""} {
		if r := f.Objectives[i]; r.Why != want || (r.Verdict == scenarios.Inconclusive) != (i < 3 || i == 4) {
			t.Errorf("%s is %s, %q: %s", r.Text, r.Verdict, r.Why, r.Note)
		}
	}
}
