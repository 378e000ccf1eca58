package scenarios

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// A Setting is one value of the resolved scenario.
type Setting struct {
	Path  string // keys from the root: load.browse.flow[0].get
	Value string // with secrets masked
}

// Settings lists every value of the resolved scenario: extends merged, params filled in. Meta is
// left out, because it does not change what the run does.
func (s *Scenario) Settings() []Setting {
	var out []Setting
	walk(hidden(s.done(), ""), "", func(path string, n *syntax.Node) {
		out = append(out, Setting{s.Secrets.Mask(path), s.Secrets.Mask(n.Shown())})
	})
	return out
}

// Sum is a digest of the resolved scenario, secrets included, meta left out.
func (s *Scenario) Sum() [sha256.Size]byte {
	h := sha256.New()
	walk(s.done(), "", func(path string, n *syntax.Node) { writeLengths(h, path, n.Value) })
	return [sha256.Size]byte(h.Sum(nil))
}

// writeLengths writes each text with its length before it, so that different lists of texts hash differently.
func writeLengths(h hash.Hash, texts ...string) {
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
}

// resolved returns the file without `params` and `extends`, which are already filled in.
func (s *Scenario) resolved() *syntax.Node {
	if s.Root == nil {
		return &syntax.Node{Kind: syntax.Map}
	}
	return s.Root.Without(func(k string) bool { return k == "params" || k == "extends" })
}

// done returns the parts of the file that affect what the run does.
func (s *Scenario) done() *syntax.Node {
	return s.resolved().Without(func(k string) bool { return k == "meta" })
}

// walk visits all scalars below n, and empty maps and lists.
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

// Explain returns the resolved scenario as YAML: extends merged, params filled in. A value from the environment or a
// file stays a placeholder, and is masked wherever else it appears. The result is itself a valid scenario.
func (s *Scenario) Explain() string {
	if s.Root == nil {
		return ""
	}
	return syntax.WriteYAML(hidden(s.resolved(), ""), s.Secrets.Mask)
}

// Given returns the value of a param of the command line, masked if it is secret.
func (s *Scenario) Given(name, value string) string {
	if secret.IsName(name) && value != "" {
		return syntax.Masked
	}
	return secret.Fields(s.Secrets.Mask(value))
}

// hidden returns a copy of n, the value of key, in which values that only their names mark as secret are masked. Some
// of those values are too short to be masked wherever they appear in a text.
func hidden(n *syntax.Node, key string) *syntax.Node {
	out := *n
	out.Fields, out.Items = slices.Clone(n.Fields), slices.Clone(n.Items)
	for i, f := range out.Fields {
		if !slices.Contains(placesOnly, f.Key) {
			out.Fields[i].Value = hidden(f.Value, f.Key)
		}
	}
	flag := ""
	for i, item := range out.Items {
		if item.Kind == syntax.String && strings.HasPrefix(item.Value, "-") {
			out.Items[i] = hidden(item, key)
		} else {
			out.Items[i] = hidden(item, cmp.Or(flag, key))
		}
		flag = flagOf(item)
	}
	switch {
	case n.Kind != syntax.String && n.Kind != syntax.Number || n.Value == "":
		return &out
	case n.HasSecret() || n.Dynamic() != nil:
		parts := slices.Clone(n.Parts)
		for i, p := range parts {
			if p.Ref == nil && p.Secret == "" {
				parts[i].Text = secret.Fields(p.Text)
			}
		}
		out.SetParts(parts)
		return &out
	}
	text := secret.Fields(n.Value)
	if secret.IsName(key) && !slices.Contains(switches, strings.ToLower(n.Value)) {
		text = syntax.Masked
	}
	if text != n.Value {
		out = syntax.Node{Kind: syntax.String, Value: text, Pos: n.Pos}
	}
	return &out
}

// switches are values that are not secret even if their key has a secret name, such as auth.
var switches = []string{"on", "off", "true", "false", "env", "none"}
