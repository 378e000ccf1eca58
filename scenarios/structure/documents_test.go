package structure_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocuments: each document that a comment, a page or a script names is in the repository.
func TestDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	known, named := map[string]bool{}, map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch ext := filepath.Ext(file); {
		case err != nil:
			return err
		case d.IsDir():
			if slices.Contains([]string{".git", "testdata", "results"}, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		case ext == ".md":
			known[d.Name()] = true
		case ext != ".go" && ext != "":
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for _, name := range document.FindAllString(string(text), -1) {
			named[name] = append(named[name], file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range named {
		if !known[name] {
			t.Errorf("there is no %s, which these name: %s", name, strings.Join(files, ", "))
		}
	}
}

// document matches the name of a page.
var document = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9_-]*\.md\b`)
