package ab_test

import (
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/ab"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/targets/platform"

	"brunt/chaos/timeline"
)

func TestLength(t *testing.T) {
	for takes, want := range map[time.Duration]time.Duration{
		time.Minute: 10 * time.Second, 30 * time.Second: 7 * time.Second, 12 * time.Second: 3 * time.Second,
		6 * time.Second: 3 * time.Second, 5 * time.Second: 0,
	} {
		if got := ab.BlockLength(takes, ab.DefaultBlock); got != want {
			t.Errorf("a load of %s has blocks of %s, want %s", takes, got, want)
		}
	}
}

// TestDraw: blocks come in pairs that cover the load, the order of a pair is drawn by seed and round, and a
// side has load in its blocks alone, of which the judged part
// begins after the carry-over.
func TestDraw(t *testing.T) {
	const each = 10 * time.Second
	first, draws := 0, 0
	seen := map[string]bool{}
	for round := range 100 {
		b := ab.DrawBlocks(65*time.Second, each, 7, round)
		if len(b.A) != 3 || len(b.B) != 3 {
			t.Fatalf("the blocks are %+v, want three pairs", b)
		}
		var order strings.Builder
		for i := range b.A {
			at := time.Duration(i) * 2 * each
			switch {
			case b.A[i] == load.Span{From: at, To: at + each} && b.B[i] == load.Span{From: at + each, To: at + 2*each}:
				first++
				order.WriteString("A")
			case b.B[i] == load.Span{From: at, To: at + each} && b.A[i] == load.Span{From: at + each, To: at + 2*each}:
				order.WriteString("B")
			default:
				t.Fatalf("pair %d of round %d is %v and %v", i, round, b.A[i], b.B[i])
			}
			draws++
		}
		seen[order.String()] = true
	}
	if first < draws/3 || first > draws*2/3 || len(seen) != 8 {
		t.Errorf("a is first in %d of %d pairs, in %d orders of a round, want half and 8", first, draws, len(seen))
	}
	if a, b := ab.DrawBlocks(time.Minute, each, 7, 3),
		ab.DrawBlocks(time.Minute, each, 7, 3); a.A[0] != b.A[0] || a.A[2] != b.A[2] {
		t.Error("the same seed gives another order")
	}
	b := ab.Blocks{A: []load.Span{{From: 0, To: each}}, B: []load.Span{{From: each, To: 2 * each}}}
	rate := load.NewProfile(0)
	rate.Add(2*each, 5, 5)
	p := &plan.Plan{Loads: []plan.Load{{Schedule: load.Plan{Rate: rate}}}}
	if got := b.Restrict(p, true); len(got) != 1 || got[0] != (load.Span{From: 11 * time.Second, To: 20 * time.Second}) {
		t.Errorf("judged is %v", got)
	}
	if got := p.Loads[0].Schedule.Rate; got.At(each/2) != 0 || got.At(each+1) != 5 || rate.At(each/2) != 5 {
		t.Errorf("the rate of b is %g in the block of a, %g in its own", got.At(each/2), got.At(each+1))
	}
}

func TestUnfit(t *testing.T) {
	with := func(change func(p *plan.Plan)) *plan.Plan {
		p := &plan.Plan{Scenario: &scenarios.Scenario{}, Loads: []plan.Load{{Load: scenarios.Load{Name: "main"}}}}
		p.Loads[0].Schedule.Rate = load.NewProfile(0)
		change(p)
		return p
	}
	plain := with(func(*plan.Plan) {})
	at := func(port int) *plan.Plan {
		return with(func(p *plan.Plan) {
			p.Stack = &platform.Spec{Services: []platform.Service{{Name: "db"}, {Name: "web", Port: port, Replicas: 2}}}
		})
	}
	faults := with(func(p *plan.Plan) { p.Faults = []*timeline.Entry{{}} })
	tests := []struct {
		name    string
		a, b    *plan.Plan
		control bool
		says    string // empty: they can be switched
	}{
		{"plain", plain, plain, false, ""},
		{"faults", plain, faults, false, "--no-chaos"},
		{"without the faults", plain, faults, true, ""},
		{"script", with(func(p *plan.Plan) { p.Loads[0].Script = &plan.Script{} }), plain, false, `load "main" is a script`},
		{"log", plain, with(func(p *plan.Plan) { p.Loads[0].Schedule.Log = &load.Log{} }), false, "replays a log"},
		{"iterations", with(func(p *plan.Plan) { p.Loads[0].Schedule.Shared = 5 }), plain, false, "number of iterations"},
		{"one port", at(9000), at(9001), false, "web of a and web of b listen on port 9001"},
		{"two ports", at(9000), at(9002), false, ""},
		{"free ports", at(0), at(0), false, ""},
		{"a system that runs", at(9000), plain, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ab.Unfit(tt.a, tt.b, tt.control); got != "" && tt.says == "" || !strings.Contains(got, tt.says) {
				t.Errorf("%q, want %q", got, tt.says)
			}
		})
	}
}
