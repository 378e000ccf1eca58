package words

import (
	"slices"
	"testing"

	"brunt/scenarios/result/programme"
)

// TestUntriedTexts: what no run tried is data, and becomes a sentence here alone.
func TestUntriedTexts(t *testing.T) {
	p := &programme.Programme{Untried: []programme.Untried{
		{
			System: "shop", Modes: 17, Failed: 1, Effects: []string{"clock"},
			Parts: []programme.UntriedPart{
				{Name: "store", Effects: []string{"dies", "hangs"}},
				{Name: "web->store", Effects: []string{"slow", "cut", "errors"}},
				{Name: "evil\x1b[2J", Effects: []string{"slow"}},
			},
		},
		{System: "bare", Parts: []programme.UntriedPart{{Name: "web", One: true, Effects: []string{"hangs"}}}},
	}}
	want := []Pair{
		{"shop", "Of 17 ways to fail, 0 held and 1 failed. store: never died, never hung; web->store: never slow, " +
			"never cut, never answered with errors; " + Clean("evil\x1b[2J") + ": never slow; on no part at all: clock"},
		{"bare", "one of web: never hung"},
	}
	if got := UntriedTexts(p); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	for _, tt := range []struct {
		unmet bool
		want  string
	}{
		{false, "store was never hung, and 2 steps need it."},
		{true, "store was never hung, and 2 steps need it. The last such fault met no traffic, or was not verified: " +
			"it wants another load."},
	} {
		if got := DrillReason("store", false, "hangs", "2 steps need it", tt.unmet); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
