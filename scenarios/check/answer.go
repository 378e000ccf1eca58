package check

import (
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// An Answer holds the conditions that the answers of every protocol can meet.
type Answer struct {
	Within time.Duration // within which the answer must arrive; zero: no limit
	Valid  *SchemaFile   // the schema of the answer as JSON
	Paths  []Field       // the values at JSON paths
}

// Own is the part of a check that only one protocol has.
type Own struct {
	Such string                    // a hint with an example of a check
	Keys []string                  // its keys, and its form of a JSON path, for hints
	Read func(f syntax.Field) bool // reads a key, and reports whether the protocol has it
}

// Decode reads a check: the keys of every protocol, and the own keys of one.
func (a *Answer) Decode(n *syntax.Node, m *syntax.Mistakes, own Own) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, own.Such, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "within":
			a.Within = decodeWithin(f.Value, m)
		case f.Key == "schema":
			a.Valid = decodeSchemaFile(f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			if k, ok := DecodePath(f, m); ok {
				a.Paths = append(a.Paths, k)
			}
		case !own.Read(f):
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, append(own.Keys, "within", "schema")), "unknown check %q",
				syntax.Clip(f.Key, 60))
		}
	}
}

// AnswerSchema returns the schema of a check from the schemas of the protocol's own keys. Whole names the answer that
// `schema` checks, and path says what a JSON path leads to.
func AnswerSchema(own syntax.Schema, whole, path string) syntax.Schema {
	own["within"] = (*quantity.Duration)(nil).Schema().Described("the longest response time")
	own["schema"] = schemaOf(whole)
	return syntax.Schema{
		"type": "object", "properties": own, "additionalProperties": false,
		"patternProperties": syntax.Schema{`^\$`: (*Matcher)(nil).Schema().Described(path + ": " + PathForms)},
	}
}
