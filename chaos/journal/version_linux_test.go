package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
)

// The journals of version 1 in testdata were written by the first version of brunt, which was killed
// together with its watchdog. The processes, containers and control groups in them no longer exist.
// What remains is the file that the fault `command` made.

// fixture copies a journal of testdata to a state directory of this machine, with old replaced by new.
func fixture(t *testing.T, name string, replace ...string) (dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".journal"))
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	b := strings.NewReplacer(append(replace, "drill.example", host)...).Replace(string(text))
	if err := os.WriteFile(filepath.Join(dir, name+".journal"), []byte(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// list reads the only journal of a state directory.
func list(t *testing.T, dir string) journal.State {
	t.Helper()
	states, err := journal.List(dir)
	if err != nil || len(states) != 1 {
		t.Fatalf("%d journals, %v; want one", len(states), err)
	}
	return states[0]
}

func TestVersion1_Processes(t *testing.T) {
	drill := t.TempDir()
	dir := fixture(t, "version1-processes", "/tmp/drill", drill)
	s := list(t, dir)
	if s.Damaged > 0 || s.Torn || s.Foreign || s.Alive || len(s.Open) != 6 {
		t.Fatalf("%+v", s)
	}
	frozen := s.Open[1]
	if frozen.Fault != "frozen" || frozen.Version != 1 || !frozen.Deadline.IsZero() || frozen.Owner.Run != s.Run ||
		frozen.Owner.PID == 0 ||
		frozen.Place.Machine != s.Host {
		t.Errorf("%+v", frozen)
	}
	if err := os.WriteFile(filepath.Join(drill, "flag"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	revert(t, dir, map[string]chaos.Outcome{
		"": chaos.Gone, "frozen": chaos.Gone, "slow": chaos.Gone, "few-fds": chaos.Gone, "skewed": chaos.Gone,
		"command": chaos.Reverted,
	})
	if _, err := os.Stat(filepath.Join(drill, "flag")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the command that reverts was not run: %v", err)
	}
}

func TestVersion1_Containers(t *testing.T) {
	dir := fixture(t, "version1-containers", "unix:///var/run/docker.sock", emptyEngine(t))
	if s := list(t, dir); s.Damaged > 0 || s.Torn || s.Foreign || len(s.Open) != 6 {
		t.Fatalf("%+v", s)
	}
	revert(t, dir, map[string]chaos.Outcome{
		"": chaos.Gone, "paused": chaos.Gone, "killed": chaos.Gone, "cut": chaos.Gone, "lossy": chaos.Gone,
		"starved": chaos.Gone,
	})
}

func TestVersion1_OfAnotherMachine(t *testing.T) {
	dir := fixture(t, "version1-processes", "drill.example", "another.example")
	if s := list(t, dir); !s.Foreign || s.Left() != 0 || len(s.Open) != 6 {
		t.Errorf("foreign is %v, %d entries, %d left; want another machine's 6", s.Foreign, len(s.Open), s.Left())
	}
	if taken, err := journal.Recover(t.Context(), catalog.AllOperations(), dir, "revert"); err != nil || len(taken) > 0 {
		t.Errorf("%d reverted, %v; want none", len(taken), err)
	}
}

// revert reverts a journal, and compares the outcomes by fault.
func revert(t *testing.T, dir string, want map[string]chaos.Outcome) {
	t.Helper()
	taken, err := journal.Recover(t.Context(), catalog.AllOperations(), dir, "revert")
	if err != nil || len(taken) != len(want) {
		t.Errorf("%d entries, %v; want %d", len(taken), err, len(want))
	}
	for _, e := range taken {
		if e.Outcome != want[e.Pending.Fault] {
			t.Errorf("%s: %s (%s): %v; want %s", e.Pending.Fault, e.Outcome, e.Pending.What, e.Err, want[e.Pending.Fault])
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// emptyEngine serves a container engine that has nothing, and returns its address.
func emptyEngine(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "engine"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Api-Version", "1.41")
			switch {
			case strings.HasSuffix(r.URL.Path, "/_ping"):
				_, _ = w.Write([]byte("OK"))
			case strings.HasSuffix(r.URL.Path, "/volumes"):
				_, _ = w.Write([]byte("{}"))
			case strings.HasSuffix(r.URL.Path, "/containers/json"), strings.HasSuffix(r.URL.Path, "/images/json"),
				strings.HasSuffix(r.URL.Path, "/networks"):
				_, _ = w.Write([]byte("[]"))
			default:
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"message": "No such object"}`))
			}
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return "unix://" + l.Addr().String()
}

func TestVersion_OfRecords(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(catalog.AllOperations(), dir, "run")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Now().Add(time.Hour).Round(0)
	unpause := chaos.Undo{Op: "docker.unpause", Args: []byte(`{"engine":{"host":"tcp://engine.example:2376"}}`)}
	if _, err := j.Intent(chaos.Intent{
		Fault: "f", What: "pause it", Undo: []chaos.Undo{unpause}, Deadline: due,
	}); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	me, err := proc.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	e := list(t, dir).Open[0]
	want := journal.Place{Machine: host, Engine: "tcp://engine.example:2376"}
	if e.Version != journal.Version || !e.Deadline.Equal(due) || e.Owner != (journal.Owner{Identity: me, Run: "run"}) ||
		e.Place != want {
		t.Errorf("%+v; want %s", e, want)
	}
	text, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r struct{ V int }
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.V != journal.Version {
			t.Errorf("version %d, %v: %s", r.V, err, line)
		}
	}
	if err := errors.Join(j.Done(1, chaos.Gone), j.Close()); err != nil {
		t.Error(err)
	}
}

// TestVersion_Newer reads a journal of a newer brunt: what it has left is named, and kept for that brunt.
func TestVersion_Newer(t *testing.T) {
	dir := t.TempDir()
	host, _ := os.Hostname()
	lines := []string{
		fmt.Sprintf(`{"v":9,"op":"begin","run":"tomorrow","host":%q,"process":{}}`, host),
		`{"v":9,"op":"intent","id":1,"what":"over"}`,
		`{"v":9,"op":"intent","id":2,"what":"scale web to 0","undo":[{"op":"fd.limit"}],"place":{"machine":"ci-7","cluster":"staging"}}`,
		`{"v":9,"op":"done","id":1}`,
		`{"v":9,"op":"lease","id":2}`,
		`{"v":2,"op":"intent","id":3,"what":"freeze it","undo":[{"op":"of.tomorrow"}],"place":{"machine":"ci-7"}}`,
	}
	file := filepath.Join(dir, "tomorrow.journal")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := list(t, dir); len(s.Open) != 2 || s.Damaged != 1 || s.Left() != 3 {
		t.Errorf("%+v; want two entries, and a record that is unknown", s)
	}
	for range 2 {
		taken, err := journal.Recover(t.Context(), catalog.AllOperations(), dir, "revert")
		if !errors.Is(err, chaos.ErrNewerVersion) || !errors.Is(err, chaos.ErrUnknownOperation) || len(taken) != 2 {
			t.Fatalf("%+v, %v", taken, err)
		}
		for _, want := range []string{
			"scale web to 0: the journal's entry is of a newer version, 9; this brunt reads up to 2; its effect may be left " +
				"on cluster staging, machine ci-7; run ",
			`freeze it: unknown undo operation "of.tomorrow"; its effect may be left on machine ci-7; run `,
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		}
	}
	if s := list(t, dir); len(s.Open) != 2 || !strings.Contains(s.Open[0].Error, "newer version") {
		t.Errorf("%+v; want the entries kept", s)
	}
}
