package measure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoc_Files: the documentation of the package has a line for each of its files.
func TestDoc_Files(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "unlink_") || name == "doc.go" {
			continue
		}
		if !strings.Contains(string(doc), "//\t"+name+" ") {
			t.Errorf("no line on %s", name)
		}
	}
}
