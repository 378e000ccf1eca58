package drills_test

import (
	"testing"

	"brunt/scenarios/drills"
)

// FuzzParse: a drill that is read can be asked what it needs, and one that is not has mistakes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(lagText))
	f.Add([]byte("drill: 1\nname: a\nchaos: {b: {steps: [{crash: \"${role.c}\"}, {slow: {on: 1}}]}}\nslo: {d: " +
		"{objective: lost = 0}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := drills.Parse("my.yaml", text, nil)
		if d == nil && err == nil {
			t.Fatal("neither a drill nor a mistake")
		}
		if d != nil {
			_, _ = d.Needs(), d.Fits(drills.System{Breaks: drills.Processes})
		}
	})
}
