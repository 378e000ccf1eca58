package selector

import (
	"strconv"

	"brunt/scenarios/syntax"
)

// Ports are one or more ports of TCP or UDP.
type Ports []uint16

func (p *Ports) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	one := n.OneOrMore()
	if len(one) == 0 {
		m.Add(n.Pos, "the list is empty; omit `ports` to hit all ports")
	}
	for _, item := range one {
		s, ok := item.Text(m)
		if !ok {
			continue
		}
		port, err := strconv.ParseUint(s, 10, 16)
		if err != nil || port == 0 {
			m.Add(item.Pos, "a port lies from 1 to 65535, not %q", s)
			continue
		}
		*p = append(*p, uint16(port))
	}
}

func (*Ports) Schema() syntax.Schema {
	one := syntax.Scalar(syntax.Schema{"type": "integer", "minimum": 1, "maximum": 65535})
	return syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "minItems": 1, "items": one}}}
}
