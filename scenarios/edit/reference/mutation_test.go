package reference_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

// mutations are typical errors in files. Each gets the lines of a scenario and returns them with
// an error.
var mutations = []struct {
	name string
	do   func(r *rand.Rand, lines []string) []string
}{
	{"a line is gone", func(r *rand.Rand, l []string) []string { i := r.IntN(len(l)); return slices.Delete(l, i, i+1) }},
	{"a line stands twice", func(r *rand.Rand, l []string) []string {
		i := r.IntN(len(l))
		return slices.Insert(l, i, l[i])
	}},
	{"two lines change places", func(r *rand.Rand, l []string) []string {
		i, j := r.IntN(len(l)), r.IntN(len(l))
		l[i], l[j] = l[j], l[i]
		return l
	}},
	{"the end is missing", func(r *rand.Rand, l []string) []string { return l[:1+r.IntN(len(l))] }},
	{"indented more", onLine(func(_ *rand.Rand, s string) string { return "  " + s })},
	{"indented less", onLine(func(_ *rand.Rand, s string) string { return strings.TrimPrefix(s, "  ") })},
	{"a tab", onLine(func(_ *rand.Rand, s string) string { return "\t" + s })},
	{"a letter too few", onRune(func(_ *rand.Rand, s []rune, i int) []rune { return slices.Delete(s, i, i+1) })},
	{"a letter twice", onRune(func(_ *rand.Rand, s []rune, i int) []rune { return slices.Insert(s, i, s[i]) })},
	{"two letters change places", onRune(func(_ *rand.Rand, s []rune, i int) []rune {
		if i > 0 {
			s[i-1], s[i] = s[i], s[i-1]
		}
		return s
	})},
	{"a strange character", onRune(func(r *rand.Rand, s []rune, i int) []rune {
		const strange = "{}[]:,\"'#&*!|>%@`$\\-\x00\x01\u00a0\u202e\ufeff😀\xff"
		all := []rune(strange)
		return slices.Insert(s, i, all[r.IntN(len(all))])
	})},
	{
		"another value",
		onValue("null", "~", "[]", "{}", "-1", "0", "1e999", "99999999999999999999", "\"\"", "on", "\"${nothing}\"",
			"\"${var.x}\"", "[1, {a: b}]", "2026-11-20", "NaN", ".inf", "1%", "5s", "0x7f", "&a [*a]"),
	},
	{"a value is gone", onValue("")},
	{"a key is gone", onLine(func(_ *rand.Rand, s string) string { _, v, _ := strings.Cut(s, ":"); return v })},
	{"another key", onLine(func(r *rand.Rand, s string) string {
		keys := []string{
			"rate", "at", "for", "service", "x", "slo", "<<", "get", "target", "url", "extends", "\"\"", "? a",
			"pick", "duration",
		}
		blank := s[:len(s)-len(strings.TrimLeft(s, " "))]
		_, v, _ := strings.Cut(s, ":")
		return blank + keys[r.IntN(len(keys))] + ":" + v
	})},
	{"a number is another", onRune(func(r *rand.Rand, s []rune, _ int) []rune {
		for i, c := range s {
			if c >= '1' && c <= '9' {
				return slices.Concat(s[:i], []rune([]string{"0", "-", "999999999", "1.5.", "1_"}[r.IntN(5)]), s[i+1:])
			}
		}
		return s
	})},
}

// onLine changes one line that is not empty.
func onLine(do func(r *rand.Rand, line string) string) func(*rand.Rand, []string) []string {
	return func(r *rand.Rand, l []string) []string {
		var full []int
		for i, s := range l {
			if t := strings.TrimSpace(s); t != "" && !strings.HasPrefix(t, "#") {
				full = append(full, i)
			}
		}
		i := full[r.IntN(len(full))]
		l[i] = do(r, l[i])
		return l
	}
}

// onRune changes one line at one of its characters.
func onRune(do func(r *rand.Rand, line []rune, i int) []rune) func(*rand.Rand, []string) []string {
	return onLine(func(r *rand.Rand, line string) string {
		s := []rune(line)
		return string(do(r, s, r.IntN(len(s))))
	})
}

// onValue replaces the value of one key.
func onValue(values ...string) func(*rand.Rand, []string) []string {
	return onLine(func(r *rand.Rand, s string) string {
		key, _, _ := strings.Cut(s, ":")
		return key + ": " + values[r.IntN(len(values))]
	})
}

// mutationsEach is how many mutations of a scenario are tried.
const mutationsEach = 200

// TestMutations applies each mutation to every shipped scenario: `validate` and `doctor` find
// nothing, or report an error with its place, and never panic.
func TestMutations(t *testing.T) {
	files, each := shipped(t), max(suite.Trials(mutationsEach), 20)
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			whole := strings.Split(rendered.Replace(string(b)), "\n")
			name := fnv.New64()
			_, _ = name.Write([]byte(filepath.Base(filepath.Dir(file)) + filepath.Base(file)))
			refused := 0
			for i := range each {
				r := rand.New(rand.NewPCG(name.Sum64(), uint64(i)))
				m := mutations[i%len(mutations)]
				text := strings.Join(m.do(r, slices.Clone(whole)), "\n")
				if spoiled(t, fmt.Sprintf("mutation %d, %s", i, m.name), text) {
					refused++
				}
			}
			if refused < each/4 {
				t.Errorf("only %d of %d were refused: the mutations spoil too little", refused, each)
			}
			t.Logf("%d of %d were refused", refused, each)
		})
	}
}

// spoiled checks the messages about a mutated scenario, and reports whether it is refused.
func spoiled(t *testing.T, name, text string) (refused bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v\n%s\n%s", name, p, debug.Stack(), text)
		}
	}()
	began := time.Now()
	plan, err := plantest.CompileText(text)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("%s: takes %s\n%s", name, took, text)
	}
	if err == nil {
		for _, c := range doctor.Needs(t.Context(), plan) {
			if c.Name == "" || c.Found == "" || c.State != doctor.Fine && c.Fix == "" {
				t.Errorf("%s: doctor says %+v\n%s", name, c, text)
			}
		}
		return false
	}
	var mistakes *syntax.MistakesError
	if !errors.As(err, &mistakes) || len(mistakes.List()) == 0 {
		t.Errorf("%s: %v is not a list of mistakes\n%s", name, err, text)
		return true
	}
	lines := strings.Count(text, "\n") + 1
	for _, m := range mistakes.List() {
		if m.Pos.File == "" || m.Pos.Line < 1 || m.Pos.Line > lines+1 || m.Pos.Col < 1 || strings.TrimSpace(m.What) == "" {
			t.Errorf("%s: %q has no place or no reason\n%s", name, m, text)
		}
		if strings.Contains(m.String(), "%!") || strings.Contains(m.What, "0x") && !strings.Contains(text, "0x") {
			t.Errorf("%s: %q is not for people\n%s", name, m, text)
		}
	}
	if strings.TrimSpace(mistakes.Explain()) == "" {
		t.Errorf("%s: nothing is explained\n%s", name, text)
	}
	return true
}
