package sql

import (
	"slices"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// The names of the counts that checks compare.
const (
	returnedRows = "rows"
	affectedRows = "affected"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	check.Answer
	allow, shed []code // of errors that are ok, and of errors with which the target sheds load
	numbers     []check.Field
}

// A code names an error, or all errors of a class.
type code struct {
	text string
	at   syntax.Pos
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {rows: 1, "$[0].total": "> 0"}`,
		Keys: []string{returnedRows, affectedRows, "allow", "shed", "$[0].column"},
		Read: func(f syntax.Field) bool {
			switch f.Key {
			case "allow":
				k.allow = codes(f.Value, m)
			case "shed":
				k.shed = codes(f.Value, m)
			case returnedRows, affectedRows:
				c := check.Field{Name: f.Key}
				c.DecodeNode(f.Value, m)
				k.numbers = append(k.numbers, c)
			default:
				return false
			}
			return true
		},
	})
}

// codes reads the codes of errors: one, or a list.
func codes(n *syntax.Node, m *syntax.Mistakes) (list []code) {
	for _, item := range n.OneOrMore() {
		if text, ok := item.Text(m); ok {
			list = append(list, code{text, item.Pos})
		}
	}
	return list
}

// extraction is the place of a variable's value in an answer: `$[0].column`.
type extraction struct{ targets.Place }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if text, ok := n.Text(m); ok && !e.Decode(n, text, m) {
		m.AddHint(n.Pos, "$ is the list of the rows", "want \"$[0].column\", not %q", syntax.Clip(text, 60))
	}
}

// expected holds the checks of a statement's answer, and the variables to extract from it.
type expected struct {
	allow, shed []code
	rest        targets.Expected
}

// compile prepares checks and extractions. It reports whether they read the rows.
func (x *expected) compile(
	k *answerCheck, from map[string]extraction, d *Dialect, in targets.Scope, m *syntax.Mistakes,
) (reads bool) {
	reads = len(from) > 0
	if k != nil {
		x.allow, x.shed = k.allow, k.shed
		for _, c := range slices.Concat(k.allow, k.shed) {
			if !d.IsCode(c.text) {
				m.AddHint(c.at, d.CodeHint, "%q is no error of %s", syntax.Clip(c.text, 60), d.Name)
			}
		}
		reads = reads || len(k.Paths) > 0 || k.Valid != nil
		x.rest.Answer(&k.Answer, "number of", k.numbers, in, m)
	}
	targets.Extract[targets.Answer](&x.rest, from, in)
	return reads
}

// holds reports whether a list contains the error, or its class.
func (f *Failure) holds(list []code) bool {
	return slices.ContainsFunc(list, func(c code) bool {
		return strings.HasPrefix(f.Code, c.text) && (len(c.text) == 2 || len(c.text) == len(f.Code))
	})
}
