package judge_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// slowed judges an objective on a load of 100/s: 20 s before a fault whose answers take times drawn by before, then 20
// s in it.
func slowed(t *testing.T, text string, before, during func(*rand.Rand) time.Duration) result.ObjectiveResult {
	t.Helper()
	o := parseObjectives(t, text)
	r, rnd := newFixture(t, oneStep, o...), rand.New(rand.NewPCG(7, 7))
	var outcomes []scenarios.Outcome
	for at := time.Duration(0); at < 40*sec; at += 10 * ms {
		draw := before
		if at >= 20*sec {
			draw = during
		}
		one := request(at, draw(rnd), okay)
		outcomes = append(outcomes, one, iteration(one))
	}
	in := 0
	r.play(outcomes, action{20 * sec, func() { in, _ = r.Inject("slow", "slow") }},
		action{40 * sec, func() { r.Clear(in) }})
	return r.finish(judge.Case{SLO: o}, 40*sec).Objectives[0]
}

// TestJudge_Relative: an objective that is a multiple of another phase is held to that value, where its interval does
// not matter.
func TestJudge_Relative(t *testing.T) {
	even := func(most time.Duration) func(*rand.Rand) time.Duration {
		return func(rnd *rand.Rand) time.Duration { return time.Duration(rnd.Float64() * float64(most)) }
	}
	for _, c := range []struct {
		text    string
		verdict scenarios.Verdict
		target  float64 // of times that lie evenly between 0 and 100 ms before the fault
		within  float64
	}{
		{"p95 < 130% of baseline in slow", scenarios.Fail, 1.3 * .095, .004}, // 190 ms
		{"p95 < 1.3x of baseline in slow", scenarios.Fail, 1.3 * .095, .004},
		{"p95 < 250% of baseline in slow", scenarios.Pass, 2.5 * .095, .007},
		// another baseline would have said so, or not
		{"p95 < 200% of baseline in slow", scenarios.Inconclusive, 2 * .095, .006},
		{"p50 > 150% of baseline in slow", scenarios.Pass, 1.5 * .05, .006},
		{"mean < 250% of baseline in slow", scenarios.Pass, 2.5 * .05, .005},
		{"mean < 150% of baseline in slow", scenarios.Fail, 1.5 * .05, .003},
		{"within(80ms) > 0.9x of baseline in slow", scenarios.Fail, .9 * .8, .02}, // 40 % of those in the fault
		{"within(80ms) > 0.3x of baseline in slow", scenarios.Pass, .3 * .8, .01},
		{"goodput > 90% of baseline in slow", scenarios.Pass, 90, 1.1},
		{"p95 < 60% of slow in baseline", scenarios.Pass, .6 * .19, .005},
		{"p95 < 40% of slow in baseline", scenarios.Fail, .4 * .19, .005},
	} {
		r := slowed(t, c.text, even(100*ms), even(200*ms))
		if r.Verdict != c.verdict || math.Abs(float64(r.Target)-c.target) > c.within || r.Reference == nil {
			t.Errorf("%s is %s with target %v, want %s and %v: %+v", c.text, r.Verdict, r.Target, c.verdict, c.target, r)
		}
	}
}

// TestJudge_RelativeIsRepeatable: of a target that does not change, a multiple that is just the size of chance is no
// verdict in either direction: the interval of the reference covers it.
func TestJudge_RelativeIsRepeatable(t *testing.T) {
	var drawn []float64
	slow := func(rnd *rand.Rand) time.Duration {
		d := rnd.ExpFloat64() * .05
		drawn = append(drawn, d)
		return time.Duration(d * float64(sec))
	}
	r := slowed(t, "p99 < 100% of baseline in slow", slow, slow)
	if r.Verdict != scenarios.Inconclusive || !strings.Contains(r.Note, "more requests in it tell it more exactly") {
		t.Errorf("%s: %s", r.Verdict, r.Note)
	}
	// Of 2000 independent requests, 12 to 31 lie beyond the true p99 in 95 % of the cases (binomial).
	baseline := slices.Sorted(slices.Values(drawn[:2000]))
	if low, high := float64(r.Reference.Low),
		float64(r.Reference.High); low < baseline[2000-36] || low > baseline[2000-27] ||
		high < baseline[2000-15] || high > baseline[2000-7] {
		t.Errorf("p99 of the baseline lies between %v and %v; order statistics say %v and %v", low, high, baseline[2000-31],
			baseline[2000-12])
	}
}

// TestJudge_RelativeToNothing: a reference that says nothing gives no verdict, and says why.
func TestJudge_RelativeToNothing(t *testing.T) {
	play := func(text string, outcomes ...[]scenarios.Outcome) result.ObjectiveResult {
		o := parseObjectives(t, text)
		two := measure.Series{
			Loads: []measure.SeriesLoad{{Name: "stable"}, {Name: "canary"}},
			Steps: []measure.SeriesStep{{Name: "a"}, {Name: "b", Load: 1}},
		}
		r := newFixture(t, two, o...)
		all := slices.Concat(outcomes...)
		r.play(all)
		return r.finish(judge.Case{SLO: o}, 20*sec).Objectives[0]
	}
	second := func(list []scenarios.Outcome) []scenarios.Outcome {
		for i := range list {
			list[i].Load, list[i].Step = 1, 1
		}
		return list
	}
	for _, c := range []struct {
		text    string
		stable  []scenarios.Outcome
		canary  []scenarios.Outcome
		verdict scenarios.Verdict
		note    string
	}{
		{
			"p95 < 150% of load stable of load canary", many(1000, 10*ms, okay), second(many(1000, 12*ms, okay)), scenarios.Pass,
			"load stable was 10",
		},
		{
			"p95 < 110% of load stable of load canary", many(1000, 10*ms, okay), second(many(1000, 12*ms, okay)), scenarios.Fail,
			"load stable was 10",
		},
		{
			"p95 < 150% of load stable of load canary", many(30, 10*ms, okay), second(many(1000, 12*ms, okay)),
			scenarios.Inconclusive, "30 requests, but at least",
		},
		{
			"p95 < 150% of load stable of load canary", many(100, 10*ms, failure), second(many(1000, 12*ms, okay)),
			scenarios.Inconclusive, "infinite",
		},
		{
			"p95 < 150% of load stable of load canary", nil, second(many(1000, 12*ms, okay)), scenarios.Inconclusive,
			"no request in run",
		},
		{
			"errors < 2x of load stable of load canary", many(100, 10*ms, okay), second(many(100, 10*ms, okay)),
			scenarios.Inconclusive, "want <=",
		},
		{
			"errors < 2x of load stable of load canary", many(100, 10*ms, okay),
			second(slices.Concat(many(98, 10*ms, okay), many(2, ms, failure))), scenarios.Inconclusive, "which decides",
		},
		{
			"errors <= 2x of load stable of load canary", many(5000, 10*ms, okay), second(many(500, 10*ms, failure)),
			scenarios.Fail, "load stable was 0%",
		},
	} {
		r := play(c.text, c.stable, c.canary)
		if r.Verdict != c.verdict || !strings.Contains(r.Note, c.note) {
			t.Errorf("%s is %s (%s), want %s (%s)", c.text, r.Verdict, r.Note, c.verdict, c.note)
		}
	}
}
