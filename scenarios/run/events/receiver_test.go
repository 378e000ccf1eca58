package events_test

import (
	"strings"
	"testing"
	"time"

	"brunt/scenarios/notes"
	"brunt/scenarios/run/events"
	"brunt/scenarios/template"
)

// TestLog_Receive: notes added while the run goes on are among its notes and events, with secrets masked
// and the time on the run's clock.
func TestLog_Receive(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	state := t.TempDir()
	l := events.New(events.Options{Mask: secrets.Mask})
	l.Begin(time.Now().Add(-3 * time.Second))
	stop := l.Receive(state, notes.Running{Run: "r1", Name: "n"}, nil)
	all, err := notes.RunningIn([]string{state})
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := all[0].Leave(notes.Note{
		Author: "ann sesame-sesame", At: time.Now().Add(-time.Second), Text: "said sesame-sesame",
	}); err != nil {
		t.Fatal(err)
	}
	if err := all[0].Leave(notes.Note{
		Author: "bob", At: time.Now().Add(time.Hour), Text: "of another clock",
	}); err != nil {
		t.Fatal(err)
	}
	said := stop()
	if len(said) != 2 || !strings.HasPrefix(said[0], "noted at 2") ||
		!strings.HasSuffix(said[0], "by ann ***: said ***") ||
		!strings.Contains(said[1], "by bob: of another clock") || strings.Contains(said[1], "1h") {
		t.Errorf("%q", said)
	}
	events := l.Events()
	if len(events) != 2 || events[0].Event != "run.note" || events[0].Text != "said ***" ||
		events[0].Data["author"] != "ann ***" || events[0].T < 1.5 || events[0].T > 3 || events[0].At.IsZero() {
		t.Errorf("%+v", events)
	}
	if said := l.Receive("", notes.Running{Run: "r2"}, nil)(); said != nil {
		t.Errorf("without a state directory: %q", said)
	}
}
