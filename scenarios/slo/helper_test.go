package slo

import (
	"testing"

	"brunt/scenarios/syntax"
)

// parseNode parses YAML that must be valid.
func parseNode(t testing.TB, text string) *syntax.Node {
	t.Helper()
	var m syntax.Mistakes
	nodes := 0
	n := syntax.Read("test.yaml", []byte(text), &m, &nodes)
	if err := m.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}
