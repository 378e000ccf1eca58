package redis

import (
	"slices"
	"strings"
	"time"

	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	allow  []string // first words of errors that are ok
	shed   []string // first words of errors with which the target sheds load
	within time.Duration
	valid  *check.SchemaFile
	paths  []check.Field
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, `such as {"$": not empty}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "allow":
			k.allow = errorWords(f.Value, m)
		case f.Key == "shed":
			k.shed = errorWords(f.Value, m)
		case f.Key == "within":
			k.within = check.DecodeWithin(f.Value, m)
		case f.Key == "schema":
			k.valid = check.DecodeSchemaFile(f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			if c, ok := check.DecodePath(f, m); ok {
				k.paths = append(k.paths, c)
			}
		default:
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"allow", "shed", "within", "schema", "$", "$.path"}),
				"unknown check %q", syntax.Clip(f.Key, 60))
		}
	}
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
type extraction struct{ path jp.Expr }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	if !strings.HasPrefix(text, "$") {
		m.Add(n.Pos, "want \"$\" or \"$.path\", not %q", syntax.Clip(text, 60))
		return
	}
	path, err := jp.ParseString(text)
	if err != nil {
		m.Add(n.Pos, "%q is not a JSON path: %v", text, err)
	}
	e.path = path
}

// String returns the extraction as its author wrote it.
func (e *extraction) String() string { return e.path.String() }

func (e *extraction) Find(a *answer, v *template.Value) bool { return targets.SetFound(v, a, e.path) }

func (e *extraction) Masks([]byte) bool { return false }

func (e *extraction) IsSecret() bool { return secret.IsName(check.NameAt(e.path)) }

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
	c.decodes = len(k.paths) > 0 || k.valid != nil
	c.rest.Within(k.within, in)
	c.rest.Schema(k.valid, in, m)
	c.rest.Fields("", k.paths, in)
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
