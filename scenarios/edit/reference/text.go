package reference

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"brunt/scenarios/result"
)

// width is the width of the output in columns.
const width = 100

// overview lists the queries that Explain answers.
func (r *Reference) overview() string {
	var b strings.Builder
	b.WriteString("brunt explain PATH explains a key, a kind of fault, an executor, a metric, an exit code, a term or a " +
		"command.\n\n")
	b.WriteString("Keys of a scenario:\n")
	r.table(&b, r.topKeys(), "")
	b.WriteString("\nLists: brunt explain faults, executors, protocols, metrics, formats, converters, terms, " +
		"exit-codes, placeholders, topics.\n")
	b.WriteString("Topics:\n")
	r.table(&b, r.of("topic"), "topic")
	b.WriteString("\nFor example: brunt explain network.latency, brunt explain slo, brunt explain hold, brunt explain " +
		"result.faults.recover.\n")
	return b.String()
}

// list writes all entries of a sort. Exit codes are ordered by precedence.
func (r *Reference) list(b *strings.Builder, sort string) {
	if sort == "exit code" {
		b.WriteString("Exit codes; where several apply, the first counts:\n\n")
		for _, row := range r.from.ExitCodes {
			fmt.Fprintf(b, "  %-9s %-13s %s\n", row[0], row[1], row[2])
		}
		return
	}
	all := r.of(sort)
	prefix := sort
	if sort == "fault" {
		prefix = "chaos"
	}
	r.table(b, all, prefix)
}

// write explains one entry.
func (r *Reference) write(b *strings.Builder, e *entry) {
	if e.Sort == "topic" {
		b.WriteString(strings.TrimRight(e.Text, "\n") + "\n")
		return
	}
	fmt.Fprintf(b, "%s: %s\n", title(e), sortText(e))
	b.WriteString(wrap(period(e.Text), "  "))
	if len(e.Forms) > 0 && !(len(e.Forms) == 1 && e.Forms[0] == "a list") {
		b.WriteString(wrap("Value: "+strings.Join(e.Forms, ", ")+".", "  "))
	}
	if len(e.Only) > 0 && e.Sort == "key" && len(e.Only) < r.executors-1 {
		b.WriteString(wrap("Executors: "+strings.Join(e.Only, ", ")+".", "  "))
		if len(e.MustOf) > 0 {
			b.WriteString(wrap("Required by: "+strings.Join(e.MustOf, ", ")+".", "  "))
		}
	}
	if e.Sort == "protocol" {
		b.WriteString(wrap(protocolChoice(e), "  "))
	}
	if e.Sort == "key" && len(e.Protocols) > 0 {
		b.WriteString(wrap("Protocols: "+strings.Join(e.Protocols, ", ")+".", "  "))
	}
	if e.Sort == "fault" {
		b.WriteString(wrap("Acts on: "+e.On+". Systems: "+e.Systems+".", "  "))
		fmt.Fprintf(b, "\n  In a scenario:\n    chaos:\n      %s\n", e.Example)
	}
	if len(e.Keys) > 0 {
		about := "Keys:"
		switch {
		case e.Named:
			about = "Keys, below a name of yours:"
		case e.Steps:
			about = "Keys of an item, which may also be a step (brunt explain step):"
		}
		fmt.Fprintf(b, "\n  %s\n", about)
		below := r.below(e)
		if e.Sort == "protocol" {
			for i, key := range below {
				of := *key
				of.Text, below[i] = key.textOf(title(e)), &of
			}
		}
		r.table(b, below, e.Path)
	} else if e.Steps {
		b.WriteString("  An item is a step: brunt explain step.\n")
	}
	if seen := r.seeAlso(e); len(seen) > 0 {
		b.WriteString("\n" + wrap("See also: "+strings.Join(seen, ", ")+".", "  "))
	}
}

// title returns the query that explains an entry.
func title(e *entry) string {
	for _, prefix := range []string{"term.", "metric.", "format.", "protocol.", "converter.", "placeholder."} {
		if rest, ok := strings.CutPrefix(e.Path, prefix); ok && e.Sort+"." == prefix {
			return rest
		}
	}
	if e.Sort == "fault" {
		return strings.TrimPrefix(e.Path, "chaos.")
	}
	return e.Path
}

func sortText(e *entry) string {
	switch e.Sort {
	case "key":
		text := "a key"
		switch {
		case e.Must && e.written():
			text = "a key, always there"
		case e.Must:
			text = "a required key"
		}
		if e.List {
			text += ", a list"
		}
		return text
	case "executor", "exit code":
		return "an " + e.Sort
	case "fault":
		return "a kind of fault"
	}
	return "a " + e.Sort
}

// common are terms that are mostly used as plain words.
var common = map[string]bool{"what": true, "none": true, "open": true, "rest": true, "send": true}

// seeAlso lists the terms that the text of an entry uses.
func (r *Reference) seeAlso(e *entry) []string {
	if e.Sort != "term" && e.Sort != "metric" {
		return nil
	}
	var out []string
	words := strings.FieldsFunc(strings.ToLower(e.Text), func(c rune) bool { return !(c >= 'a' && c <= 'z' || c == '-') })
	for _, t := range result.Terms() {
		if t.Name != title(e) && !common[t.Name] && slices.Contains(words, t.Name) {
			out = append(out, t.Name)
		}
	}
	return out
}

// table writes entries, one per line: the name, and as much text as fits beside it.
func (r *Reference) table(b *strings.Builder, entries []*entry, parent string) {
	wide := 0
	for _, e := range entries {
		wide = max(wide, utf8.RuneCountInString(shortName(e, parent)))
	}
	wide = min(wide, 34)
	for _, e := range entries {
		name := shortName(e, parent)
		lines := strings.Split(strings.TrimRight(wrapTo(summary(e), "", max(40, width-wide-6)), "\n"), "\n")
		for i, line := range lines {
			if i > 0 {
				name = ""
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("    %-*s  %s", wide, name, line), " ") + "\n")
		}
	}
}

func shortName(e *entry, parent string) string {
	if parent == "" {
		return e.Path
	}
	name := e.name(parent)
	switch {
	case e.Must && e.written():
		name += " (always)"
	case e.Must || slices.Contains(e.MustOf, parent):
		name += " (required)"
	}
	return name
}

// summary returns the first sentence of an entry. For a topic it is the title.
func summary(e *entry) string {
	if e.Sort == "topic" {
		first, _, _ := strings.Cut(e.Text, "\n")
		return strings.TrimLeft(first, "# ")
	}
	text := e.Text
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i+1]
	}
	return text
}

// period ends a text as a sentence.
func period(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

func wrap(s, indent string) string { return wrapTo(s, indent, width) }

// wrapTo breaks a text into lines of at most some width, the indent included.
func wrapTo(s, indent string, width int) string {
	if s == "" {
		return ""
	}
	var b strings.Builder
	at := 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
			b.WriteString(indent + word)
			at = len(indent) + n
		case at+1+n > width:
			b.WriteString("\n" + indent + word)
			at = len(indent) + n
		default:
			b.WriteString(" " + word)
			at += 1 + n
		}
	}
	return b.String() + "\n"
}
