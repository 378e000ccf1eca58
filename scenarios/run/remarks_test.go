package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/notes"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
)

// TestRemarks: notes added while the run goes on are among its notes and events, with secrets masked
// and the time on the run's clock.
func TestRemarks(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	state := t.TempDir()
	r := newRunner((&plan.Plan{Scenario: &scenarios.Scenario{Name: "n", Secrets: &secrets}}), Options{ID: "r1", State: state})
	r.t0 = time.Now().Add(-3 * time.Second)
	stop := r.remarks()
	all, err := notes.RunningIn([]string{state})
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := all[0].Leave(notes.Note{Author: "ann sesame-sesame", At: time.Now().Add(-time.Second), Text: "said sesame-sesame"}); err != nil {
		t.Fatal(err)
	}
	if err := all[0].Leave(notes.Note{Author: "bob", At: time.Now().Add(time.Hour), Text: "of another clock"}); err != nil {
		t.Fatal(err)
	}
	said := stop()
	if len(said) != 2 || !strings.HasPrefix(said[0], "noted at 2") || !strings.HasSuffix(said[0], "by ann ***: said ***") || !strings.Contains(said[1], "by bob: of another clock") || strings.Contains(said[1], "1h") {
		t.Errorf("%q", said)
	}
	events := r.onClock()
	if len(events) != 2 || events[0].Event != "run.note" || events[0].Text != "said ***" || events[0].Data["author"] != "ann ***" || events[0].T < 1.5 || events[0].T > 3 || events[0].At.IsZero() {
		t.Errorf("%+v", events)
	}
	quiet := newRunner((&plan.Plan{Scenario: &scenarios.Scenario{Secrets: &secrets}}), Options{ID: "r2"})
	if said := quiet.remarks()(); said != nil {
		t.Errorf("without a state directory: %q", said)
	}
}

// TestNotesAreMasked: notes and data of events may quote a script or a target, and have secrets
// masked.
func TestNotesAreMasked(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	r := newRunner((&plan.Plan{Scenario: &scenarios.Scenario{Secrets: &secrets}}), Options{ID: "r1"})
	r.note("load %q: an exception of the script, first %s", "k6", "no token sesame-sesame")
	r.event(result.Event{Event: "script.mark", Text: "sesame-sesame", Data: map[string]any{"sesame-sesame": "a sesame-sesame", "list": []any{"sesame-sesame", 1.0}, "map": map[string]any{"k": "sesame-sesame"}}})
	if text := fmt.Sprint(r.notes, r.events); strings.Contains(text, "sesame") || strings.Count(text, "***") != 6 {
		t.Error(text)
	}
	if r.check("sesame-sesame is right") != 0 || !slices.Equal(r.checks, []string{"*** is right"}) {
		t.Errorf("%q", r.checks)
	}
}
