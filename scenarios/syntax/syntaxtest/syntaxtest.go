// Package syntaxtest reads YAML for tests of packages that use package syntax.
package syntaxtest

import (
	"testing"

	"brunt/scenarios/syntax"
)

// Parse parses YAML that must be valid.
func Parse(t testing.TB, text string) *syntax.Node {
	t.Helper()
	var m syntax.Mistakes
	nodes := 0
	n := syntax.Read("test.yaml", []byte(text), &m, &nodes)
	if err := m.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}
