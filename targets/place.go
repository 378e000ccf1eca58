package targets

import (
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
)

// A Place is the place of a variable's value in an answer: a JSON path. It is a [Finder] of any answer. A protocol
// embeds it in a type that decodes it with a hint of its own, and that may have other places too.
type Place struct{ Path jp.Expr }

// Decode reads a path. It reports whether the text is one; a path with a mistake is one.
func (p *Place) Decode(n *syntax.Node, text string, m *syntax.Mistakes) bool {
	if !strings.HasPrefix(text, "$") {
		return false
	}
	var err error
	if p.Path, err = jp.ParseString(text); err != nil {
		m.Add(n.Pos, "%q is not a JSON path: %v", text, err)
	}
	return true
}

// String returns the path as its author wrote it.
func (p *Place) String() string { return p.Path.String() }

// Find implements [Finder].
func (p *Place) Find(a Answer, v *template.Value) bool { return SetFound(v, a, p.Path) }

// Masks implements [Finder].
func (*Place) Masks([]byte) bool { return false }

// IsSecret implements [Finder].
func (p *Place) IsSecret() bool { return p.Path != nil && secret.IsName(check.NameAt(p.Path)) }
