package draft

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"brunt/scenarios/syntax"
)

// A Node is a value of the draft: a map, a list or a scalar, with its comments.
type Node struct {
	Above  []string // comment lines before it
	Behind string   // a comment at the end of its last line
	Fields []field
	Items  []*Node
	YAML   string // a scalar in YAML syntax
	Block  bool   // never written in { } or [ ]
	gap    bool   // an empty line precedes it

	Pending []string // comments for the next item, or for the end of a list
}

type field struct {
	Key   string
	Value *Node
}

// Raw returns a scalar in YAML syntax: a number, a duration, a rate.
func Raw(s string) *Node { return &Node{YAML: s} }

// Number returns a whole number.
func Number(n int) *Node { return Raw(strconv.Itoa(n)) }

// Str returns a text with placeholders. Literal text that looks like a placeholder is escaped.
func Str(t Text) *Node { return Raw(syntax.YAMLText(t.String())) }

// Plain returns a text without placeholders.
func Plain(s string) *Node { return Str(Lit(s)) }

// List returns a list of items, which may be empty.
func List(items ...*Node) *Node { return &Node{Items: append([]*Node{}, items...)} }

// Set adds a key to a map, or replaces its value.
func (n *Node) Set(key string, value *Node) *Node {
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			n.Fields[i].Value = value
			return n
		}
	}
	n.Fields = append(n.Fields, field{key, value})
	return n
}

// Drop removes a key from a map.
func (n *Node) Drop(key string) {
	n.Fields = slices.DeleteFunc(n.Fields, func(f field) bool { return f.Key == key })
	if len(n.Fields) == 0 {
		n.Fields = nil
	}
}

// Get returns the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	for _, f := range n.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// Holds reports whether a scalar in n contains s.
func (n *Node) Holds(s string) bool {
	return strings.Contains(n.YAML, s) ||
		slices.ContainsFunc(n.Fields, func(f field) bool { return f.Value.Holds(s) }) ||
		slices.ContainsFunc(n.Items, func(item *Node) bool { return item.Holds(s) })
}

// Say adds a comment line above n.
func (n *Node) Say(line string) { n.Above = append(n.Above, line) }

// mostLine is the maximum length of a line of { } or [ ].
const mostLine = 150

// inline writes n in { } or [ ]. It returns false if n has a comment or is too long.
func (n *Node) inline(most int) (string, bool) {
	switch {
	case n.Block || n.Pending != nil:
		return "", false
	case n.YAML != "":
		return n.YAML, true
	}
	var b strings.Builder
	begin, end := "{", "}"
	if n.Items != nil {
		begin, end = "[", "]"
	}
	b.WriteString(begin)
	one := func(i int, key string, v *Node) bool {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(key)
		s, ok := v.inline(most)
		b.WriteString(s)
		return ok && v.Above == nil && v.Behind == "" && b.Len() <= most
	}
	for i, f := range n.Fields {
		if !one(i, syntax.YAMLText(f.Key)+": ", f.Value) {
			return "", false
		}
	}
	for i, item := range n.Items {
		if !one(i, "", item) {
			return "", false
		}
	}
	b.WriteString(end)
	return b.String(), true
}

// write writes the keys of a map, or the items of a list, each on its own line, indented by
// indent blanks. Begun says that the first line is already begun.
func (n *Node) write(b *strings.Builder, indent int, begun bool) {
	margin := strings.Repeat(" ", indent)
	one := func(lead string, v *Node, item bool) {
		if !begun {
			if v.gap {
				b.WriteByte('\n')
			}
			for _, c := range v.Above {
				b.WriteString(margin + comment(c) + "\n")
			}
			b.WriteString(margin)
		}
		begun = false
		b.WriteString(lead)
		v.value(b, indent, item)
	}
	for _, f := range n.Fields {
		one(syntax.YAMLText(f.Key)+":", f.Value, false)
	}
	for _, item := range n.Items {
		one("-", item, true)
	}
	for _, c := range n.Pending {
		b.WriteString(margin + comment(c) + "\n")
	}
}

// value writes the value after a key or after the dash of an item.
func (n *Node) value(b *strings.Builder, indent int, item bool) {
	behind := ""
	if n.Behind != "" {
		behind = "   " + comment(n.Behind)
	}
	if s, ok := n.inline(mostLine - indent); ok {
		b.WriteString(" " + s + behind + "\n")
		return
	}
	// The dash of an item is followed by its first key, unless that key has a comment, which would have to stand
	// above the dash.
	if item && n.Fields != nil && n.Fields[0].Value.Above == nil && behind == "" {
		b.WriteByte(' ')
		n.write(b, indent+2, true)
		return
	}
	b.WriteString(behind + "\n")
	n.write(b, indent+2, false)
}

// mostComment is the maximum length of a comment line.
const mostComment = 220

// comment converts a text from a source to a comment on one line.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == 0xfeff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return "# " + Clip(s, mostComment)
}

// Clip cuts a text to n characters.
func Clip(s string, n int) string {
	count := 0
	for i := range s {
		if count++; count > n {
			return s[:i] + "…"
		}
	}
	return s
}
