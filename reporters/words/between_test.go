package words

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// runOf returns a run with a verdict and objectives, each with its own.
func runOf(v scenarios.Verdict, objectives ...result.ObjectiveResult) *result.Result {
	return &result.Result{Verdict: v, Objectives: objectives}
}

func TestBetween(t *testing.T) {
	const pass, fail, open = scenarios.Pass, scenarios.Fail, scenarios.Inconclusive
	o := func(text string, v scenarios.Verdict) result.ObjectiveResult { return judged(t, text, .1, v) }
	for _, tt := range []struct {
		name string
		a, b *result.Result
		want string
	}{
		{
			"mended", runOf(fail, o("errors < 1%", fail), o("p95 < 1s", pass)),
			runOf(pass, o("errors < 1%", pass), o("p95 < 1s", pass)), "B passes, and A failed: errors < 1% holds now.",
		},
		{
			"broken and mended", runOf(fail, o("errors < 1%", fail), o("p95 < 1s", pass)),
			runOf(fail, o("errors < 1%", pass), o("p95 < 1s", fail)),
			"B fails, as A did: p95 < 1s is broken; errors < 1% holds now.",
		},
		{
			"a new objective", runOf(pass, o("errors < 1%", pass)),
			runOf(fail, o("errors < 1%", pass), o("p95 < 1s", fail)),
			"B fails, and A passed: p95 < 1s fails, and A did not ask.",
		},
		{
			"A could not tell", runOf(scenarios.Invalid, o("errors < 1%", open), o("p95 < 1s", scenarios.Invalid)),
			runOf(fail, o("errors < 1%", pass), o("p95 < 1s", fail)),
			"B fails, and A was invalid: p95 < 1s fails, and A could not tell; errors < 1% holds, and A could not tell.",
		},
		{
			"an objective is no longer asked for", runOf(fail, o("errors < 1%", fail), o("p95 < 1s", pass)),
			runOf(pass, o("p95 < 1s", pass)),
			"B passes, and A failed: errors < 1% failed in A and is no objective of B.",
		},
		{
			"not certain", runOf(pass, o("errors < 1%", pass)), runOf(open, o("errors < 1%", open)),
			"B is inconclusive, and A passed: errors < 1% is not certain.",
		},
		{
			"many", runOf(pass, o("errors < 1%", pass), o("p50 < 1s", pass), o("p90 < 1s", pass), o("p95 < 1s", pass),
				o("p99 < 1s", pass)), runOf(fail, o("errors < 1%", fail), o("p50 < 1s", fail), o("p90 < 1s", fail),
				o("p95 < 1s", fail), o("p99 < 1s", fail)),
			"B fails, and A passed: errors < 1%, p50 < 1s, p90 < 1s and 2 more are broken.",
		},
		{"nothing", runOf(pass, o("errors < 1%", pass)), runOf(pass, o("errors < 1%", pass)), "B passes, as A did."},
		{
			"one did not start", runOf(pass), &result.Result{
				Verdict: scenarios.Invalid, Reasons: []result.Reason{{Kind: result.NotStarted}},
			}, "B is not judged, and A passed.",
		},
		{
			"neither was judged", runOf(scenarios.None), runOf(scenarios.None),
			"B has no verdict, and A had no verdict.",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Between(tt.a, tt.b); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSides(t *testing.T) {
	pass, fail, open := runOf(scenarios.Pass), runOf(scenarios.Fail), runOf(scenarios.Inconclusive)
	for _, tt := range []struct {
		base, cand []*result.Result
		want       string
	}{
		{[]*result.Result{pass, pass}, []*result.Result{pass, pass}, ""},
		{[]*result.Result{fail, fail}, []*result.Result{fail, fail}, ""},
		{
			[]*result.Result{fail, fail, pass},
			[]*result.Result{pass, pass},
			"The candidate: 2 runs passed. The base: 2 runs failed, 1 run passed.",
		},
		{
			[]*result.Result{pass, pass},
			[]*result.Result{open, fail, open},
			"The candidate: 2 runs were inconclusive, 1 run failed. The base: 2 runs passed.",
		},
	} {
		if got := Sides(tt.base, tt.cand); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
