// Package syntax reads the language of scenario files: it parses YAML with positions, decodes it
// into structs, and collects all mistakes of a file, each with an excerpt and a hint.
//
//	text -Read-> Node (a tree with positions) -Decode-> a struct with yaml tags
//	                                           |
//	                                        Mistakes -Err-> MistakesError: position, excerpt, hint
//
// It also parses placeholders, such as ${data.users.id}, and makes the JSON Schema of a struct from the same tags. It
// does not depend on the contents of a scenario.
//
// To add a form of value, implement [NodeDecoder] and [Schemer] on its type.
package syntax

import (
	"fmt"
	"strings"
)

// NodeKind is the kind of a [Node]. Numbers keep their text, so that `10` can become a count, a
// share or a JSON number, depending on its place.
type NodeKind uint8

// The kinds of nodes.
const (
	Null NodeKind = iota
	Bool
	Number
	String
	List
	Map
)

// String names the kind in an author's words.
func (k NodeKind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a text", "a list", "a map"}[k]
}

// A Node is a value of a scenario file with its position, in a tree. Aliases and merge keys are
// already expanded.
type Node struct {
	Kind   NodeKind
	Value  string // text of a scalar
	Pos    Pos
	Fields []Field // of a Map, in the order of the file
	Items  []*Node // of a List
	Parts  []Part  // of a String with placeholders, after params are filled in

	// fields of a Map whose key stands there before. That is a mistake already, and their values are read for further
	// mistakes alone
	Twice []Field

	Origin  string // the param or anchor that the value comes from, for messages
	Written string // the text as written, before its placeholders were filled in
	Bad     bool   // its mistake is already reported
}

// A Field is one key of a map.
type Field struct {
	Key   string
	Pos   Pos
	Value *Node

	bare bool // in { }, a key without a colon
}

// Get returns the value of key, or nil.
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

// OneOrMore returns the items of a list. Any other value is returned as a list of one.
func (n *Node) OneOrMore() []*Node {
	if n.Kind == List {
		return n.Items
	}
	return []*Node{n}
}

// ItemsAt returns the items of the list at a path of keys below n. A single value counts as a list of one.
func (n *Node) ItemsAt(keys ...string) []*Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	if n == nil || n.Kind == Null || n.Kind == Map {
		return nil
	}
	return n.OneOrMore()
}

// Holds reports whether pos is the position of n or of a node below it.
func (n *Node) Holds(pos Pos) bool {
	if n.Pos == pos {
		return true
	}
	for _, f := range n.Fields {
		if f.Value.Holds(pos) {
			return true
		}
	}
	for _, item := range n.Items {
		if item.Holds(pos) {
			return true
		}
	}
	return false
}

// DecodeNode implements [NodeDecoder]. It keeps the node from undecoded.
func (n *Node) DecodeNode(from *Node, _ *Mistakes) { *n = *from }

// Without returns a copy of the map n without the keys for which drop is true.
func (n *Node) Without(drop func(key string) bool) *Node {
	out := *n
	out.Fields, out.Twice = nil, nil
	for _, f := range n.Fields {
		if !drop(f.Key) {
			out.Fields = append(out.Fields, f)
		}
	}
	for _, f := range n.Twice {
		if !drop(f.Key) {
			out.Twice = append(out.Twice, f)
		}
	}
	return &out
}

// Describe describes the value for messages. Secrets are masked.
func (n *Node) Describe() string {
	switch n.Kind {
	case Bool, Number, String:
		s := fmt.Sprintf("%q", Clip(n.Shown(), 60))
		if n.Origin != "" {
			s += " (from " + n.Origin + ")"
		}
		return s
	}
	return n.Kind.String()
}

// Shown returns the text of a scalar with secrets masked.
func (n *Node) Shown() string {
	if !n.HasSecret() {
		return n.Value
	}
	var b strings.Builder
	for _, p := range n.Parts {
		switch {
		case p.Secret != "":
			b.WriteString(Masked)
		case p.Ref != nil:
			b.WriteString("${" + p.Ref.Text + "}")
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// EachValue calls put with each single value of n and below it, and the path of its keys, such as load.read.rate.
func (n *Node) EachValue(put func(at, value string)) { n.eachValue("", put) }

func (n *Node) eachValue(at string, put func(at, value string)) {
	switch {
	case len(n.Fields) > 0:
		for _, f := range n.Fields {
			f.Value.eachValue(strings.TrimPrefix(at+"."+f.Key, "."), put)
		}
	case len(n.Items) > 0:
		for i, item := range n.Items {
			item.eachValue(fmt.Sprintf("%s[%d]", at, i), put)
		}
	default:
		put(at, n.Shown())
	}
}

// Resolved reads a resolved scenario as a result keeps it. It returns nil if the text is no map.
func Resolved(text string) *Node {
	nodes := 0
	root := Read("scenario", []byte(text), NewMistakes(nil, nil), &nodes)
	if root == nil || root.Kind != Map {
		return nil
	}
	return root
}

// A Change is a single value in which two documents differ.
type Change struct {
	At          string // path of its keys, as of [Node.EachValue]
	Before, Now string
	Had, Has    bool // the value is in the first, in the second
}

// ChangesFrom returns the values in which n differs from another document: those of n in its order, then those that
// only the other has. Nil stands for a document without values.
func (n *Node) ChangesFrom(before *Node) (out []Change) {
	read := func(n *Node) (order []string, values map[string]string) {
		values = map[string]string{}
		if n != nil {
			n.EachValue(func(at, value string) {
				order = append(order, at)
				values[at] = value
			})
		}
		return order, values
	}
	atThen, then := read(before)
	atNow, now := read(n)
	for _, at := range atNow {
		if was, had := then[at]; !had || was != now[at] {
			out = append(out, Change{at, was, now[at], had, true})
		}
	}
	for _, at := range atThen {
		if _, has := now[at]; !has {
			out = append(out, Change{at, then[at], "", true, false})
		}
	}
	return out
}

// HasSecret reports whether a part of the text came from the environment or from a file.
func (n *Node) HasSecret() bool {
	for _, p := range n.Parts {
		if p.Secret != "" {
			return true
		}
	}
	return false
}

// Dynamic returns the first placeholder of n whose value is known only at run time.
func (n *Node) Dynamic() *Ref {
	for _, p := range n.Parts {
		if p.Ref != nil {
			return p.Ref
		}
	}
	return nil
}

// Clip cuts a text to n characters, to keep messages readable.
func Clip(s string, n int) string {
	if cut := firstRunes(s, n); cut != s {
		return cut + Ellipsis
	}
	return s
}

// Flow writes a value in one line.
func (n *Node) Flow() string {
	var parts []string
	switch n.Kind {
	case Map:
		for _, f := range n.Fields {
			parts = append(parts, f.Key+": "+f.Value.Flow())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case List:
		for _, item := range n.Items {
			parts = append(parts, item.Flow())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return Clip(n.Shown(), 60)
}

// Masked replaces a secret in every output.
const Masked = "***"

// Ellipsis marks where text is cut.
const Ellipsis = "…"

// SetParts sets the content of n to parts: plain text if they contain no placeholder.
func (n *Node) SetParts(parts []Part) {
	var b strings.Builder
	for _, p := range parts {
		if p.Ref != nil {
			b.WriteString("${" + p.Ref.Text + "}")
			continue
		}
		b.WriteString(p.Text)
	}
	n.Value, n.Parts = b.String(), parts
	if n.Parts == nil {
		n.Parts = []Part{}
	}
}

// TextParts returns the parts of a scalar.
func (n *Node) TextParts(m *Mistakes) ([]Part, bool) {
	if n.Parts != nil && !n.Bad {
		return n.Parts, true
	}
	text, ok := n.Text(m)
	return []Part{{Text: text, Kind: n.Kind}}, ok
}

// Schema implements [Schemer]. Any value is valid; the type that keeps the node defines its schema.
func (*Node) Schema() Schema { return Schema{} }

// Plain converts the node to the value that JSON decodes to, for a part of a scenario that is another system's, such as
// the manifest of an object of a cluster. A placeholder in it is a mistake.
func (n *Node) Plain(m *Mistakes) any {
	switch n.Kind {
	case Map:
		out := map[string]any{}
		for _, f := range n.Fields {
			out[f.Key] = f.Value.Plain(m)
		}
		return out
	case List:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, item.Plain(m))
		}
		return out
	case Null:
		return nil
	case Bool:
		v, _ := n.Switch(m)
		return v
	case Number:
		if i, ok := ParseInt(n.Value); ok {
			return i
		}
		f, _ := n.Float(m)
		return f
	}
	if ref := n.Dynamic(); ref != nil {
		m.Add(n.Pos, "${%s} is not known to a manifest", ref.Text)
	}
	return n.Value
}
