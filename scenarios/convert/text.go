package convert

import (
	"slices"
	"strings"
)

// A text is what will stand in the scenario: stretches as the foreign file has them, and
// placeholders.
type text []piece

type piece struct {
	lit string // as it is meant
	ref string // a placeholder, without ${ and }; lit is empty
}

func lit(s string) text { return text{{lit: s}} }

func ref(name string) text { return text{{ref: name}} }

func join(all ...text) text {
	var out text
	for _, t := range all {
		out = append(out, t...)
	}
	return out
}

// tidy takes empty stretches out; of an empty text one stays.
func (t text) tidy() text {
	out := slices.DeleteFunc(t, func(p piece) bool { return p == piece{} })
	if len(out) == 0 {
		return lit("")
	}
	return out
}

// size is how many bytes stand in it.
func (t text) size() (n int) {
	for _, p := range t {
		n += len(p.lit) + len(p.ref)
	}
	return n
}

// static gives the text if no placeholder stands in it.
func (t text) static() (string, bool) {
	var b strings.Builder
	for _, p := range t {
		if p.ref != "" {
			return "", false
		}
		b.WriteString(p.lit)
	}
	return b.String(), true
}

// isZero tells that nothing stands in it.
func (t text) isZero() bool {
	s, static := t.static()
	return static && s == ""
}

// mapped gives t with its written stretches changed by f.
func (t text) mapped(f func(string) string) text {
	out := make(text, len(t))
	for i, p := range t {
		if p.ref == "" {
			p.lit = f(p.lit)
		}
		out[i] = p
	}
	return out
}

// cut splits t around the first sep that is written in it.
func (t text) cut(sep string) (before, after text, found bool) {
	for i, p := range t {
		if b, a, ok := strings.Cut(p.lit, sep); ok {
			return join(t[:i], lit(b)), join(lit(a), t[i+1:]), true
		}
	}
	return t, nil, false
}

// String writes t in the language: before a brace two dollars stand for one, so that what
// only looks like a placeholder is none.
func (t text) String() string {
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
		if p.ref == "" {
			run.WriteString(p.lit)
			continue
		}
		flush(true)
		b.WriteString("${" + p.ref + "}")
	}
	flush(false)
	return b.String()
}
