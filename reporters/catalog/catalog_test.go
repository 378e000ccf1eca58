package catalog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

func TestKinds_ByNameAndFile(t *testing.T) {
	for _, name := range []string{
		"html", "json", "junit", "hlog", "events", "terminal", "report.html", "result.json", "junit.xml", "latency.hlog",
		"events.jsonl",
	} {
		if catalog.All().Named(name) == nil {
			t.Errorf("no reporter %q", name)
		}
	}
}

// A reporter must not change the result, and must write the same bytes for the same result.
func TestReporters_SameBytesTwice(t *testing.T) {
	reporterstest.Some(t, func(t *testing.T, r *result.Result) {
		r = reporterstest.WithRequests(t, r)
		before := reporterstest.Render(t, evidence.JSON{}, r)
		again := catalog.All()
		for i, rep := range catalog.All() {
			if first, second := reporterstest.Render(t, rep, r), reporterstest.Render(t, again[i], r); first != second {
				t.Errorf("%s differs from one time to the next", rep.Format().Name)
			}
		}
		if reporterstest.Render(t, evidence.JSON{}, r) != before {
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
	r := reporterstest.WithRequests(t, reporterstest.Results()["minute"])
	for _, rep := range catalog.All() {
		for _, room := range []int{0, 100} {
			if err := rep.Report(&fullDisk{room}, r); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d bytes: %v", rep.Format().Name, room, err)
			}
		}
	}
}

func TestWrite_OneFailureKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "junit.xml", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := catalog.All().Write(dir, reporterstest.Results()["minute"])
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
		shared := fs.FileMode(0o044) // what is drawn may be read by all, the evidence by its owner alone
		if slices.Contains([]string{"events.jsonl", "latency.hlog", "result.json"}, e.Name()) {
			shared = 0
		}
		if info, err := e.Info(); err != nil || !e.IsDir() && (info.Size() == 0 || info.Mode().Perm()&0o044 != shared) {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
	if got, want := strings.Join(names, " "),
		"events.jsonl junit.xml latency.hlog report.html result.json scenario.yaml"; got != want {
		t.Errorf("files %s, want %s: no temporary file stays", got, want)
	}
}

func TestWrite_NoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := catalog.All().Write(filepath.Join(file, "sub"), reporterstest.Results()["minute"]); err == nil {
		t.Error("no error where the folder can't be made")
	}
}
