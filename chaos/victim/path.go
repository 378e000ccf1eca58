package victim

import (
	"path"
	"strings"

	"brunt/chaos"
	"brunt/scenarios/syntax"
)

// Path is an absolute path in the filesystem of a unit. In it, ${self.index} and the like stand for the unit that is
// hit, so that a pick of several units, or of a leader, leads to the directory of each.
type Path string

func (p *Path) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.List || n.Kind == syntax.Map || n.Kind == syntax.Null || n.Bad {
		_, _ = n.Text(m) // which notes the mistake
		return
	}
	parts, ok := n.TextParts(m)
	if !ok {
		return
	}
	var text strings.Builder
	for _, part := range parts {
		switch {
		case part.Ref == nil:
			text.WriteString(part.Text)
		case part.Ref.Kind == syntax.RefSelf:
			text.WriteString("${" + part.Ref.Text + "}")
		default:
			m.Add(n.Pos, "${%s} is known only while requests are made; a path of a unit knows ${self.…}, params, env and file",
				syntax.Clip(part.Ref.Text, 60))
			return
		}
	}
	*p = Path(text.String())
}

func (*Path) Schema() syntax.Schema { return syntax.TextSchema() }

// Check notes a path that is not absolute.
func (p Path) Check(at syntax.Pos, m *syntax.Mistakes) {
	if !path.IsAbs(string(p)) {
		m.AddHint(at, "such as /var/lib/data", "a path in a unit begins with /; %q does not", string(p))
	}
}

// At returns the path in a unit.
func (p Path) At(u chaos.Unit) (string, error) { return chaos.FillSelf(string(p), u) }
