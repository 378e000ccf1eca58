package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/template"
)

// TestLog_Events: an event that was reported late keeps its time, however often the events are read.
func TestLog_Events(t *testing.T) {
	t0 := time.Now().Add(-time.Minute)
	l := events.New(events.Options{})
	l.EventAt(t0.Add(2*time.Second), result.Event{Event: "b"})
	l.Begin(t0) // after the first event
	l.EventAt(t0.Add(time.Second), result.Event{Event: "late"})
	l.EventAt(t0.Add(3*time.Second), result.Event{Event: "c"})
	for range 3 {
		got := l.Events()
		for i, want := range []string{"late", "b", "c"} {
			if got[i].Event != want || got[i].T != result.Num(i+1) {
				t.Errorf("%d: %s at %v", i, got[i].Event, got[i].T)
			}
		}
	}
}

// TestLog_Mask: notes and data of events may quote a script or a target, and have secrets masked.
func TestLog_Mask(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	l := events.New(events.Options{Mask: secrets.Mask})
	l.Note("load %q: an exception of the script, first %s", "k6", "no token sesame-sesame")
	l.Event(result.Event{Event: "script.mark", Text: "sesame-sesame", Data: map[string]any{
		"sesame-sesame": "a sesame-sesame", "list": []any{"sesame-sesame", 1.0}, "map": map[string]any{"k": "sesame-sesame"},
	}})
	if text := fmt.Sprint(l.Noted(), l.Events()); strings.Contains(text, "sesame") || strings.Count(text, "***") != 6 {
		t.Error(text)
	}
}
