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

// TestRedraw checks which files of a run are drawn again after an update of brunt, for which an older page stands, and
// what `brunt verify` says of the folder then.
func TestRedraw(t *testing.T) {
	const older = "<p>drawn by an older brunt</p>"
	for _, c := range []struct {
		name           string
		seal, evidence string // a file that seals the folder; a file of evidence with other bytes
		kept, drawn    []string
		findings       int
	}{
		{name: "not signed", drawn: []string{"junit.xml", "report.html"}},
		{
			name: "signed", seal: "SHA256SUMS.sig",
			kept: []string{"report.html"}, drawn: []string{"junit.xml"}, findings: 1,
		},
		{
			name: "attested", seal: "attestation-1.json",
			kept: []string{"report.html"}, drawn: []string{"junit.xml"}, findings: 1,
		},
		{name: "changed evidence", evidence: "latency.hlog", drawn: []string{"junit.xml", "report.html"}, findings: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := catalog.All().Write(dir, reporterstest.Results()["minute"]); err != nil {
				t.Fatal(err)
			}
			r, err := evidence.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			write("report.html", older)
			if err := evidence.WriteManifest(dir, nil); err != nil {
				t.Fatal(err)
			}
			if c.seal != "" {
				write(c.seal, "")
			}
			if c.evidence != "" {
				write(c.evidence, "something else")
			}
			if err := os.Remove(filepath.Join(dir, "junit.xml")); err != nil {
				t.Fatal(err)
			}
			sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
			if err != nil {
				t.Fatal(err)
			}
			kept, drawn, err := catalog.All().Redraw(dir, r)
			slices.Sort(drawn)
			if err != nil || !slices.Equal(kept, c.kept) || !slices.Equal(drawn, c.drawn) {
				t.Errorf("kept %q, drawn %q, %v", kept, drawn, err)
			}
			page, err := os.ReadFile(filepath.Join(dir, "report.html"))
			if err != nil || (string(page) == older) != (c.kept != nil) {
				t.Errorf("the page has %d bytes, %v", len(page), err)
			}
			now, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
			if err != nil || (string(now) == string(sums)) != (c.seal != "") {
				t.Errorf("SHA256SUMS %s, %v", now, err)
			}
			v, err := evidence.Verify(dir, nil, catalog.All().Derived)
			if err != nil || len(v.Findings) != c.findings {
				t.Errorf("findings %+v, %v", v.Findings, err)
			}
			if c.evidence != "" && (len(v.Findings) == 0 || v.Findings[0].File != c.evidence) {
				t.Errorf("the changed evidence is not found: %+v", v.Findings)
			}
			if _, drawn, err = catalog.All().Redraw(dir, r); err != nil || len(drawn) > 0 {
				t.Errorf("the second time drawn %q, %v", drawn, err)
			}
			if err := evidence.RemoveManifest(dir); err != nil {
				t.Fatal(err)
			}
			if c.seal == "attestation-1.json" {
				return // still sealed
			}
			write("report.html", older)
			if kept, drawn, err := catalog.All().Redraw(dir, r); err != nil || kept != nil || len(drawn) != 1 {
				t.Errorf("without a manifest: kept %q, drawn %q, %v", kept, drawn, err)
			}
		})
	}
	out := t.TempDir()
	if err := catalog.All().Draw(out, reporterstest.Results()["minute"]); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(out); len(names) != 3 {
		t.Errorf("drawn elsewhere: %v", names)
	}
}
