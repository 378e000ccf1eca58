package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMutants(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"a comparison", "if a < b { return 1 }\nreturn 0", []string{
			"negate: a < b -> !(a < b)", "operator: < -> <=", "zero: 1 -> *new(int)", "constant: 1 -> 2", "constant: 0 -> 1",
		}},
		{"an equality is negated once", "for a != b { a++ }\nreturn a", []string{
			"operator: != -> ==", "drop: a++ -> nothing", "zero: a -> *new(int)",
		}},
		{"both", "if ok(a) && ok(b) { return a }\nreturn b", []string{
			"negate: ok(a) && ok(b) -> !(ok(a) && ok(b))", "operator: && -> ||", "zero: a -> *new(int)", "zero: b -> *new(int)",
		}},
		{"statements", "x := a\nx = b\nmu.Lock()\ndefer mu.Unlock()\nreturn x", []string{
			"drop: x = b -> nothing", "drop: mu.Lock() -> nothing", "zero: x -> *new(int)",
		}},
		{"cases", "switch { case a >= b: return 0 }\nreturn 0", []string{
			"negate: a >= b -> !(a >= b)", "operator: >= -> >", "constant: 0 -> 1", "constant: 0 -> 1",
		}},
		{"a function within", "f := func() (bool, error) { return true, nil }\nreturn g(f)", []string{
			"zero: true, nil -> false, nil", "constant: true -> false", "zero: g(f) -> *new(int)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := "package p\n\nfunc f(a, b int) int {\n" + c.body + "\n}\n"
			all, err := mutants("m/p", "f.go", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range all {
				_, what, _ := strings.Cut(m.String(), ": ")
				got = append(got, what)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestShuffle: a seed draws the same mutants again, another one others, and the parts are all mutants, each once.
func TestShuffle(t *testing.T) {
	var all []mutant
	for i := range 50 {
		all = append(all, mutant{file: "f.go", line: i})
	}
	whole := shuffle(all, 1, 1, 1)
	same, other := shuffle(all, 1, 1, 1), shuffle(all, 2, 1, 1)
	if !slices.Equal(whole, same) || slices.Equal(whole, other) || slices.Equal(whole, all) {
		t.Error("the seed does not choose")
	}
	parts := slices.Concat(shuffle(all, 1, 1, 3), shuffle(all, 1, 2, 3), shuffle(all, 1, 3, 3))
	seen := map[mutant]bool{}
	for _, m := range parts {
		seen[m] = true
	}
	if len(parts) != len(all) || len(seen) != len(all) {
		t.Errorf("the parts have %d mutants, %d of them different", len(parts), len(seen))
	}
}

// TestCommand plays the mutants of a module: the tests of a package kill some, those of another package that uses it
// kill more, one survives, and two do not compile.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"p/p.go": "package p\n\nfunc Near(a, b int) bool { return a < b }\n\nfunc Far() int { return 1 }\n\n" +
			"var _ [1]int = [1]int{}\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\n" +
			"func TestNear(t *testing.T) {\n\tif !Near(1, 2) || Near(2, 1) {\n\t\tt.Fatal()\n\t}\n}\n\n" +
			"func TestBroken(t *testing.T) { t.Fatal() }\n",
		"q/q_test.go": "package q\n\nimport (\n\t\"testing\"\n\n\t\"m/p\"\n)\n\n" +
			"func TestFar(t *testing.T) {\n\tif p.Far() != 1 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "")
	var out, log bytes.Buffer
	if err := command(t.Context(), []string{"--n", "100", "./..."}, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	want := `survived p/p.go:3:37: operator: < -> <=
m/p: 3 of 4 killed
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s%s", &out, want, &log)
	}
	for _, part := range []string{"left out, as they fail without a mutant: TestBroken", "by m/q)"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("nothing says %q:\n%s", part, &log)
		}
	}
}
