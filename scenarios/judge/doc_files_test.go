package judge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoc_Files: the documentation of each package has a line for each of its files.
func TestDoc_Files(t *testing.T) {
	for _, dir := range []string{".", "answer", "counted", "running", "../measure", "../impact"} {
		doc, err := os.ReadFile(filepath.Join(dir, "doc.go"))
		if err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range names {
			name := filepath.Base(path)
			if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "unlink_") || name == "doc.go" {
				continue
			}
			if !strings.Contains(string(doc), "//\t"+name+" ") {
				t.Errorf("%s/doc.go has no line on %s", dir, name)
			}
		}
	}
}
