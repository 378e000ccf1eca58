package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLibrary checks that the programs which show how brunt is used as a library import no other of its packages than
// CONTRIBUTING promises, and that there is each of those, with a comment.
func TestLibrary(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, ".github", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The library\n")
	section, _, _ = strings.Cut(section, "\n## ")
	public := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|").FindAllStringSubmatch(section, -1) {
		public[m[1]] = true
	}
	if len(public) < 5 {
		t.Fatalf("CONTRIBUTING names %d packages", len(public))
	}
	commented := map[string]bool{}
	files, err := parsedFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.test && f.ast.Doc != nil {
			commented[f.dir()] = true
		}
	}
	for name := range public {
		if !commented[name] {
			t.Errorf("there is no package %s with a comment", name)
		}
	}
	own := regexp.MustCompile(`"(?:brunt|MODULE)/([a-z0-9/]+)"`)
	for _, file := range []string{"scenarios/run/example_test.go", ".ci/pack/publication_test.go"} {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		_, imports, _ := strings.Cut(string(source), "`package main\n") // of the program that a test holds
		if imports == "" {
			imports = string(source)
		}
		imports, _, _ = strings.Cut(imports, "\n)\n")
		used := own.FindAllStringSubmatch(imports, -1)
		if len(used) < 3 {
			t.Errorf("%s imports %d packages of brunt", file, len(used))
		}
		for _, m := range used {
			if !public[m[1]] {
				t.Errorf("%s imports %s, which is not public", file, m[1])
			}
		}
	}
}
