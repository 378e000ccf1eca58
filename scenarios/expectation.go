package scenarios

import (
	"reflect"
	"strings"
	"unicode"

	"brunt/scenarios/syntax"
)

// An Expectation is the hypothesis about one fault: a sentence, an outcome, or both. It is written as
// `expect: TEXT` or `expect: {outcome: impacted, text: TEXT}`.
type Expectation struct {
	syntax.Place
	Text string `yaml:"text"` // the expectation in one line, at most 300 characters
	// expected effect on the load, as `impact` of result.json: not_impacted; impacted, and recovered by the end of the
	// run; or not_recovered. Reports say whether it came; without it they only show the text
	Outcome string `yaml:"outcome,oneof=not_impacted|impacted|not_recovered"`
}

// longestExpectation is the largest number of characters of a text.
const longestExpectation = 300

// DecodeNode reads the short form, a text, or the long form, a map.
func (e *Expectation) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	const such = "such as expect: {outcome: not_impacted, text: readers notice nothing}"
	type long Expectation // a type without DecodeNode
	if n.Kind == syntax.Map {
		syntax.Decode(n, (*long)(e), m)
	} else if text, ok := n.Text(m); ok {
		e.At, e.Text = n.Pos, text
	} else {
		return
	}
	e.Text = strings.TrimSpace(e.Text)
	switch {
	case e.Text == "" && e.Outcome == "" && (len(n.Fields) == 0 || e.Has("text") || e.Has("outcome")):
		m.AddHint(n.Pos, such, "`expect` states neither a text nor an outcome")
	case strings.ContainsFunc(e.Text, unicode.IsControl):
		m.Add(e.Of("text"), "the text of `expect` is one line")
	case len([]rune(e.Text)) > longestExpectation:
		m.Add(e.Of("text"), "the text of `expect` has at most %d characters, not %d", longestExpectation,
			len([]rune(e.Text)))
	}
}

// SchemaWith implements [syntax.DescribedSchemer]: the short and the long form.
func (*Expectation) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.TextSchema(), syntax.StructSchema(reflect.TypeFor[Expectation](), doc),
	}}
}
