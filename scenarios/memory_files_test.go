package scenarios_test

import (
	"fmt"
	"io/fs"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// memory is a file system for Options.Read.
type memory map[string]string

func (m memory) read(path string) ([]byte, error) {
	if text, ok := m[path]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// options reads the files of m, with an empty environment.
func (m memory) options() scenarios.Options {
	return scenarios.Options{Read: m.read, Env: func(string) (string, bool) { return "", false }}
}

// sketch writes a tree in one line: kinds by their punctuation, numbers bare.
func sketch(n *syntax.Node) string {
	switch n.Kind {
	case syntax.Null:
		return "~"
	case syntax.List:
		var items []string
		for _, item := range n.Items {
			items = append(items, sketch(item))
		}
		return "[" + strings.Join(items, " ") + "]"
	case syntax.Map:
		var fields []string
		for _, f := range n.Fields {
			fields = append(fields, fmt.Sprintf("%q:%s", f.Key, sketch(f.Value)))
		}
		return "{" + strings.Join(fields, " ") + "}"
	case syntax.String:
		return fmt.Sprintf("%q", n.Value)
	}
	return n.Value
}
