package html

import (
	"html/template"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// term writes words. If they name a term, it adds a dotted underline and the explanation of the term, which the page
// shows under the pointer or while the words have the focus.
func term(words string) template.HTML {
	text := template.HTMLEscapeString(words)
	name := strings.TrimSuffix(strings.TrimSuffix(words, ":"), " of good")
	t, ok := result.FindTerm(name)
	if !ok {
		t, ok = result.FindTerm(strings.TrimSuffix(name, "s"))
	}
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
