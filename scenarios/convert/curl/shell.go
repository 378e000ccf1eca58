package curl

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"

	"brunt/scenarios/convert/draft"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A command is one call of curl in a shell script: its words, and its standard input if the script contains it.
type command struct {
	line  int
	words []draft.Text
	stdin draft.Text
	lost  []string
}

// commands finds the calls of curl in a script, nested ones included. Shell variables become
// placeholders of the environment.
func commands(d *draft.Builder, source []byte) (out []*command, err error) {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	if ofWindows.Match(source) {
		source = unwindows(source)
	}
	defer func() { // the shell parser may panic on untrusted text
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("%s: this can't be read as commands of the shell", d.O.File)
		}
	}()
	file, err := syntax.NewParser().Parse(bytes.NewReader(source), d.O.File)
	if err != nil {
		return nil, fmt.Errorf("reading the command: %w", err)
	}
	sh := shell{}
	syntax.Walk(file, func(n syntax.Node) bool {
		stmt, ok := n.(*syntax.Stmt)
		if !ok {
			return true
		}
		call, ok := stmt.Cmd.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if len(call.Args) == 0 {
			sh.assign(call.Assigns)
			return true
		}
		if name := path.Base(strings.ReplaceAll(call.Args[0].Lit(), `\`, "/")); name != "curl" && name != "curl.exe" {
			return true
		}
		c := &command{line: int(call.Pos().Line())}
		for _, w := range call.Args[1:] {
			t, err := sh.text(w, expand.Literal)
			if err != nil {
				c.lost = append(c.lost, fmt.Sprintf("a word that only the shell knows (%v)", err))
				t = draft.Ref(onlyShell)
			}
			c.words = append(c.words, t)
		}
		for _, r := range stmt.Redirs {
			if r.Hdoc != nil {
				c.stdin, _ = sh.text(r.Hdoc, expand.Document)
			}
		}
		out = append(out, c)
		return true
	})
	return out, nil
}

// Markers around the name of a variable in a word from expand.
const (
	beginsName = "\ue000"
	endsName   = "\ue001"
)

// onlyShell replaces a word that only the shell can evaluate.
const onlyShell = "?"

// shell holds the variables that a script sets to known values.
type shell map[string]string

// assign records the values of variables. A variable set from the output of a command is read
// from the environment.
func (sh shell) assign(all []*syntax.Assign) {
	for _, a := range all {
		if a.Name == nil {
			continue
		}
		t, err := sh.text(a.Value, expand.Literal)
		if value, static := t.Static(); err == nil && static && !a.Append && a.Array == nil && a.Index == nil {
			sh[a.Name.Value] = value
		} else {
			delete(sh, a.Name.Value)
		}
	}
}

// text expands a word as the shell would, except for variables that the script does not set.
func (sh shell) text(w *syntax.Word, as func(*expand.Config, *syntax.Word) (string, error)) (t draft.Text, err error) {
	env := expand.FuncEnviron(func(name string) string {
		if value, ok := sh[name]; ok {
			return value
		}
		if !draft.EnvName.MatchString(name) {
			return ""
		}
		return beginsName + name + endsName
	})
	s, err := as(&expand.Config{Env: env}, w)
	if err != nil {
		return nil, err
	}
	for {
		before, rest, found := strings.Cut(s, beginsName)
		name, after, closed := strings.Cut(rest, endsName)
		if !found || !closed || !draft.EnvName.MatchString(name) {
			return append(t, draft.Piece{Lit: s}).Tidy(), nil
		}
		t = append(t, draft.Piece{Lit: before}, draft.Piece{Ref: "env." + name})
		s = after
	}
}

// ofWindows detects a command that browsers copy for cmd.exe.
var ofWindows = regexp.MustCompile(`(?m)\^$|\s\^"`)

// unwindows converts such a command for a POSIX shell. In the source a caret quotes the next character, and a dollar
// has no special meaning.
func unwindows(source []byte) []byte {
	var out []byte
	for i := 0; i < len(source); i++ {
		c := source[i]
		if c == '^' && i+1 < len(source) {
			i++
			if source[i] == '\n' {
				continue
			}
			c = source[i]
		}
		if c == '$' || c == '`' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return out
}
