//go:build linux

package drills

import (
	"slices"
	"strings"
	"testing"

	library "brunt/scenarios/drills"
)

// TestLibrary_Systems: each drill of the library is played here on the real systems that its proof names, and on no
// other.
func TestLibrary_Systems(t *testing.T) {
	all, err := library.Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		var played []string
		for _, row := range drills {
			if system, _, _ := strings.Cut(row.name, "/"); row.library == d.Name {
				played = append(played, system)
			}
		}
		for _, row := range consistencyDrills {
			if system, _, _ := strings.Cut(row.name, "/"); row.library == d.Name {
				played = append(played, system)
			}
		}
		slices.Sort(played)
		if named := slices.Sorted(slices.Values(d.Proof.Systems)); !slices.Equal(slices.Compact(played), named) {
			t.Errorf("%s is played on %v, and its proof names %v", d.Name, played, named)
		}
	}
}
