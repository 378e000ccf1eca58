package catalog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/reporters"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/reporterstest"
)

// A damaged histogram removes its charts, not the page.
func TestHTML_WithADamagedHistogram(t *testing.T) {
	dir := t.TempDir()
	if err := reporters.WriteFiles(dir, reporterstest.Results()["minute"],
		[]reporters.Reporter{evidence.JSON{}, evidence.Hlog{}, evidence.Events{}}); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "latency.hlog")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, bytes.Replace(text, []byte("HISTF"), []byte("HIST?"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Histograms.Get(1); err == nil {
		t.Fatal("the histogram is not damaged")
	}
	if page := reporterstest.Render(t, html.Page{}, r); !strings.Contains(page, "decoding histogram 1") {
		t.Error("the page does not say that histogram 1 is damaged")
	}
}
