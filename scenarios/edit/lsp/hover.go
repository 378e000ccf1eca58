package lsp

import (
	"fmt"
	"slices"
	"strings"
)

// hover explains the key, the value or the objective at a position. It is nil if there is no explanation.
func (s *server) hover(d *document, at position) *hover {
	col := d.column(at)
	for _, t := range read(d.text) {
		if t.line != at.Line {
			continue
		}
		switch {
		case t.key != "" && t.keyAt.holds(col):
			return s.about(d, t, t.keyAt)
		case t.value != "" && t.at.holds(col):
			if h := s.aboutWord(d, at.Line, col, t); h != nil {
				return h
			}
			if t.key != "" {
				return s.about(d, t, t.at)
			}
		}
	}
	return nil
}

// about explains the key of a token.
func (s *server) about(d *document, t token, at span) *hover {
	o, ok := s.o.Reference.Outline(append(slices.Clone(t.path), t.key))
	if !ok || o.Path == "" {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**", o.Path)
	if o.Required {
		b.WriteString(" (required)")
	}
	fmt.Fprintf(&b, "\n\n%s\n", o.Text)
	if values := append(slices.Clone(o.Values), o.Forms...); len(values) > 0 {
		fmt.Fprintf(&b, "\nValue: %s.\n", strings.Join(values, ", "))
	}
	if len(o.Only) > 0 {
		fmt.Fprintf(&b, "\nExecutors: %s.\n", strings.Join(o.Only, ", "))
	}
	if len(o.Keys) > 0 {
		b.WriteString("\n")
		for _, k := range o.Keys {
			first, _, _ := strings.Cut(k.Text, ". ")
			fmt.Fprintf(&b, "- `%s`: %s\n", k.Name, strings.TrimSuffix(first, "."))
		}
	}
	fmt.Fprintf(&b, "\n`brunt explain %s`\n", o.Path)
	return markdown(b.String(), d.span(t.line, at))
}

// aboutWord explains the word of a value under the cursor if it is an executor, a metric or a term.
func (s *server) aboutWord(d *document, line, col int, t token) *hover {
	if !ofObjectives(append(slices.Clone(t.path), t.key)) && t.key != "executor" {
		return nil
	}
	text := d.line(line)
	from, to := col, col
	for from > 0 && isWord(text[from-1]) {
		from--
	}
	for to < len(text) && isWord(text[to]) {
		to++
	}
	if from == to {
		return nil
	}
	explained, err := s.o.Reference.Explain(string(text[from:to]))
	if err != nil {
		return nil
	}
	return markdown("```text\n"+explained+"```\n", d.span(line, span{from, to}))
}

func isWord(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.", c)
}

func markdown(text string, at textRange) *hover {
	h := &hover{Range: at}
	h.Contents.Kind, h.Contents.Value = "markdown", text
	return h
}
