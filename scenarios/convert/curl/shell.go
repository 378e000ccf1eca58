package curl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A command is one call of curl in a shell script: its words, and its standard input if the script contains it. It may
// be a pause or a note instead.
type command struct {
	line  int
	call  bool // of curl
	words []draft.Text
	stdin draft.Text
	file  string // that the standard input is
	pause time.Duration
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
	s := reading{sh: shell{}, turns: 1}
	syntax.Walk(file, s.visit)
	return s.out, nil
}

// A reading of a shell script collects its commands in the order in which they run.
type reading struct {
	sh    shell
	out   []*command
	turns int // how often the current commands run
}

// mostTurns is the limit on how often the commands of loops are repeated.
const mostTurns = 50

// visit reads a part of the script, and reports whether its parts are to be visited.
func (s *reading) visit(n syntax.Node) bool {
	lose := func(format string, args ...any) {
		s.out = append(s.out, &command{line: int(n.Pos().Line()), lost: []string{fmt.Sprintf(format, args...)}})
	}
	switch n := n.(type) {
	case *syntax.ForClause:
		name, items, ok := s.sh.items(n.Loop)
		if !ok {
			lose("a loop: its commands run once")
			delete(s.sh, name)
			return true
		}
		if len(items)*s.turns > mostTurns {
			lose("a loop of %d turns: its commands run once, as in the first", len(items))
			items = items[:1]
		}
		outer := s.turns
		s.turns *= max(1, len(items))
		for _, item := range items {
			s.sh[name] = item
			for _, stmt := range n.Do {
				syntax.Walk(stmt, s.visit)
			}
		}
		s.turns = outer
		return false
	case *syntax.WhileClause:
		lose("a loop with a condition: its commands run once")
	case *syntax.IfClause:
		if len(n.Cond) > 0 {
			lose("the condition of an if: the commands of each branch run")
		}
	case *syntax.CaseClause:
		lose("the choice of a case: the commands of each branch run")
	case *syntax.BinaryCmd:
		if n.Op == syntax.OrStmt {
			syntax.Walk(n.X, s.visit)
			before := len(s.out)
			if syntax.Walk(n.Y, s.visit); len(s.out) > before {
				s.out[before].lost = append(s.out[before].lost, "that a command runs only if the one before fails")
			}
			return false
		}
	case *syntax.Stmt:
		if call, ok := n.Cmd.(*syntax.CallExpr); ok {
			s.statement(n, call, lose)
		}
	}
	return true
}

// statement reads a statement that calls a program or assigns variables.
func (s *reading) statement(stmt *syntax.Stmt, call *syntax.CallExpr, lose func(string, ...any)) {
	if len(call.Args) == 0 {
		s.sh.assign(call.Assigns)
		return
	}
	switch path.Base(strings.ReplaceAll(call.Args[0].Lit(), `\`, "/")) {
	case "sleep":
		c := &command{line: int(call.Pos().Line())}
		for _, w := range call.Args[1:] {
			t, err := s.sh.text(w, expand.Literal)
			text, static := t.Static()
			_, pause, ok := draft.Duration(text, time.Second)
			if err != nil || !static || !ok {
				lose("a pause whose time only the shell knows")
				return
			}
			c.pause += pause
		}
		s.out = append(s.out, c)
	case "curl", "curl.exe":
		s.out = append(s.out, s.curl(stmt, call))
	}
}

// curl reads a call of curl.
func (s *reading) curl(stmt *syntax.Stmt, call *syntax.CallExpr) *command {
	c := &command{line: int(call.Pos().Line()), call: true}
	for _, w := range call.Args[1:] {
		t, err := s.sh.text(w, expand.Literal)
		if err != nil {
			c.lost = append(c.lost, fmt.Sprintf("a word that only the shell knows (%v)", err))
			t = draft.Ref(onlyShell)
		}
		c.words = append(c.words, t)
	}
	for _, r := range stmt.Redirs {
		switch {
		case r.Hdoc != nil:
			c.stdin, _ = s.sh.text(r.Hdoc, expand.Document)
		case r.Op == syntax.WordHdoc:
			c.stdin, _ = s.sh.text(r.Word, expand.Literal)
			c.stdin = draft.Join(c.stdin, draft.Lit("\n"))
		case r.Op == syntax.RdrIn:
			if t, err := s.sh.text(r.Word, expand.Literal); err == nil {
				c.file, _ = t.Static()
			}
		}
	}
	if stmt.Background {
		c.lost = append(c.lost, "commands side by side; those of a flow come one after the other")
	}
	return c
}

// items returns the variable of a loop and the words that it goes through. It reports false if only the shell knows
// them.
func (sh shell) items(of syntax.Loop) (name string, items []string, ok bool) {
	loop, ok := of.(*syntax.WordIter)
	if !ok {
		return "", nil, false
	}
	items, err := expand.Fields(&expand.Config{Env: sh.env(), CmdSubst: seq}, loop.Items...)
	known := err == nil && loop.InPos.IsValid() && !strings.Contains(strings.Join(items, ""), beginsName)
	return loop.Name.Value, items, known
}

// seq writes the output of $(seq FIRST LAST), the only command whose output a loop may need.
func seq(w io.Writer, of *syntax.CmdSubst) error {
	if len(of.Stmts) == 1 {
		if call, ok := of.Stmts[0].Cmd.(*syntax.CallExpr); ok && len(call.Args) > 1 && len(call.Args) < 4 &&
			call.Args[0].Lit() == "seq" {
			first, last := "1", call.Args[len(call.Args)-1].Lit()
			if len(call.Args) == 3 {
				first = call.Args[1].Lit()
			}
			a, err1 := strconv.Atoi(first)
			b, err2 := strconv.Atoi(last)
			if err1 == nil && err2 == nil && b-a < mostTurns {
				for ; a <= b; a++ {
					fmt.Fprintln(w, a)
				}
				return nil
			}
		}
	}
	return errors.New("only the shell knows its output")
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

// env returns the variables for an expansion: a marker stands for one that the script does not set.
func (sh shell) env() expand.Environ {
	return expand.FuncEnviron(func(name string) string {
		if value, ok := sh[name]; ok {
			return value
		}
		if name == "IFS" || !draft.EnvName.MatchString(name) {
			return ""
		}
		return beginsName + name + endsName
	})
}

// text expands a word as the shell would, except for variables that the script does not set.
func (sh shell) text(w *syntax.Word, as func(*expand.Config, *syntax.Word) (string, error)) (t draft.Text, err error) {
	s, err := as(&expand.Config{Env: sh.env()}, w)
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
