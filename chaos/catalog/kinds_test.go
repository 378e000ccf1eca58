package catalog_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios"
)

// TestKinds_Dots checks that the parser of scenarios tells the kinds of faults from the other keys of a fault: by a
// dot, or as one of the three without.
func TestKinds_Dots(t *testing.T) {
	for kind := range catalog.Faults().Kinds() {
		if !strings.Contains(kind, ".") && !slices.Contains([]string{"call", "exec", "webhook"}, kind) {
			t.Errorf("the kind %q has no dot, so that a scenario can't name it: call it FAMILY.%s", kind, kind)
		}
	}
}

// TestKinds_Effects: each fault but those of an author's own says what it does to what it acts on.
func TestKinds_Effects(t *testing.T) {
	for _, f := range catalog.Faults() {
		d := f.Describe()
		if own := d.On == 0; own != (d.Effect == "") || !own && !slices.Contains(chaos.Effects(), d.Effect) {
			t.Errorf("the effect of %s is %q", d.Kind, d.Effect)
		}
	}
}

// TestKinds_Natures: the nature of a kind agrees with what else its descriptor says. An author's own fault says nothing
// of units, and what answers errors on links refuses.
func TestKinds_Natures(t *testing.T) {
	for _, f := range catalog.Faults() {
		d := f.Describe()
		n := chaos.NatureOf(f)
		for _, deed := range n.Deeds {
			if !slices.Contains(scenarios.Deeds(), deed) {
				t.Errorf("%s: the deed %q is unknown", d.Kind, deed)
			}
		}
		if own := n.Does(scenarios.Own); d.On == 0 && !own || own && (n.Verb != "" || len(n.Deeds) > 1 || n.Check == "") {
			t.Errorf("%s: own %t, %+v", d.Kind, own, n)
		}
		refuses := d.Effect == chaos.Errors && d.On&chaos.OnLinks != 0
		if n.Does(scenarios.Refuses) != refuses {
			t.Errorf("%s: refuses %t, and its effect is %s on %s", d.Kind, !refuses, d.Effect, d.On)
		}
		if ends := d.Effect == chaos.Dies || d.Effect == chaos.Restarts; ends && !n.Does(scenarios.Ends) {
			t.Errorf("%s: its effect is %s, and it ends nothing", d.Kind, d.Effect)
		}
		if n.Does(scenarios.Down) && n.Verb == "" {
			t.Errorf("%s takes a unit away, and has no verb", d.Kind)
		}
	}
}

var update = flag.Bool("update", false, "write the natures again")

// TestKinds_NaturesForReporters: tests of reporters, which can't import the catalog, read the natures from a file.
func TestKinds_NaturesForReporters(t *testing.T) {
	const file = "../../reporters/reporterstest/natures.json"
	natures := map[string]scenarios.Nature{}
	for _, f := range catalog.Faults() {
		natures[f.Describe().Kind] = chaos.NatureOf(f)
	}
	now, err := json.MarshalIndent(natures, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	now = append(now, '\n')
	if *update {
		if err := os.WriteFile(file, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := os.ReadFile(file); err != nil || string(was) != string(now) {
		t.Errorf("%s is not what the catalog says: go test ./chaos/catalog -run Natures -update (%v)", file, err)
	}
}
