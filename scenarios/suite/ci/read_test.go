package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// readSources writes files of a package, and reads it as go list would name them.
func readSources(t *testing.T, files map[string]string) (pkg, error) {
	t.Helper()
	l := listed{ImportPath: "brunt/some", Dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(l.Dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			l.TestGoFiles = append(l.TestGoFiles, name)
		} else {
			l.GoFiles = append(l.GoFiles, name)
		}
	}
	return l.read()
}

// head begins a file that imports the kit.
const head = "package some\n\nimport (\n\t\"testing\"\n\n\t\"brunt/scenarios/suite\"\n)\n\n"

// TestRead: the declarations of a test are read, in the order of the tests, and what go test does not run is no test.
func TestRead(t *testing.T) {
	p, err := readSources(t, map[string]string{
		"a_test.go": head + `
func TestMain(m *testing.M) { suite.Loading(m).Run() }
func TestB(t *testing.T) {
	t.Parallel()
	suite.Needs(t, suite.Root, suite.Programs("nft", "tc"), suite.In("kill"), suite.Minutes(7))
	t.Run("part", func(t *testing.T) { suite.Needs(t, suite.Docker, suite.Programs(programs...)) })
}
func TestA(t *testing.T) {}
func Testing(t *testing.T) {}
func TestHelper(t *testing.T, of string) {}
func FuzzIt(f *testing.F) {}
func (x some) TestMethod(t *testing.T) {}
`,
		"kit.go": head + "func Root(t testing.TB) { suite.Needs(t, suite.Root) }\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !p.loading {
		t.Error("the package puts load on the machine")
	}
	want := []test{
		{"brunt/some", "TestB", []need{
			{name: "Root"},
			{name: "Programs", text: "tc"},
			{name: "In", text: "kill"},
			{name: "Minutes", n: 7},
		}},
		{"brunt/some", "TestA", nil},
	}
	if !reflect.DeepEqual(p.tests, want) {
		t.Errorf("%+v, want %+v", p.tests, want)
	}
	if len(p.fuzzers) != 1 || p.fuzzers[0].name != "FuzzIt" || p.tests[0].minutes() != 7 {
		t.Errorf("%+v, %d min", p.fuzzers, p.tests[0].minutes())
	}
}

// TestRead_Mistakes: a declaration that can't be read, or that nothing would read, is an error that names its place.
func TestRead_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"a variable", "a_test.go", `func TestA(t *testing.T) { suite.Needs(t, needs...) }`, "a_test.go:9:43: want a name of"},
		{
			"a computed suite", "a_test.go", `func TestA(t *testing.T) { suite.Needs(t, suite.In(name)) }`,
			"want a literal for In",
		},
		{
			"a computed time", "a_test.go", `func TestA(t *testing.T) { suite.Needs(t, suite.Minutes(2*n)) }`,
			"want a literal for Minutes",
		},
		{
			"no such suite", "a_test.go", `func TestA(t *testing.T) { suite.Needs(t, suite.In("kil")) }`,
			`there is no suite "kil"`,
		},
		{
			"under a condition", "a_test.go", `func TestA(t *testing.T) { if x { suite.Needs(t, suite.In("kill")) } }`,
			"suite.In chooses tests",
		},
		{
			"in a part of a test", "a_test.go",
			`func TestA(t *testing.T) { t.Run("", func(t *testing.T) { suite.Needs(t, suite.Kubernetes) }) }`,
			"suite.Kubernetes chooses tests",
		},
		{
			"in a helper", "a.go", `func help(t testing.TB) { suite.Needs(t, suite.Minutes(3)) }`,
			"suite.Minutes chooses tests",
		},
		{"in a variable", "a_test.go", `var needs = suite.In("kill")`, "suite.In chooses tests"},
		{
			"an unseen list in a helper", "a_test.go", `func help(t *testing.T) { suite.Needs(t, needs...) }`,
			"want names of package suite",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readSources(t, map[string]string{c.file: head + c.text})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	dot := strings.Replace(head, `"brunt/`, `. "brunt/`, 1) + `func TestA(t *testing.T) { Needs(t, In("kill")) }`
	if _, err := readSources(t, map[string]string{"a_test.go": dot}); err == nil {
		t.Error("an import by a dot hides the declarations, and is no error")
	}
}

// module is this module, read once: it fails where a declaration of any test can't be read.
func module(t *testing.T) []pkg {
	t.Helper()
	t.Chdir("../../..")
	m, err := read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestModule reads the module that the test is in. Each of its tests is in exactly one part of each suite that picks
// it, and in a suite of .ci/full.
func TestModule(t *testing.T) {
	m := module(t)
	run := map[key]bool{}
	for _, s := range suites() {
		all := s.part(m, part{1, 1})
		if len(all) == 0 && s.picks != nil && s.name != "flaky" {
			t.Errorf("the suite %s has no tests", s.name)
		}
		for n := 2; n <= 7; n++ {
			times := map[key]int{}
			for k := range n {
				for _, x := range s.part(m, part{k + 1, n}) {
					times[key{x.pkg, x.name}]++
				}
			}
			for _, x := range all {
				want := 1
				if x.says("EveryPart") && x.in(s.name) {
					want = n
				}
				if got := times[key{x.pkg, x.name}]; got != want {
					t.Errorf("%s: %s %s is in %d parts of %d, want %d", s.name, x.pkg, x.name, got, n, want)
				}
				delete(times, key{x.pkg, x.name})
			}
			if len(times) > 0 {
				t.Errorf("%s: in parts of %d only: %v", s.name, n, times)
			}
		}
		if s.name != "race" { // -short leaves out long tests
			for _, x := range all {
				run[key{x.pkg, x.name}] = true
			}
		}
	}
	text, err := os.ReadFile(flakyList)
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseFlaky(string(text))
	if err := errors.Join(err, unlisted(list, m)); err != nil {
		t.Error(err)
	}
	for _, p := range m {
		for _, x := range append(p.tests, p.fuzzers...) {
			if !run[key{x.pkg, x.name}] {
				t.Errorf("no suite runs %s %s", x.pkg, x.name)
			}
		}
	}
}

// TestParseFlaky: a line of the list has all its parts, the list is short, and it agrees with what tests declare.
func TestParseFlaky(t *testing.T) {
	const line = "2026-11-30 brunt/a TestA it counts on a quiet machine\n"
	declared := []pkg{{path: "brunt/a", tests: []test{
		{"brunt/a", "TestA", []need{{name: "Flaky"}}},
		{"brunt/a", "TestB", nil},
	}}}
	for _, c := range []struct{ name, text, want string }{
		{"a line", line, ""},
		{"no reason", "2026-11-30 brunt/a TestA\n", "want a date, a package, a test and the reason"},
		{"no date", "brunt/a TestA it is slow\n", "cannot parse"},
		{"too long", strings.Repeat(line, mostFlaky+1), "lists 11 tests, and 10 may be"},
		{"a test that does not declare it", line + "2026-11-30 brunt/a TestB reason\n", "lists brunt/a TestB, which does not declare"},
		{"a declaration without a line", "", "brunt/a TestA declares suite.Flaky, and .ci/flaky does not list it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := parseFlaky(c.text)
			if err == nil {
				err = unlisted(list, declared)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// key is a test as a key.
type key struct{ pkg, name string }
