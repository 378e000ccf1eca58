package run

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestStarved: the share of requests without a port from which a run is invalid.
func TestStarved(t *testing.T) {
	pass, fail := []result.ObjectiveResult{{Verdict: scenarios.Pass}},
		[]result.ObjectiveResult{{Verdict: scenarios.Pass}, {Verdict: scenarios.Fail}}
	for _, c := range []struct {
		name       string
		shares     map[slo.Phase]float64
		causes     map[scenarios.Cause]int64
		objectives []result.ObjectiveResult
		want       string
	}{
		{"nothing", nil, map[scenarios.Cause]int64{scenarios.Timeout: 50}, fail, ""},
		{
			"the target held every slot of the load",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: 0},
			map[scenarios.Cause]int64{scenarios.Timeout: 295_000, scenarios.Unsent: 5},
			fail, "",
		},
		{
			"brunt itself used up the timeout of some",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .2},
			map[scenarios.Cause]int64{scenarios.Timeout: 236_000, scenarios.Unsent: 59_000},
			fail, "59000 requests were never sent: brunt itself was late by more than their timeout",
		},
		{
			"few, and all held",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .005},
			map[scenarios.Cause]int64{scenarios.NoPort: 5},
			pass, "",
		},
		{
			"few, and one failed",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .005},
			map[scenarios.Cause]int64{scenarios.NoPort: 5, scenarios.Timeout: 45},
			fail, "5 requests found no port",
		},
		{
			"few among many errors",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .005},
			map[scenarios.Cause]int64{scenarios.NoPort: 5, scenarios.Timeout: 46},
			fail, "",
		},
		{
			"many, and all held",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .011},
			map[scenarios.Cause]int64{scenarios.NoSocket: 11},
			pass,
			"11 requests found no socket",
		},
		{
			"many in a phase",
			map[slo.Phase]float64{{Kind: slo.RunPhase}: .001, slo.ParsePhase("x"): .5},
			map[scenarios.Cause]int64{scenarios.NoSocket: 11, scenarios.Timeout: 1000},
			fail, "11 requests found no socket",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g result.Generator
			g.Add(starved(&judge.Findings{Starved: c.shares, Causes: c.causes, Objectives: c.objectives}, &g)...)
			got := g.Limits
			if said := strings.Join(got, "\n"); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
				t.Errorf("got %q, want %q", said, c.want)
			}
		})
	}
}

// TestLate_ManyPhases: of many phases with lag the worst are named, and the others are counted.
func TestLate_ManyPhases(t *testing.T) {
	f := &judge.Findings{LagByPhase: map[slo.Phase]judge.PhaseLag{slo.ParsePhase("good"): {P99: .001, Low: .001}}}
	for i := range 300 {
		lag := .02 + float64(i)/1000
		f.LagByPhase[slo.Phase{Kind: slo.FaultPhase, Fault: "f", Occurrence: i}] = judge.PhaseLag{P99: lag, Low: lag}
	}
	var g result.Generator
	g.Add(late(f, &g, lagMost)...)
	got := g.Limits
	if len(got) != mostLate+1 || !strings.HasPrefix(got[0], "p99 lag 319ms in f#299 is over 10ms") ||
		!strings.HasPrefix(got[mostLate], "p99 lag is over 10ms in 295 more phases: ") ||
		!GeneratorLate(&result.Result{Generator: g}) || len(g.Limited) != len(got) ||
		g.Limited[0].Phase != slo.ParsePhase("f#299") || g.Limited[0].Value != .319 || g.Limited[mostLate].Phases != 295 {
		t.Errorf("%q", got)
	}
}

// TestLate_FreezeElsewhere: a freeze of brunt explains the lag of the phase in which it was, and no other.
func TestLate_FreezeElsewhere(t *testing.T) {
	baseline, fault := slo.ParsePhase("baseline"), slo.ParsePhase("f")
	f := &judge.Findings{
		LagByPhase: map[slo.Phase]judge.PhaseLag{baseline: {P99: 2, Low: 2}, fault: {P99: 2, Low: 2}},
		Phases:     []result.Phase{{Name: baseline, Start: 0, End: 10}, {Name: fault, Start: 48, End: 60}},
	}
	g := result.Generator{Freezes: []result.Freeze{{T: 47, D: 10}}}
	for _, l := range late(f, &g, lagMost) {
		if stood := l.Remedy == result.RunToTheEnd; stood != (l.Phase == fault) {
			t.Errorf("%s: %s", l.Phase, l.Sentence)
		}
	}
}
