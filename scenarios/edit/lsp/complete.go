package lsp

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios/edit/reference"
	"brunt/scenarios/slo"
)

// cursor marks the cursor in a text that is completed.
const cursor = "\ue000" // from a private use area, which no text contains

// complete returns the completions for a position.
func (s *server) complete(d *document, at position) completions {
	return completions{Items: append([]completion{}, s.items(d, at)...)} // never nil, because the protocol wants a list
}

// items returns the completions for a position; nil means none.
func (s *server) items(d *document, at position) []completion {
	lines := d.lines()
	if at.Line < 0 || at.Line >= len(lines) {
		return nil
	}
	line, col := d.line(at.Line), d.column(at)
	lines[at.Line] = string(line[:col]) + cursor + string(line[col:])
	tokens := read(strings.Join(lines, "\n"))
	i := slices.IndexFunc(tokens, func(t token) bool { return strings.Contains(t.key+t.value, cursor) })
	if i < 0 {
		return nil
	}
	t := tokens[i]
	c := completer{o: s.o, d: d, tokens: tokens, at: at, line: line, col: col}
	if strings.Contains(t.key, cursor) {
		c.from, c.to = t.keyAt.from, t.keyAt.to-1 // without the mark of the cursor
		return c.keys(t, t.path, "")
	}
	c.from, c.to = t.at.from, t.at.to-1
	if t.key != "" {
		return c.values(t, append(slices.Clone(t.path), t.key))
	}
	items := c.values(t, t.path)
	if t.alone && !strings.Contains(strings.TrimSpace(t.value), " ") { // a sentence is not a key
		items = append(items, c.keys(t, t.path, ": ")...)
	}
	return items
}

// A completer completes one word.
type completer struct {
	o        Options
	d        *document
	tokens   []token
	at       position
	line     []rune
	col      int
	from, to int // characters of the line that are replaced
}

func (c *completer) item(label, insert string, kind int) completion {
	from := min(c.from, c.col)
	return completion{
		Label: label, Kind: kind,
		TextEdit: textEdit{c.d.span(c.at.Line, span{from, max(from, min(c.to, len(c.line)))}), insert},
	}
}

// keys returns the keys that can be added to the map that holds a token. The text after is appended to each.
func (c *completer) keys(t token, path []string, after string) []completion {
	o, ok := c.o.Reference.Outline(path)
	if !ok || o.Named {
		return nil
	}
	has := map[string]string{}
	for _, other := range c.tokens {
		if other.parent == t.parent && other.key != "" {
			has[other.key] = other.value
		}
	}
	var out []completion
	for _, k := range o.Keys {
		if _, there := has[k.Name]; there || len(k.Only) > 0 && has["executor"] != "" &&
			!slices.Contains(k.Only, has["executor"]) {
			continue
		}
		item := c.item(k.Name, k.Name+after, kindProperty)
		item.Detail, item.Documentation = strings.Join(append(k.Values, k.Forms...), ", "), k.Text
		order := "1"
		switch {
		case k.Required:
			order, item.Detail = "0", strings.TrimSuffix("required; "+item.Detail, "; ")
		case k.Fault:
			order, item.Kind = "2", kindEvent
		}
		item.SortText = order + k.Name
		out = append(out, item)
	}
	return out
}

// values completes the value of a key, or an item of its list.
func (c *completer) values(t token, path []string) []completion {
	if ofObjectives(path) {
		return c.objective(t)
	}
	o, ok := c.o.Reference.Outline(path)
	if !ok {
		return nil
	}
	var out []completion
	for _, v := range o.Values {
		out = append(out, c.item(v, v, kindValue))
	}
	for _, name := range c.names(o.Key) {
		out = append(out, c.item(name, name, kindReference))
	}
	return out
}

// ofObjectives reports whether the values at a path are objectives.
func ofObjectives(path []string) bool {
	at := strings.Join(path, ".") + "."
	return slices.ContainsFunc([]string{"slo.", "steady.", "stop.when.", "drill.slo."},
		func(of string) bool { return strings.HasPrefix(at, of) })
}

// names returns the names in the text that can be the value of a key.
func (c *completer) names(k reference.Key) []string {
	switch k.Name {
	case "after", "during":
		return c.below("chaos")
	case "service", "entry", "from":
		return c.services()
	case "to":
		return append(c.services(), c.below("target.endpoints")...)
	}
	return nil
}

// services returns the names of the target's services: those in the text, and those of the built-in stack that the
// text names.
func (c *completer) services() []string {
	out := slices.Concat(c.below("target.processes"), c.below("target.containers"), c.below("target.units"))
	for _, t := range c.tokens {
		if t.key == "stack" && slices.Equal(t.path, []string{"target"}) {
			out = append(out, c.o.Stacks[t.value]...)
		}
	}
	return out
}

// below returns the keys in the text below a path, sorted.
func (c *completer) below(path string) []string {
	var out []string
	for _, t := range c.tokens {
		if strings.Join(t.path, ".") == path && t.key != "" && !strings.Contains(t.key, cursor) {
			out = append(out, t.key)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var phase = regexp.MustCompile(`\b(in|after)\s+\S*$`)

// objective completes the metric at the beginning of an objective, or the name of a fault after in and after.
func (c *completer) objective(t token) []completion {
	written, _, _ := strings.Cut(t.value, cursor)
	var out []completion
	switch {
	case phase.MatchString(written):
		c.from = c.col - len([]rune(written[strings.LastIndexAny(written, " ")+1:]))
		c.to = c.col
		for _, name := range append(c.below("chaos"), slo.BaselinePhase.String(), slo.IncidentPhase.String()) {
			out = append(out, c.item(name, name, kindReference))
		}
	case !strings.Contains(strings.TrimSpace(written), " "):
		for _, name := range slo.MetricNames() {
			item := c.item(name, name, kindValue)
			if text, err := c.o.Reference.Explain(name); err == nil {
				item.Documentation = text
			}
			out = append(out, item)
		}
	}
	slices.SortFunc(out, func(a, b completion) int { return cmp.Compare(a.Label, b.Label) })
	return out
}
