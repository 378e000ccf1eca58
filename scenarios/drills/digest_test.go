package drills_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/drills"
)

const digested = `drill: 1
name: mine
family: redundancy
about: A replica dies.
roles: {replica: {is: service, about: a service}}
params: {errors: 1%}
lasts: 20s
chaos: {lose: {at: 6s, crash: "${role.replica}"}}
slo:
  served: {objective: "errors < ${drill.errors} in lose", missing: Nothing covers the loss.}
proof:
  roles: {replica: posts}
  mutants: {bare: {scenario: {target: {with: {retries: off}}}, fails: [served]}}
`

// TestDigest: it changes with what a run depends on, of the system that a change is about, and not with sentences and
// the order of keys.
func TestDigest(t *testing.T) {
	of := func(text string) (good, bare string) {
		t.Helper()
		d, err := drills.Parse("mine.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return d.Digest(nil), d.Digest(&d.Proof.Mutants[0])
	}
	good, bare := of(digested)
	if good == bare || len(good) != 12 {
		t.Errorf("digests %q and %q", good, bare)
	}
	for name, c := range map[string]struct {
		old, new         string
		ofGood, ofMutant bool // it is of another digest then
	}{
		"the sentence":     {"A replica dies.", "One of them dies.", false, false},
		"what is missing":  {"Nothing covers the loss.", "It has one replica.", false, false},
		"a comment":        {"lasts: 20s", "lasts: 20s # each load", false, false},
		"the family":       {"redundancy", "data", false, false},
		"the order":        {`at: 6s, crash: "${role.replica}"`, `crash: "${role.replica}", at: 6s`, false, false},
		"the time":         {"lasts: 20s", "lasts: 21s", true, true},
		"a fault":          {"at: 6s", "at: 7s", true, true},
		"an act":           {"crash:", "hang:", true, true},
		"a target":         {"errors: 1%", "errors: 2%", true, true},
		"a part":           {"{replica: posts}", "{replica: users}", true, true},
		"a mutant":         {"retries: off", "ejection: off", false, true},
		"what it fails by": {"served: {", "answered: {", true, true},
		"the system": {
			"  roles: {replica: posts}",
			"  roles: {replica: posts}\n  scenario: {target: {with: {cache: off}}}", true, true,
		},
		"a judge": {"lasts: 20s", "lasts: 20s\nscenario: {judge: {hold: 9s}}", true, true},
	} {
		text := strings.Replace(digested, c.old, c.new, 1)
		if name == "what it fails by" {
			text = strings.Replace(text, "[served]", "[answered]", 1)
		}
		if text == digested {
			t.Fatalf("%s: nothing changed", name)
		}
		if g, b := of(text); (g != good) != c.ofGood || (b != bare) != c.ofMutant {
			t.Errorf("%s: another digest of the good system: %v, of the mutant: %v", name, g != good, b != bare)
		}
	}
}

// TestOutdated: a record counts for the drill as it is now, and for no other.
func TestOutdated(t *testing.T) {
	all, err := drills.Library()
	if err != nil {
		t.Fatal(err)
	}
	records, err := drills.Proofs()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		outdated, err := d.Outdated(nil)
		want := 1 + len(d.Proof.Mutants)
		if !d.Proof.OnBuiltin() { // its records are those of tests
			want = 0
		}
		if err != nil || len(outdated) != want {
			t.Errorf("%s without records: %q, %v", d.Name, outdated, err)
		}
	}
	i := slices.IndexFunc(all, func(d *drills.Drill) bool { return d.Name == "rate-limit" })
	if outdated, err := all[i].Outdated(records); err != nil || len(outdated) > 0 {
		t.Errorf("%s: %q, %v", all[i].Name, outdated, err)
	}
	for k := range records {
		if records[k].Drill == all[i].Name && records[k].System == drills.Good {
			records[k].Digest = "0123456789ab"
		}
	}
	if outdated, err := all[i].Outdated(records); err != nil || !slices.Equal(outdated, []string{drills.Good}) {
		t.Errorf("%s of another digest: %q, %v", all[i].Name, outdated, err)
	}
}
