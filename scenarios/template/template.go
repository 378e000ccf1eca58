// Package template fills in the placeholders of a scenario.
//
//	when the file is read:  Scope fills in params, environment and files, and binds the rest to slots
//	for each request:       Template.Append(dst, Iter) writes the text, each value escaped for its place
//
// A value can't affect the text around it: it can't end a header's line, leave its part of a URL or break a JSON
// document. [syntax.Ref] lists the placeholders. A [Table] holds the rows that ${data.NAME.COLUMN} reads. Values from
// the environment or from a file are [Secrets], which are masked in every output. A [Resolved] text can be stored,
// because it does not contain them.
package template

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// A Template is a text with placeholders, ready to be filled in for each request. Each value is
// escaped for its place. The zero value is empty.
type Template struct {
	Pieces []piece
	At     syntax.Pos
}

type piece struct {
	lit  []byte      // already escaped
	show string      // text to show for lit if lit is a secret
	path string      // path of the file that the secret was read from
	call *syntax.Ref // the function whose value the secret lit is
	ref  *syntax.Ref
	esc  escape
}

// Append appends the text of the template, filled in for it.
func (t *Template) Append(dst []byte, it *Iter) ([]byte, error) {
	for i := range t.Pieces {
		p := &t.Pieces[i]
		if p.ref == nil {
			dst = append(dst, p.lit...)
			continue
		}
		out, err := it.append(dst, p.ref, p.esc)
		if err != nil {
			return dst, fmt.Errorf("%s: %w", p.ref, err)
		}
		dst = out
	}
	return dst, nil
}

// AppendValues appends the values of the template's data and variables, each with its length. Two results differ if
// and only if the values differ.
func (t *Template) AppendValues(dst []byte, it *Iter) ([]byte, error) {
	for i := range t.Pieces {
		if t.Pieces[i].ref == nil {
			continue
		}
		for _, ref := range t.Pieces[i].ref.Leaves() {
			if ref.Kind != syntax.RefVar && ref.Kind != syntax.RefData {
				continue
			}
			from := len(dst)
			out, err := it.append(dst, ref, escNone)
			if err != nil {
				return dst, fmt.Errorf("%s: %w", ref, err)
			}
			dst = binary.LittleEndian.AppendUint32(out, uint32(len(out)-from))
		}
	}
	return dst, nil
}

// Static returns the text of a template without placeholders.
func (t *Template) Static() (text string, ok bool) {
	if text, ok = t.Begin(); !ok {
		return "", false
	}
	return text, true
}

// Begin returns the text before the first placeholder that is filled in for each request. Whole means that there is
// no such placeholder.
func (t *Template) Begin() (text string, whole bool) {
	var b strings.Builder
	for _, p := range t.Pieces {
		if p.ref != nil {
			return b.String(), false
		}
		b.Write(p.lit)
	}
	return b.String(), true
}

// IsZero reports whether the template is empty.
func (t *Template) IsZero() bool { return len(t.Pieces) == 0 }

// Text returns the template for people. Params are filled in. Secrets, and placeholders that get a value only at run
// time, are shown as written.
func (t *Template) Text() string {
	var b strings.Builder
	for _, p := range t.Pieces {
		switch {
		case p.ref != nil:
			b.WriteString("${" + p.ref.Text + "}")
		case p.show != "":
			b.WriteString("${" + p.show + "}")
		default:
			b.Write(p.lit)
		}
	}
	return b.String()
}

// Refs lists the placeholders that are filled in for each request, including those in functions.
func (t *Template) Refs() []*syntax.Ref {
	var out []*syntax.Ref
	for _, p := range t.Pieces {
		if p.ref != nil {
			out = append(out, p.ref.Leaves()...)
		}
	}
	return out
}

// BeginsWith reports whether the template begins with a placeholder of a kind.
func (t *Template) BeginsWith(kind syntax.RefKind) bool {
	return len(t.Pieces) > 0 && t.Pieces[0].ref != nil && t.Pieces[0].ref.Kind == kind
}

// ReplaceBegin replaces the beginning of a template that begins with written text. Copies of the template stay.
func (t *Template) ReplaceBegin(from, to string) {
	if len(t.Pieces) == 0 || t.Pieces[0].ref != nil || t.Pieces[0].show != "" {
		return
	}
	if rest, found := bytes.CutPrefix(t.Pieces[0].lit, []byte(from)); found {
		t.Pieces = slices.Clone(t.Pieces)
		t.Pieces[0].lit = append([]byte(to), rest...)
	}
}

// Join appends text and then the contents of other.
func (t *Template) Join(text string, other *Template) {
	t.literal(text)
	t.Pieces = append(t.Pieces, other.Pieces...)
}

func (t *Template) literal(s string) {
	if n := len(t.Pieces); n > 0 && t.Pieces[n-1].ref == nil && t.Pieces[n-1].show == "" {
		t.Pieces[n-1].lit = append(t.Pieces[n-1].lit, s...)
		return
	}
	t.Pieces = append(t.Pieces, piece{lit: []byte(s)})
}

// add appends part p of a text, its value escaped by esc.
func (t *Template) add(p syntax.Part, esc escape) {
	switch {
	case p.Ref != nil:
		t.Pieces = append(t.Pieces, piece{ref: p.Ref, esc: esc})
	case p.Secret != "":
		t.Pieces = append(t.Pieces, piece{
			lit: appendEscaped(nil, p.Text, esc, false), show: p.Secret, path: p.Path, call: p.Call, esc: esc,
		})
	case p.Filled:
		t.literal(string(appendEscaped(nil, p.Text, esc, false)))
	default:
		t.literal(p.Text)
	}
}

// data sets t to the text n with every part escaped by esc: written text as well as values of placeholders.
func (t *Template) data(n *syntax.Node, m *syntax.Mistakes, esc escape) {
	parts, ok := n.TextParts(m)
	if !ok {
		return
	}
	t.At = n.Pos
	for _, p := range parts {
		p.Filled = p.Ref == nil
		t.add(p, esc)
	}
}

// Text is a text without escaping: a request's raw body.
type Text struct{ Template }

// Literal returns a text whose placeholders are not interpreted.
func Literal(s string) Text {
	var t Text
	t.literal(s)
	return t
}

func (t *Text) DecodeNode(n *syntax.Node, m *syntax.Mistakes) { t.data(n, m, escNone) }

// Header is the value of a header; a value can't break out of its line.
type Header struct{ Template }

func (t *Header) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	parts, ok := n.TextParts(m)
	if !ok {
		return
	}
	t.At = n.Pos
	for _, p := range parts {
		if p.Ref == nil && !p.Filled && strings.IndexFunc(p.Text,
			func(r rune) bool { return !safe(byte(min(r, 0x80)), escHeader) }) >= 0 {
			m.Add(n.Pos, "a header's value is one line, without control characters")
			return
		}
		t.add(p, escHeader)
	}
}

// Form is a value of an HTML form, percent-encoded.
type Form struct{ Template }

func (t *Form) DecodeNode(n *syntax.Node, m *syntax.Mistakes) { t.data(n, m, escQuery) }

// URL is a URL or a path. A value in its path or query is percent-encoded. A value at its beginning is not, because
// it contains the scheme and the host.
type URL struct{ Template }

// LiteralURL returns a URL whose placeholders are not interpreted.
func LiteralURL(s string) (URL, error) {
	var t URL
	text, _, _ := strings.Cut(s, "#")
	if hint := unfitForURL(text); hint != "" {
		return t, &syntax.BadURL{Why: fmt.Sprintf("%q is not a URL: %s", syntax.Clip(s, 60), hint)}
	}
	t.literal(asciiURL(text))
	return t, nil
}

// RecordedURL is the URL of each iteration of a replay.
func RecordedURL() URL {
	return URL{Template{Pieces: []piece{{ref: &syntax.Ref{Kind: syntax.RefRecorded, Text: "log"}}}}}
}

func (t *URL) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	parts, ok := n.TextParts(m)
	if !ok {
		return
	}
	CheckURL(n, m)
	t.At = n.Pos
	esc := escBase
	for _, p := range parts {
		if p.Ref != nil || p.Filled {
			t.add(p, esc)
			if p.Ref == nil && esc == escBase {
				esc = urlPlace(esc, p.Text)
			}
			continue
		}
		text, _, fragment := strings.Cut(p.Text, "#")
		if hint := unfitForURL(text); hint != "" {
			m.AddHint(n.Pos, hint, "%q is not a URL", syntax.Clip(n.Shown(), 60))
			return
		}
		t.literal(asciiURL(text))
		if fragment { // the client does not send the fragment
			return
		}
		esc = urlPlace(esc, text)
	}
}

// unfitForURL says how to write text that a URL can't contain.
func unfitForURL(text string) string {
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ':
			return "a blank is written %20"
		case c < ' ' || c == 0x7f:
			return "it holds a control character"
		case c == '%' && (i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2])):
			return "a percent sign is written %25"
		}
	}
	return ""
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// urlPlace returns the escape place that follows text in a URL.
func urlPlace(esc escape, text string) escape {
	switch {
	case esc == escQuery || strings.Contains(text, "?"):
		return escQuery
	case esc == escPath:
		return escPath
	}
	_, after, scheme := strings.Cut(text, "://")
	if !scheme {
		after = text
	}
	if strings.Contains(after, "/") {
		return escPath
	}
	return escBase
}

// JSON is a JSON document written as YAML. A placeholder that is a whole value keeps its type. A placeholder inside a
// string is escaped for JSON.
type JSON struct{ Template }

func (t *JSON) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	t.At = n.Pos
	t.json(n, m)
}

func (t *JSON) json(n *syntax.Node, m *syntax.Mistakes) {
	switch {
	case n.Bad:
		m.Skipped++
	case n.Kind == syntax.Null:
		t.literal("null")
	case n.Kind == syntax.Bool:
		t.literal(strings.ToLower(n.Value))
	case n.Kind == syntax.Number:
		text, ok := syntax.JSONNumber(n.Value)
		if !ok {
			m.AddHint(n.Pos, "quote it to send a text", "%s is not a number that JSON can hold", n.Describe())
		}
		t.literal(text)
	case n.Kind == syntax.List:
		t.literal("[")
		for i, item := range n.Items {
			if i > 0 {
				t.literal(",")
			}
			t.json(item, m)
		}
		t.literal("]")
	case n.Kind == syntax.Map:
		t.literal("{")
		for i, f := range n.Fields {
			if i > 0 {
				t.literal(",")
			}
			t.literal(string(appendQuoted(nil, f.Key)) + ":")
			t.json(f.Value, m)
		}
		t.literal("}")
	case len(n.Parts) == 1 && n.Parts[0].Ref != nil:
		t.add(n.Parts[0], escJSON)
	default:
		parts, _ := n.TextParts(m)
		t.literal(`"`)
		for _, p := range parts {
			p.Filled = p.Ref == nil
			t.add(p, escInJSON)
		}
		t.literal(`"`)
	}
}

func (*Text) Schema() syntax.Schema { return syntax.TextSchema() }

func (*Header) Schema() syntax.Schema { return syntax.TextSchema() }

func (*Form) Schema() syntax.Schema { return syntax.TextSchema() }

func (*URL) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "minLength": 1, "examples": []any{"/posts?page=${int(1,50)}", "http://127.0.0.1:8080"},
	}
}

// Schema implements [syntax.Schemer]: any JSON value.
func (*JSON) Schema() syntax.Schema { return syntax.Schema{} }
