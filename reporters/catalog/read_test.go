package catalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/reporterstest"
)

func TestRead_WithoutTheOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := catalog.All().Write(dir, reporterstest.Results()["minute"]); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"latency.hlog", "events.jsonl"} {
		if err := os.Remove(filepath.Join(dir, f)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := evidence.Read(dir)
	if err != nil || r.Histograms != nil || len(r.Notes) != 2 {
		t.Fatalf("%v %v", r.Notes, err)
	}
	if page := reporterstest.Render(t, html.Page{}, r); !strings.Contains(page, "latency.hlog is missing") {
		t.Error("the page does not say that latency.hlog is missing")
	}
}
