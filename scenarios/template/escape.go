package template

import (
	"strings"
	"unicode/utf8"
)

// escape says for which place a value is escaped.
type escape uint8

const (
	escNone   escape = iota
	escBase          // the scheme and host of a URL, or a whole URL: only characters that would break the request line
	escPath          // a segment of a URL's path
	escQuery         // a key or value of a URL's query or of a form
	escHeader        // a header's value, without line breaks
	escInJSON        // inside a JSON string
	escJSON          // a whole JSON value: texts are quoted, other values are written unchanged
)

// appendEscaped appends s escaped for its place. It allocates only to grow dst. Raw means that s is a JSON literal
// other than a string, which is not quoted as a JSON value.
func appendEscaped[T string | []byte](dst []byte, s T, esc escape, raw bool) []byte {
	switch esc {
	case escNone:
		return append(dst, s...)
	case escInJSON:
		return appendJSON(dst, s)
	case escJSON:
		if raw {
			return append(dst, s...)
		}
		dst = append(dst, '"')
		return append(appendJSON(dst, s), '"')
	}
	const hex = "0123456789ABCDEF"
	from := 0
	for i := range len(s) {
		c := s[i]
		if safe(c, esc) {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch {
		case esc == escHeader:
			dst = append(dst, ' ')
		case esc == escBase && c == '#': // the client does not send the fragment
			return dst
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, s[from:]...)
}

// safe reports whether c needs no escape.
func safe(c byte, esc escape) bool {
	switch esc {
	case escHeader:
		return c >= ' ' && c != 0x7f || c == '\t'
	case escBase:
		return c > ' ' && c < 0x7f && !strings.ContainsRune(beyondURL, rune(c)) && c != '#'
	}
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' ||
		c == '~'
}

// beyondURL are the printable characters that a URL can't contain (RFC 3986, appendix A).
const beyondURL = "\"<>\\^`{|}"

// asciiURL percent-encodes the characters of an author's URL that a URL can't contain.
func asciiURL(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || strings.IndexByte(beyondURL, c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// appendQuoted appends s as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	return append(appendJSON(append(dst, '"'), s), '"')
}

// appendJSON appends s escaped for a JSON string (RFC 8259, section 7). Invalid UTF-8 becomes the
// replacement character.
func appendJSON[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i += size
		from = i
	}
	return append(dst, s[from:]...)
}
