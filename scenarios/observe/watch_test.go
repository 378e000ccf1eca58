package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/probe"
	"brunt/scenarios/result"
)

// watched plays answers to a watch, one a second, each 100 ms after it was asked for: a letter is a state, x no answer.
func watched(answers string) (*unitWatch, []string) {
	w := &unitWatch{plan: Watch{Name: "role", Watch: new(probe.Watch)}, unit: "db[0]"}
	var events []string
	for i, c := range answers {
		at := time.Duration(i) * time.Second
		text, err := string(c), error(nil)
		if c == 'x' {
			text, err = "", errors.New("refused")
		}
		for _, e := range w.take(at, at+100*time.Millisecond, text, err) {
			events = append(events, fmt.Sprintf("%.1f %s %s", float64(e.T), strings.TrimPrefix(e.Event, "watch."),
				strings.TrimPrefix(e.Text, "role: ")))
		}
	}
	return w, events
}

// A state begins when its first answer arrives; questions without an answer are gaps, which begin when they were asked.
func TestUnitWatch_Take(t *testing.T) {
	for _, c := range []struct {
		name, answers string
		states        string
		events        []string
	}{
		{"steady", "aaa", "a 0.1-2.1", []string{"0.1 state is a"}},
		{"a change", "aabb", "a 0.1-2.1, b 2.1-3.1", []string{"0.1 state is a", "2.1 state became b, was a at 1.1 s"}},
		{
			"a gap", "axxa", "a 0.1-1.0, - 1.0-3.1, a 3.1-3.1",
			[]string{"0.1 state is a", "1.1 silent no answer: refused", "3.1 state answers again: a"},
		},
		{
			"a change over a gap", "axb", "a 0.1-1.0, - 1.0-2.1, b 2.1-2.1",
			[]string{"0.1 state is a", "1.1 silent no answer: refused", "2.1 state became b, was a at 0.1 s"},
		},
		{"never", "xx", "- 0.0-1.1", []string{"0.1 silent no answer: refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, events := watched(c.answers)
			rec := w.record(func(s string) string { return s })
			var states []string
			for _, s := range rec.States {
				text := s.Text
				if text == "" {
					text = "-"
				}
				states = append(states, fmt.Sprintf("%s %.1f-%.1f", text, float64(s.From), float64(s.To)))
			}
			if got := strings.Join(states, ", "); got != c.states {
				t.Errorf("states %s, want %s", got, c.states)
			}
			if !slices.Equal(events, c.events) {
				t.Errorf("events %q, want %q", events, c.events)
			}
			if rec.Asked != len(c.answers) || rec.Missed != strings.Count(c.answers, "x") ||
				(rec.Note != "") != (rec.Missed == rec.Asked) {
				t.Errorf("%d asked, %d missed, %q", rec.Asked, rec.Missed, rec.Note)
			}
		})
	}
}

// A unit that answers with something new each time does not fill the result.
func TestUnitWatch_Bounded(t *testing.T) {
	w, _ := watched(strings.Repeat("ab", mostStates))
	rec := w.record(func(s string) string { return s })
	if len(rec.States) != mostStates || !strings.Contains(rec.Note, "changed more than") {
		t.Errorf("%d states, %q", len(rec.States), rec.Note)
	}
	var events []result.Event
	w = &unitWatch{
		plan: Watch{Name: "role", Watch: new(probe.Watch)}, unit: "db[0]",
		reading: stateFunc(func(context.Context) (string, error) { return strings.Repeat("long ", 100) + "secret", nil }),
	}
	w.ask(t.Context(), &Run{
		Now: func() time.Duration { return 0 }, Event: func(e result.Event) { events = append(events, e) },
		Mask: func(s string) string { return strings.ReplaceAll(s, "long", "***") },
	})
	if rec := w.record(func(s string) string { return s }); len([]rune(rec.States[0].Text)) != mostText+1 ||
		strings.Contains(rec.States[0].Text, "long") {
		t.Errorf("%q", rec.States[0].Text)
	}
}

type stateFunc func(ctx context.Context) (string, error)

func (f stateFunc) State(ctx context.Context) (string, error) { return f(ctx) }
