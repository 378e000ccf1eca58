package scenarios

import (
	"strings"

	"github.com/goccy/go-yaml"
)

// Explain writes the scenario as it was resolved: extends merged, params, files and
// environment filled in, secrets masked. It is itself a scenario.
func (s *Scenario) Explain() string {
	if s.Root == nil {
		return ""
	}
	root := s.Root.without(func(k string) bool { return k == "params" || k == "extends" })
	b, err := yaml.MarshalWithOptions(root.plain(), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return "# " + err.Error() + "\n"
	}
	return s.Secrets.Mask(string(b))
}

// plain gives the tree in the types that a YAML writer takes.
func (n *Node) plain() any {
	switch n.Kind {
	case Map:
		out := yaml.MapSlice{}
		for _, f := range n.Fields {
			out = append(out, yaml.MapItem{Key: f.Key, Value: f.Value.plain()})
		}
		return out
	case List:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, item.plain())
		}
		return out
	case Bool:
		return strings.EqualFold(n.Value, "true")
	case Number:
		return rawNumber(n.Value)
	case Null:
		return nil
	}
	if n.Parts == nil {
		return n.Value
	}
	var b strings.Builder
	for _, p := range n.Parts {
		if p.Ref != nil {
			b.WriteString("${" + p.Ref.Text + "}")
			continue
		}
		b.WriteString(strings.ReplaceAll(p.Text, "${", "$${"))
	}
	return b.String()
}

// rawNumber is a number that is written as its author wrote it.
type rawNumber string

// MarshalYAML implements goccy's BytesMarshaler.
func (r rawNumber) MarshalYAML() ([]byte, error) { return []byte(r), nil }
