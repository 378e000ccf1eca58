package drills_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestSweep: every service is crashed and hung, whole and one of several replicas, every link slowed, cut and answered
// with 503; what is declared soft first, what every request passes last.
func TestSweep(t *testing.T) {
	var names []string
	for _, one := range system.Sweep(map[string]string{"names": "soft"}) {
		names = append(names, one.Name)
	}
	want := []string{
		"crash-names", "hang-names", "slow-web-to-names", "cut-web-to-names", "answer-503-web-to-names",
		"crash-store", "hang-store", "crash-web", "crash-one-of-web", "hang-web", "hang-one-of-web",
		"slow-web-to-store", "cut-web-to-store", "answer-503-web-to-store", "slow-load-to-web", "cut-load-to-web",
		"answer-503-load-to-web",
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if n := len(alone.Sweep(nil)); n != 3 {
		t.Errorf("%d faults of a URL alone, want 3", n)
	}
}

// TestSweep_Valid: each fault of a sweep, and each pair, is a valid scenario over processes, whose objectives are those
// of the scenario too.
func TestSweep_Valid(t *testing.T) {
	base := shop(t, shopText)
	s := drills.SystemOf(base.Plan)
	compiled := func(d *drills.Drill, roles map[string]string) string {
		t.Helper()
		if err := d.Bind(s, roles); err != nil {
			t.Fatal(err)
		}
		laid, err := d.Lay(base, roles)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plantest.CompileText(laid.Text); err != nil {
			t.Fatalf("%v\n%s", plantest.Explained(err), laid.Text)
		}
		return laid.Text
	}
	var outcomes []drills.Outcome
	for _, one := range s.Sweep(nil) {
		d, err := drills.Find(one.Drill, one.Set)
		if err != nil {
			t.Fatal(err)
		}
		if text := compiled(d, one.Roles()); !strings.Contains(text, "p95 < 800ms in ") {
			t.Errorf("%s does not have the scenario's own objective:\n%s", one.Name, text)
		}
		outcomes = append(outcomes, survivor(&one, .1))
	}
	pairs := drills.Pairs(outcomes, 1000)
	for i := range pairs {
		d, err := pairs[i].Drill()
		if err != nil {
			t.Fatal(err)
		}
		compiled(d, pairs[i].Roles())
	}
	if len(pairs) < 30 {
		t.Errorf("%d pairs", len(pairs))
	}
}

// survivor is a run that passed under a fault of a sweep, and used a share of what its objective allows.
func survivor(one *drills.Swept, near result.Num) drills.Outcome {
	return drills.Outcome{Swept: one, Result: &result.Result{
		Verdict: scenarios.Pass,
		Faults: []result.FaultRecord{{
			Name: "f", Kind: "process.crash", Units: []string{"a[0]"}, Verified: 1,
			Traffic: 1,
		}},
		Objectives: []result.ObjectiveResult{{
			Text: "errors < 1% in f", Phase: slo.ParsePhase("f"), Target: .01,
			Measured: .01 * near,
		}},
	}}
}

// TestPairs: the pair nearest to its limits comes first, a fault that failed alone is in none, nor one whose part
// another takes away, and after a choice others have their turn.
func TestPairs(t *testing.T) {
	byName := map[string]*drills.Swept{}
	for _, one := range system.Sweep(nil) {
		byName[one.Name] = &one
	}
	near := map[string]result.Num{
		"crash-names": .1, "slow-web-to-names": .2, "crash-one-of-web": .9, "slow-web-to-store": .8, "hang-one-of-web": .1,
	}
	outcomes := []drills.Outcome{
		{Swept: byName["crash-store"], Result: &result.Result{Verdict: scenarios.Fail}}, {Swept: byName["hang-store"]},
	}
	for _, name := range []string{
		"crash-names", "slow-web-to-names", "crash-one-of-web", "slow-web-to-store", "hang-one-of-web",
	} {
		outcomes = append(outcomes, survivor(byName[name], near[name]))
	}
	down := survivor(byName["hang-names"], .9) // a step was down, and no objective asks about it
	down.Result.Faults[0].Parts = &result.ImpactParts{StepOutage: &result.StepOutage{Step: "pay", Requests: 9, Errors: 9}}
	outcomes = append([]drills.Outcome{down}, outcomes...)
	var names []string
	pairs := drills.Pairs(outcomes, 100)
	for i := range pairs {
		names = append(names, pairs[i].Name())
	}
	if names[0] != "crash-one-of-web+slow-web-to-store" {
		t.Errorf("%q comes first", names[0])
	}
	for _, unwanted := range []string{
		"store+", "hang-names+", "crash-names+slow-web-to-names", "crash-one-of-web+hang-one-of-web",
	} {
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, unwanted) || n == unwanted }) {
			t.Errorf("%q: %q", unwanted, names)
		}
	}
	first := map[string]bool{}
	for _, p := range drills.Pairs(outcomes, 3) {
		first[p.A.Name], first[p.B.Name] = true, true
	}
	if len(first) < 4 {
		t.Errorf("the first three pairs have only %v", first)
	}
}
