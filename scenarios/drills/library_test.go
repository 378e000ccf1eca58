package drills_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/syntax"
)

func asIs(s string) string { return s }

// onDemo lays a drill over the built-in system of its proof.
func onDemo(
	t *testing.T, name string, mutant func(d *drills.Drill) *drills.Mutant,
) (*drills.Drill, *drills.Laid, *drills.Base) {
	t.Helper()
	d, err := drills.Find(name, nil)
	if err == nil {
		d, err = drills.Find(name, d.Proof.Set)
	}
	if err != nil {
		t.Fatal(err)
	}
	tree, err := drills.Tree("demo", drills.Demo())
	if err != nil {
		t.Fatal(err)
	}
	base := &drills.Base{Tree: scenarios.Overlay(tree, d.Over(mutant(d)))}
	if base.Plan, err = plantest.CompileText(syntax.WriteYAML(base.Tree, asIs)); err != nil {
		t.Fatal(plantest.Explained(err))
	}
	laid, err := d.Lay(base, d.Proof.Roles.Map())
	if err != nil {
		t.Fatal(err)
	}
	return d, laid, base
}

// notOnPods are the drills whose proof is no scenario on the pods of a cluster, with the mistake that says why: zones
// of pods are those of their nodes, a node starts each crashed pod again, and workers make the load, which then can't
// go on after its end, and whose spans brunt does not see.
var notOnPods = map[string]string{
	"zone-loss":        "topology.kubernetes.io/zone",
	"soak":             "fds is not known of pods",
	"standby-cold":     "always started again by its node",
	"primary-failover": "always started again by its node",
	"stuck":            "workers make these",
	"trace-complete":   "workers make these",
	"balancer-lost":    "leave entries out",
	"region-loss":      "is in the zone of its node",
	"thundering-herd":  "no link is declared from load to gateway",
}

// TestLibrary_Pods: each drill is a valid scenario on the pods of a cluster, with the roles of its proof, but for those
// that can't be.
func TestLibrary_Pods(t *testing.T) {
	for _, name := range drills.Names() {
		t.Run(name, func(t *testing.T) {
			if ofRealSystems(t, name) {
				t.Skip("its proof has no system that is a scenario")
			}
			d, _, base := onDemo(t, name, good)
			pods, err := drills.Tree("pods", "target: {platform: kubernetes, kubernetes: {context: c}}\n")
			if err != nil {
				t.Fatal(err)
			}
			base = &drills.Base{Tree: scenarios.Overlay(base.Tree, pods)}
			if base.Plan, err = plantest.CompileText(syntax.WriteYAML(base.Tree, asIs)); err != nil {
				if why := notOnPods[name]; why != "" && strings.Contains(err.Error(), why) {
					return
				}
				t.Fatal(plantest.Explained(err))
			}
			if got := drills.SystemOf(base.Plan).Breaks; got != drills.Pods {
				t.Fatalf("it breaks %s", got)
			}
			laid, err := d.Lay(base, d.Proof.Roles.Map())
			if err != nil {
				t.Fatal(err)
			}
			_, err = plantest.CompileText(laid.Text)
			if why := notOnPods[name]; err != nil && why != "" && strings.Contains(err.Error(), why) {
				return
			}
			if err != nil {
				t.Errorf("%v\n%s", plantest.Explained(err), laid.Text)
			}
		})
	}
}

func good(*drills.Drill) *drills.Mutant { return nil }

// TestLibrary: each drill that is part of brunt is a valid scenario on each system of its proof, and its objectives can
// be judged.
func TestLibrary(t *testing.T) {
	all, err := drills.Library()
	if err != nil || len(all) != len(drills.Names()) || len(all) < 12 {
		t.Fatalf("%d drills, %v", len(all), err)
	}
	for _, one := range all {
		t.Run(one.Name, func(t *testing.T) {
			checkMissing(t, one)
			if !one.Proof.OnBuiltin() {
				layOverStore(t, one.Name)
				return
			}
			d, laid, base := onDemo(t, one.Name, good)
			if err := d.Bind(drills.SystemOf(base.Plan), d.Proof.Roles.Map()); err != nil {
				t.Error(err)
			}
			if len(d.Proof.Mutants) == 0 {
				t.Error("it has no mutant, so that nothing shows that it can fail")
			}
			texts := map[string]bool{laid.Text: true}
			for i := range d.Proof.Mutants {
				m := &d.Proof.Mutants[i]
				_, mutated, _ := onDemo(t, d.Name, func(d *drills.Drill) *drills.Mutant { return &d.Proof.Mutants[i] })
				if texts[mutated.Text] {
					t.Errorf("mutant %s is the same as another system", m.Name)
				}
				texts[mutated.Text] = true
			}
			for text := range texts {
				if _, err := plantest.CompileText(text); err != nil {
					t.Errorf("%v\n%s", plantest.Explained(err), text)
				}
			}
		})
	}
}

// checkMissing: each objective of a drill says what a system lacks.
func checkMissing(t *testing.T, d *drills.Drill) {
	for i := range d.SLO {
		if o := &d.SLO[i]; !strings.HasSuffix(o.Missing, ".") || len(o.Missing) < 40 {
			t.Errorf("objective %s does not say what is missing: %q", o.Name, o.Missing)
		}
	}
}

// ofRealSystems reports whether a drill is proved on real systems, by the tests of scenarios/truth/drills.
func ofRealSystems(t *testing.T, name string) bool {
	t.Helper()
	d, err := drills.Find(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return !d.Proof.OnBuiltin()
}

// store is a scenario of a replicated store with three members.
const store = `version: 1
target:
  entry: store
  PLATFORM:
    store: {UNIT, replicas: 3, links: [store], ready: {get: /health}}
roles: {store: store}
leaders: {store: {path: /role, check: {"$.role": leader}, within: 5s}}
load:
  writers: {executor: constant-arrival-rate, rate: 50/s, duration: 20s, flow: [{post: "/put?id=${ledger.id}", name: write}]}
  users:
    executor: constant-arrival-rate
    rate: 50/s
    duration: 20s
    mix:
      - {weight: 1, flow: [{post: "/set?value=${consistency.value}", name: set}]}
      - {weight: 3, flow: [{get: /value, name: get, extract: {v: "$.value"}}]}
consistency: {kv: {write: set, read: get, found: "${var.v}"}}
ledger: {write: write, id: "${ledger.id}", read: {get: "/get?id=${id}"}, count: "$.count"}
slo: [errors < 5%]
`

// layOverStore lays a drill of replicated stores over one of processes, and over one of containers.
func layOverStore(t *testing.T, name string) {
	for platform, unit := range map[string]string{
		"processes": "command: [/bin/store]", "containers": "image: store, ports: [80]",
	} {
		d, err := drills.Find(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("PLATFORM", platform, "UNIT", unit).Replace(store)
		if platform == "containers" {
			text = strings.Replace(text, "links: [store], ", "", 1)
		}
		base := &drills.Base{}
		if base.Tree, err = drills.Tree("store", text); err != nil {
			t.Fatal(err)
		}
		if base.Plan, err = plantest.CompileText(text); err != nil {
			t.Fatal(plantest.Explained(err))
		}
		roles := d.Bound(base.Plan.Scenario.Roles, nil)
		if err := d.Bind(drills.SystemOf(base.Plan), roles); err != nil {
			t.Fatal(err)
		}
		laid, err := d.Lay(base, roles)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plantest.CompileText(laid.Text); err != nil {
			t.Errorf("%s: %v\n%s", platform, plantest.Explained(err), laid.Text)
		}
	}
}

// TestProofs: each system of each proof was proved five times at least, and none was refuted.
func TestProofs(t *testing.T) {
	records, err := drills.Proofs()
	if err != nil {
		t.Fatal(err)
	}
	proved := map[string]int{}
	for _, r := range records {
		if r.Proved != r.Runs || r.Why != "" {
			t.Errorf("%s on %s: %d of %d: %s", r.Drill, r.System, r.Proved, r.Runs, r.Why)
		}
		proved[r.Drill+" on "+r.System] = r.Proved
	}
	all, err := drills.Library()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range all {
		if !d.Proof.OnBuiltin() {
			continue
		}
		systems := []string{drills.Good}
		for i := range d.Proof.Mutants {
			systems = append(systems, d.Proof.Mutants[i].Name)
		}
		for _, s := range systems {
			if name := d.Name + " on " + s; proved[name] < 5 {
				t.Errorf("%s was proved %d times, at least 5 are wanted: brunt drill prove %s --times 5 --json FILE", name,
					proved[name], d.Name)
			}
		}
		n += len(systems)
	}
	if n != len(records) {
		t.Errorf("%d records for %d systems", len(records), n)
	}
}

// TestMissing: each of the 75 failures of the design has a drill, or waits for something that is named.
func TestMissing(t *testing.T) {
	missing, err := drills.Missing()
	if err != nil {
		t.Fatal(err)
	}
	const rows, halves = 75, 1 // rows that have two drills: 26, crash-restart and crash-report
	const stores = 7           // drills of replicated stores beside the rows: those of real systems but disk-full
	const metastable = 1       // stuck
	const messages = 2         // redelivery-storm, rebalance
	const commands = 1         // row 20 is the command `brunt drill all --sweep`
	if shipped := len(drills.Names()) + commands; shipped+len(missing) != rows+halves+stores+metastable+messages {
		t.Errorf("%d drills and %d failures without one, and the design has %d rows", shipped, len(missing), rows)
	}
	for i, w := range missing {
		if w.Row < 1 || w.Row > rows || i > 0 && w.Row <= missing[i-1].Row || w.About == "" || w.Waits == "" ||
			slices.Contains(drills.Names(), w.Name) {
			t.Errorf("%+v", w)
		}
	}
}
