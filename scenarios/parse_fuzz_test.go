package scenarios_test

import (
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/rogpeppe/go-internal/txtar"
)

// fuzzFiles are the files that a fuzzed scenario may name.
func fuzzFiles(text, base string) scenarios.Options {
	files := memory{"s.yaml": text, "base.yaml": base, "ok.yaml": okYAML, "users.csv": "id,name\n1,ann\n2,bob\n"}
	return scenarios.Options{
		Read: files.read,
		Env:  func(k string) (string, bool) { return "s3cret-t0ken", k == "TOKEN" },
		Set:  map[string]string{"rate": "5/s"},
	}
}

// FuzzParse checks that for any file the parser ends, in bounded memory, with a scenario or with
// mistakes whose places are in the file.
func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, "")
	}
	f.Add("extends: base.yaml\nname: x", okYAML)
	f.Add("a: &a [*a, &b {<<: *b}]\n", "")
	f.Fuzz(func(t *testing.T, text, base string) {
		sc, err := scenarios.Parse("s.yaml", fuzzFiles(text, base))
		if err == nil {
			if sc == nil || sc.Seed > scenarios.MaxSeed || len(sc.Loads) == 0 {
				t.Fatalf("%+v", sc)
			}
			_ = sc.Explain()
			return
		}
		e, ok := err.(*syntax.MistakesError)
		if !ok {
			t.Fatal(err)
		}
		shown := e.Explain()
		if strings.Contains(shown, "s3cret") && !strings.Contains(text+base, "s3cret") {
			t.Errorf("a secret is shown:\n%s", shown)
		}
		if strings.Contains(shown, "%!") && !strings.Contains(text+base, "%!") {
			t.Errorf("a format is wrong:\n%s", shown)
		}
		sources := map[string]string{"s.yaml": text, "base.yaml": base, "ok.yaml": okYAML}
		for _, m := range e.List() {
			checkPlace(t, m, sources)
		}
	})
}

// checkPlace checks that a mistake's place is in its file.
func checkPlace(t *testing.T, m syntax.Mistake, sources map[string]string) {
	t.Helper()
	src, ok := sources[m.Pos.File]
	if !ok {
		if !strings.HasPrefix(m.Pos.File, "--set ") {
			t.Errorf("%s: no such file", m)
		}
		return
	}
	lines := strings.Split(strings.TrimPrefix(src, "\ufeff"), "\n")
	if m.Pos.Line < 1 || m.Pos.Line > len(lines) || m.Pos.Col < 1 || m.Pos.Col > len([]rune(lines[m.Pos.Line-1]))+1 {
		t.Errorf("%s: no such place", m)
	}
	if len(m.String()) > 2000 {
		t.Errorf("%s: too long", m)
	}
}

// seeds returns the scenarios of the golden files, valid and invalid ones.
func seeds(f *testing.F) (texts []string) {
	f.Helper()
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasSuffix(file.Name, "/s.yaml") {
				texts = append(texts, string(file.Data))
			}
		}
	}
	return append(texts, fullYAML)
}
