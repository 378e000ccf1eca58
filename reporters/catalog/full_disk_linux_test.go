package catalog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"brunt/reporters"
	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/scenarios"
)

// TestRewrite_FullDisk: where a report finds no room, and result.json takes up all of it, the verdict of the second
// writing still gets into result.json.
func TestRewrite_FullDisk(t *testing.T) {
	r := reporterstest.ShortRun().Result()
	sizes := t.TempDir()
	if err := catalog.All().Write(sizes, r); err != nil {
		t.Fatal(err)
	}
	room := int64(2 << 12)
	for _, f := range writtenFiles() {
		if at, err := os.Stat(filepath.Join(sizes, f.File)); err == nil && f.Evidence {
			room += (at.Size() + 1<<12 - 1) &^ (1<<12 - 1)
		}
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.FormatInt(room, 10)); err != nil {
		t.Skip("mounting a small disk: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	full, ok := errors.AsType[*reporters.FullError](catalog.All().Write(dir, r))
	if !ok || full.Dir != dir || len(full.Files) == 0 || full.Free < 0 || full.Free >= room {
		t.Fatalf("%+v", full)
	}
	if text := full.Error(); strings.Contains(text, ".html.") || !strings.HasSuffix(text, "by -o") {
		t.Error(text)
	}
	r.Verdict, r.ExitCode = scenarios.Broken, scenarios.ExitError
	r.Reason = string(bytes.Repeat([]byte("no room; "), 200))
	if err := catalog.All().Rewrite(dir, r); err == nil {
		t.Error("there was room for all files")
	}
	again, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Verdict != r.Verdict || again.ExitCode != r.ExitCode || again.Reason != r.Reason {
		t.Errorf("%s, %d: %s", again.Verdict, again.ExitCode, again.Reason)
	}
}
