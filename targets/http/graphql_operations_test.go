package http

import (
	"slices"
	"testing"
)

func TestOperations(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want []operation
	}{
		{"{ a }", []operation{{"query", ""}}},
		{"query { a }", []operation{{"query", ""}}},
		{"query A{a}", []operation{{"query", "A"}}},
		{"query($a: Int = 1) { a }", []operation{{"query", ""}}},
		{
			"query A ( $a : In = {x: [1]} ) @d(x: {y: 1}) { a { query } } mutation B { b }",
			[]operation{{"query", "A"}, {"mutation", "B"}},
		},
		{"fragment query on Q { a } query A { ...query }", []operation{{"query", "A"}}},
		{"#query X {}\nsubscription S { s }", []operation{{"subscription", "S"}}},
		{`query A { a(s: "}\"{") b(t: """ } \""" " { """) } query B { b }`, []operation{{"query", "A"}, {"query", "B"}}},
		{"", nil},
		{"}}}", nil},
	} {
		if got := operations(c.doc); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.doc, got, c.want)
		}
	}
}

// For any document the parser ends, and the operations it finds occur in the document.
func FuzzOperations(f *testing.F) {
	for _, s := range []string{
		"query A { a }", "{ a }", `mutation B($x: T = "\"") { b }`, `"""`, "#", "fragment F on T { a } query",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if n := len(operations(doc)); n > len(doc) {
			t.Fatalf("%d operations in %d bytes", n, len(doc))
		}
	})
}
