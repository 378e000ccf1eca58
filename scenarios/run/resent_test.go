package run

import (
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// TestNoteResent: units in the network namespace of brunt have one counter of dropped attempts, and one note.
func TestNoteResent(t *testing.T) {
	log := events.New(events.Options{})
	noteResent(log, nil, []result.UnitUsage{
		{Unit: "a", AcceptOverflows: 29, AcceptShared: true},
		{Unit: "own", AcceptOverflows: 3},
		{Unit: "b", AcceptOverflows: 31, AcceptShared: true},
		{Unit: "none"},
	})
	want := []string{
		"the accept queue of own was full: its system dropped 3 attempts to connect",
		"an accept queue in the network namespace of a, b, which is brunt's own as well, was full: the system dropped 31 " +
			"attempts to connect",
	}
	if got := log.Noted(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q", got)
	}
}
