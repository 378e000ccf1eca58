package scenarios_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files again")

// okYAML is the minimal scenario that the cases extend.
const okYAML = `version: 1
target: {url: "http://127.0.0.1:8080"}
load: {reads: {executor: constant-vus, flow: [{get: /}]}}
`

// TestMistakes checks the wording and the places of messages. A case is the files below one
// folder of an archive: s.yaml is parsed, `set` holds params of the command line, want is the
// whole message.
func TestMistakes(t *testing.T) {
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		files := map[string][]byte{}
		for _, f := range a.Files {
			name, _, _ := strings.Cut(f.Name, "/")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			files[f.Name] = f.Data
		}
		out := &txtar.Archive{Comment: a.Comment}
		for _, name := range names {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+name, func(t *testing.T) {
				got := explainMistakes(files, name)
				if want := string(files[name+"/want"]); got != want && !*update {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				if strings.Contains(got, "%!") {
					t.Errorf("a format is wrong:\n%s", got)
				}
				files[name+"/want"] = []byte(got)
			})
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, name+"/") && f.Name != name+"/want" {
					out.Files = append(out.Files, f)
				}
			}
			out.Files = append(out.Files, txtar.File{Name: name + "/want", Data: files[name+"/want"]})
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// explainMistakes parses the scenario of a case and returns its messages.
func explainMistakes(files map[string][]byte, name string) string {
	o := scenarios.Options{
		Set: map[string]string{},
		Env: func(k string) (string, bool) { return "s3cret", k == "TOKEN" },
		Read: func(path string) ([]byte, error) {
			if b, ok := files[name+"/"+filepath.ToSlash(path)]; ok {
				return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("<TAB>"), []byte("\t")), []byte("<CR>"), []byte("\r")), nil
			}
			if path == "ok.yaml" {
				return []byte(okYAML), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
	for line := range strings.Lines(string(files[name+"/set"])) {
		k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		o.Set[k] = v
	}
	_, err := scenarios.Parse("s.yaml", o)
	if e, ok := errors.AsType[*syntax.MistakesError](err); ok {
		return e.Explain()
	}
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return "fine\n"
}
