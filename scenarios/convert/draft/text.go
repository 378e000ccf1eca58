package draft

import (
	"slices"
	"strings"
)

// A Text is a text of the scenario: literal parts from the source, and placeholders.
type Text []Piece

// A Piece is a part of a text: literal text or a placeholder.
type Piece struct {
	Lit string // literal text, unescaped
	Ref string // a placeholder, without ${ and }; Lit is empty
}

// Lit returns the literal text s.
func Lit(s string) Text { return Text{{Lit: s}} }

// Ref returns a placeholder; name is without ${ and }.
func Ref(name string) Text { return Text{{Ref: name}} }

// Join returns the texts one after the other.
func Join(all ...Text) Text {
	var out Text
	for _, t := range all {
		out = append(out, t...)
	}
	return out
}

// Tidy removes empty parts. An empty text keeps one part.
func (t Text) Tidy() Text {
	out := slices.DeleteFunc(t, func(p Piece) bool { return p == Piece{} })
	if len(out) == 0 {
		return Lit("")
	}
	return out
}

// Merged joins literal parts that follow one another.
func (t Text) Merged() (out Text) {
	for _, p := range t {
		if n := len(out); n > 0 && p.Ref == "" && out[n-1].Ref == "" {
			out[n-1].Lit += p.Lit
		} else {
			out = append(out, p)
		}
	}
	return out
}

// Size returns the length of t in bytes.
func (t Text) Size() (n int) {
	for _, p := range t {
		n += len(p.Lit) + len(p.Ref)
	}
	return n
}

// Static returns the text if it has no placeholder.
func (t Text) Static() (string, bool) {
	var b strings.Builder
	for _, p := range t {
		if p.Ref != "" {
			return "", false
		}
		b.WriteString(p.Lit)
	}
	return b.String(), true
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool {
	s, static := t.Static()
	return static && s == ""
}

// gap stands for a placeholder in a flat text.
const gap = "\ue000"

// flat returns the text with [gap] for each placeholder, for patterns of names and values.
func (t Text) flat() string {
	var b strings.Builder
	for _, p := range t {
		if p.Ref != "" {
			b.WriteString(gap)
		}
		b.WriteString(p.Lit)
	}
	return b.String()
}

// slice returns the part of t between two places of its flat text.
func (t Text) slice(from, to int) (out Text) {
	at := 0
	for _, p := range t {
		size := len(p.Lit)
		if p.Ref != "" {
			size = len(gap)
		}
		begin, end := max(from, at), min(to, at+size)
		switch {
		case begin >= end:
		case p.Ref != "":
			out = append(out, p)
		default:
			out = append(out, Piece{Lit: p.Lit[begin-at : end-at]})
		}
		at += size
	}
	return out
}

// Mapped returns t with its literal parts changed by f.
func (t Text) Mapped(f func(string) string) Text {
	out := make(Text, len(t))
	for i, p := range t {
		if p.Ref == "" {
			p.Lit = f(p.Lit)
		}
		out[i] = p
	}
	return out
}

// Cut splits t around the first sep in its literal parts.
func (t Text) Cut(sep string) (before, after Text, found bool) {
	for i, p := range t {
		if b, a, ok := strings.Cut(p.Lit, sep); ok {
			return Join(t[:i], Lit(b)), Join(Lit(a), t[i+1:]), true
		}
	}
	return t, nil, false
}

// String formats t in the language of scenarios. It doubles a dollar before a brace, so that literal text is not read
// as a placeholder.
func (t Text) String() string {
	var b, run strings.Builder
	flush := func(beforeRef bool) {
		s := strings.ToValidUTF8(run.String(), "\ufffd")
		run.Reset()
		for {
			i := strings.IndexByte(s, '$')
			if i < 0 {
				break
			}
			rest := strings.TrimLeft(s[i:], "$")
			dollars := s[i : len(s)-len(rest)]
			b.WriteString(s[:i] + dollars)
			if strings.HasPrefix(rest, "{") || rest == "" && beforeRef {
				b.WriteString(dollars)
			}
			s = rest
		}
		b.WriteString(s)
	}
	for _, p := range t {
		if p.Ref == "" {
			run.WriteString(p.Lit)
			continue
		}
		flush(true)
		b.WriteString("${" + p.Ref + "}")
	}
	flush(false)
	return b.String()
}
