package journal

import (
	"encoding/json"
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
