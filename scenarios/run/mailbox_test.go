package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
)

// heard collects remarks.
type heard struct {
	mu  sync.Mutex
	all []Remark
}

func (h *heard) take(r Remark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, r)
}

func running(t *testing.T, state string) []Running {
	t.Helper()
	all, err := RunningIn([]string{filepath.Join(state, "none"), state})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMailbox(t *testing.T) {
	state := t.TempDir()
	if got := running(t, state); got != nil {
		t.Fatalf("nobody runs, and yet %v", got)
	}
	var h heard
	box, err := openMailbox(state, Running{Run: "r1", Name: "the name"}, h.take)
	if err != nil {
		t.Fatal(err)
	}
	other, err := openMailbox(state, Running{Run: "r2"}, func(Remark) {})
	if err != nil {
		t.Fatal(err)
	}
	all := running(t, state)
	if len(all) != 2 || all[0].Run != "r1" || all[0].Name != "the name" || all[1].Run != "r2" {
		t.Fatalf("%+v", all)
	}
	// Whatever lies there besides is no remark, and does no harm.
	for name, text := range map[string]string{"garbage.json": "{", "empty.json": `{"text":""}`, "long.json": strings.Repeat("x", 64<<10), "half": `{"text":"not whole yet"}`} {
		if err := os.WriteFile(filepath.Join(box.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(box.dir, "dir.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	const hostile = "<script>\x1b[31m\u202e\n${env.HOME}"
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if err := all[0].Leave(Remark{Author: "ann", At: time.Now(), Text: fmt.Sprint(i, hostile)}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for text, want := range map[string]error{"": ErrNoRemark, " \n": ErrNoRemark, strings.Repeat("x", LongestRemark+1): ErrTooLong} {
		if err := all[0].Leave(Remark{Text: text}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text[:min(8, len(text))], err, want)
		}
	}
	box.close(h.take)
	if len(h.all) != 8 || h.all[0].Author != "ann" || !strings.HasSuffix(h.all[0].Text, hostile) {
		t.Errorf("heard %+v", h.all)
	}
	if err := all[0].Leave(Remark{Text: "late"}); !errors.Is(err, ErrDeaf) {
		t.Errorf("after its end: %v", err)
	}
	if got := running(t, state); len(got) != 1 || got[0].Run != "r2" {
		t.Errorf("%+v", got)
	}
	other.close(func(Remark) {})
	if left, _ := os.ReadDir(filepath.Join(state, remarksFolder)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestMailbox_OfTheDead: a run that was killed takes nothing, and is not listed; what it
// left is taken away later.
func TestMailbox_OfTheDead(t *testing.T) {
	state := t.TempDir()
	dir := filepath.Join(state, remarksFolder, "dead")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	alive := filepath.Join(dir, aliveFile)
	if err := os.WriteFile(alive, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ago    time.Duration
		listed int
		there  bool
	}{{0, 1, true}, {silent + time.Second, 0, true}, {stale + time.Minute, 0, false}} {
		at := time.Now().Add(-c.ago)
		if err := os.Chtimes(alive, at, at); err != nil {
			t.Fatal(err)
		}
		if got := running(t, state); len(got) != c.listed {
			t.Errorf("touched %v ago: %+v", c.ago, got)
		}
		if _, err := os.Stat(dir); (err == nil) != c.there {
			t.Errorf("touched %v ago: %v", c.ago, err)
		}
	}
}

// TestRemarks: what is said while the run goes on stands in its notes and its events,
// secrets masked, with the time on the run's clock.
func TestRemarks(t *testing.T) {
	var secrets scenarios.Secrets
	secrets.Add("sesame-sesame")
	state := t.TempDir()
	r := (&Plan{Scenario: &scenarios.Scenario{Name: "n", Secrets: &secrets}}).newRunner(Options{ID: "r1", State: state})
	r.t0 = time.Now().Add(-3 * time.Second)
	stop := r.remarks()
	all := running(t, state)
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	if err := all[0].Leave(Remark{Author: "ann sesame-sesame", At: time.Now().Add(-time.Second), Text: "said sesame-sesame"}); err != nil {
		t.Fatal(err)
	}
	if err := all[0].Leave(Remark{Author: "bob", At: time.Now().Add(time.Hour), Text: "of another clock"}); err != nil {
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
	quiet := (&Plan{Scenario: &scenarios.Scenario{Secrets: &secrets}}).newRunner(Options{ID: "r2"})
	if said := quiet.remarks()(); said != nil {
		t.Errorf("without a state directory: %q", said)
	}
}

// TestNotesAreMasked: notes and what events carry may quote what a script or a target
// says.
func TestNotesAreMasked(t *testing.T) {
	var secrets scenarios.Secrets
	secrets.Add("sesame-sesame")
	r := (&Plan{Scenario: &scenarios.Scenario{Secrets: &secrets}}).newRunner(Options{ID: "r1"})
	r.note("load %q: an exception of the script, first %s", "k6", "no token sesame-sesame")
	r.event(scenarios.Event{Event: "script.mark", Text: "sesame-sesame", Data: map[string]any{"sesame-sesame": "a sesame-sesame", "list": []any{"sesame-sesame", 1.0}, "map": map[string]any{"k": "sesame-sesame"}}})
	if text := fmt.Sprint(r.notes, r.events); strings.Contains(text, "sesame") || strings.Count(text, "***") != 6 {
		t.Error(text)
	}
	if r.check("sesame-sesame is right") != 0 || !slices.Equal(r.checks, []string{"*** is right"}) {
		t.Errorf("%q", r.checks)
	}
}
