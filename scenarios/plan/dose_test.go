package plan

import (
	"strings"
	"testing"

	"brunt/scenarios/result/search"
)

// TestDoses lists what can be searched.
func TestDoses(t *testing.T) {
	for kind, want := range map[string]string{
		"network.latency":   "pick delay jitter correlation for",
		"network.bandwidth": "pick rate- for",
		"cpu.throttle":      "pick share- processors- for",
		"process.crash":     "pick",
		"http.error":        "pick percent for",
		"disk.fill":         "pick bytes percent keep_free- for",
	} {
		var got []string
		for _, s := range dosesOf(kind) {
			mark := ""
			if s.Eases {
				mark = "-"
			}
			got = append(got, s.Key+mark)
			if d, err := s.ParseDose(s.Unit.Format(.5)); s.Unit == search.DoseShare && (err != nil || d != .5) {
				t.Errorf("%s: %v, %v", s.Key, d, err)
			}
		}
		if !strings.HasPrefix(strings.Join(got, " "), want) && strings.Join(got, " ") != want {
			t.Errorf("%s has %q, want %q", kind, got, want)
		}
	}
}
