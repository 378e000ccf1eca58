package plan

import (
	"strings"
	"testing"

	"brunt/chaos/timeline"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
)

// TestRepeatable: a process that is named by its number is ended once. A unit that nothing started again after a run
// ends the repeats, unless brunt starts the target for each run.
func TestRepeatable(t *testing.T) {
	fault := func(keys ...string) *Plan {
		e := &timeline.Entry{Kind: "process.crash"}
		e.Name = "gone"
		e.Block.With = &syntax.Node{Kind: syntax.Map}
		for _, key := range keys {
			key, value, _ := strings.Cut(key, "=")
			e.Block.With.Fields = append(e.Block.With.Fields, syntax.Field{Key: key, Value: &syntax.Node{Value: value}})
		}
		return &Plan{Faults: []*timeline.Entry{e}}
	}
	for _, tt := range []struct {
		plan *Plan
		once bool
	}{
		{fault("pid=7", "irreversible=true"), true},
		{fault("pid=7", "irreversible=false"), false},
		{fault("service=web", "irreversible=true"), false}, // a restart policy may start it
		{fault("pid=7"), false},
	} {
		if err := tt.plan.Repeatable(); (err != nil) != tt.once {
			t.Errorf("%+v: %v", tt.plan.Faults[0].Block.With.Fields, err)
		}
	}
	down := &result.Result{Faults: []result.FaultRecord{{Name: "slow"}, {Name: "gone", StaysDown: true}}}
	p := fault()
	if got := p.LeftDown(down); got != (DownError{"gone"}) {
		t.Errorf("left down by %v", got)
	}
	var runs Runs
	run := func() (*result.Result, error) { return down, nil }
	if res, err := runs.Make(p, run); res != down || err != nil {
		t.Errorf("the first of its runs: %v, %v", res, err)
	}
	if res, err := runs.Make(p, run); res != nil || err != (DownError{"gone"}) {
		t.Errorf("the run after it: %v, %v", res, err)
	}
	p.Stack = &platform.Spec{}
	if got := p.LeftDown(down); got != nil {
		t.Errorf("with a target that brunt starts: %v", got)
	}
}
