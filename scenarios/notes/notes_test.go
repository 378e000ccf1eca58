package notes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// heard collects notes.
type heard struct {
	mu  sync.Mutex
	all []Note
}

func (h *heard) take(r Note) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, r)
	return nil
}

func running(t *testing.T, state string) []Running {
	t.Helper()
	all, err := RunningIn([]string{filepath.Join(state, "none"), state})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOpen(t *testing.T) {
	state := t.TempDir()
	if got := running(t, state); got != nil {
		t.Fatalf("no run is under way, and yet %v", got)
	}
	var h heard
	box, err := Open(state, Running{Run: "r1", Name: "the name"}, h.take)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(state, Running{Run: "r2"}, func(Note) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	all := running(t, state)
	if len(all) != 2 || all[0].Run != "r1" || all[0].Name != "the name" || all[1].Run != "r2" {
		t.Fatalf("%+v", all)
	}
	// Other files in the folder are ignored.
	for name, text := range map[string]string{
		"garbage.json": "{", "empty.json": `{"text":""}`, "long.json": strings.Repeat("x", 64<<10),
		"half": `{"text":"not whole yet"}`,
	} {
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
			if err := all[0].Leave(Note{Author: "ann", At: time.Now(), Text: fmt.Sprint(i, hostile)}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for text, want := range map[string]error{
		"": ErrEmpty, " \n": ErrEmpty, strings.Repeat("x", longestNote+1): ErrTooLong,
	} {
		if err := all[0].Leave(Note{Text: text}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text[:min(8, len(text))], err, want)
		}
	}
	box.Close(h.take)
	if len(h.all) != 8 || h.all[0].Author != "ann" || !strings.HasSuffix(h.all[0].Text, hostile) {
		t.Errorf("heard %+v", h.all)
	}
	if err := all[0].Leave(Note{Text: "late"}); !errors.Is(err, errNotTaken) {
		t.Errorf("after its end: %v", err)
	}
	if got := running(t, state); len(got) != 1 || got[0].Run != "r2" {
		t.Errorf("%+v", got)
	}
	other.Close(func(Note) error { return nil })
	if left, _ := os.ReadDir(filepath.Join(state, Folder)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestRunningIn_DeadRuns: a run that was killed accepts no notes and is not listed; its folder is
// removed later.
func TestRunningIn_DeadRuns(t *testing.T) {
	state := t.TempDir()
	dir := filepath.Join(state, Folder, "dead")
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
	}{{0, 1, true}, {DeadAfter + time.Second, 0, true}, {removeAfter + time.Minute, 0, false}} {
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
