package catalog_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// sumPart is the sum of the line before, in each line of events.jsonl.
var sumPart = regexp.MustCompile(`"prev":"[0-9a-f]{64}"`)

// anyWord matches a note that says more than its scrambled one.
var anyWord = regexp.MustCompile(`[A-Ya-y0-9]`)

// TestScrambled feeds every reporter results whose sentences say nothing. Only the letters of sentences may change: no
// figure, colour, order or part depends on the words of one.
func TestScrambled(t *testing.T) { reporterstest.Each(t, checkScrambled) }

// checkScrambled compares what is written of a result with what is written of it with scrambled sentences.
func checkScrambled(t *testing.T, r *result.Result) {
	t.Helper()
	plain, scrambled := reporterstest.Scramble(t, r)
	for i := range plain.Objectives {
		if o := &plain.Objectives[i]; anyWord.MatchString(o.Note) && scrambled.Objectives[i].Note == o.Note {
			t.Errorf("the note of %s is not scrambled: %s", o.Text, o.Note)
		}
	}
	if plain.ExitCode != scrambled.ExitCode || plain.Verdict != scrambled.Verdict {
		t.Errorf("%s, exit code %d; scrambled %s, %d", plain.Verdict, plain.ExitCode, scrambled.Verdict, scrambled.ExitCode)
	}
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, r := range []*result.Result{plain, scrambled} {
		if err := catalog.All().Write(dirs[i], r); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range writtenFiles() {
		if f.File == "result.json" {
			continue
		}
		a, errA := os.ReadFile(filepath.Join(dirs[0], f.File))
		b, errB := os.ReadFile(filepath.Join(dirs[1], f.File))
		if errA != nil || errB != nil {
			t.Errorf("%s: %v, %v", f.File, errA, errB)
		}
		a, b = packedPart.ReplaceAll(a, nil), packedPart.ReplaceAll(b, nil)
		a, b = policyPart.ReplaceAll(a, nil), policyPart.ReplaceAll(b, nil)
		a, b = sumPart.ReplaceAll(a, nil), sumPart.ReplaceAll(b, nil)
		if said := differs([]rune(string(a)), []rune(string(b))); said != "" {
			t.Errorf("%s: %s", f.File, said)
		}
	}
}

// differs says where b is neither as a nor scrambled.
func differs(a, b []rune) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] && b[i] != reporterstest.Scrambled && b[i] != reporterstest.Scrambled-'a'+'A' {
			around := func(r []rune) string { return strings.TrimSpace(string(r[max(0, i-120):min(len(r), i+120)])) }
			return "it has\n\t" + around(a) + "\nand with scrambled sentences\n\t" + around(b)
		}
	}
	if len(a) != len(b) {
		return "its length is another with scrambled sentences"
	}
	return ""
}
