package events

import (
	"fmt"
	"time"

	"brunt/scenarios/notes"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// Receive records the notes that `brunt note` adds to a run, until stop is called. stop returns them, as notes for
// the result. mark takes the marks of faults among them, at a time by the wall clock; its error goes to the author.
// state is the folder of the journal; if it is empty, no notes are received.
func (l *Log) Receive(
	state string, about notes.Running, mark func(m notes.Note, at time.Time) error,
) (stop func() []string) {
	if state == "" {
		return func() []string { return nil }
	}
	var received []string
	var times []time.Time
	take := func(m notes.Note) error {
		at := time.Now()
		if since := at.Sub(m.At); since > 0 && since < notes.DeadAfter { // otherwise the author's clock differs
			at = at.Add(-since)
		}
		if m.Mark != "" {
			if err := mark(m, at); err != nil || m.Text == "" {
				return err
			}
		}
		author, text := l.o.Mask(m.Author), l.o.MaskFields(m.Text)
		received, times = append(received, author+": "+text), append(times, at)
		l.EventAt(at, result.Event{Event: "run.note", Text: text, Data: map[string]any{"author": author}})
		return nil
	}
	box, err := notes.Open(state, about, take)
	if err != nil {
		l.o.Log.Info("notes can't be taken", "error", err)
		return func() []string { return nil }
	}
	return func() []string {
		box.Close(take)
		for i := range received { // the load may have begun since the note
			at := times[i].Sub(l.T0()).Round(100 * time.Millisecond)
			received[i] = fmt.Sprintf("noted at %s by %s", quantity.FormatSeconds(at.Seconds()), received[i])
		}
		return received
	}
}
