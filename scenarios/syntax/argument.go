package syntax

import (
	"slices"
	"strings"
)

// Arguments parses the settings key=value of a command line like a file. a.b=v sets the key b of the map a to v. A
// value in [ ] or { } is a list or a map. The position of each setting is its own text. An argument without = is a
// mistake.
func Arguments(args []string, m *Mistakes) *Node {
	root := &Node{Kind: Map, Pos: Pos{File: "command line"}}
	for _, arg := range args {
		path, value, ok := strings.Cut(arg, "=")
		pos := Pos{File: arg}
		if !ok || path == "" {
			m.AddHint(pos, "such as for=10s", "%q is not a key=value", Clip(arg, 60))
			continue
		}
		root.put(strings.Split(path, "."), argument(arg, value, pos, m), m)
	}
	return root
}

// argument makes a node from a value on the command line.
func argument(source, value string, pos Pos, m *Mistakes) *Node {
	n := &Node{Kind: PlainKind(value), Value: value, Pos: pos}
	switch {
	case strings.Contains(value, "${"):
		m.Add(pos, "a value on the command line takes no placeholder; the shell fills in its own")
		n.Bad = true
	case strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{"):
		nodes := 0
		if n = Read(source, []byte(value), m, &nodes); n == nil {
			n = &Node{Pos: pos, Bad: true}
		}
	case n.Kind == Null:
		n.Kind = String
	}
	return n
}

// put sets a value at a path of keys.
func (n *Node) put(path []string, value *Node, m *Mistakes) {
	i := slices.IndexFunc(n.Fields, func(f Field) bool { return f.Key == path[0] })
	switch {
	case i < 0 && len(path) == 1:
		n.Fields = append(n.Fields, Field{Key: path[0], Pos: value.Pos, Value: value})
		return
	case i < 0:
		n.Fields = append(n.Fields, Field{Key: path[0], Pos: value.Pos, Value: &Node{Kind: Map, Pos: value.Pos}})
		i = len(n.Fields) - 1
	case len(path) == 1 || n.Fields[i].Value.Kind != Map:
		m.Add(value.Pos, "%q is given twice, first by %s", Clip(path[0], 60), n.Fields[i].Pos)
		return
	}
	n.Fields[i].Value.put(path[1:], value, m)
}

// Split splits the map n into two: the given keys, and the rest.
func (n *Node) Split(keys []string) (among, rest *Node) {
	in := func(k string) bool { return slices.Contains(keys, k) }
	return n.Without(func(k string) bool { return !in(k) }), n.Without(in)
}
