package template

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"brunt/scenarios/secret"
)

// unescaped is a text without escaped characters: \u0061 in JSON, %61 in a URL, &#97; and &#x61; in HTML. Encoders
// differ in which characters they escape, so a secret has more such encodings than can be listed.
type unescaped struct {
	text string
	at   []int // offset in the escaped text of each byte of text, and of the end
}

// maskEscaped masks secrets in which more characters are escaped than necessary.
func (x *formIndex) maskEscaped(text string) string {
	if !hasEscape(text) {
		return text
	}
	plain := unescape(text)
	spans := x.spans(plain.text)
	for i, s := range spans {
		spans[i] = secret.Span{From: plain.at[s.From], To: plain.at[s.To]}
	}
	return secret.Mask(text, spans)
}

// hasEscape reports whether a text has an escaped character.
func hasEscape(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case '\\', '%', '&':
			if _, n := escapedRune(text, i); n > 0 {
				return true
			}
		}
	}
	return false
}

// unescape removes the escapes from a text.
func unescape(text string) unescaped {
	out, at := make([]byte, 0, len(text)), make([]int, 0, len(text)+1)
	for i := 0; i < len(text); {
		was := len(out)
		r, n := escapedRune(text, i)
		switch {
		case n == 0:
			out, n = append(out, text[i]), 1
		case text[i] == '%': // a byte
			out = append(out, byte(r))
		default:
			out = utf8.AppendRune(out, r)
		}
		for range len(out) - was {
			at = append(at, i)
		}
		i += n
	}
	return unescaped{string(out), append(at, len(text))}
}

// escapedRune returns the character whose escape begins at i, and the length of the escape; 0 means that there is no
// escape. In a URL the character is a byte.
func escapedRune(text string, i int) (r rune, n int) {
	switch rest := text[i:]; rest[0] {
	case '\\':
		if i > 0 && text[i-1] == '\\' { // the first backslash of a run decides for the whole run
			return 0, 0
		}
		r, n = escapedInJSON(rest)
		if utf16.IsSurrogate(r) {
			low, more := escapedInJSON(rest[n:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return 0, 0
			}
			n += more
		}
		return r, n
	case '%':
		if len(rest) >= 3 {
			return numbered(rest[1:3], 16, 3)
		}
	case '&':
		const longest = len("&#x10ffff;")
		end := strings.IndexByte(rest[:min(len(rest), longest)], ';')
		switch {
		case end > 3 && rest[1] == '#' && (rest[2] == 'x' || rest[2] == 'X'):
			return numbered(rest[3:end], 16, end+1)
		case end > 2 && rest[1] == '#':
			return numbered(rest[2:end], 10, end+1)
		}
	}
	return 0, 0
}

// escapedInJSON is escapedRune for an escape of JSON after any number of backslashes, as in JSON texts nested in each
// other.
func escapedInJSON(text string) (r rune, n int) {
	for n < len(text) && text[n] == '\\' {
		n++
	}
	if n == 0 || len(text) < n+5 || text[n] != 'u' {
		return 0, 0
	}
	return numbered(text[n+1:n+5], 16, n+5)
}

// numbered parses the digits of an escape of length n.
func numbered(digits string, base, n int) (rune, int) {
	v, err := strconv.ParseUint(digits, base, 21)
	if err != nil || v == 0 {
		return 0, 0
	}
	return rune(v), n
}
