package scenarios

import "strings"

// Markdown makes one line of text fit for a cell of a table, or a line, of GitHub's
// Markdown: nothing in it is read as Markdown, as HTML or as a formula, and nobody is
// mentioned by it.
func Markdown(text string) string { return markdown.Replace(text) }

// subtle: a word joiner keeps @name and #1 from being linked, and :// and www. from being
// URLs.
var markdown = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "~", `\~`, "$", `\$`,
	"@", "@\u2060", "#", "#\u2060", "://", ":\u2060//", "www.", "www\u2060.", "\n", " ", "\r", " ")
