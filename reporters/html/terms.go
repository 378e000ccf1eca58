package html

import (
	"html/template"
	"strings"

	"brunt/scenarios/terms"
)

// term writes words that name a term with a dotted underline and with the term's sentence, which the page shows
// while they are pointed at or have the focus. Other words are written as they are.
func term(words string) template.HTML {
	text := template.HTMLEscapeString(words)
	t, ok := terms.Find(strings.TrimSuffix(words, ":"))
	if !ok {
		return template.HTML(text)
	}
	var tip strings.Builder
	for i, part := range strings.Split(t.Sentence(), "`") {
		if i%2 == 1 {
			part = "<code>" + template.HTMLEscapeString(part) + "</code>"
		} else {
			part = template.HTMLEscapeString(part)
		}
		tip.WriteString(part)
	}
	return template.HTML(`<span class="term" tabindex="0">` + text + `<span class="tip" role="tooltip">` + tip.String() +
		` <code>brunt explain ` + t.Name + `</code></span></span>`)
}
