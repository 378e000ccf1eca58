package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Template is a text with placeholders, ready to be filled in for each request.
// Each value is escaped for the place it stands in. The zero value is empty.
type Template struct {
	pieces []piece
	At     Pos
}

type piece struct {
	lit []byte // already escaped
	ref *Ref
	esc escape
}

// escape says for which place a value is made safe.
type escape uint8

const (
	escNone   escape = iota
	escBase          // the scheme and host of a URL: only what would break the request line
	escPath          // a segment of a URL's path
	escQuery         // a key or value of a URL's query or of a form
	escHeader        // a header's value: it can't gain a line
	escInJSON        // inside a JSON string
	escJSON          // a whole JSON value: texts are quoted, other values stand as they are
)

// Append fills the template in for it.
func (t *Template) Append(dst []byte, it *Iter) ([]byte, error) {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.ref == nil {
			dst = append(dst, p.lit...)
			continue
		}
		start := len(dst)
		out, raw, err := it.value(dst, p.ref)
		if err != nil {
			return dst, fmt.Errorf("${%s}: %w", p.ref.Text, err)
		}
		dst = out
		if p.esc != escNone && !(p.esc == escJSON && raw) {
			dst = escapeTail(dst, start, p.esc)
		}
	}
	return dst, nil
}

// Static gives the text of a template without placeholders.
func (t *Template) Static() (text string, ok bool) {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.ref != nil {
			return "", false
		}
		b.Write(p.lit)
	}
	return b.String(), true
}

// IsZero tells whether nothing was written.
func (t *Template) IsZero() bool { return len(t.pieces) == 0 }

// Text is the template as written, placeholders and all.
func (t *Template) Text() string {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.ref != nil {
			b.WriteString("${" + p.ref.Text + "}")
			continue
		}
		b.Write(p.lit)
	}
	return b.String()
}

// Refs lists the placeholders that are filled in for each request.
func (t *Template) Refs() []*Ref {
	var out []*Ref
	for _, p := range t.pieces {
		if p.ref != nil {
			out = append(out, p.ref)
		}
	}
	return out
}

// Join appends text and then what other holds.
func (t *Template) Join(text string, other *Template) {
	t.literal(text)
	t.pieces = append(t.pieces, other.pieces...)
}

func (t *Template) literal(s string) {
	if n := len(t.pieces); n > 0 && t.pieces[n-1].ref == nil {
		t.pieces[n-1].lit = append(t.pieces[n-1].lit, s...)
		return
	}
	t.pieces = append(t.pieces, piece{lit: []byte(s)})
}

// add appends part p of a text, its value escaped by esc.
func (t *Template) add(p Part, esc escape) {
	switch {
	case p.Ref != nil:
		t.pieces = append(t.pieces, piece{ref: p.Ref, esc: esc})
	case p.Filled:
		t.literal(string(appendEscaped(nil, p.Text, esc, p.Kind == Number || p.Kind == Bool)))
	default:
		t.literal(p.Text)
	}
}

// parts gives the parts of a scalar.
func (n *Node) parts(m *Mistakes) ([]Part, bool) {
	switch n.Kind {
	case String, Number, Bool:
		if n.Parts != nil {
			return n.Parts, true
		}
		return []Part{{Text: n.Value, Kind: n.Kind}}, true
	}
	m.Add(n.Pos, "want a text, not %s", n.describe())
	return nil, false
}

// TextTemplate is a text as it stands: a request's raw body.
type TextTemplate struct{ Template }

// DecodeNode implements [NodeDecoder].
func (t *TextTemplate) DecodeNode(n *Node, m *Mistakes) { t.decode(n, m, escNone) }

// HeaderTemplate is the value of a header; no value can break out of its line.
type HeaderTemplate struct{ Template }

// DecodeNode implements [NodeDecoder].
func (t *HeaderTemplate) DecodeNode(n *Node, m *Mistakes) {
	t.decode(n, m, escHeader)
	for _, p := range t.pieces {
		if i := strings.IndexFunc(string(p.lit), func(r rune) bool { return r == '\r' || r == '\n' || r == 0 }); i >= 0 {
			m.Add(n.Pos, "a header's value is one line")
			return
		}
	}
}

// FormTemplate is a value of an HTML form, percent-encoded.
type FormTemplate struct{ Template }

// DecodeNode implements [NodeDecoder].
func (t *FormTemplate) DecodeNode(n *Node, m *Mistakes) {
	parts, ok := n.parts(m)
	if !ok {
		return
	}
	t.At = n.Pos
	for _, p := range parts {
		p.Filled = p.Ref == nil // what the author wrote is data too
		p.Kind = String
		t.add(p, escQuery)
	}
}

func (t *Template) decode(n *Node, m *Mistakes, esc escape) {
	parts, ok := n.parts(m)
	if !ok {
		return
	}
	t.At = n.Pos
	for _, p := range parts {
		t.add(p, esc)
	}
}

// URLTemplate is a URL or a path. A value in its path or query is percent-encoded;
// one that begins it stands as it is, as it names scheme and host.
type URLTemplate struct{ Template }

// DecodeNode implements [NodeDecoder].
func (t *URLTemplate) DecodeNode(n *Node, m *Mistakes) {
	parts, ok := n.parts(m)
	if !ok {
		return
	}
	t.At = n.Pos
	esc := escBase
	for i, p := range parts {
		if p.Ref != nil || p.Filled {
			if i > 0 && esc == escBase && strings.HasPrefix(t.Text(), "/") {
				esc = escPath
			}
			t.add(p, esc)
			if p.Filled && esc == escBase {
				esc = urlPlace(esc, p.Text)
			}
			continue
		}
		if j := strings.IndexFunc(p.Text, func(r rune) bool { return r <= ' ' || r == 0x7f }); j >= 0 {
			m.AddHint(n.Pos, "a blank is written %20", "a URL holds no blanks and no control characters")
			return
		}
		text, _, _ := strings.Cut(p.Text, "#")
		t.literal(asciiURL(text))
		esc = urlPlace(esc, text)
	}
}

// urlPlace tells where in a URL what follows text stands.
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

// asciiURL percent-encodes what lies beyond ASCII in a URL that an author wrote.
func asciiURL(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= 0x80 {
			fmt.Fprintf(&b, "%%%02X", s[i])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// JSONTemplate is a JSON document written as YAML. A placeholder that is a whole
// value keeps its type; one inside a text is escaped as JSON demands.
type JSONTemplate struct{ Template }

// DecodeNode implements [NodeDecoder].
func (t *JSONTemplate) DecodeNode(n *Node, m *Mistakes) {
	t.At = n.Pos
	t.json(n, m)
}

func (t *JSONTemplate) json(n *Node, m *Mistakes) {
	switch n.Kind {
	case Null:
		t.literal("null")
	case Bool:
		t.literal(strings.ToLower(n.Value))
	case Number:
		t.literal(jsonNumber(n, m))
	case List:
		t.literal("[")
		for i, item := range n.Items {
			if i > 0 {
				t.literal(",")
			}
			t.json(item, m)
		}
		t.literal("]")
	case Map:
		t.literal("{")
		for i, f := range n.Fields {
			if i > 0 {
				t.literal(",")
			}
			t.literal(string(appendQuoted(nil, f.Key)) + ":")
			t.json(f.Value, m)
		}
		t.literal("}")
	case String:
		parts, _ := n.parts(m)
		if len(parts) == 1 && parts[0].Ref != nil {
			t.add(parts[0], escJSON)
			return
		}
		t.literal(`"`)
		for _, p := range parts {
			p.Filled = p.Ref == nil // the written text needs escaping as well
			p.Kind = String
			t.add(p, escInJSON)
		}
		t.literal(`"`)
	}
}

// jsonNumber gives a YAML number as JSON writes it: no hex, no underscores.
func jsonNumber(n *Node, m *Mistakes) string {
	s := strings.ReplaceAll(n.Value, "_", "")
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return strconv.FormatInt(i, 10)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f-f != 0 {
		m.Add(n.Pos, "%s is no number that JSON can hold; quote it to send a text", n.describe())
		return "null"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// appendEscaped appends s made safe for its place. Raw tells that s is a number
// or a switch, which a JSON value holds unquoted.
func appendEscaped(dst []byte, s string, esc escape, raw bool) []byte {
	start := len(dst)
	dst = append(dst, s...)
	if esc == escNone || esc == escJSON && raw {
		return dst
	}
	return escapeTail(dst, start, esc)
}

// escapeTail escapes what dst holds from start on, in place where it can.
func escapeTail(dst []byte, start int, esc escape) []byte {
	tail := dst[start:]
	if esc == escJSON {
		return appendQuoted(dst[:start], string(tail))
	}
	clean := true
	for _, c := range tail {
		if !safe(c, esc) {
			clean = false
			break
		}
	}
	if clean {
		return dst
	}
	s := string(tail)
	dst = dst[:start]
	if esc == escInJSON {
		q := appendQuoted(nil, s)
		return append(dst, q[1:len(q)-1]...)
	}
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case safe(c, esc):
			dst = append(dst, c)
		case esc == escHeader:
			dst = append(dst, ' ')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// safe tells whether c can stand as it is.
func safe(c byte, esc escape) bool {
	switch esc {
	case escHeader:
		return c >= ' ' && c != 0x7f || c == '\t'
	case escInJSON:
		return c >= ' ' && c < 0x7f && c != '"' && c != '\\'
	case escBase:
		return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '#'
	}
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// appendQuoted appends s as a JSON string (RFC 8259, section 7).
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, `\ufffd`...)
			} else {
				dst = append(dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
