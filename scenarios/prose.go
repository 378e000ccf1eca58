package scenarios

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Amount writes a number with its noun in singular or plural.
func Amount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// ListOr lists items for people; none is the text for an empty list.
func ListOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

// Sentence capitalizes s and ends it with a full stop.
func Sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	c, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(c)) + s[n:]
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "!") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// Markdown escapes one line of text for a table cell, or a line, of GitHub's Markdown. The result
// contains no Markdown, HTML or formula, and mentions no user.
func Markdown(text string) string { return markdown.Replace(text) }

// subtle: a word joiner keeps GitHub from linking @name and #1, and :// and www. from becoming URLs.
var markdown = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "~", `\~`, "$", `\$`,
	"@", "@\u2060", "#", "#\u2060", "://", ":\u2060//", "www.", "www\u2060.", "\n", " ", "\r", " ")
