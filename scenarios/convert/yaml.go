package convert

import (
	"strconv"
	"strings"
	"unicode"

	"brunt/scenarios/syntax"
)

// A node is a piece of the scenario in the making: a map, a list or a scalar, with the
// comments that stand at it.
type node struct {
	above  []string // lines of comment before it
	behind string   // a comment on its last line
	fields []field
	items  []*node
	yaml   string // of a scalar, as YAML writes it
	block  bool   // it is never written in { } or [ ]
	gap    bool   // an empty line stands before it

	pending []string // comments for the next item, or for the end of a list
}

type field struct {
	key   string
	value *node
}

// raw is a scalar that is YAML already: a number, a duration, a rate.
func raw(s string) *node { return &node{yaml: s} }

func number(n int) *node { return raw(strconv.Itoa(n)) }

// str is a text, its placeholders and all that must not be one written as the language
// wants it.
func str(t text) *node { return raw(syntax.YAMLText(t.String())) }

// plain is a text without placeholders.
func plain(s string) *node { return str(lit(s)) }

func list(items ...*node) *node { return &node{items: append([]*node{}, items...)} }

// set adds a key to a map, or replaces its value.
func (n *node) set(key string, value *node) *node {
	for i := range n.fields {
		if n.fields[i].key == key {
			n.fields[i].value = value
			return n
		}
	}
	n.fields = append(n.fields, field{key, value})
	return n
}

// get finds the value of a key, or nil.
func (n *node) get(key string) *node {
	for _, f := range n.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// say adds a line of comment above n.
func (n *node) say(line string) { n.above = append(n.above, line) }

// mostLine is how long a line of { } or [ ] gets.
const mostLine = 150

// inline writes n in { } or [ ]; false where a comment, or its length, forbids it.
func (n *node) inline(most int) (string, bool) {
	switch {
	case n.block || n.pending != nil:
		return "", false
	case n.yaml != "":
		return n.yaml, true
	}
	var b strings.Builder
	begin, end := "{", "}"
	if n.items != nil {
		begin, end = "[", "]"
	}
	b.WriteString(begin)
	one := func(i int, key string, v *node) bool {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(key)
		s, ok := v.inline(most)
		b.WriteString(s)
		return ok && v.above == nil && v.behind == "" && b.Len() <= most
	}
	for i, f := range n.fields {
		if !one(i, syntax.YAMLText(f.key)+": ", f.value) {
			return "", false
		}
	}
	for i, item := range n.items {
		if !one(i, "", item) {
			return "", false
		}
	}
	b.WriteString(end)
	return b.String(), true
}

// write writes the keys of a map, or the items of a list, each on lines of its own that
// begin after indent blanks. Begun tells that the first line is begun already.
func (n *node) write(b *strings.Builder, indent int, begun bool) {
	margin := strings.Repeat(" ", indent)
	one := func(lead string, v *node, item bool) {
		if !begun {
			if v.gap {
				b.WriteByte('\n')
			}
			for _, c := range v.above {
				b.WriteString(margin + comment(c) + "\n")
			}
			b.WriteString(margin)
		}
		begun = false
		b.WriteString(lead)
		v.value(b, indent, item)
	}
	for _, f := range n.fields {
		one(syntax.YAMLText(f.key)+":", f.value, false)
	}
	for _, item := range n.items {
		one("-", item, true)
	}
	for _, c := range n.pending {
		b.WriteString(margin + comment(c) + "\n")
	}
}

// value writes what follows a key or the dash of an item.
func (n *node) value(b *strings.Builder, indent int, item bool) {
	behind := ""
	if n.behind != "" {
		behind = "   " + comment(n.behind)
	}
	if s, ok := n.inline(mostLine - indent); ok {
		b.WriteString(" " + s + behind + "\n")
		return
	}
	// The dash of an item is followed by its first key, if that key has no comment of
	// its own, which would have to stand above the dash.
	if item && n.fields != nil && n.fields[0].value.above == nil && behind == "" {
		b.WriteByte(' ')
		n.write(b, indent+2, true)
		return
	}
	b.WriteString(behind + "\n")
	n.write(b, indent+2, false)
}

// mostComment is how long a line of comment gets.
const mostComment = 220

// comment makes a comment of a text that may come from a foreign file: it stays on its
// line.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == 0xfeff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return "# " + clip(s, mostComment)
}

// clip cuts a text to n characters.
func clip(s string, n int) string {
	count := 0
	for i := range s {
		if count++; count > n {
			return s[:i] + "…"
		}
	}
	return s
}
