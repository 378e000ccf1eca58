package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios/result"
)

// TestReadUnfinished: of a run that was killed its events say when it began, how far it came and which faults it did
// not take back, also where the last line is torn.
func TestReadUnfinished(t *testing.T) {
	dir := t.TempDir()
	l, err := evidence.OpenEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, e := range []result.Event{
		{T: .1, Event: "run.start", Text: "checkout", Data: map[string]any{"run": "20260102-x"}},
		{T: -.05, Event: "load.start"},
		{T: 5, Event: "fault.injected", Fault: "slow", Text: "delay 50ms"},
		{T: 9, Event: "fault.reverted", Fault: "slow", Text: "ok"}, // as older versions tell it
		{
			T: 10.1, Event: "fault.injected", Fault: "dead", Text: "send SIGKILL to web[0]",
			Data: map[string]any{result.BegunData: 10.0},
		},
		{T: 10.2, Event: "fault.reverted", Fault: "dead", Text: "***", Data: map[string]any{"outcome": "failed"}},
		{T: 10.5, Event: "fault.verified", Fault: "dead", Text: "gone"},
	} {
		e.At = began.Add(time.Duration(i) * time.Second)
		l.Add(e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"t":11,"event":"fault.rev`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	u, err := evidence.ReadUnfinished(dir)
	if err != nil {
		t.Fatal(err)
	}
	if u.Run != "20260102-x" || u.Name != "checkout" || !u.Began.Equal(began) || !u.Torn || len(u.Faults) != 2 {
		t.Errorf("%+v", u)
	}
	said := strings.Join(u.Says(), "\n")
	for _, want := range []string{
		"began at 2026-01-02 03:04:05 UTC", "03:04:11 UTC, 10.5s into the load",
		"slow was injected at 5s (delay 50ms), and taken back at 9s.",
		"dead was injected at 10s (send SIGKILL to web[0]), and that run did not take it back",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in:\n%s", want, said)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, t.TempDir()} {
		if u, err := evidence.ReadUnfinished(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %+v, %v", dir, u, err)
		}
	}
}
