package reporters

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got against testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and look at the difference. Got:\n%s", path, got)
	}
}

// each runs f on every fixture; with -short on those that differ most.
func each(t *testing.T, f func(t *testing.T, r *result.Result)) {
	if testing.Short() {
		some(t, f)
		return
	}
	on(t, slices.Sorted(maps.Keys(fixtures())), f)
}

// some runs f on the fixtures that differ most: for what takes long.
func some(t *testing.T, f func(t *testing.T, r *result.Result)) {
	on(t, []string{"hostile", "infinite", "empty", "short"}, f)
}

func on(t *testing.T, names []string, f func(t *testing.T, r *result.Result)) {
	all := fixtures()
	for _, name := range names {
		t.Run(name, func(t *testing.T) { f(t, all[name]) })
	}
}

func report(t *testing.T, rep Reporter, r *result.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := rep.Report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestKinds_ByNameAndFile(t *testing.T) {
	kinds := Kinds()
	for _, name := range []string{"html", "json", "junit", "hlog", "events", "terminal", "report.html", "result.json", "junit.xml", "latency.hlog", "events.jsonl"} {
		if kinds[name] == nil || kinds[name]() == nil {
			t.Errorf("no reporter %q", name)
		}
	}
}

// A reporter must not change the result, and must give the same bytes for the same
// result.
func TestReporters_SameBytesTwice(t *testing.T) {
	some(t, func(t *testing.T, r *result.Result) {
		r = withRequests(t, r)
		before := report(t, JSON{}, r)
		for name, kind := range Kinds() {
			if strings.Contains(name, ".") {
				continue // the same by its file
			}
			if first, second := report(t, kind(), r), report(t, kind(), r); first != second {
				t.Errorf("%s differs from one time to the next", name)
			}
		}
		if report(t, JSON{}, r) != before {
			t.Error("a reporter changed the result")
		}
	})
}

type fullDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestReporters_SayThatTheDiskIsFull(t *testing.T) {
	r := withRequests(t, fixtures()["minute"])
	for name, kind := range Kinds() {
		for _, room := range []int{0, 100} {
			if err := kind().Report(&fullDisk{room}, r); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d bytes: %v", name, room, err)
			}
		}
	}
}

func TestWrite_OneFailureKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, junitFile, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := Write(dir, fixtures()["minute"])
	if err == nil || !strings.Contains(err.Error(), "writing junit.xml: ") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || !e.IsDir() && (info.Size() == 0 || info.Mode().Perm()&0o044 != 0o044) {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
	if got, want := strings.Join(names, " "), "events.jsonl junit.xml latency.hlog report.html result.json scenario.yaml"; got != want {
		t.Errorf("files %s, want %s: no temporary file stays", got, want)
	}
}

func TestWrite_NoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(file, "sub"), fixtures()["minute"]); err == nil {
		t.Error("no error where the folder can't be made")
	}
}
