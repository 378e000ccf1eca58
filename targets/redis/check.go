package redis

import (
	"slices"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	check.Answer
	allow []string // first words of errors that are ok
	shed  []string // first words of errors with which the target sheds load
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {"$": not empty}`,
		Keys: []string{"allow", "shed", "$", "$.path"},
		Read: func(f syntax.Field) bool {
			switch f.Key {
			case "allow":
				k.allow = errorWords(f.Value, m)
			case "shed":
				k.shed = errorWords(f.Value, m)
			default:
				return false
			}
			return true
		},
	})
}

// errorWords reads the first words of errors: one, or a list.
func errorWords(n *syntax.Node, m *syntax.Mistakes) (list []string) {
	for _, item := range n.OneOrMore() {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		if text == "" || strings.ContainsAny(text, " \t\r\n") {
			m.AddHint(item.Pos, "such as BUSY or LOADING", "%q is not the first word of an error", syntax.Clip(text, 60))
		}
		list = append(list, text)
	}
	return list
}

// extraction is the place of a variable's value in an answer: `$.path`.
type extraction struct{ targets.Place }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if text, ok := n.Text(m); ok && !e.Decode(n, text, m) {
		m.Add(n.Pos, "want \"$\" or \"$.path\", not %q", syntax.Clip(text, 60))
	}
}

// expected holds the checks of a call's answer, and the variables to extract from it.
type expected struct {
	allow, shed []string
	rest        targets.Expected
	decodes     bool // checks or extractions read the answer
}

func (c *call) compileChecks(k *answerCheck, in targets.Scope, m *syntax.Mistakes) {
	if k == nil {
		return
	}
	c.allow, c.shed = k.allow, k.shed
	c.decodes = len(k.Paths) > 0 || k.Valid != nil
	c.rest.Answer(&k.Answer, "", nil, in, m)
}

// rank returns how bad an error is, by its first word.
func (x *expected) rank(word []byte) rank {
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(one string) bool { return one == string(word) })
	}
	switch {
	case x == nil:
	case has(x.allow):
		return allowedError
	case has(x.shed):
		return shedError
	}
	return badError
}
