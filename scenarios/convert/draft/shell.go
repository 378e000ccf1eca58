package draft

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A Command is a call of a program in a shell script.
type Command struct {
	Line    int
	Program string
	Words   []string  // after the program
	Unknown bool      // only the shell can evaluate some word
	Beside  []Command // instead: commands that run while the script goes on
}

// idle are programs that send and break nothing.
var idle = []string{
	"echo", "printf", "set", "true", "false", ":", "[", "test", "exit", "return", "wait", "trap", "jq", "cat",
}

// IsIdle reports whether a program in a script neither sends nor breaks anything, so that its loss is no loss.
func IsIdle(program string) bool { return slices.Contains(idle, program) }

// Commands reads the calls of programs in a shell script, also those after `docker run … IMAGE`. It reports calls of
// others.
func (d *Builder) Commands(source []byte, programs ...string) (out []Command, err error) {
	defer func() { // the shell parser may panic on untrusted text
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("%s: this can't be read as commands of the shell", d.O.File)
		}
	}()
	file, err := syntax.NewParser().Parse(bytes.NewReader(bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))),
		d.O.File)
	if err != nil {
		return nil, fmt.Errorf("reading the command: %w", err)
	}
	s := &script{
		d: d, programs: programs, functions: map[string]*function{}, named: map[string]bool{}, args: arguments{open: true},
	}
	syntax.Walk(file, s.visit)
	s.uncalled()
	return s.out, nil
}

// A script is a shell script whose commands are collected in the order in which they run.
type script struct {
	d         *Builder
	programs  []string
	out       []Command
	count     int // of all commands
	functions map[string]*function
	calls     int // of functions
	depth     int // of calls of functions
	inner     int // depth of words: their commands are lost with the word
	args      arguments
	expanded  int             // words with arguments in them
	named     map[string]bool // names in the words of commands, by which other programs may call functions
	anyName   bool            // the shell alone knows the name of some program
}

// A function is one that the script defines.
type function struct {
	decl   *syntax.FuncDecl
	called bool
}

// Limits on calls of functions, on calls within calls, and on the commands before a call and the words with arguments.
const (
	mostCalls    = 1000
	mostDepth    = 20
	mostCommands = 2000
)

// lose reports a part of the script.
func (s *script) lose(n syntax.Node, format string, args ...any) {
	s.d.Lost(int(n.Pos().Line()), format, args...)
}

// uncalled reads the functions that no command calls by their names, if something else may call them.
func (s *script) uncalled() {
	byPlace := slices.SortedFunc(maps.Values(s.functions), func(a, b *function) int {
		return cmp.Compare(a.decl.Pos().Offset(), b.decl.Pos().Offset())
	})
	for _, f := range byPlace {
		switch name := f.decl.Name.Value; {
		case f.called:
		case s.anyName || s.named[name]:
			s.lose(f.decl, "when the function %s is called: only the shell knows; its commands come last", Clip(name, 40))
			s.run(f, arguments{open: true})
		default:
			s.lose(f.decl, "the function %s: nothing calls it", Clip(name, 40))
		}
	}
}

// parts visits the parts of a node.
func (s *script) parts(n syntax.Node) {
	begun := false
	syntax.Walk(n, func(part syntax.Node) bool {
		if !begun {
			begun = true
			return true
		}
		return s.visit(part)
	})
}

// visit reads a part of the script, and reports whether its parts are to be visited.
func (s *script) visit(n syntax.Node) bool {
	before := s.count
	switch n := n.(type) {
	case *syntax.Stmt:
		if !n.Background {
			return true
		}
		outer := s.out
		s.out = nil
		s.parts(n)
		if s.out != nil {
			outer = append(outer, Command{Line: int(n.Pos().Line()), Beside: s.out})
		}
		s.out = outer
	case *syntax.BinaryCmd:
		syntax.Walk(n.X, s.visit)
		before = s.count
		syntax.Walk(n.Y, s.visit)
		if what := Choice(n); what != "" && s.count > before {
			s.lose(n.Y, "%s", what)
		}
	case *syntax.FuncDecl:
		s.functions[n.Name.Value] = &function{decl: n}
	case *syntax.Word:
		s.inner++
		s.parts(n)
		s.inner--
	case *syntax.CallExpr:
		if len(n.Args) > 0 {
			s.call(n)
		}
		return true
	default:
		what := ""
		if n != nil {
			what = Choice(n)
		}
		if what == "" {
			return true
		}
		if s.parts(n); s.count > before {
			s.lose(n, "%s", what)
		}
	}
	return false
}

// call reads a call of a program or of a function.
func (s *script) call(call *syntax.CallExpr) {
	words := s.expand(call.Args)
	if len(words) == 0 {
		return
	}
	name := words[0].text
	s.anyName = s.anyName || words[0].unknown
	if !IsIdle(name) || name == "trap" {
		for _, w := range words[1:] {
			for _, n := range strings.FieldsFunc(w.text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|(){}", r) }) {
				s.named[n] = true
			}
		}
	}
	c := commandOf(words, s.programs)
	c.Line = int(call.Pos().Line())
	before, f := len(s.out), s.functions[name]
	if f != nil && (s.calls == mostCalls || s.depth == mostDepth || s.count > mostCommands) {
		s.lose(call, "a call of the function %s: there are too many", Clip(name, 40))
	} else if f != nil {
		s.run(f, argumentsOf(words))
	}
	if f != nil && c.Program != "" {
		s.wrapped(f, c, before)
	}
	switch {
	case f != nil:
	case c.Program != "":
		s.add(c)
	case name == "shift" || name == "set":
		s.args = s.args.after(words)
	case s.inner > 0:
	case name == "":
		s.lose(call, "a program whose name only the shell knows")
	case !IsIdle(path.Base(name)):
		s.lose(call, "the program %s", Clip(path.Base(name), 40))
	}
}

// add adds a command. One with many words counts as several.
func (s *script) add(c Command) {
	s.out = append(s.out, c)
	s.count += 1 + len(c.Words)/10
}

// wrapped gives the commands of a function with the name of a program, `pumba() { docker run … "$@"; }`, the line of
// the call. It takes the call itself if the function has none, or none that is known.
func (s *script) wrapped(f *function, call Command, before int) {
	made := s.out[before:]
	for i := range made {
		made[i].Line = call.Line
	}
	unknown := slices.ContainsFunc(made, func(c Command) bool { return c.Unknown })
	if unknown && !call.Unknown {
		s.lose(f.decl, "a part of the function %s: only the shell knows what it is", call.Program)
	}
	if unknown || len(made) == 0 {
		s.out = s.out[:before]
		s.add(call)
	}
}

// run reads the commands of a function for a call of it.
func (s *script) run(f *function, args arguments) {
	outer := s.args
	s.args, f.called = args, true
	s.calls++
	s.depth++
	syntax.Walk(f.decl.Body, s.visit)
	s.depth--
	s.args = outer
}

// arguments are those of a call of a function.
type arguments struct {
	words []string
	open  bool // only the shell knows those after the words
}

// Limits on arguments, which calls within calls could multiply: their bytes, and the parameters in a call.
const (
	mostArguments = 512
	mostParams    = 100
)

// argumentsOf returns the arguments of a call, up to the first that only the shell knows.
func argumentsOf(call []word) (a arguments) {
	size := 0
	for _, w := range call[1:] {
		if size += len(w.text); w.unknown || size > mostArguments {
			a.open = true
			break
		}
		a.words = append(a.words, w.text)
	}
	return a
}

// after returns the arguments after a call of shift or set.
func (a arguments) after(call []word) arguments {
	n, err := 1, error(nil)
	if len(call) > 1 {
		n, err = strconv.Atoi(call[1].text)
	}
	switch {
	case call[0].text == "set" && !slices.ContainsFunc(call, func(w word) bool { return w.unknown || w.text == "--" }):
		return a
	case call[0].text == "shift" && err == nil && n >= 0 && n <= len(a.words):
		return arguments{a.words[n:], a.open}
	}
	return arguments{open: true}
}

// know reports whether the arguments say what a parameter is.
func (a arguments) know(name string) bool {
	n, err := strconv.Atoi(name)
	return err == nil && n > 0 && (n <= len(a.words) || !a.open) || !a.open && (name == "@" || name == "*" || name == "#")
}

// Get returns a parameter for an expansion.
func (a arguments) Get(name string) expand.Variable {
	n, err := strconv.Atoi(name)
	switch {
	case name == "@" || name == "*":
		return expand.Variable{Set: true, Kind: expand.Indexed, List: a.words}
	case name == "#":
		return expand.Variable{Set: true, Kind: expand.String, Str: strconv.Itoa(len(a.words))}
	case err == nil && n > 0 && n <= len(a.words):
		return expand.Variable{Set: true, Kind: expand.String, Str: a.words[n-1]}
	}
	return expand.Variable{}
}

// Each has no variables: none is expanded by a part of its name.
func (a arguments) Each(func(string, expand.Variable) bool) {}

// A word is one of a call.
type word struct {
	text    string
	unknown bool // only the shell can evaluate it; the text has nothing in place of variables
}

// expand returns the words of a call, with the arguments of the current function in them.
func (s *script) expand(all []*syntax.Word) (out []word) {
	params := 0
	for _, w := range all {
		before, unknown := params, false
		syntax.Walk(w, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.CmdSubst, *syntax.ArithmExp, *syntax.ProcSubst:
				unknown = true
			case *syntax.ParamExp:
				params++
				unknown = unknown || n.Param == nil || !s.args.know(n.Param.Value) || n.Excl || n.Slice != nil || n.Repl != nil
			}
			return true
		})
		fields := []string{literal(w)}
		unknown = unknown || params > before &&
			(params > mostParams || s.expanded > mostCommands || strings.Contains(fields[0], "{"))
		if params > before && !unknown {
			var err error
			if fields, err = expand.Fields(&expand.Config{Env: s.args}, w); err != nil {
				fields, unknown = []string{""}, true
			}
			s.expanded += len(fields)
		}
		for _, f := range fields {
			out = append(out, word{f, unknown})
		}
	}
	return out
}

// Choice returns what a scenario lacks of a part of a script that chooses which commands run, or how often; empty if
// the part does not.
func Choice(n syntax.Node) string {
	switch n := n.(type) {
	case *syntax.ForClause:
		return "a loop: its commands run once"
	case *syntax.WhileClause:
		return "a loop with a condition: its commands run once"
	case *syntax.IfClause:
		if len(n.Cond) > 0 {
			return "the condition of an if: the commands of each branch run"
		}
	case *syntax.CaseClause:
		return "the choice of a case: the commands of each branch run"
	case *syntax.BinaryCmd:
		if n.Op == syntax.OrStmt {
			return "that a command runs only if the one before fails"
		} else if n.Op == syntax.AndStmt && isTest(n.X) {
			return "that a command runs only if the one before succeeds"
		}
	}
	return ""
}

// isTest reports whether a statement only tests a condition.
func isTest(stmt *syntax.Stmt) bool {
	switch c := stmt.Cmd.(type) {
	case *syntax.TestClause, *syntax.ArithmCmd:
		return true
	case *syntax.CallExpr:
		return len(c.Args) > 0 && (c.Args[0].Lit() == "[" || c.Args[0].Lit() == "test")
	}
	return false
}

// Pause returns the time that a call of sleep takes. It reports one that only the shell knows.
func (d *Builder) Pause(c Command) (sum time.Duration) {
	for _, w := range c.Words {
		pause, ok := Pause(w, time.Second)
		if !ok {
			d.Lost(c.Line, "a pause whose time only the shell knows")
			return 0
		}
		sum += pause
	}
	return sum
}

// literal returns a word, with nothing in place of variables. It is empty if only the shell can evaluate it.
func literal(w *syntax.Word) string {
	s, err := expand.Literal(&expand.Config{Env: expand.FuncEnviron(func(string) string { return "" })}, w)
	if err != nil {
		return ""
	}
	return s
}

// around are programs that run a program that stands among their words.
var around = []string{"docker", "sudo", "podman", "docker-compose", "kubectl", "command"}

// commandOf returns the call of one of the programs. Its Program is empty if it is another call.
func commandOf(words []word, programs []string) (c Command) {
	for i, w := range words {
		switch name, _, _ := strings.Cut(path.Base(w.text), ":"); {
		case c.Program != "":
			c.Words, c.Unknown = append(c.Words, w.text), c.Unknown || w.unknown
		case slices.Contains(programs, name) && (i == 0 || slices.Contains(around, words[0].text)):
			c.Program = name
		}
	}
	return c
}
