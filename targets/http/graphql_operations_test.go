package http

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
)

// parsed parses a document that stands in a scenario.
func parsed(doc string) (query *querySource, m *syntax.Mistakes) {
	return &querySource{text: &syntax.Node{Kind: syntax.String, Value: doc, Pos: syntax.Pos{Line: 1, Col: 1}}},
		new(syntax.Mistakes)
}

func TestOperations(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want []string
	}{
		{"{ a }", []string{"query "}},
		{"query { a }", []string{"query "}},
		{"query A{a}", []string{"query A"}},
		{"query($a: Int = 1) { a }", []string{"query "}},
		{
			"query A ( $a : In = {x: [1]} ) @d(x: {y: 1}) { a { query } } mutation B { b }",
			[]string{"query A", "mutation B"},
		},
		{"fragment query on Q { a } query A { ...query }", []string{"query A"}},
		{"#query X {}\nsubscription S { s }", []string{"subscription S"}},
		{`query A { a(s: "}\"{") b(t: """ } \""" " { """) } query B { b }`, []string{"query A", "query B"}},
		{"# nothing", nil},
	} {
		q, m := parsed(c.doc)
		doc := q.parse(c.doc, m)
		if doc == nil {
			t.Errorf("%q: %v", c.doc, m.Err())
			continue
		}
		var got []string
		for _, op := range doc.Operations {
			got = append(got, string(op.Operation)+" "+op.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.doc, got, c.want)
		}
	}
}

// For any document there is either its content or one mistake, whose place is in the document.
func FuzzOperations(f *testing.F) {
	for _, s := range []string{
		"query A { a }", "{ a }", `mutation B($x: T = "\"") { b }`, `"""`, "#", "fragment F on T { a } query", "}}}",
		"query A { a", "{ a(b: [1, {c: $d}]) @e }",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		q, m := parsed(doc)
		if content := q.parse(doc, m); (content == nil) != (m.Len() == 1) || m.Len() > 1 {
			t.Fatalf("%v and %d mistakes", content, m.Len())
		}
		if err := m.Err(); err != nil && !strings.Contains(err.Error(), "the query is not GraphQL: line ") {
			t.Fatal(err)
		}
	})
}
