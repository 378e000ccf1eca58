package scenarios

import (
	"crypto/sha256"
	"fmt"
	"hash"

	"brunt/scenarios/syntax"
)

// A Setting is one value of a scenario as it was resolved.
type Setting struct {
	Path  string // of keys: load.browse.flow[0].get
	Value string // Secrets masked
}

// Settings lists every value of the scenario as it was resolved: extends merged, params
// filled in. Meta is none of them: it changes nothing of what is done.
func (s *Scenario) Settings() []Setting {
	var out []Setting
	walk(s.done(), "", func(path string, n *syntax.Node) {
		out = append(out, Setting{s.Secrets.Mask(path), s.Secrets.Mask(n.Shown())})
	})
	return out
}

// Sum is a digest of the scenario as it was resolved, secrets and all, meta
// left out.
func (s *Scenario) Sum() [sha256.Size]byte {
	h := sha256.New()
	walk(s.done(), "", func(path string, n *syntax.Node) { writeLengths(h, path, n.Value) })
	return [sha256.Size]byte(h.Sum(nil))
}

// writeLengths writes texts so that no other texts give the same.
func writeLengths(h hash.Hash, texts ...string) {
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
}

// resolved is the file without what was needed to fill it in.
func (s *Scenario) resolved() *syntax.Node {
	if s.Root == nil {
		return &syntax.Node{Kind: syntax.Map}
	}
	return s.Root.Without(func(k string) bool { return k == "params" || k == "extends" })
}

// done is what of the file says what is done.
func (s *Scenario) done() *syntax.Node {
	return s.resolved().Without(func(k string) bool { return k == "meta" })
}

// walk goes over all single values below n, and over maps and lists without any.
func walk(n *syntax.Node, path string, do func(path string, n *syntax.Node)) {
	switch {
	case n.Kind == syntax.Map && len(n.Fields) > 0:
		for _, f := range n.Fields {
			key := f.Key
			if path != "" {
				key = path + "." + key
			}
			walk(f.Value, key, do)
		}
	case n.Kind == syntax.List && len(n.Items) > 0:
		for i, item := range n.Items {
			walk(item, fmt.Sprintf("%s[%d]", path, i), do)
		}
	case n.Kind == syntax.Map:
		do(path, &syntax.Node{Kind: syntax.String, Value: "{}"})
	case n.Kind == syntax.List:
		do(path, &syntax.Node{Kind: syntax.String, Value: "[]"})
	case n.Kind == syntax.Null:
		do(path, &syntax.Node{Kind: syntax.String, Value: "null"})
	default:
		do(path, n)
	}
}

// Explain writes the scenario as it was resolved: extends merged, params filled in.
// What came from the environment or a file stays the placeholder that names it, and
// is masked wherever else it stands. It is itself a scenario.
func (s *Scenario) Explain() string {
	if s.Root == nil {
		return ""
	}
	return syntax.WriteYAML(s.resolved(), s.Secrets.Mask)
}
