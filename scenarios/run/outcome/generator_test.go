package outcome

import (
	"strings"
	"testing"
	"time"

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
			g.Add(starved(&judge.Findings{Starved: c.shares, Causes: c.causes, Objectives: c.objectives}, &g, Machine{})...)
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
	g.Add(late(f, &g, lagMost, Machine{Procs: 2})...)
	got := g.Limits
	if len(got) != mostLate+1 || !strings.HasPrefix(got[0], "p99 lag 319ms in f#299 is over 10ms") ||
		!strings.HasPrefix(got[mostLate], "p99 lag is over 10ms in 295 more phases: ") ||
		!g.LateAlone() || len(g.Limited) != len(got) ||
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
	for _, l := range late(f, &g, lagMost, Machine{Procs: 2}) {
		if stood := l.Remedy == result.RunToTheEnd; stood != (l.Phase == fault) {
			t.Errorf("%s: %s", l.Phase, l.Sentence)
		}
	}
}

const lagMost = 10 * time.Millisecond

const crowdedOut = "It had little to do, so something else used the processors: give brunt one of its own."

// TestJudge_Freeze checks that a lag is put down to a freeze that explains it.
func TestJudge_Freeze(t *testing.T) {
	const stood = "Brunt itself stood still for 12s: it was stopped, or the machine was."
	freeze := []result.Freeze{{T: 1, D: .06}, {T: 20, D: 12.02}}
	for _, c := range []struct {
		name string
		g    result.Generator
		lag  float64
		want string
	}{
		{"a freeze", result.Generator{Freezes: freeze, CPU: .1}, 9, stood},
		{"a short freeze", result.Generator{Freezes: freeze[:1], CPU: .1}, .05, crowdedOut},
		{"more than the freeze", result.Generator{Freezes: freeze, CPU: .1}, 14, crowdedOut},
		{
			"a freeze for want of processors",
			result.Generator{Freezes: []result.Freeze{{T: 20, D: 3}}, CPU: .1, Pressure: .5},
			2, crowdedOut,
		},
		{"a freeze too long for that", result.Generator{Freezes: freeze, CPU: .1, Pressure: .9}, 9, stood},
		{"no freeze, and all cores", result.Generator{CPU: 1e3}, 9, "It used 1000.0 cores"},
	} {
		f := &judge.Findings{LagByPhase: map[slo.Phase]judge.PhaseLag{{Kind: slo.RunPhase}: {P99: c.lag, Low: c.lag}}}
		JudgeGenerator(&c.g, f, lagMost, Machine{Procs: 2})
		if len(c.g.Limits) != 1 || !strings.Contains(c.g.Limits[0], c.want) {
			t.Errorf("%s: %q, want %q", c.name, c.g.Limits, c.want)
		}
	}
}

// TestJudge_Quota checks that a quota that held brunt back is named as the cause of its lag, and one that hardly did is
// not.
func TestJudge_Quota(t *testing.T) {
	const named = "CPU quota of 0.2 cores held brunt back in 40% of the time"
	for _, c := range []struct {
		name string
		g    result.Generator
		want string
	}{
		{"a quota", result.Generator{CPU: .19, Pressure: .9, Quota: .2, Throttled: .4}, named},
		{"a quota that was used up once", result.Generator{CPU: .02, Quota: .2, Throttled: .012}, crowdedOut},
		{"a quota and short freezes", result.Generator{
			CPU: .19, Quota: .2, Throttled: .4,
			Freezes: []result.Freeze{{T: 2, D: 1.2}},
		}, named},
		{
			"stopped",
			result.Generator{CPU: .19, Quota: .2, Throttled: .4, Freezes: []result.Freeze{{T: 2, D: 12}}},
			"stood still for 12s",
		},
	} {
		f := &judge.Findings{LagByPhase: map[slo.Phase]judge.PhaseLag{{Kind: slo.RunPhase}: {P99: 1, Low: 1}}}
		JudgeGenerator(&c.g, f, lagMost, Machine{Procs: 2})
		if len(c.g.Limits) != 1 || !strings.Contains(c.g.Limits[0], c.want) {
			t.Errorf("%s: %q, want %q", c.name, c.g.Limits, c.want)
		}
	}
}
