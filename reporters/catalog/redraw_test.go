package catalog_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
)

// TestRedraw_KeepsUnchangedFiles checks that a file that matches the manifest stays and a missing
// one is drawn.
func TestRedraw_KeepsUnchangedFiles(t *testing.T) {
	dir := t.TempDir()
	if err := catalog.All().Write(dir, reporterstest.Results()["minute"]); err != nil {
		t.Fatal(err)
	}
	if err := evidence.WriteManifest(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "junit.xml")); err != nil {
		t.Fatal(err)
	}
	r, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := catalog.All().Redraw(dir, r)
	if err != nil || !slices.Equal(kept, []string{"scenario.yaml", "report.html"}) {
		t.Errorf("kept %q, %v", kept, err)
	}
	v, err := evidence.Verify(dir, nil, catalog.All().Derived)
	if err != nil || len(v.Findings) > 0 { // junit.xml is drawn with the same bytes
		t.Errorf("%+v, %v", v, err)
	}
	if err := evidence.RemoveManifest(dir); err != nil {
		t.Fatal(err)
	}
	if kept, err := catalog.All().Redraw(dir, r); err != nil || kept != nil {
		t.Errorf("without a manifest: kept %q, %v", kept, err)
	}
	out := t.TempDir()
	if err := catalog.All().Draw(out, r); err != nil {
		t.Fatal(err)
	}
	names, _ := os.ReadDir(out)
	if len(names) != 3 {
		t.Errorf("drawn elsewhere: %v", names)
	}
}
