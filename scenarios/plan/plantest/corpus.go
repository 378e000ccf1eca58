package plantest

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"

	"github.com/rogpeppe/go-internal/txtar"
)

// archives are the scenarios of the corpus.
//
//go:embed corpus/*.txtar
var archives embed.FS

func readArchive(name string) (*txtar.Archive, error) {
	text, err := archives.ReadFile("corpus/" + name + ".txtar")
	if err != nil {
		return nil, err
	}
	return txtar.Parse(text), nil
}

// Case is a scenario of the corpus with the expected mistakes.
type Case struct{ Name, Text, Want string }

// Corpus reads an archive of the corpus. A case gets the keys of the base that it lacks, unless it
// removes them.
func Corpus(t testing.TB, archive string) []Case {
	t.Helper()
	read := func(name string) *txtar.Archive {
		a, err := readArchive(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	base := strings.SplitAfter(string(read("valid").Files[0].Data), "\n")
	var out []Case
	for _, f := range read(archive).Files {
		if f.Name == "base" {
			continue
		}
		c := Case{Name: f.Name, Text: string(f.Data)}
		without := ""
		for line := range strings.Lines(c.Text) {
			if rest, ok := strings.CutPrefix(line, "# without:"); ok {
				without = rest
			}
			if rest, ok := strings.CutPrefix(line, "# want:"); ok {
				c.Want = strings.TrimSpace(rest)
			}
		}
		for _, line := range base {
			key, _, _ := strings.Cut(line, ":")
			if key != "" && !strings.Contains("\n"+c.Text, "\n"+key+":") && !slices.Contains(strings.Fields(without), key) {
				c.Text += line
			}
		}
		out = append(out, c)
	}
	return out
}

// corpusFiles returns the files that the corpus names, by base name, so that an example finds its files under the
// names that it uses.
var corpusFiles = sync.OnceValue(func() map[string][]byte {
	out := map[string][]byte{}
	if a, err := readArchive("files"); err == nil {
		for _, f := range a.Files {
			out[f.Name] = f.Data
		}
	}
	for _, top := range []string{"../..", "../../.."} { // from a test in scenarios/NAME, or in a folder below it
		logs, _ := filepath.Glob(filepath.Join(top, "examples", "*", "*.log")) // too long for the archive
		for _, path := range logs {
			out[filepath.Base(path)], _ = os.ReadFile(path)
		}
	}
	return out
})

// CompileText parses and compiles a scenario. Scripts of k6 are not asked, also where brunt-k6 is in PATH: the plan is
// the same on every machine.
func CompileText(text string) (*plan.Plan, error) {
	o := scenarios.Options{
		Env: func(string) (string, bool) { return "", false },
		Read: func(path string) ([]byte, error) {
			if path == "s.yaml" {
				return []byte(text), nil
			}
			if b, ok := corpusFiles()[path]; ok {
				return b, nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
	sc, err := scenarios.Parse("s.yaml", o)
	if sc == nil {
		return nil, err
	}
	return plan.Compile(sc, plan.CompileOptions{Self: []string{"brunt"}, Env: func(name string) (string, bool) {
		if name == "BRUNT_K6" {
			return "no/program", true
		}
		return "", false
	}})
}

// Explained returns the text of an error; of mistakes, with their excerpts and hints.
func Explained(err error) string {
	if e, ok := errors.AsType[*syntax.MistakesError](err); ok {
		return e.Explain()
	}
	return err.Error()
}

// WritePolicy writes a policy to a file and returns its path.
func WritePolicy(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
