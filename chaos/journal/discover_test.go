package journal

import (
	"context"
	"errors"
	"testing"

	"brunt/chaos"
)

// TestDiscovery_TriesAgain: what can't be taken back at once, because something is in its way for a moment, is tried
// again.
func TestDiscovery_TriesAgain(t *testing.T) {
	tries := 0
	ops := chaos.OperationsOf([]chaos.Operation{{
		Name: "shaky",
		Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
			if tries++; tries == 1 {
				return chaos.Failed, errors.New("busy")
			}
			return chaos.Reverted, nil
		},
	}})
	d := &Discovery{Left: []Leftover{{What: "a limit", undo: chaos.Undo{Op: "shaky"}}}}
	taken, err := d.TakeBack(t.Context(), ops, nil)
	if err != nil || len(taken) != 1 || taken[0].Outcome != chaos.Reverted {
		t.Errorf("after %d tries: %+v, %v", tries, taken, err)
	}
}
