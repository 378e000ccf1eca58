package scenarios

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// A Setting is one value of a scenario as it was resolved.
type Setting struct {
	Path  string // of keys: load.browse.flow[0].get
	Value string // secrets masked
}

// Settings lists every value of the scenario as it was resolved: extends merged, params
// filled in. Meta is none of them: it changes nothing of what is done.
func (s *Scenario) Settings() []Setting {
	var out []Setting
	s.done().walk("", func(path string, n *Node) {
		out = append(out, Setting{s.Secrets.Mask(path), s.Secrets.Mask(n.shown())})
	})
	return out
}

// Sum is a digest of the scenario as it was resolved, secrets and all, meta
// left out.
func (s *Scenario) Sum() [sha256.Size]byte {
	h := sha256.New()
	s.done().walk("", func(path string, n *Node) { writeLengths(h, path, n.Value) })
	return [sha256.Size]byte(h.Sum(nil))
}

// writeLengths writes texts so that no other texts give the same.
func writeLengths(h hash.Hash, texts ...string) {
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
}

// resolved is the file without what was needed to fill it in.
func (s *Scenario) resolved() *Node {
	if s.Root == nil {
		return &Node{Kind: Map}
	}
	return s.Root.without(func(k string) bool { return k == "params" || k == "extends" })
}

// done is what of the file says what is done.
func (s *Scenario) done() *Node {
	return s.resolved().without(func(k string) bool { return k == "meta" })
}

// walk goes over all single values below n, and over maps and lists without any.
func (n *Node) walk(path string, do func(path string, n *Node)) {
	switch {
	case n.Kind == Map && len(n.Fields) > 0:
		for _, f := range n.Fields {
			key := f.Key
			if path != "" {
				key = path + "." + key
			}
			f.Value.walk(key, do)
		}
	case n.Kind == List && len(n.Items) > 0:
		for i, item := range n.Items {
			item.walk(fmt.Sprintf("%s[%d]", path, i), do)
		}
	case n.Kind == Map:
		do(path, &Node{Kind: String, Value: "{}"})
	case n.Kind == List:
		do(path, &Node{Kind: String, Value: "[]"})
	case n.Kind == Null:
		do(path, &Node{Kind: String, Value: "null"})
	default:
		do(path, n)
	}
}
