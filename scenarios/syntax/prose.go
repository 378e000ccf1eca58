package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Amount writes a number with its noun in singular or plural.
func Amount(n int, noun string) string { return Plural(int64(n), noun, noun+"s") }

// Plural writes a number with the words for one, or for any other number.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// ListOr lists items for people; none is the text for an empty list.
func ListOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

// Sentence capitalizes s and ends it with a full stop. A first word with a digit, such as p95, keeps its case.
func Sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	first, _, _ := strings.Cut(s, " ")
	if !strings.ContainsAny(first, "0123456789") {
		c, n := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(c)) + s[n:]
	}
	return Period(s)
}

// Period ends s with a full stop, like Sentence, but keeps the case of its first word, for example a name.
func Period(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// Markdown escapes one line of text for a table cell, or a line, of GitHub's Markdown. The result
// contains no Markdown, HTML or formula, and mentions no user.
func Markdown(text string) string { return markdown.Replace(Clean(text)) }

// Subtle: a word joiner keeps GitHub from linking @name and #1, and :// and www. from becoming URLs.
var markdown = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"!", `\!`, "~", `\~`, "$", `\$`,
	"@", "@\u2060", "#", "#\u2060", "://", ":\u2060//", "www.", "www\u2060.")

// Clean makes text safe for one line of a terminal or a page. Line breaks and tabs become blanks. Characters that
// control a terminal or the direction of text become visible escapes.
func Clean(s string) string { return proseVisible(s, " ") }

// CleanLines is Clean for text of several lines.
func CleanLines(s string) string {
	return proseVisible(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

func proseVisible(s, newline string) string {
	safe := true
	for i := 0; i < len(s) && safe; i++ {
		safe = s[i] >= ' ' && s[i] < 0x7f
	}
	if safe {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError) // as in JSON
		case c == '\n' || c == '\r' || c == '\u2028' || c == '\u2029':
			b.WriteString(newline)
		case c == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(c):
			fmt.Fprintf(&b, `\x%02x`, c)
		case invisible(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// invisible reports whether a character controls the direction of text, or is not visible at all.
func invisible(c rune) bool {
	return unicode.Is(unicode.Bidi_Control, c) || c == '\ufeff' || c == '\ufffe' || c == '\uffff'
}

// CleanJSON escapes characters in lines of JSON that control a terminal or the direction of text. JSON allows most of
// them unescaped in its strings, and readers decode the escapes to the same characters.
func CleanJSON(lines []byte) []byte {
	var out []byte
	for i := 0; i < len(lines); {
		c, n := utf8.DecodeRune(lines[i:])
		if c != '\n' && (unicode.IsControl(c) || invisible(c)) {
			out = fmt.Appendf(out, `\u%04x`, c)
		} else {
			out = append(out, lines[i:i+n]...)
		}
		i += n
	}
	return out
}
