package scenarios

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Meta describes a run for its organisation and for later readers of the evidence: operator, approver, ticket, and
// the findings that the run closes. It does not change what the run does.
type Meta map[string]string

// metaKeys are the known names, in the order of reports. Other names are allowed.
var metaKeys = []string{"operator", "approver", "ticket", "closes"}

// Limits on the meta that reports show at their top.
const (
	mostMeta    = 20  // keys
	longestMeta = 300 // characters of a value
)

func (v *Meta) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Null {
		return
	}
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, "such as {operator: ann, approver: bob, ticket: OPS-7}", "meta is a map of names to texts, not %s",
			n.Describe())
		return
	}
	if len(n.Fields) > mostMeta {
		m.Add(n.Pos, "meta has at most %d keys", mostMeta)
	}
	*v = Meta{}
	for _, f := range n.Fields {
		near := ""
		if !slices.Contains(metaKeys, f.Key) {
			near = syntax.Nearest(f.Key, metaKeys)
		}
		switch {
		case !isMetaName(f.Key):
			m.Add(f.Pos, "%q can't name a fact of meta: a name is of letters, digits, _ and -, at most 40, a letter first",
				syntax.Clip(f.Key, 40))
		case near != "":
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, metaKeys), "meta has no %q", syntax.Clip(f.Key, 40))
		default:
			if text, ok := metaText(f.Value, m); ok && text != "" {
				(*v)[f.Key] = text
			}
		}
	}
}

func isMetaName(s string) bool {
	return len(s) <= 40 && s != "" && s[0] < 0x80 && unicode.IsLetter(rune(s[0])) &&
		strings.IndexFunc(s, func(r rune) bool {
			return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) < 0
}

// metaText reads a text, or a list of texts.
func metaText(n *syntax.Node, m *syntax.Mistakes) (text string, ok bool) {
	items := n.OneOrMore()
	if n.Kind == syntax.Null {
		return "", true
	}
	var texts []string
	for _, item := range items {
		s, ok := item.Text(m)
		if !ok {
			return "", false
		}
		if strings.IndexFunc(s, unicode.IsControl) >= 0 {
			m.Add(item.Pos, "a fact of meta is one line of text")
			return "", false
		}
		texts = append(texts, s)
	}
	text = strings.Join(texts, ", ")
	if n := len([]rune(text)); n > longestMeta {
		m.Add(items[0].Pos, "a fact of meta has at most %d characters, not %d", longestMeta, n)
		return "", false
	}
	return text, true
}

func (*Meta) Schema() syntax.Schema {
	text := syntax.Schema{"type": []any{"string", "number", "boolean", "null"}}
	one := syntax.Schema{"anyOf": []any{text, syntax.Schema{"type": "array", "items": syntax.TextSchema()}}}
	props := syntax.Schema{}
	for key, about := range map[string]string{
		"operator": "who runs it", "approver": "who approved it", "ticket": "under which it runs",
		"closes": "what it is the proof for: findings, tickets",
	} {
		props[key] = syntax.Schema{"description": about, "anyOf": one["anyOf"]}
	}
	return syntax.Schema{
		"type": []any{"object", "null"}, "properties": props, "additionalProperties": one, "maxProperties": mostMeta,
		"propertyNames": syntax.Schema{"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,39}$"},
	}
}

// Keys lists the names that are set: the known names first, then the others in alphabetical order.
func (v Meta) Keys() []string {
	place := func(k string) int {
		if i := slices.Index(metaKeys, k); i >= 0 {
			return i
		}
		return len(metaKeys)
	}
	return slices.SortedFunc(maps.Keys(v), func(a,
		b string,
	) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
	})
}

// masked returns v with secrets masked.
func (v Meta) masked(s *template.Secrets) Meta {
	if len(v) == 0 {
		return nil
	}
	out := Meta{}
	for k, text := range v {
		out[k] = s.Mask(text)
	}
	return out
}

// meta merges the values of the command line over those of the file.
func (p *files) meta(root *syntax.Node) {
	if len(p.o.Meta) == 0 {
		return
	}
	given := &syntax.Node{Kind: syntax.Map}
	for _, key := range slices.Sorted(maps.Keys(p.o.Meta)) {
		pos := syntax.Pos{File: "--meta " + key}
		given.Pos = pos
		given.Fields = append(given.Fields, syntax.Field{
			Key: key, Pos: pos, Value: &syntax.Node{Kind: syntax.String, Value: p.o.Meta[key], Pos: pos},
		})
	}
	for i, f := range root.Fields {
		if f.Key != "meta" {
			continue
		}
		if f.Value.Kind == syntax.Map {
			given = Overlay(f.Value, given)
		} else if f.Value.Kind != syntax.Null { // reported when it is decoded
			return
		}
		root.Fields[i].Value = given
		return
	}
	root.Fields = append(root.Fields, syntax.Field{Key: "meta", Pos: given.Pos, Value: given})
}
