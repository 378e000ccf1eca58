package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/slo"
)

func TestReduce(t *testing.T) {
	p, err := plantest.CompileText(`
version: 1
target: {stack: demo}
load:
  read: {executor: constant-arrival-rate, rate: 900/s, duration: 90s, flow: [{get: /}]}
  mixed: {executor: constant-vus, vus: 30, duration: 90s, mix: [{weight: 1, flow: [{get: /}, {think: 1s..2s}]}, {weight: 9, flow: [{get: /users}]}]}
chaos:
  crash: {at: 10s, every: 20s, repeat: 3, process.crash: {service: posts}}
  slow: {after: crash, for: 20s, network.latency: {from: posts, to: store, delay: 40ms}}
  pulse: {at: 1s, for: 20s, pulse: {on: 2s, off: 2s}, network.stall: {to: users}}
  group: {at: 30s, for: 9s, steps: [{network.stall: {to: users}}, {after: 3s, process.crash: {service: posts}}]}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	one, err := plan.ReduceToSmoke(p)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range timeline.Estimate(one.Faults, one.End()) {
		got = append(got, fmt.Sprint(e.Name, " ", e.At, " ", e.Clear))
	}
	// two flows at two a second, 2 s of pauses, 1 s; 1 s between faults
	want := []string{"crash 4s 9s", "slow 10s 15s", "pulse 16s 18s", "group 19s 28s"}
	if !slices.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
	if end := one.End(); end < 31*time.Second || end > 45*time.Second {
		t.Errorf("it lasts %s", end)
	}
	for i := range one.Loads {
		if lp := &one.Loads[i]; lp.Schedule.Closed() || lp.Schedule.Rate.At(time.Second) != 2 || !lp.InTurn {
			t.Errorf("load %s: %+v", lp.Name, lp.Schedule)
		}
	}
	if sc := one.Scenario; len(sc.SLO) != 1 || sc.SLO[0].Text != "errors = 0% in baseline" || len(sc.Steady) != 1 ||
		sc.Steady[0].Phase != (slo.Phase{}) {
		t.Errorf("objectives %+v, steady %+v", sc.SLO, sc.Steady)
	}
	if len(p.Scenario.SLO) != 0 || p.Faults[0].Repeat != 3 || p.Loads[0].Schedule.Rate.At(time.Second) != 900 {
		t.Error("the plan itself changed")
	}
}

func TestReduce_Refuses(t *testing.T) {
	p, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload: {a: {executor: constant-arrival-rate, " +
		"rate: 1/s, duration: 9s, flow: [{get: /}]}}\n")
	if err != nil {
		t.Fatal(err)
	}
	p.Loads[0].Schedule.Log = nil
	if _, err := plan.ReduceToSmoke(p); err != nil {
		t.Errorf("%v", err)
	}
	p.Loads[0].Script = new(plan.Script)
	if _, err := plan.ReduceToSmoke(p); err == nil || !strings.Contains(err.Error(), "is a script") {
		t.Errorf("%v, want a refusal", err)
	}
}
