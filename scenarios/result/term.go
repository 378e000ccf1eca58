// Terms are words that reports, messages and pages of the reference use with one defined meaning.
//
//	terms.md --> FindTerm, Terms --> `brunt explain`, the README.md files
//	                            \--> report.html: a sentence behind each underlined term
//
// To add a term, add it to terms.md. The page shows only its first sentence, so that sentence has to define the term.

package result

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed terms.md
var termsText string

// terms are the terms of terms.md: below a heading its synonyms, if there are any, and its definition.
var terms = sync.OnceValue(func() (out []Term) {
	for _, part := range strings.Split(termsText, "\n## ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		t := Term{Name: name}
		if also, rest, ok := strings.Cut(text, "\n\n"); ok && strings.HasPrefix(also, "Also: ") {
			t.Also, text = strings.Split(strings.TrimPrefix(also, "Also: "), ", "), rest
		}
		t.Text = strings.Join(strings.Fields(text), " ")
		out = append(out, t)
	}
	return out
})

// A Term is a word, or several words, with one defined meaning.
type Term struct {
	Name string   // in lower case, with - between words
	Also []string // synonyms, in the same form
	Text string   // definition in sentences; code stands between backquotes
}

// Terms returns every term, in no particular order.
func Terms() []Term { return slices.Clone(terms()) }

// FindTerm returns the term for words as a page writes them: "in flight" is in-flight, and "CPU, mean" is cpu-mean.
func FindTerm(words string) (Term, bool) {
	name := strings.NewReplacer(", ", "-", " ", "-").Replace(strings.ToLower(words))
	for _, t := range terms() {
		if t.Name == name || slices.Contains(t.Also, name) {
			return t, true
		}
	}
	return Term{}, false
}

// Sentence returns the first sentence of the term's text.
func (t Term) Sentence() string {
	first, _, _ := strings.Cut(t.Text, ". ")
	return strings.TrimSuffix(first, ".") + "."
}
