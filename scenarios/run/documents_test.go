package run_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
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

// listed matches a line of a package comment that names files of the package.
var listed = regexp.MustCompile(`(?m)^[ \t]+[a-z0-9_*]+\.go\b.*$`)

// fileName matches the name of a file, or a pattern of several.
var fileName = regexp.MustCompile(`[a-z0-9_*]+\.go\b`)

// ofSystem matches the end of the name of a file for one system, which has a file of the same noun for the others.
var ofSystem = regexp.MustCompile(`_(linux|darwin|windows|unix|bsd|other)\.go$`)

// TestDoc_Files: a package comment that lists files lists each file of the package.
func TestDoc_Files(t *testing.T) {
	lists := map[string][]string{} // the patterns of each package that lists its files
	for _, f := range moduleFiles(t) {
		if path.Base(f.path) != "doc.go" || f.ast.Doc == nil {
			continue
		}
		if text := f.ast.Doc.Text(); listed.MatchString(text) {
			lists[f.dir()] = fileName.FindAllString(text, -1)
		}
	}
	if len(lists) < 10 {
		t.Fatalf("%d packages list their files", len(lists))
	}
	for _, f := range moduleFiles(t) {
		patterns, lists := lists[f.dir()]
		name := path.Base(f.path)
		if !lists || f.test || name == "doc.go" {
			continue
		}
		noun := ofSystem.ReplaceAllString(name, ".go")
		if !slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) || matches(p, noun) }) {
			t.Errorf("%s/doc.go has no line on %s", f.dir(), name)
		}
	}
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// TestLayout: the table of CONTRIBUTING.md names each folder that is one or two levels deep and has packages.
func TestLayout(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", ".github", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, layout, _ := strings.Cut(string(page), "\n## Layout\n")
	layout, _, _ = strings.Cut(layout, "\n## ")
	named := map[string]bool{}
	for _, name := range regexp.MustCompile("`([a-z0-9/*-]+)`").FindAllStringSubmatch(layout, -1) {
		named[strings.TrimSuffix(name[1], "/*")] = true
	}
	for _, f := range moduleFiles(t) {
		parts := strings.Split(f.dir(), "/")
		folder := path.Join(parts[:min(2, len(parts))]...)
		if top := parts[0]; folder == "." || top == "examples" || named[folder] {
			continue
		}
		t.Errorf("the table under Layout of CONTRIBUTING.md has no row for %s", folder)
		named[folder] = true
	}
	for name := range named {
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(name))); err != nil {
			t.Errorf("the table under Layout of CONTRIBUTING.md has a row for %s: %v", name, err)
		}
	}
}
