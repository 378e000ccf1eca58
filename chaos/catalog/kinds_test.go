package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/chaos/catalog"
)

// TestKinds_Dots checks that the parser of scenarios tells the kinds of faults from the other keys of a fault: by a dot,
// or as one of the two without.
func TestKinds_Dots(t *testing.T) {
	for kind := range catalog.Faults().Kinds() {
		if !strings.Contains(kind, ".") && !slices.Contains([]string{"exec", "webhook"}, kind) {
			t.Errorf("the kind %q has no dot, so that a scenario can't name it: call it FAMILY.%s", kind, kind)
		}
	}
}
