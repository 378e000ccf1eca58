package scenarios

import (
	"io/fs"
	"testing"
)

// parseNode reads YAML that must be right.
func parseNode(t testing.TB, text string) *Node {
	t.Helper()
	var m Mistakes
	nodes := 0
	n := readYAML("test.yaml", []byte(text), &m, &nodes)
	if err := m.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// fillNode reads YAML and fills in its placeholders, with env.TOKEN a secret.
func fillNode(t testing.TB, text, params string) (*Node, *scope) {
	t.Helper()
	nodes := 0
	s := &scope{
		params:  map[string]*param{},
		env:     func(k string) (string, bool) { return "s3cr\"t/&", k == "TOKEN" },
		secrets: &Secrets{}, symbols: &Symbols{}, m: &Mistakes{}, nodes: &nodes,
		beside: func(_ Pos, path string) string { return path },
	}
	for _, f := range parseNode(t, params).Fields {
		s.params[f.Key] = &param{node: f.Value}
	}
	n := parseNode(t, text)
	s.fill(n, 0)
	if err := s.m.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n, s
}

// memory is a file system for Options.Read.
type memory map[string]string

func (m memory) read(path string) ([]byte, error) {
	if text, ok := m[path]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// options reads the files of m and an environment without variables.
func (m memory) options() Options {
	return Options{Read: m.read, Env: func(string) (string, bool) { return "", false }}
}
