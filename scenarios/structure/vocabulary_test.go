package structure_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vocabularyOfText lists the words that no comment and no message has.
var vocabularyOfText = []string{
	"anew", "courier", "foresee", "helper", "judgeable", "mailbox", "nobody", "parcel", "somebody", "uprooted", "warden",
	"whom", "yonder",
}

// A wordUse is where a word of the vocabulary is used all the same: names and files that match, and the reason.
type wordUse struct{ names, files, reason string }

// textsInUse are where text has such a word all the same: words and files that match, and the reason.
var textsInUse = []wordUse{
	{
		`^(helper|warden)$`,
		`^(chaos/journal/version_docker_test|cmd/brunt/stray_watchdog_test|targets/platform/containers/labels)\.go$`,
		"names that old versions have written to the engine",
	},
	{`^nobody$`, `^targets/demo/client\.go$`, "http.NoBody"},
	{`^nobody$`, `^targets/platform/container\.go$`, "the user of Unix systems"},
	{`.`, `^scenarios/run/vocabulary_test\.go$`, "these tables"},
}

// TestVocabulary holds names, comments and messages to the words of the field.
func TestVocabulary(t *testing.T) {
	text := regexp.MustCompile(`(?i)\b(` + strings.Join(vocabularyOfText, "|") + `)\b`)
	checkText := func(file, part string) {
		for _, word := range text.FindAllString(part, -1) {
			word = strings.ToLower(word)
			allowed := func(u wordUse) bool {
				return regexp.MustCompile(u.names).MatchString(word) && regexp.MustCompile(u.files).MatchString(file)
			}
			if !slices.ContainsFunc(textsInUse, allowed) {
				t.Errorf("%s: %q in %q", file, word, part)
			}
		}
	}
	for _, f := range moduleFiles(t) {
		for _, group := range f.ast.Comments {
			checkText(f.path, group.Text())
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && !f.test { // tests have data of their own
				checkText(f.path, s.Value)
			}
			return true
		})
	}
	for _, file := range treeFiles(t) {
		if !textFile.MatchString(file) {
			continue
		}
		b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			checkText(file, strings.TrimSpace(line))
		}
	}
}

// textFile matches the files besides Go whose text is held to the words: pages, scripts and styles of reports, and
// scripts of .ci.
var textFile = regexp.MustCompile(`\.(md|js|css|tmpl)$|^\.ci/[a-z]+$`)

// treeFiles lists the files of the repository, from its root, with slashes.
func treeFiles(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && strings.HasPrefix(d.Name(), ".") && d.Name() != ".github" && d.Name() != ".ci":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(root, file)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
