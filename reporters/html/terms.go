package html

import (
	"bytes"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// term writes words. If they name a term, it adds a dotted underline and the explanation of the term, which the page
// shows under the pointer. So many terms would be in the way of a reader who uses the keyboard: the glossary at the end
// of the page explains them all.
func term(words string) template.HTML {
	text := template.HTMLEscapeString(words)
	name := strings.TrimSuffix(words, ":")
	t, ok := result.FindTerm(name)
	if !ok {
		t, ok = result.FindTerm(strings.TrimSuffix(name, "s"))
	}
	if !ok {
		return template.HTML(text)
	}
	return template.HTML(`<span class="term">`+text+`<span class="tip" role="tooltip">`) + coded(t.Sentence()) +
		template.HTML(` <code>brunt explain `+t.Name+`</code></span></span>`)
}

// coded escapes a text, and shows each part of it between backticks as code.
func coded(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			part = "<code>" + template.HTMLEscapeString(part) + "</code>"
		} else {
			part = template.HTMLEscapeString(part)
		}
		out.WriteString(part)
	}
	return template.HTML(out.String())
}

// tips matches the explanations that a page shows.
var tips = regexp.MustCompile(`<span class="tip" role="tooltip">(.*?) <code>brunt explain ([^<]+)</code></span>`)

// withGlossary adds the explanations of a page's terms as a list at the end of its main part.
func withGlossary(page []byte) []byte {
	texts := map[string]string{}
	for _, m := range tips.FindAllSubmatch(page, -1) {
		texts[string(m[2])] = string(m[1])
	}
	at := bytes.LastIndex(page, []byte("</main>"))
	if len(texts) == 0 || at < 0 {
		return page
	}
	var b bytes.Buffer
	b.Write(page[:at])
	b.WriteString(`<section id="words"><details><summary>The words of this report</summary><dl class="words">`)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		b.WriteString("<div><dt>" + name + "</dt><dd>" + texts[name] + "</dd></div>")
	}
	b.WriteString("</dl></details></section>\n")
	b.Write(page[at:])
	return b.Bytes()
}

// objectiveTerms writes the title of an objective, with its metric and the phase at its end marked as terms.
func objectiveTerms(o *result.ObjectiveResult) template.HTML {
	title, text := words.ObjectiveTitle(o), words.Clean(o.Text)
	before, ok := strings.CutSuffix(title, text)
	if !ok {
		return template.HTML(template.HTMLEscapeString(title))
	}
	metric, rest := text, ""
	if i := strings.IndexAny(text, " <>=("); i >= 0 {
		metric, rest = text[:i], text[i:]
	}
	out := template.HTML(template.HTMLEscapeString(before)) + term(metric)
	if asked, ok := o.Asks(); ok && asked.Phase != (slo.Phase{}) {
		phase := asked.Phase.String()
		if until, ends := strings.CutSuffix(rest, " in "+phase); ends {
			return out + template.HTML(template.HTMLEscapeString(until+" in ")) + term(phase)
		}
	}
	return out + template.HTML(template.HTMLEscapeString(rest))
}
