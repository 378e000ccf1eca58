package judge_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
)

// perSecond makes rate requests per second in a span.
func perSecond(rate int, from, to, d time.Duration, kind scenarios.Kind) []scenarios.Outcome {
	var out []scenarios.Outcome
	for at := from; at < to; at += sec / time.Duration(rate) {
		out = append(out, request(at, d, kind))
	}
	return out
}

// oneIn makes 100 requests a second for 20 s of which one in n fails.
func oneIn(n int) []scenarios.Outcome {
	out := perSecond(100, 0, 20*sec, ms, okay)
	for i := 0; i < len(out); i += n {
		out[i] = request(out[i].Intended, ms, failure)
	}
	return out
}

// TestBurn: burn = errors / (1 - objective) over the worst span of the phase.
func TestBurn(t *testing.T) {
	bad := func(from, to time.Duration) []scenarios.Outcome {
		return slices.Concat(perSecond(100, 0, from, ms, okay), perSecond(100, from, to, ms, failure),
			perSecond(100, to, 60*sec, ms, okay))
	}
	for _, c := range []struct {
		name string
		text string
		all  []scenarios.Outcome
		want float64
	}{
		{"nothing bad", "burn(99%, 10s) < 1", bad(0, 0), 0},
		{"one second of ten", "burn(99%, 10s) < 1", bad(20*sec, 21*sec), .1 / .01},
		{"across two seconds", "burn(99%, 10s) < 1", bad(20500*ms, 21500*ms), .1 / .01},
		{"one second by the second", "burn(99%, 1s) < 1", bad(20*sec, 21*sec), 100},
		{"the whole is shorter than the span", "burn(99%, 5m) < 1", bad(20*sec, 26*sec), .1 / .01},
		{"spread over the minute", "burn(99%, 1m) < 1", bad(20*sec, 26*sec), .1 / .01},
		{"at the end", "burn(99%, 10s) < 1", bad(59*sec, 60*sec), .1 / .01},
		// errors are a share of all offered requests, including the shed
		{
			"with as many shed", "burn(99%, 10s) < 1", slices.Concat(bad(20*sec, 21*sec), perSecond(100, 0, 60*sec, ms, shed)),
			.05 / .01,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verdictOn(t, c.text, 60*sec, c.all)
			if math.Abs(float64(r.Measured)-c.want) > 1e-9 {
				t.Errorf("%v, want %g", r.Measured, c.want)
			}
			if want := map[bool]scenarios.Verdict{true: scenarios.Pass, false: scenarios.Fail}[c.want < 1]; r.Verdict != want {
				t.Errorf("%s, want %s", r.Verdict, want)
			}
		})
	}
}

// TestBurn_Baseline: requests in flight at the injection do not count in the baseline's budget.
func TestBurn_Baseline(t *testing.T) {
	o := parseObjectives(t, "burn(99%, 5s) < 1 in baseline", "burn(99%, 5s) < 1 in f", "slices(1s, 99%) > 99% in baseline")
	g := newFixture(t, oneStep, o...)
	g.play(slices.Concat(perSecond(100, 0, 19900*ms, ms, okay), perSecond(100, 19900*ms, 20*sec, sec, failure),
		perSecond(100, 20*sec, 40*sec, ms, okay)),
		action{20 * sec, func() { g.Inject("f", "f") }}, action{30 * sec, func() { g.Clear(0) }})
	f := g.finish(judge.Case{SLO: o}, 40*sec)
	if m := f.Objectives[0].Measured; m != 0 {
		t.Errorf("the baseline burnt %v", m)
	}
	if m := f.Objectives[1].Measured; !(m > 1) {
		t.Errorf("the fault burnt %v", m)
	}
	if m := f.Objectives[2].Measured; m != 1 {
		t.Errorf("good slices of the baseline: %v", m)
	}
}

// TestSlices: the share of slices whose ok/(offered - shed) reaches the target.
func TestSlices(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   string
		closed bool
		end    time.Duration
		all    []scenarios.Outcome
		want   float64
		n      int64
	}{
		{"all good", "slices(1s, 99%) > 99%", false, 20 * sec, perSecond(100, 0, 20*sec, ms, okay), 1, 20},
		{"at the target", "slices(1s, 99%) > 99%", false, 20 * sec, oneIn(100), 1, 20},
		{"under it", "slices(1s, 99%) > 99%", false, 20 * sec, oneIn(50), 0, 20},
		{
			"the shed are not available", "slices(1s, 99%) > 99%", false, 20 * sec,
			slices.Concat(oneIn(100), perSecond(500, 0, 20*sec, ms, shed)), 0, 20,
		},
		{
			"they do not help", "slices(1s, 99%) > 99%", false, 20 * sec,
			slices.Concat(oneIn(50), perSecond(500, 0, 20*sec, ms, shed)), 0, 20,
		},
		{
			"only shed: an outage", "slices(1s, 99%) > 99%", false, 20 * sec,
			slices.Concat(perSecond(10, 0, 10*sec, ms, okay), perSecond(10, 10*sec, 20*sec, ms, shed)), .5, 20,
		},
		{
			"three bad seconds", "slices(1s, 99%) > 99%", false, 20 * sec,
			slices.Concat(perSecond(100, 0, 5*sec, ms, okay), perSecond(100, 5*sec, 8*sec, ms, failure),
				perSecond(100, 8*sec, 20*sec, ms, okay)), .85, 20,
		},
		{
			"slices of five seconds", "slices(5s, 99%) > 99%", false, 20 * sec,
			slices.Concat(perSecond(100, 0, 4*sec, ms, okay), perSecond(100, 4*sec, 6*sec, ms, failure),
				perSecond(100, 6*sec, 20*sec, ms, okay)), .5, 4,
		},
		{
			"an open load offers nothing for a while", "slices(1s, 99%) > 99%", false, 20 * sec,
			slices.Concat(perSecond(1, 4500*ms, 5*sec, 6*sec, okay), perSecond(100, 0, 5*sec, ms, okay),
				perSecond(100, 10*sec, 20*sec, ms, okay)), 1, 15,
		},
		// its only user waits from 4.5 s to 10.5 s: seconds 5 to 9 are not good
		{
			"a closed load is blocked", "slices(1s, 99%) > 99%", true, 20 * sec,
			slices.Concat(perSecond(100, 0, 4500*ms, ms, okay), perSecond(1, 4500*ms, 4600*ms, 6*sec, okay),
				perSecond(100, 10500*ms, 20*sec, ms, okay)), .75, 20,
		},
		{"a closed load thinks", "slices(1s, 99%) > 99%", true, 20 * sec, perSecond(1, 0, 20*sec, ms, okay)[:5], 1, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parseObjectives(t, c.text)
			s := oneStep
			s.Loads = []measure.SeriesLoad{{Name: "browse", Closed: c.closed}}
			g := newFixture(t, s, o...)
			g.play(c.all)
			r := g.finish(judge.Case{SLO: o}, c.end).Objectives[0]
			if math.Abs(float64(r.Measured)-c.want) > 1e-9 || r.Count != c.n {
				t.Errorf("%v of %d, want %g of %d", r.Measured, r.Count, c.want, c.n)
			}
		})
	}
}

// worstSpan is the largest burn rate of a span of length d, by counting requests one by one: every span
// that begins or ends with a request, within the load.
func worstSpan(all []scenarios.Outcome, d, end time.Duration, share float64) float64 {
	worst := 0.0
	count := func(from time.Duration) {
		from = min(max(0, from), end-d)
		var n, bad float64
		for i := range all {
			if at := all[i].Intended; at >= from && at < from+d {
				n++
				if all[i].Kind == failure || all[i].Kind == skipped {
					bad++
				}
			}
		}
		if n > 0 {
			worst = max(worst, bad/n/(1-share))
		}
	}
	for i := range all {
		count(all[i].Intended)
		count(all[i].Intended + 1 - d)
	}
	return worst
}

// TestBurn_Exact: the span slides by requests and not by windows, wherever faults cut those.
func TestBurn_Exact(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 12))
		rate := []int{20, 50, 100}[seed%3]
		d := time.Duration(1+r.IntN(6)) * sec
		all := perSecond(rate, 0, 40*sec, ms, okay)
		for range 3 {
			from := time.Duration(r.Int64N(int64(35 * sec)))
			to := from + time.Duration(r.Int64N(int64(5*sec)))
			for i := range all {
				if at := all[i].Intended; at >= from && at < to && r.IntN(3) > 0 {
					all[i] = request(at, ms, []scenarios.Kind{failure, shed}[r.IntN(8)/7])
				}
			}
		}
		o := parseObjectives(t, fmt.Sprintf("burn(99%%, %s) < 1", d))
		g := newFixture(t, oneStep, o...)
		at := 10*sec + time.Duration(r.Int64N(int64(10*sec)))
		want := worstSpan(all, d, 40*sec, .99)
		g.play(all, action{at, func() { g.Inject("f", "f") }}, action{at + 7*sec, func() { g.Clear(0) }})
		got := float64(g.finish(judge.Case{SLO: o}, 40*sec).Objectives[0].Measured)
		if tolerance := 200 / (float64(rate) * d.Seconds()); math.Abs(got-want) > tolerance { // two requests
			t.Errorf("seed %d, %s at %d/s: %g, want %g", seed, d, rate, got, want)
		}
	}
}

// TestBurn_Cut: a window that a fault cuts short is no longer span.
func TestBurn_Cut(t *testing.T) {
	o := parseObjectives(t, "burn(99%, 5s) < 1")
	g := newFixture(t, oneStep, o...)
	all := perSecond(100, 0, 60*sec, ms, okay)
	for i := range all {
		if at := all[i].Intended; at >= 20990*ms && at < 24250*ms {
			all[i] = request(at, ms, failure)
		}
	}
	want := worstSpan(all, 5*sec, 60*sec, .99)
	g.play(all, action{20985 * ms, func() { g.Inject("f", "f") }}, action{25 * sec, func() { g.Clear(0) }})
	got := float64(g.finish(judge.Case{SLO: o}, 60*sec).Objectives[0].Measured)
	if math.Abs(want-65.2) > 1e-6 || math.Abs(got-want) > .2 {
		t.Errorf("%g, want %g and 65.2", got, want)
	}
}
