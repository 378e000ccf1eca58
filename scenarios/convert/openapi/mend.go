package openapi

import (
	"bytes"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// texts are keys of OpenAPI whose values are texts, and which documents often give as a number or as something else.
var texts = []string{
	"openapi", "version", "title", "summary", "description", "termsOfService", "operationId", "name", "email",
	"identifier", "pattern",
}

// named are keys whose maps have names of the author as keys.
var named = []string{
	"properties", "patternProperties", "definitions", "schemas", "responses", "parameters", "examples", "requestBodies",
	"headers", "securitySchemes", "links", "callbacks", "paths", "pathItems", "webhooks", "variables", "scopes", "mapping",
	"content", "encoding", "dependentSchemas", "$defs",
}

// verbatim are keys whose values may be anything.
var verbatim = []string{"example", "default", "enum", "const", "value"}

// A cut is a part of a source that another text replaces.
type cut struct {
	from, to int
	by       string
}

// mended returns a document in which each value that has to be a text is one: a number or a truth value in its own
// letters, and a map or a list, such as a $ref in a description, as an empty text. Lines stay where they are. It
// returns a document that can't be read as it is.
func mended(file string, source []byte) []byte {
	m, nodes := syntax.NewMistakes(nil, nil), 0
	doc := syntax.Read(file, source, m, &nodes)
	if m.Err() != nil || doc == nil {
		return source
	}
	starts := []int{0, 0} // of the lines, from 1
	for i, c := range source {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	offset := func(p syntax.Pos) int {
		if p.Line < 1 || p.Line >= len(starts) {
			return -1
		}
		at := starts[p.Line]
		for range p.Col - 1 {
			if at >= len(source) {
				return -1
			}
			for at++; at < len(source) && source[at]&0xc0 == 0x80; at++ { // the rest of a character
			}
		}
		return at
	}
	var cuts []cut
	var walk func(n *syntax.Node, names bool)
	walk = func(n *syntax.Node, names bool) {
		for _, f := range n.Fields {
			switch v := f.Value; {
			case names:
				walk(v, false)
			case slices.Contains(verbatim, f.Key) || strings.HasPrefix(f.Key, "x-"):
			case !slices.Contains(texts, f.Key):
				walk(v, slices.Contains(named, f.Key))
			case v.Kind == syntax.Number || v.Kind == syntax.Bool:
				if at := offset(v.Pos); at >= 0 && bytes.HasPrefix(source[at:], []byte(v.Value)) {
					cuts = append(cuts, cut{at, at + len(v.Value), `"` + v.Value + `"`})
				}
			case v.Kind == syntax.Map || v.Kind == syntax.List:
				if at := offset(v.Pos); at >= 0 {
					cuts = append(cuts, whole(source, at, f.Pos.Col))
				}
			}
		}
		for _, item := range n.Items {
			walk(item, false)
		}
	}
	walk(doc, false)
	slices.SortFunc(cuts, func(a, b cut) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range cuts {
		if c.from < at {
			continue
		}
		out = append(append(out, source[at:c.from]...), c.by...)
		at = c.to
	}
	return append(out, source[at:]...)
}

// whole returns the cut of a map or a list that begins at an offset, and whose key begins at a column.
func whole(source []byte, at, column int) cut {
	end := at
	if source[at] == '{' || source[at] == '[' {
		open, quote := 0, byte(0)
		for ; end < len(source); end++ {
			switch c := source[end]; {
			case quote != 0:
				if c == '\\' && quote == '"' {
					end++
				} else if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '{' || c == '[':
				open++
			case c == '}' || c == ']':
				open--
			}
			if open == 0 {
				end++
				break
			}
		}
	} else { // a block: all lines that are further in than its key
		for end < len(source) {
			line := source[end:]
			if i := bytes.IndexByte(line, '\n'); i >= 0 {
				line = line[:i]
			}
			text := bytes.TrimLeft(line, " ")
			if end != at && len(text) > 0 && len(line)-len(text) < column {
				break
			}
			end = min(end+len(line)+1, len(source))
		}
	}
	end = min(end, len(source))
	return cut{at, end, `""` + strings.Repeat("\n", bytes.Count(source[at:end], []byte("\n")))}
}
