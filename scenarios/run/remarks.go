package run

import (
	"fmt"
	"time"

	"brunt/scenarios/notes"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// remarks receives notes until the run is over. Stop returns them, as notes of the result.
func (r *runner) remarks() (stop func() []string) {
	if r.o.State == "" {
		return func() []string { return nil }
	}
	var said []string
	var times []time.Time
	take := func(m notes.Note) {
		at := time.Now()
		if since := at.Sub(m.At); since > 0 && since < notes.DeadAfter { // else the author's clock differs
			at = at.Add(-since)
		}
		mask := r.Scenario.Secrets.Mask
		author := mask(m.Author)
		said, times = append(said, author+": "+mask(m.Text)), append(times, at)
		r.eventAt(at, result.Event{Event: "run.note", Text: m.Text, Data: map[string]any{"author": author}})
	}
	box, err := notes.Open(r.o.State, notes.Running{Run: r.o.ID, Name: r.Scenario.Name}, take)
	if err != nil {
		r.log.Info("notes can't be taken", "error", err)
		return func() []string { return nil }
	}
	return func() []string {
		box.Close(take)
		for i := range said { // the load may have begun since
			said[i] = fmt.Sprintf("noted at %s by %s", quantity.FormatSeconds(float64(times[i].Sub(r.t0).Round(100*time.Millisecond).Seconds())), said[i])
		}
		return said
	}
}
