package journal

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// TestStatus_Ended: what a live run has changed of processes that have ended is in no longer.
func TestStatus_Ended(t *testing.T) {
	ops := chaos.Operations{"settings": {OfProcess: true}, "rules": {}}
	lives, err := proc.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ended := lives
	ended.PID = 1 << 30 // more than there can be
	undo := func(op string, id proc.Identity) chaos.Undo { return chaos.Undo{Op: op, Identity: id.Raw()} }
	for _, c := range []struct {
		name string
		undo []chaos.Undo
		died bool // the run has ended
		want int
	}{
		{"lives", []chaos.Undo{undo("settings", lives)}, false, 1},
		{"has ended", []chaos.Undo{undo("settings", ended)}, false, 0},
		{"one of two has ended", []chaos.Undo{undo("settings", ended), undo("settings", lives)}, false, 1},
		{"outlives its process", []chaos.Undo{undo("rules", ended)}, false, 1},
		{"damaged", []chaos.Undo{{Op: "settings", Identity: json.RawMessage(`7`)}}, false, 1},
		{"none", nil, false, 1},
		{"is left behind", []chaos.Undo{undo("settings", ended)}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &State{Alive: !c.died, Open: []Pending{{Fault: "frozen", Undo: c.undo}}}
			if got := len(s.Status(ops).In); got != c.want {
				t.Errorf("%d faults are in, want %d", got, c.want)
			}
		})
	}
}

// TestStatus_Off: an entry that is reverted, and stays open for a unit that is down, says so until a revert fails.
func TestStatus_Off(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "off")
	id, err := j.Intent(chaos.Intent{Fault: "cut", What: "cut web", Undo: []chaos.Undo{{Op: "rules"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		note func(int, error) error
		off  bool
	}{{j.Off, true}, {j.Failed, false}} {
		if err := c.note(id, errors.New("no answer")); err != nil {
			t.Fatal(err)
		}
		s, err := List(dir)
		if err != nil || len(s) != 1 {
			t.Fatalf("%+v, %v", s, err)
		}
		in := s[0].Status(chaos.Operations{"rules": {}}).In
		if len(in) != 1 || in[0].Off.IsZero() == c.off || in[0].Error != "no answer" {
			t.Errorf("off %v: %+v", c.off, in)
		}
	}
}
