package sql

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

// The names of the counts that checks compare.
const (
	returnedRows = "rows"
	affectedRows = "affected"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	allow, shed []code // of errors that are ok, and of errors with which the target sheds load
	within      time.Duration
	numbers     []check.Field
	valid       *check.SchemaFile
	paths       []check.Field
}

// A code names an error, or all errors of a class.
type code struct {
	text string
	at   syntax.Pos
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, `such as {rows: 1, "$[0].total": "> 0"}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "allow":
			k.allow = codes(f.Value, m)
		case f.Key == "shed":
			k.shed = codes(f.Value, m)
		case f.Key == "within":
			k.within = check.DecodeWithin(f.Value, m)
		case f.Key == returnedRows || f.Key == affectedRows:
			c := check.Field{Name: f.Key}
			c.DecodeNode(f.Value, m)
			k.numbers = append(k.numbers, c)
		case f.Key == "schema":
			k.valid = check.DecodeSchemaFile(f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			if c, ok := check.DecodePath(f, m); ok {
				k.paths = append(k.paths, c)
			}
		default:
			keys := []string{returnedRows, affectedRows, "allow", "shed", "within", "schema", "$[0].column"}
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, keys), "unknown check %q", syntax.Clip(f.Key, 60))
		}
	}
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
type extraction struct{ path jp.Expr }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	if !strings.HasPrefix(text, "$") {
		m.AddHint(n.Pos, "$ is the list of the rows", "want \"$[0].column\", not %q", syntax.Clip(text, 60))
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

func (e *extraction) Find(a answer, v *template.Value) bool { return targets.SetFound(v, a, e.path) }

func (e *extraction) Masks([]byte) bool { return false }

func (e *extraction) IsSecret() bool { return secret.IsName(check.NameAt(e.path)) }

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
		reads = reads || len(k.paths) > 0 || k.valid != nil
		x.rest.Within(k.within, in)
		x.rest.Fields("number of", k.numbers, in)
		x.rest.Schema(k.valid, in, m)
		x.rest.Fields("", k.paths, in)
	}
	targets.Extract[answer](&x.rest, from, in)
	return reads
}

// holds reports whether a list contains the error, or its class.
func (f *Failure) holds(list []code) bool {
	return slices.ContainsFunc(list, func(c code) bool {
		return strings.HasPrefix(f.Code, c.text) && (len(c.text) == 2 || len(c.text) == len(f.Code))
	})
}
