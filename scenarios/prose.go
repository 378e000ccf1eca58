package scenarios

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Amount writes how many there are of what a noun names.
func Amount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// ListOr lists items for people; none stands for no item.
func ListOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

// Sentence gives s a capital letter and a full stop.
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

// Markdown makes one line of text fit for a cell of a table, or a line, of GitHub's
// Markdown: nothing in it is read as Markdown, as HTML or as a formula, and nobody is
// mentioned by it.
func Markdown(text string) string { return markdown.Replace(text) }

// subtle: a word joiner keeps @name and #1 from being linked, and :// and www. from being
// URLs.
var markdown = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "~", `\~`, "$", `\$`,
	"@", "@\u2060", "#", "#\u2060", "://", ":\u2060//", "www.", "www\u2060.", "\n", " ", "\r", " ")
