package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
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
