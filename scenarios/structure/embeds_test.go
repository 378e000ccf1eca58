package structure_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestEmbeds: no package embeds files of Go. The program would contain them, and an edited one, even a test, would
// rebuild every package that imports the package.
func TestEmbeds(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				patterns, _ := strings.CutPrefix(c.Text, "//go:embed ")
				if patterns == c.Text {
					continue
				}
				for pattern := range strings.FieldsSeq(patterns) {
					for _, file := range embeddedGo(t, f.dir(), pattern) {
						t.Errorf("%s embeds %s", f.path, file)
					}
				}
			}
		}
	}
}

// embeddedGo lists the files of Go that a pattern of go:embed takes.
func embeddedGo(t *testing.T, dir, pattern string) (files []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), strings.TrimPrefix(pattern, "all:")))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s embeds %s, which is not found (%v)", dir, pattern, err)
	}
	for _, top := range found {
		err := filepath.WalkDir(top, func(file string, _ fs.DirEntry, err error) error {
			if filepath.Ext(file) == ".go" {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
