package check

import (
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Wants are conditions that a good answer meets if it is complete. An answer that does not meet them is still good:
// it lowers the metric `whole` and does not count as an error.
type Wants struct {
	Within  time.Duration
	Body    *Matcher
	Headers []Field
	Paths   []Field
}

// ReadsBody reports whether some condition needs the body of an answer.
func (w *Wants) ReadsBody() bool { return w != nil && (w.Body != nil || len(w.Paths) > 0) }

func (w *Wants) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	w.decode(n, m, "within", "body", "header", "headers")
}

// decode reads the conditions with the keys that a protocol supports, and those on JSON paths.
func (w *Wants) decode(n *syntax.Node, m *syntax.Mistakes, keys ...string) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, `such as {"$.author.name": exists}`, "want is a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case strings.HasPrefix(f.Key, "$"):
			if k, ok := DecodePath(f, m); ok {
				w.Paths = append(w.Paths, k)
			}
		case !slices.Contains(keys, f.Key):
			hint := syntax.DidYouMean(f.Key, append(keys, "$.path"))
			if f.Key == "status" || f.Key == "shed" || f.Key == "allow" {
				hint = "`check` says which are good, and an answer that is not good is not whole"
			}
			m.AddHint(f.Pos, hint, "`want` has no %q", syntax.Clip(f.Key, 60))
		case f.Key == "within":
			w.Within = decodeWithin(f.Value, m)
		case f.Key == "body":
			w.Body = new(Matcher)
			w.Body.DecodeText(f.Value, m)
		default:
			w.Headers = append(w.Headers, decodeHeaders(f.Value, m)...)
		}
	}
	if len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as {"$.author.name": exists}`, "want is empty")
	}
}

// decodeHeaders reads the conditions on headers.
func decodeHeaders(n *syntax.Node, m *syntax.Mistakes) (out []Field) {
	if n.Kind != syntax.Map {
		m.Add(n.Pos, "want a map of header names to values")
		return nil
	}
	for _, h := range n.Fields {
		if !IsToken(h.Key) {
			m.Add(h.Pos, "%q is not a name of a header", h.Key)
		}
		k := Field{Name: h.Key}
		k.DecodeNode(h.Value, m)
		out = append(out, k)
	}
	return out
}

func (*Wants) Schema() syntax.Schema {
	match := (*Matcher)(nil).Schema()
	headers := syntax.Schema{"description": "values by header name", "type": "object", "additionalProperties": match}
	s := (*PathWants)(nil).Schema()
	properties := s["properties"].(syntax.Schema)
	properties["body"] = match.Described("the body as text: " + Forms)
	properties["header"], properties["headers"] = headers, headers
	return s
}

// PathWants are the [Wants] for a protocol whose answers have neither headers nor a text.
type PathWants struct{ Wants }

func (w *PathWants) DecodeNode(n *syntax.Node, m *syntax.Mistakes) { w.decode(n, m, "within") }

func (*PathWants) Schema() syntax.Schema {
	match := (*Matcher)(nil).Schema()
	return syntax.Schema{
		"type": "object", "minProperties": 1,
		"properties": syntax.Schema{"within": (*quantity.Duration)(nil).Schema().Described("the longest " +
			"response time")},
		"patternProperties":    syntax.Schema{`^\$`: match.Described("the value at a JSON path: " + PathForms)},
		"additionalProperties": false,
	}
}
