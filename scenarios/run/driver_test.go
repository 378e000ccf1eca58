package run_test

import (
	"os"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
	"brunt/targets"
)

// toy is a driver whose requests all take a millisecond and reach no target.
type toy struct {
	now  func() time.Duration
	step int32
}

// toyDriver describes the toy: a driver needs only this and its line in driver.All.
func toyDriver() driver.Descriptor {
	return driver.Descriptor{
		Engine: "toy", Version: "toy 1.0",
		Check: func(d *driver.Draft) {
			if d.Schedule.Closed() {
				d.Mistakes.Add(d.Load.Of("executor"), "the toy follows a rate")
			}
		},
		Prepare: func(s *driver.Setup) (driver.Job, targets.Transport, error) {
			s.Run.Engine = &toy{now: s.Run.Now, step: s.Run.Flows[0].Steps[0].Index}
			return s.Run, nil, nil
		},
	}
}

// Attack implements load.Engine.
func (y *toy) Attack(next func() (scenarios.Arrival, bool), record func(scenarios.Arrival, *scenarios.Outcome)) bool {
	for {
		a, ok := next()
		if !ok {
			return false
		}
		sent := y.now()
		record(a, &scenarios.Outcome{
			Kind: scenarios.OK, Step: y.step, Slot: sent, Sent: sent, First: sent + time.Millisecond,
			End: sent + time.Millisecond, WasSent: true, Answered: true,
		})
	}
}

var _ load.Engine = (*toy)(nil)

// TestDriver_Toy adds a driver by its descriptor alone: its load is checked, driven, measured,
// judged and named in the result.
func TestDriver_Toy(t *testing.T) {
	t.Parallel()
	s := newServer(t, "serve")
	compile := func(executor string) (*plan.Plan, error) {
		sc, err := scenarios.Parse(scenario(t, `
version: 1
name: by a toy
target: {url: "http://`+s.addr+`"}
load:
  toyed: {engine: toy, `+executor+`, duration: 1s, flow: [{name: play, get: /}]}
slo: ["errors <= 0%", "p95 < 500ms"]
`), scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return plan.Compile(sc, plan.CompileOptions{
			Self: []string{os.Args[0], "role"}, Drivers: append([]driver.Descriptor{toyDriver()}, driver.All()...),
		})
	}
	if _, err := compile("executor: constant-vus, vus: 1"); err == nil {
		t.Error("the toy's own check was not asked")
	}
	p, err := compile("executor: constant-arrival-rate, rate: 300/s")
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Loads) == 0 {
		t.Fatal(res.Reason)
	}
	if n := res.Generator.Offered; n != 300 || res.Loads[0].Engine != "toy 1.0" {
		t.Errorf("%d requests by %q", n, res.Loads[0].Engine)
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Pass {
			t.Errorf("%s: %s (%s)", o.Text, o.Verdict, o.Note)
		}
	}
}
