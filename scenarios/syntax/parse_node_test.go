package syntax

import "testing"

// parseNode parses YAML that must be valid.
func parseNode(t testing.TB, text string) *Node {
	t.Helper()
	var m Mistakes
	nodes := 0
	n := Read("test.yaml", []byte(text), &m, &nodes)
	if err := m.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}
