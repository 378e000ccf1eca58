package curl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
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
	s := reading{
		sh: shell{vars: map[string]string{}}, turns: 1, functions: map[string]*function{}, told: map[string]bool{},
	}
	syntax.Walk(file, s.visit)
	for _, name := range draft.SortedKeys(s.functions) {
		if f := s.functions[name]; !f.called {
			s.lose(f.decl, "the function %s: nothing calls it", name)
		}
	}
	return s.out, nil
}

// A reading of a shell script collects its commands in the order in which they run.
type reading struct {
	sh        shell
	out       []*command
	turns     int // how often the current commands run
	functions map[string]*function
	calls     int // of functions
	depth     int // of calls of functions
	inner     int // depth of $(…), whose statement is reported as a whole
	told      map[string]bool
}

// A function is one that the script defines.
type function struct {
	decl   *syntax.FuncDecl
	called bool
}

// Limits on how often commands are repeated: the turns of loops, the calls of functions and those within calls, and
// the commands before a call.
const (
	mostTurns    = 50
	mostCalls    = 1000
	mostDepth    = 20
	mostCommands = 100_000
)

// lose adds a note on a node. A note that is there already, as the node runs again, is not repeated.
func (s *reading) lose(n syntax.Node, format string, args ...any) {
	line, what := int(n.Pos().Line()), fmt.Sprintf(format, args...)
	if key := fmt.Sprint(line, what); !s.told[key] {
		s.told[key] = true
		s.out = append(s.out, &command{line: line, lost: []string{what}})
	}
}

// visit reads a part of the script, and reports whether its parts are to be visited.
func (s *reading) visit(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.ForClause:
		name, items, ok := s.sh.items(n.Loop)
		if !ok {
			s.lose(n, "%s", draft.Choice(n))
			delete(s.sh.vars, name)
			return true
		}
		if len(items)*s.turns > mostTurns {
			s.lose(n, "a loop of %d turns: its commands run once, as in the first", len(items))
			items = items[:1]
		}
		outer := s.turns
		s.turns *= max(1, len(items))
		for _, item := range items {
			s.sh.vars[name] = item
			for _, stmt := range n.Do {
				syntax.Walk(stmt, s.visit)
			}
		}
		s.turns = outer
		return false
	case *syntax.WhileClause, *syntax.IfClause, *syntax.CaseClause:
		if what := draft.Choice(n); what != "" {
			s.lose(n, "%s", what)
		}
	case *syntax.BinaryCmd:
		what := draft.Choice(n)
		if what == "" {
			return true
		}
		syntax.Walk(n.X, s.visit)
		before := len(s.out)
		if syntax.Walk(n.Y, s.visit); len(s.out) > before {
			s.out[before].lost = append(s.out[before].lost, what)
		}
		return false
	case *syntax.FuncDecl:
		s.functions[n.Name.Value] = &function{decl: n}
		return false
	case *syntax.CmdSubst, *syntax.ProcSubst:
		s.inner++
		defer func() { s.inner-- }()
		for _, stmt := range stmtsOf(n) {
			syntax.Walk(stmt, s.visit)
		}
		return false
	case *syntax.DeclClause:
		if s.depth > 0 && n.Variant.Value != "export" && n.Variant.Value != "readonly" {
			for _, a := range n.Args {
				s.sh.local(a)
			}
		}
		s.assign(n.Args)
	case *syntax.ArithmCmd, *syntax.LetClause, *syntax.CoprocClause:
		s.lose(n, "a command that calculates, or runs beside the others")
	case *syntax.Stmt:
		if call, ok := n.Cmd.(*syntax.CallExpr); ok {
			return s.statement(n, call)
		}
		if n.Background {
			s.lose(n, sideBySide)
		}
	}
	return true
}

const sideBySide = "commands side by side; those of a flow come one after the other"

func stmtsOf(n syntax.Node) []*syntax.Stmt {
	if c, ok := n.(*syntax.CmdSubst); ok {
		return c.Stmts
	}
	return n.(*syntax.ProcSubst).Stmts
}

// around are programs that run the command that stands behind their options.
var around = []string{
	"timeout", "sudo", "nice", "env", "time", "nohup", "exec", "command", "docker", "podman", "kubectl",
}

// program returns the name of the program that a word names.
func program(word string) string {
	name, _, _ := strings.Cut(path.Base(strings.ReplaceAll(word, `\`, "/")), ":") // without the tag of an image
	return strings.TrimSuffix(name, ".exe")
}

// statement reads a statement that calls a program or a function, or assigns variables, and reports whether its parts
// are to be visited.
func (s *reading) statement(stmt *syntax.Stmt, call *syntax.CallExpr) bool {
	if len(call.Args) == 0 {
		s.assign(call.Assigns)
		return true
	}
	words := s.sh.words(call.Args)
	if len(words) == 0 || strings.Contains(words[0], beginsName) {
		if s.inner == 0 {
			s.lose(call, "a program whose name only the shell knows")
		}
		return true
	}
	name, outer := program(words[0]), ""
	if slices.Contains(around, name) {
		if i := slices.IndexFunc(words, func(w string) bool { return program(w) == "curl" }); i > 0 {
			words, outer, name = words[i:], name, "curl"
		}
	}
	for _, a := range call.Assigns {
		s.lose(a, "the variable %s for one command", a.Name.Value)
	}
	f := s.functions[words[0]]
	switch {
	case f != nil:
		if stmt.Background {
			s.lose(call, sideBySide)
		}
		s.call(f, call, words[1:])
	case name == "sleep":
		c := &command{line: int(call.Pos().Line())}
		for _, w := range words[1:] {
			pause, ok := draft.Pause(w, time.Second)
			if !ok {
				s.lose(call, "a pause whose time only the shell knows")
				return true
			}
			c.pause += pause
		}
		s.out = append(s.out, c)
	case name == "curl":
		c := s.curl(stmt, call, words[1:])
		if outer != "" {
			c.lost = append(c.lost, "the program "+outer+" around curl")
		}
		s.out = append(s.out, c)
	case !draft.IsIdle(name) && s.inner == 0:
		s.lose(call, "the program %s", draft.Clip(name, 40))
	}
	return true
}

// call reads the commands of a function, for a call of it.
func (s *reading) call(f *function, call *syntax.CallExpr, args []string) {
	f.called = true
	if s.calls++; s.calls > mostCalls || s.depth == mostDepth || len(s.out) > mostCommands {
		s.lose(call, "a call of the function %s: there are too many", f.decl.Name.Value)
		return
	}
	outer, locals := s.sh.args, s.sh.locals
	s.sh.args, s.sh.locals = append([]string{f.decl.Name.Value}, args...), map[string]*string{}
	s.depth++
	syntax.Walk(f.decl.Body, s.visit)
	s.depth--
	for name, before := range s.sh.locals {
		if delete(s.sh.vars, name); before != nil {
			s.sh.vars[name] = *before
		}
	}
	s.sh.args, s.sh.locals = outer, locals
}

// curl reads a call of curl.
func (s *reading) curl(stmt *syntax.Stmt, call *syntax.CallExpr, words []string) *command {
	c := &command{line: int(call.Pos().Line()), call: true}
	text := func(word string) draft.Text {
		t, unknown := text(word)
		if unknown != "" {
			c.lost = append(c.lost, "a word that only the shell knows: $"+unknown+" is in it")
			return nil
		}
		return t
	}
	for _, w := range words {
		t := text(w)
		if t == nil {
			t = draft.Ref(onlyShell)
		}
		c.words = append(c.words, t)
	}
	for _, r := range stmt.Redirs {
		switch {
		case r.Hdoc != nil:
			c.stdin = text(s.sh.word(r.Hdoc, expand.Document))
		case r.Op == syntax.WordHdoc:
			c.stdin = text(s.sh.word(r.Word, expand.Literal))
			c.stdin = draft.Join(c.stdin, draft.Lit("\n"))
		case r.Op == syntax.RdrIn:
			c.file, _ = text(s.sh.word(r.Word, expand.Literal)).Static()
		}
	}
	if stmt.Background {
		c.lost = append(c.lost, sideBySide)
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
	items, err := expand.Fields(&expand.Config{Env: sh, CmdSubst: seq}, loop.Items...)
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

// Markers around the name of a variable in a word from expand. The name is one that only the shell knows if no variable
// of the environment can have it: it is a parameter, or (…) for the output of a command.
const (
	beginsName = "\ue000"
	endsName   = "\ue001"
	unknown    = beginsName + "(…)" + endsName
)

// onlyShell replaces a word that only the shell can evaluate.
const onlyShell = "?"

// mostValue is the limit on the length of a variable's value.
const mostValue = 64 << 10

// A shell holds what a script sets to known values: variables, and within a function its arguments.
type shell struct {
	vars   map[string]string
	args   []string           // the name of the function and its arguments; nil outside of functions
	locals map[string]*string // values from before, of the variables that the function has for itself
}

// local makes a variable one of the current function.
func (sh shell) local(a *syntax.Assign) {
	if a.Name == nil || sh.locals[a.Name.Value] != nil {
		return
	}
	sh.locals[a.Name.Value] = nil
	if before, ok := sh.vars[a.Name.Value]; ok {
		sh.locals[a.Name.Value] = &before
	}
}

// assign records the values of variables. A variable whose value only the shell knows is read from the environment.
func (s *reading) assign(all []*syntax.Assign) {
	for _, a := range all {
		if a.Name == nil || a.Naked {
			continue
		}
		value := ""
		if a.Value != nil {
			value = s.sh.word(a.Value, expand.Literal)
		}
		_, unknown := text(value)
		if plain := !a.Append && a.Array == nil && a.Index == nil; plain && unknown == "" && len(value) < mostValue {
			s.sh.vars[a.Name.Value] = value
			continue
		}
		delete(s.sh.vars, a.Name.Value)
		s.lose(a, "the value of the variable %s, which only the shell knows; `extract` takes one from an answer",
			a.Name.Value)
	}
}

// Get returns a variable for an expansion: a marker stands for one that the script does not set.
func (sh shell) Get(name string) expand.Variable {
	text := func(s string) expand.Variable { return expand.Variable{Set: s != "", Kind: expand.String, Str: s} }
	n, err := strconv.Atoi(name)
	value, ok := sh.vars[name]
	switch {
	case ok:
		return text(value)
	case name == "IFS":
		return expand.Variable{}
	case sh.args != nil && (name == "@" || name == "*"):
		return expand.Variable{Set: true, Kind: expand.Indexed, List: sh.args[1:]}
	case sh.args != nil && name == "#":
		return text(strconv.Itoa(len(sh.args) - 1))
	case sh.args != nil && err == nil && n > 0:
		if n < len(sh.args) {
			return text(sh.args[n])
		}
		return expand.Variable{}
	}
	return text(beginsName + name + endsName)
}

// Each has no variables: none is expanded by a part of its name.
func (sh shell) Each(func(string, expand.Variable) bool) {}

func (sh shell) config() *expand.Config {
	return &expand.Config{Env: sh, CmdSubst: func(w io.Writer, _ *syntax.CmdSubst) error {
		_, err := io.WriteString(w, unknown)
		return err
	}}
}

// word expands a word as the shell would, with markers.
func (sh shell) word(w *syntax.Word, as func(*expand.Config, *syntax.Word) (string, error)) string {
	s, err := as(sh.config(), w)
	if err != nil {
		return unknown
	}
	return s
}

// words expands the words of a command.
func (sh shell) words(all []*syntax.Word) (out []string) {
	for _, w := range all {
		fields, err := expand.Fields(sh.config(), w)
		if err != nil {
			fields = []string{unknown}
		}
		out = append(out, fields...)
	}
	return out
}

// text makes a text of a word with markers. Unknown names a part that only the shell knows; empty means that there is
// none.
func text(s string) (t draft.Text, unknown string) {
	for {
		before, rest, found := strings.Cut(s, beginsName)
		name, after, closed := strings.Cut(rest, endsName)
		if !found || !closed {
			return append(t, draft.Piece{Lit: s}).Tidy(), ""
		}
		if !draft.EnvName.MatchString(name) {
			return nil, name
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
