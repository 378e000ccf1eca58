package run_test

import (
	"testing"

	"brunt/chaos"
	"brunt/scenarios/run"
)

// TestFaultStep_RevertedBy checks that a step of a group says what took it back, where brunt did not.
func TestFaultStep_RevertedBy(t *testing.T) {
	for _, c := range []struct {
		name  string
		taken error
		want  string
	}{
		{"brunt", nil, ""},
		{"the watchdog", chaos.TakenBackError{}, "watchdog"},
		{"the process that held it", chaos.TakenBackError{By: "the process of the proxies"}, "the process of the proxies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			step := run.FaultStep(&chaos.Record{Void: c.taken}, func(s string) string { return s })
			if step.RevertedBy != c.want || (step.Note != "") != (c.taken != nil) {
				t.Errorf("%q, with the note %q", step.RevertedBy, step.Note)
			}
		})
	}
}
