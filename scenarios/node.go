package scenarios

import (
	"errors"
	"fmt"
	"strings"

	yamlerr "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Kind is what a [Node] is. Numbers keep their text, so that `10` can become a
// count, a share or a JSON number as its place demands.
type NodeKind uint8

const (
	Null NodeKind = iota
	Bool
	Number
	String
	List
	Map
)

// String names the kind as an author would.
func (k NodeKind) String() string {
	return [...]string{"nothing", "a switch", "a number", "a text", "a list", "a map"}[k]
}

// A Node is a piece of a scenario file with its place: the tree that every
// decoder reads. Aliases and merge keys are already expanded in it.
type Node struct {
	Kind   NodeKind
	Value  string // a scalar's text
	Pos    Pos
	Fields []Field // of a Map, in the order of the file
	Items  []*Node // of a List
	Parts  []Part  // of a String that holds placeholders, once params are filled in

	origin string // the param that brought this value here, for messages
}

// A Field is one key of a map.
type Field struct {
	Key   string
	Pos   Pos
	Value *Node
}

// Get finds the value of key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			return n.Fields[i].Value
		}
	}
	return nil
}

// without gives a copy of the map n that lacks the keys for which drop is true.
func (n *Node) without(drop func(key string) bool) *Node {
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		if !drop(f.Key) {
			out.Fields = append(out.Fields, f)
		}
	}
	return &out
}

// describe names what stands here, for messages.
func (n *Node) describe() string {
	switch n.Kind {
	case Bool, Number, String:
		s := fmt.Sprintf("%q", clip(n.Value, 60))
		if n.origin != "" {
			s += " (from " + n.origin + ")"
		}
		return s
	}
	return n.Kind.String()
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// Bounds on one scenario, aliases and extends included. A file beyond them is a
// mistake, never a hang.
const (
	maxFile  = 4 << 20 // bytes of one file
	maxNodes = 200_000
	maxDepth = 64
)

// reader turns YAML text into nodes.
type reader struct {
	file     string
	m        *Mistakes
	anchors  map[string]ast.Node
	open     map[string]bool // anchors being expanded, to see a loop
	nodes    int
	overflow bool
}

// readYAML parses one file. A syntax error is reported alone, as what follows it
// can't be trusted.
func readYAML(file string, text []byte, m *Mistakes) *Node {
	m.keep(file, string(text))
	start := Pos{File: file, Line: 1, Col: 1}
	if len(text) > maxFile {
		m.Add(start, "the file has %d bytes; a scenario has at most %d", len(text), maxFile)
		return nil
	}
	if p, deep := nesting(text); deep {
		m.Add(Pos{File: file, Line: p.Line, Col: p.Col}, "nested deeper than %d levels", maxDepth)
		return nil
	}
	tree, err := parseYAML(text)
	if err != nil {
		m.list = append(m.list, syntaxMistake(file, text, err))
		return nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			m.AddHint(posOf(file, doc.Body), "keep each scenario in a file of its own", "a second YAML document in one file")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		m.AddHint(start, "`brunt init` writes one to start from", "the file is empty")
		return nil
	}
	r := reader{file: file, m: m, anchors: map[string]ast.Node{}, open: map[string]bool{}}
	return r.node(body, 0)
}

// parseYAML guards against panics of the parser on text that no author wrote.
func parseYAML(text []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("not readable as YAML: %v", p)
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}

// nesting tells whether brackets nest deeper than maxDepth. The parser recurses
// for each, so this is asked before it runs.
func nesting(text []byte) (Pos, bool) {
	depth, line, col := 0, 1, 0
	for _, c := range text {
		col++
		switch c {
		case '\n':
			line, col = line+1, 0
		case '[', '{':
			if depth++; depth > maxDepth*4 {
				return Pos{Line: line, Col: col}, true
			}
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return Pos{}, false
}

func syntaxMistake(file string, text []byte, err error) Mistake {
	m := Mistake{Pos: Pos{File: file, Line: 1, Col: 1}, What: "YAML: " + firstLine(err.Error())}
	var ye yamlerr.Error
	if errors.As(err, &ye) {
		m.What = "YAML: " + firstLine(ye.GetMessage())
		if t := ye.GetToken(); t != nil && t.Position != nil {
			m.Pos.Line, m.Pos.Col = max(1, t.Position.Line), max(1, t.Position.Column)
		}
	}
	lines := strings.Split(string(text), "\n")
	if m.Pos.Line > len(lines) {
		m.Pos.Line = len(lines)
	}
	line := lines[m.Pos.Line-1]
	switch {
	case unquotedPlaceholder(line):
		m.Hint = "inside { } and [ ] a placeholder is quoted: \"${…}\""
	case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"):
		m.Hint = "YAML indents with blanks, never with tabs"
	case strings.Contains(m.What, "mapping value is not allowed"):
		m.Hint = "a text that holds \": \" is quoted"
	case strings.Contains(m.What, "reserved character"), strings.Contains(m.What, "directive"):
		m.Hint = "a text that begins with a sign is quoted"
	}
	return m
}

// unquotedPlaceholder tells whether line holds ${ outside quotes after a bracket.
func unquotedPlaceholder(line string) bool {
	var quote rune
	inside := false
	for i, c := range line {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '$' && strings.HasPrefix(line[i:], "${") && inside:
			return true
		case c == '{' || c == '[':
			inside = true
		}
	}
	return false
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func posOf(file string, n ast.Node) Pos {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		t = m.Values[0].Key.GetToken()
	}
	if v, ok := n.(*ast.MappingValueNode); ok {
		t = v.Key.GetToken()
	}
	if t == nil || t.Position == nil {
		return Pos{File: file, Line: 1, Col: 1}
	}
	return Pos{File: file, Line: t.Position.Line, Col: t.Position.Column}
}

func (r *reader) node(a ast.Node, depth int) *Node {
	n := &Node{Pos: posOf(r.file, a)}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		if !r.overflow {
			r.overflow = true
			if depth > maxDepth {
				r.m.Add(n.Pos, "nested deeper than %d levels", maxDepth)
			} else {
				r.m.Add(n.Pos, "more than %d values once its aliases are expanded", maxNodes)
			}
		}
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
		for _, v := range a.Values {
			n.Items = append(n.Items, r.node(v, depth+1))
		}
	case *ast.AnchorNode:
		r.anchors[a.Name.String()] = a.Value
		return r.node(a.Value, depth)
	case *ast.AliasNode:
		return r.alias(a, depth)
	case *ast.TagNode:
		return r.tagged(a, depth)
	case *ast.NullNode:
		n.Kind = Null
	case *ast.BoolNode:
		n.Kind, n.Value = Bool, a.GetToken().Value
	case *ast.IntegerNode, *ast.FloatNode:
		n.Kind, n.Value = Number, a.GetToken().Value
	case *ast.LiteralNode:
		n.Kind, n.Value = String, a.Value.Value
	case *ast.StringNode:
		n.Kind, n.Value = String, a.Value
	case *ast.InfinityNode, *ast.NanNode:
		n.Kind, n.Value = String, a.GetToken().Value
	case nil:
		n.Kind = Null
	default:
		r.m.Add(n.Pos, "this kind of YAML (%s) has no meaning in a scenario", a.Type())
	}
	return n
}

func (r *reader) alias(a *ast.AliasNode, depth int) *Node {
	name := a.Value.String()
	pos := posOf(r.file, a)
	target, ok := r.anchors[name]
	switch {
	case !ok:
		r.m.Add(pos, "alias *%s has no anchor &%s before it", name, name)
		return &Node{Pos: pos}
	case r.open[name]:
		r.m.Add(pos, "alias *%s stands inside its own anchor", name)
		return &Node{Pos: pos}
	}
	r.open[name] = true
	defer delete(r.open, name)
	return r.node(target, depth+1)
}

func (r *reader) tagged(a *ast.TagNode, depth int) *Node {
	n := r.node(a.Value, depth)
	switch tag := a.GetToken().Value; tag {
	case "!!str":
		n.Kind = String
	case "!!int", "!!float", "!!bool", "!!map", "!!seq", "!!null":
	default:
		r.m.Add(posOf(r.file, a), "tag %s has no meaning in a scenario", clip(tag, 40))
	}
	return n
}

// fields reads the pairs of a map; a merge key brings those of another map that
// are not written here.
func (r *reader) fields(n *Node, values []*ast.MappingValueNode, depth int) {
	var merged []Field
	seen := map[string]bool{}
	for _, v := range values {
		if r.overflow {
			return
		}
		pos := posOf(r.file, v)
		if v.Key.IsMergeKey() {
			merged = append(merged, r.merge(v.Value, depth)...)
			continue
		}
		key, ok := r.key(v.Key)
		if !ok {
			r.m.Add(pos, "a key is a plain text")
			continue
		}
		if seen[key] {
			r.m.Add(pos, "key %q stands twice in this map", clip(key, 60))
			continue
		}
		seen[key] = true
		n.Fields = append(n.Fields, Field{Key: key, Pos: pos, Value: r.node(v.Value, depth+1)})
	}
	for _, f := range merged {
		if !seen[f.Key] {
			seen[f.Key] = true
			n.Fields = append(n.Fields, f)
		}
	}
}

func (r *reader) merge(v ast.Node, depth int) []Field {
	from := r.node(v, depth+1)
	switch from.Kind {
	case Map:
		return from.Fields
	case List:
		var out []Field
		for _, item := range from.Items {
			if item.Kind != Map {
				r.m.Add(item.Pos, "<< merges maps, not %s", item.Kind)
				continue
			}
			out = append(out, item.Fields...)
		}
		return out
	}
	r.m.Add(from.Pos, "<< merges maps, not %s", from.Kind)
	return nil
}

func (r *reader) key(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}
