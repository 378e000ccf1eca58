package syntax

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// reader converts the parser's tree into nodes.
type reader struct {
	file     string
	m        *Mistakes
	anchors  map[string]*anchor
	nodes    *int // number of nodes so far, in all files of the scenario
	overflow bool
}

type anchor struct {
	value ast.Node
	pos   Pos
	open  bool // being read or expanded: an alias to it would not terminate
}

// posOf returns the position where n begins. Goccy counts columns in characters.
func posOf(file string, n ast.Node) Pos {
	t := n.GetToken()
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			t = n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = n.Key.GetToken()
	}
	return posOfToken(file, t)
}

func posOfToken(file string, t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{File: file, Line: 1, Col: 1}
	}
	return Pos{File: file, Line: t.Position.Line, Col: t.Position.Column}
}

// pos returns the position where a begins. For an unquoted text that ends in blanks or spans
// several lines, goccy reports a wrong position; it begins after the token before it.
func (r *reader) pos(a ast.Node) Pos {
	pos := posOf(r.file, a)
	t := a.GetToken()
	switch n := a.(type) {
	case *ast.MappingNode:
		if len(n.Values) == 0 || n.IsFlowStyle {
			return pos
		}
		t = n.Values[0].Key.GetToken()
	case *ast.MappingValueNode:
		t = n.Key.GetToken()
	}
	first := firstRunes(t.Value, 1)
	if t.Indicator == token.QuotedScalarIndicator || t.Type == token.ImplicitNullType || first == "" {
		return pos
	}
	src := r.m.texts[r.file]
	if strings.HasPrefix(src.from(pos.Line, pos.Col), first) {
		return pos
	}
	p := Pos{File: r.file, Line: 1}
	if t.Prev != nil {
		p = posOfToken(r.file, t.Prev)
		switch {
		case t.Prev.Type == token.CommentType:
			p.Line, p.Col = p.Line+1, 0
		case t.Prev.Indicator == token.NotIndicator: // the name of an anchor
			p.Col += utf8.RuneCountInString(t.Prev.Value) - 1
		}
	}
	for p.Col++; p.Line <= pos.Line; p.Line, p.Col = p.Line+1, 1 {
		rest := src.from(p.Line, p.Col)
		text := strings.TrimLeft(rest, " \t")
		if text == "" || text[0] == '#' {
			continue
		}
		p.Col += len(rest) - len(text)
		if strings.HasPrefix(text, first) {
			return p
		}
		break
	}
	return pos
}

// room counts a node made at pos, and reports whether the limits allow it.
func (r *reader) room(pos Pos, depth int) bool {
	*r.nodes++
	if *r.nodes <= MaxNodes && depth <= MaxDepth {
		return true
	}
	if !r.overflow {
		r.overflow = true
		if depth > MaxDepth {
			r.m.Add(pos, "nested deeper than %d levels", MaxDepth)
		} else {
			r.m.Add(pos, "more than %d values once aliases are expanded", MaxNodes)
		}
	}
	return false
}

func (r *reader) node(a ast.Node, depth int) *Node {
	if a == nil {
		return &Node{Pos: Pos{File: r.file, Line: 1, Col: 1}}
	}
	n := &Node{Pos: r.pos(a)}
	if !r.room(n.Pos, depth) {
		n.Bad = true
		return n
	}
	switch a := a.(type) {
	case *ast.MappingNode:
		n.Kind = Map
		r.fields(n, a.Values, depth)
	case *ast.MappingValueNode:
		n.Kind = Map
		r.fields(n, []*ast.MappingValueNode{a}, depth)
	case *ast.SequenceNode:
		n.Kind = List
		r.items(n, a, depth)
	case *ast.AnchorNode:
		x := &anchor{value: a.Value, pos: n.Pos, open: true}
		r.anchors[a.Name.String()] = x
		n = r.node(a.Value, depth)
		x.open = false
	case *ast.AliasNode:
		return r.alias(a, n, depth)
	case *ast.TagNode:
		return r.tagged(a, depth)
	case *ast.LiteralNode:
		n.Kind, n.Value = String, a.Value.Value
	case *ast.StringNode:
		n.Kind, n.Value = String, a.Value
		if text, plain := plainText(a); plain {
			n.Kind = PlainKind(text)
			if strings.Contains(text, ": ") {
				r.m.AddHint(n.Pos, "a comma stands before the next key; a key or text that holds a colon is quoted",
					`%q holds ": "`, Clip(text, 60))
				n.Bad = true
			}
		}
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		text, _ := plainText(a)
		if n.Kind = PlainKind(text); n.Kind != Null {
			n.Value = text
		} else if lines := r.m.texts[r.file].split(); n.Pos.Line <= len(lines) { // no position may lie beyond the line
			n.Pos.Col = min(n.Pos.Col, utf8.RuneCountInString(strings.TrimRight(lines[n.Pos.Line-1], " "))+1)
		}
	default:
		r.m.Add(n.Pos, "this kind of YAML (%s) has no meaning in a scenario", a.Type())
		n.Bad = true
	}
	return n
}

// plainText returns the text of an unquoted scalar.
func plainText(a ast.Node) (string, bool) {
	switch a.(type) {
	case *ast.StringNode, *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
	default:
		return "", false
	}
	t := a.GetToken()
	switch t.Type {
	case token.SingleQuoteType, token.DoubleQuoteType:
		return "", false
	case token.ImplicitNullType:
		return "", true
	}
	return t.Value, true
}

func (r *reader) alias(a *ast.AliasNode, n *Node, depth int) *Node {
	name := a.Value.String()
	x := r.anchors[name]
	if x == nil || x.open {
		if x == nil {
			r.m.AddHint(n.Pos, "a text that begins with * is quoted", "alias *%s has no anchor &%s before it", Clip(name, 40),
				Clip(name, 40))
		} else {
			r.m.Add(n.Pos, "alias *%s stands inside its own anchor &%s", Clip(name, 40), Clip(name, 40))
		}
		n.Bad = true
		return n
	}
	x.open = true
	out := r.node(x.value, depth+1)
	x.open = false
	if len(out.Fields) == 0 && len(out.Items) == 0 { // the position of a scalar is the alias, so that mistakes point at it
		out.Pos, out.Origin = n.Pos, fmt.Sprintf("&%s, %s", name, x.pos)
	}
	return out
}

// tagged reads a value with a tag. Only !!str is useful to authors: it makes 42 a text.
func (r *reader) tagged(a *ast.TagNode, depth int) *Node {
	n := r.node(a.Value, depth)
	tag := a.GetToken().Value
	if text, plain := plainText(a.Value); tag == "!!str" && n.Kind != List && n.Kind != Map {
		if plain {
			n.Value = text
		}
		n.Kind, n.Pos = String, posOf(r.file, a)
		return n
	}
	r.m.AddHint(posOf(r.file, a), "a text is quoted to stay a text", "tag %s has no meaning in a scenario", Clip(tag, 40))
	n.Bad = true
	return n
}

// items reads the values of a list.
func (r *reader) items(n *Node, a *ast.SequenceNode, depth int) {
	for i := 0; i < len(a.Values) && !r.overflow; i++ {
		if text, ok := hostPort(a.Values[i]); a.IsFlowStyle && ok {
			n.Items = append(n.Items, &Node{Kind: String, Value: text, Pos: r.pos(a.Values[i])})
			continue
		}
		item := r.node(a.Values[i], depth+1)
		n.Items = append(n.Items, item)
		if a.IsFlowStyle {
			i += r.join(a.Values[i], item, func(k int) (string, bool) {
				if i+k >= len(a.Values) {
					return "", false
				}
				return plainText(a.Values[i+k])
			})
		}
	}
}

// mostJoined is the maximum number of commas in a text that join handles.
const mostJoined = 8

// join repairs an unquoted text in [ ] or { } that contains a comma, as in [burn(99.9%, 1m) < 2]:
// it appends the following items while a parenthesis is open. It returns the number of items that
// it consumed; next returns the k-th, from 1.
func (r *reader) join(a ast.Node, n *Node, next func(k int) (string, bool)) int {
	text, plain := plainText(a)
	open := strings.Count(text, "(") - strings.Count(text, ")")
	if !plain || open <= 0 {
		return 0
	}
	for k := 1; k <= mostJoined; k++ {
		more, ok := next(k)
		if !ok {
			return 0
		}
		text += ", " + more
		if open += strings.Count(more, "(") - strings.Count(more, ")"); open <= 0 {
			r.m.AddHint(n.Pos, fmt.Sprintf("write %q", Clip(text, 80)), "a text with a comma is quoted inside [ ] and { }")
			n.Value = text
			return k
		}
	}
	return 0
}

// hostPort repairs db:5432 in a list inside { }, which goccy parses as a map. In YAML, a colon
// without a following blank is part of the text.
func hostPort(a ast.Node) (string, bool) {
	m, ok := a.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return "", false
	}
	v := m.Values[0]
	key, ok := v.Key.(ast.Node)
	if !ok {
		return "", false
	}
	left, ok1 := plainText(key)
	right, ok2 := plainText(v.Value)
	colon, value := v.Start, v.Value.GetToken()
	if !ok1 || !ok2 || right == "" || colon.Position.Line != value.Position.Line ||
		colon.Position.Column+1 != value.Position.Column {
		return "", false
	}
	return left + ":" + right, true
}

// fields reads the pairs of a map; a merge key adds the pairs of another map that are not written here.
func (r *reader) fields(n *Node, values []*ast.MappingValueNode, depth int) {
	var merged []Field
	seen := map[string]bool{}
	for i := 0; i < len(values) && !r.overflow; i++ {
		v := values[i]
		pos := r.pos(v)
		if v.Key.IsMergeKey() {
			merged = append(merged, r.merge(v.Value, depth)...)
			continue
		}
		key, ok := r.key(v.Key)
		if !ok {
			r.m.Add(pos, "a key is a text of one line")
			continue
		}
		f := Field{Key: key, Pos: pos, Value: r.node(v.Value, depth+1), bare: isBare(v)}
		i += r.join(v.Value, f.Value, func(k int) (string, bool) {
			if i+k >= len(values) || !isBare(values[i+k]) {
				return "", false
			}
			return r.key(values[i+k].Key)
		})
		switch {
		case strings.Contains(key, "${"):
			hint := "a body whose keys vary is a text: body: '{\"${var.key}\": 1}'"
			if strings.HasPrefix(key, "$.") || strings.HasPrefix(key, "$[") {
				hint = `"$.items[*].id": "contains ${var.id}" looks for a value in a list`
			}
			r.m.AddHint(pos, hint, "a placeholder can't stand in the key %q, only in a value", Clip(key, 60))
		case seen[key]:
			r.m.Add(pos, "key %q stands twice in this map", Clip(key, 60))
			if first := n.Get(key); depth == 0 && first.Kind == Map && f.Value.Kind == Map { // two parts of one section
				first.Twice = slices.Concat(first.Twice, f.Value.Fields, f.Value.Twice)
			} else {
				n.Twice = append(n.Twice, f)
			}
		default:
			seen[key] = true
			n.Fields = append(n.Fields, f)
		}
	}
	for _, f := range merged {
		if !seen[f.Key] {
			seen[f.Key] = true
			n.Fields = append(n.Fields, f)
		}
	}
}

// isBare reports whether a pair in { } has only a key.
func isBare(v *ast.MappingValueNode) bool {
	return v.Start != nil && v.Start.Type != token.MappingValueType
}

func (r *reader) merge(v ast.Node, depth int) []Field {
	from := r.node(v, depth+1)
	maps := []*Node{from}
	if from.Kind == List {
		maps = from.Items
	}
	var out []Field
	for _, item := range maps {
		switch {
		case item.Bad:
		case item.Kind != Map:
			r.m.Add(item.Pos, "<< merges maps, not %s", item.Describe())
		default:
			out = append(out, item.Fields...)
		}
	}
	return out
}

func (r *reader) key(k ast.MapKeyNode) (string, bool) {
	if s, ok := k.(*ast.StringNode); ok {
		quoted := s.GetToken().Indicator == token.QuotedScalarIndicator
		return s.Value, quoted || !strings.Contains(s.Value, "\n") // else it is a block of lines
	}
	a, ok := k.(ast.Node)
	if !ok {
		return "", false
	}
	return plainText(a)
}
