package catalog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// Parts of a page other than its text.
var (
	packedPart = regexp.MustCompile(`<script type="text/plain" id="(data|facets)">([A-Za-z0-9+/=]*)</script>`)
	policyPart = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
)

// From the result of Read, every file must be written again. The page may differ from that of
// the run by the last digit of a number, since result.json rounds to nanoseconds; two pages
// from result.json are equal byte for byte.
func TestRead_WritesTheSameFilesAgain(t *testing.T) {
	figures := regexp.MustCompile(`[-0-9.]+`)
	reporterstest.Some(t, func(t *testing.T, r *result.Result) {
		dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
		for i, dir := range dirs {
			if err := catalog.All().Write(dir, r); err != nil {
				t.Fatal(err)
			}
			again, err := evidence.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			r = again
			if i == 0 {
				continue
			}
			for _, f := range writtenFiles() {
				a, _ := os.ReadFile(filepath.Join(dirs[i-1], f.File))
				b, _ := os.ReadFile(filepath.Join(dir, f.File))
				a = bytes.ReplaceAll(a, []byte(`\ufffd`), []byte("\ufffd")) // JSON escapes invalid UTF-8 the first time
				if f.File == "report.html" && i == 1 {
					a, b = figures.ReplaceAll(a, []byte("0")), figures.ReplaceAll(b, []byte("0"))
					a, b = packedPart.ReplaceAll(a, nil), packedPart.ReplaceAll(b, nil)
					a, b = policyPart.ReplaceAll(a, nil), policyPart.ReplaceAll(b, nil)
				}
				if f.File != "events.jsonl" && f.File != "scenario.yaml" && len(a) == 0 || !bytes.Equal(a, b) {
					t.Errorf("%s of copy %d: %d bytes became %d", f.File, i, len(a), len(b))
				}
			}
		}
		// onto itself, as `brunt report DIR` does
		if err := catalog.All().Write(dirs[2], r); err != nil {
			t.Error(err)
		}
	})
}
