package catalog_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
)

// TestList_NewReporter adds a reporter by one file (plain_test.go) and one line, and runs
// every operation on it: write, verify, read, draw again, convert, clear.
func TestList_NewReporter(t *testing.T) {
	list := append(catalog.All(),
		plainLine{},
	)
	dir := t.TempDir()
	r := reporterstest.Results()["minute"]
	if err := list.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "verdict.txt")
	written, err := os.ReadFile(file)
	if want := string(r.Verdict) + ": " + r.Reason + "\n"; err != nil || string(written) != want {
		t.Fatalf("%q, %v; want %q", written, err, want)
	}
	if err := evidence.WriteManifest(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("pass: nothing happened\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v, err := evidence.Verify(dir, nil, list.Derived)
	if err != nil || len(v.Findings) != 1 || !strings.Contains(v.Findings[0].String(), "verdict.txt: ") ||
		!strings.Contains(v.Findings[0].Text, "brunt report DIR") {
		t.Fatalf("%+v, %v", v, err)
	}
	back, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, drawn, err := list.Redraw(dir, back)
	if err != nil || len(kept) > 0 || !slices.Contains(drawn, "verdict.txt") {
		t.Errorf("kept %q, drawn %q, %v", kept, drawn, err)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(written) {
		t.Errorf("drawn again: %q, %v", again, err)
	}
	if v, err := evidence.Verify(dir, nil, list.Derived); err != nil || len(v.Findings) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	if got := reporterstest.Render(t, list.Named("plain"), back); got != string(written) {
		t.Errorf("by its name: %q", got)
	}
	if err := list.Clear(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestList_Described checks that the generated reference has a sentence for each reporter and
// service.
func TestList_Described(t *testing.T) {
	seen := map[string]bool{}
	check := func(name, about string) {
		t.Helper()
		if name == "" || seen[name] || !strings.HasSuffix(about, ".") ||
			strings.Contains(strings.TrimSuffix(about, "."), ". ") {
			t.Errorf("%q: %q; want a name of its own and one sentence", name, about)
		}
		seen[name] = true
	}
	for _, f := range catalog.All().Formats() {
		check(f.Name, f.About)
	}
	clear(seen) // a run can be sent in a format while it goes on
	for _, k := range catalog.Pushes() {
		check(k.Name, k.About)
	}
}
