package secret

import (
	"strings"
	"unicode/utf8"

	"brunt/scenarios/syntax"
)

// A Span is the place of a secret value in a text.
type Span struct{ From, To int }

// Mask returns the text with each span masked. The spans must be in order and must not overlap.
func Mask(text string, spans []Span) string {
	return replace(text, spans, func(string) string { return syntax.Masked })
}

// Stars is Mask with one star for each character of a span.
func Stars(text string, spans []Span) string {
	return replace(text, spans, func(value string) string { return strings.Repeat("*", utf8.RuneCountInString(value)) })
}

func replace(text string, spans []Span, with func(value string) string) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	done := 0
	for _, s := range spans {
		b.WriteString(text[done:s.From])
		b.WriteString(with(text[s.From:s.To]))
		done = s.To
	}
	b.WriteString(text[done:])
	return b.String()
}
